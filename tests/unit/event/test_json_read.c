/* SPDX-License-Identifier: Apache-2.0 */
#include "base/cleanup.h"
#include "event/json.h"
#include "event/msgpack.h"
#include "json_rows.h"
#include "test.h"

/* In memory of exactly its size, so that a sanitizer sees a read beyond it. */
static bool read_exactly(struct str text, const struct json_limits *limits, struct buf *out, struct json_result *result,
                         struct err *e)
{
    char *copy = malloc(text.n ? text.n : 1);
    bool ok;

    if (text.n)
        memcpy(copy, text.p, text.n);
    *result = (struct json_result){0};
    ok = json_read((struct str){copy, text.n}, limits, out, result, e);
    free(copy);
    return ok;
}

static bool whole(struct str text, struct buf *out, struct err *e)
{
    char *copy = malloc(text.n ? text.n : 1);
    bool ok;

    if (text.n)
        memcpy(copy, text.p, text.n);
    ok = json_read_whole((struct str){copy, text.n}, &json_limits_default, out, e);
    free(copy);
    return ok;
}

static void complain(const struct json_row *row, const char *what, struct str got)
{
    test_failures++;
    fprintf(stderr, "%c %s: %s:", row->kind, row->name, what);
    for (size_t i = 0; i < got.n; i++)
        fprintf(stderr, " %02x", (uint8_t)got.p[i]);
    fprintf(stderr, "\n");
}

static void check_row(const struct json_row *row, size_t in_front)
{
    CLEANUP(buf_free) struct buf out = {0};
    struct json_result result;
    struct err e = {""};
    bool want = row->kind != 'n', got;

    for (size_t i = 0; i < in_front; i++)
        buf_char(&out, 'x');
    got = whole(row->text, &out, &e);
    if (got != want) {
        complain(row, want ? e.text : "accepted", str_from(buf_view(&out), in_front));
        return;
    }
    if (!want) {
        if (out.n != in_front || strncmp(e.text, "at byte ", 8) != 0)
            complain(row, e.text, str_from(buf_view(&out), in_front));
        return;
    }
    if (!str_eq(str_from(buf_view(&out), in_front), row->msgpack))
        complain(row, "gives", str_from(buf_view(&out), in_front));
    buf_clear(&out);
    read_exactly(row->text, &json_limits_default, &out, &result, NULL);
    CHECK_INT(result.replaced, row->replaced);
    CHECK_INT(msgpack_check(buf_view(&out), false, &e), out.n);
}

TEST(table)
{
    CHECK(sizeof json_rows / sizeof *json_rows >= 300);
    for (size_t i = 0; i < sizeof json_rows / sizeof *json_rows; i++) {
        check_row(&json_rows[i], 0);
        check_row(&json_rows[i], 5);
    }
}

/* The same values where the short path ends, with much behind them, so that both paths are taken by each. */
TEST(table_inside_of_more)
{
    for (size_t i = 0; i < sizeof json_rows / sizeof *json_rows; i++) {
        CLEANUP(buf_free) struct buf text = {0}, out = {0};
        const struct json_row *row = &json_rows[i];
        struct err e = {""};
        bool want = row->kind != 'n';
        if (row->text.n >= 3 && memcmp(row->text.p, "\xef\xbb\xbf", 3) == 0)
            continue; /* a byte order mark only opens a text */
        buf_fmt(&text, "{\"first\":");
        buf_str(&text, row->text);
        buf_fmt(&text, ",\"second\":\"%0100d\"}", 0);
        /* Cut short it would have to be a value by itself; here what follows may complete it. */
        if (whole(buf_view(&text), &out, &e) != want && strcmp(row->name, "value then comma"))
            complain(row, want ? e.text : "accepted inside of an object", buf_view(&out));
        else if (want && (out.n < 7 + row->msgpack.n || memcmp(out.p + 7, row->msgpack.p, row->msgpack.n) != 0))
            complain(row, "inside of an object gives", buf_view(&out));
    }
}

/* Behind so many nested headers of three bytes that moving bytes at once is no longer allowed. */
TEST(table_put_off_to_the_end)
{
    CLEANUP(buf_free) struct buf deep = {0}, front = {0};

    for (int i = 0; i < 60; i++)
        buf_char(&deep, '[');
    buf_char(&deep, '1');
    for (int i = 0; i < 60; i++)
        buf_str(&deep, STR(",1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]"));
    buf_char(&front, (char)0x92);
    for (int i = 0; i < 60; i++)
        msgpack_array(&front, 17);
    memset(buf_room(&front, 1 + 60 * 16), 1, 1 + 60 * 16);
    front.n += 1 + 60 * 16;
    for (size_t i = 0; i < sizeof json_rows / sizeof *json_rows; i++) {
        CLEANUP(buf_free) struct buf text = {0}, out = {0};
        const struct json_row *row = &json_rows[i];
        if (row->kind == 'n' || (row->text.n >= 3 && memcmp(row->text.p, "\xef\xbb\xbf", 3) == 0))
            continue;
        buf_fmt(&text, "[%s,", buf_text(&deep));
        buf_str(&text, row->text);
        buf_char(&text, ']');
        buf_str(&front, row->msgpack);
        CHECK(whole(buf_view(&text), &out, NULL));
        if (!str_eq(buf_view(&out), buf_view(&front)))
            complain(row, "put off gives", buf_view(&out));
        front.n -= row->msgpack.n;
    }
}

TEST(every_prefix_of_an_object_is_refused)
{
    static const char text[] =
        "{\"a\":[1,-2.5e3,true,null,\"x\\u00e9\\ud83d\\ude00\xc3\xa9\"],\"b\":{\"c\":\"0123456789abcdef"
        "0123456789abcdef0123456789\"}}";

    for (size_t n = 0; n < sizeof text - 1; n++) {
        CLEANUP(buf_free) struct buf out = {0};
        CHECK(!whole((struct str){text, n}, &out, NULL));
        CHECK_INT(out.n, 0);
    }
}

static void nest(struct buf *text, size_t depth, bool map)
{
    for (size_t i = 0; i < depth; i++)
        buf_str(text, map ? STR("{\"a\":") : STR("["));
    buf_str(text, map ? STR("1") : STR(""));
    for (size_t i = 0; i < depth; i++)
        buf_char(text, map ? '}' : ']');
}

TEST(depth_is_exact)
{
    for (int map = 0; map < 2; map++)
        for (size_t depth = 63; depth <= 66; depth++) {
            CLEANUP(buf_free) struct buf text = {0}, out = {0};
            struct err e = {""};
            nest(&text, depth, map);
            CHECK_INT(whole(buf_view(&text), &out, &e), depth <= 64);
            if (depth <= 64)
                CHECK_INT(msgpack_check(buf_view(&out), false, &e), out.n);
            else
                CHECK(strstr(e.text, "too deep"));
        }
}

TEST(limits)
{
    CLEANUP(buf_free) struct buf out = {0};
    struct json_limits l = json_limits_default;
    struct json_result result;
    struct err e = {""};

    l.depth = 2;
    CHECK(json_read(STR("[[1]]"), &l, &out, NULL, &e));
    CHECK(!json_read(STR("[[[1]]]"), &l, &out, NULL, &e));
    l.depth = 1000; /* the reader's own limit holds */
    CLEANUP(buf_free) struct buf deep = {0};
    nest(&deep, 65, false);
    CHECK(!json_read(buf_view(&deep), &l, &out, NULL, &e));
    l = json_limits_default;
    l.members = 3;
    CHECK(json_read(STR("[1,2,3]"), &l, &out, NULL, &e));
    CHECK(!json_read(STR("[1,2,3,4]"), &l, &out, NULL, &e));
    CHECK_STR(str_of(e.text), "at byte 7: too many members");
    CHECK(!json_read(STR("{\"a\":1,\"b\":2,\"c\":3,\"d\":4}"), &l, &out, NULL, &e));
    l = json_limits_default;
    l.key_bytes = 3;
    CHECK(json_read(STR("{\"abc\":1}"), &l, &out, NULL, &e));
    CHECK(!json_read(STR("{\"abcd\":1}"), &l, &out, NULL, &e));
    CHECK_STR(str_of(e.text), "at byte 1: a key is too long");
    l = json_limits_default;
    l.refuse_duplicates = true;
    CHECK(json_read(STR("{\"a\":{\"a\":1}}"), &l, &out, NULL, &e));
    CHECK(!json_read(STR("{\"a\":1,\"b\":1,\"a\":1}"), &l, &out, NULL, &e));
    CHECK_STR(str_of(e.text), "at byte 13: the key was there before in the same object");
    l = json_limits_default;
    l.refuse_bad_utf8 = true;
    CHECK(json_read(STR("\"\xc3\xa9\""), &l, &out, &result, &e));
    CHECK_INT(result.replaced, 0);
    CHECK(!json_read(STR("\"\xc3\""), &l, &out, NULL, &e));
    CHECK(!json_read(STR("\"\\ud800\""), &l, &out, NULL, &e));
}

/* The key limit counts the key's bytes, whatever the length of its encoded header. */
TEST(key_limit_at_header_sizes)
{
    static const uint32_t sizes[] = {31, 32, 255, 256, 65535, 65536};

    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (uint32_t n = sizes[i]; n <= sizes[i] + 1; n++) {
            CLEANUP(buf_free) struct buf text = {0}, out = {0};
            struct json_limits l = json_limits_default;
            l.key_bytes = sizes[i];
            buf_str(&text, STR("{\""));
            memset(buf_room(&text, n), 'k', n);
            text.n += n;
            buf_str(&text, STR("\":1}"));
            CHECK_INT(json_read(buf_view(&text), &l, &out, NULL, NULL), n == sizes[i]);
        }
}

TEST(values_one_after_the_other)
{
    CLEANUP(buf_free) struct buf out = {0};
    struct str rest = STR(" {\"a\":1}\n[2] 3 \"four\"null ");
    struct json_result result;
    size_t n = 0;

    while (str_trim(rest).n) {
        CHECK(json_read(rest, &json_limits_default, &out, &result, NULL));
        CHECK(result.used > 0);
        rest = str_from(rest, result.used);
        n++;
    }
    CHECK_INT(n, 5);
    CHECK(str_eq(buf_view(&out), STR("\x81\xa1"
                                     "a\x01\x91\x02\x03\xa4"
                                     "four\xc0")));
    CHECK_INT(rest.n, 1);
}

TEST(errors_say_where)
{
    struct err e = {""};
    CLEANUP(buf_free) struct buf out = {0};

    CHECK(!json_read_whole(STR("{\"a\":tru}"), &json_limits_default, &out, &e));
    CHECK_STR(str_of(e.text), "at byte 5: a value is expected");
    CHECK(!json_read_whole(STR("{\"a\":1"), &json_limits_default, &out, &e));
    CHECK_STR(str_of(e.text), "at byte 6: the text ends inside of a value");
    CHECK(!json_read_whole(STR("[1] 2"), &json_limits_default, &out, &e));
    CHECK_STR(str_of(e.text), "at byte 4: something follows the value");
    CHECK(!json_read_whole(STR("[1e999]"), &json_limits_default, &out, &e));
    CHECK_STR(str_of(e.text), "at byte 1: a number beyond the range of doubles");
    CHECK(!json_read_whole(STR("[1,]"), &json_limits_default, &out, NULL));
}

TEST(strings_of_every_length)
{
    for (size_t n = 0; n < 600; n++)
        for (int kind = 0; kind < 3; kind++) {
            CLEANUP(buf_free) struct buf text = {0}, want = {0}, out = {0}, content = {0};
            for (size_t i = 0; i < n; i++)
                buf_char(&content, (char)('a' + i % 26));
            buf_char(&text, '"');
            buf_str(&text, buf_view(&content));
            if (kind == 1) {
                buf_str(&text, STR("\\n"));
                buf_char(&content, '\n');
            }
            buf_char(&text, '"');
            if (kind == 2)
                buf_fmt(&text, "%64s", "");
            msgpack_str(&want, buf_view(&content));
            CHECK(whole(buf_view(&text), &out, NULL));
            CHECK(str_eq(buf_view(&out), buf_view(&want)));
        }
}

/* Any of a few keys and values, so that keys repeat, follow each other in many orders, and break off anywhere. */
static void random_value(struct buf *text, uint64_t *state, int depth)
{
    static const char *const keys[] = {"a",   "b",     "event_id", "\\u0061",
                                       "key", "x\\ny", "\xff\xfe", "a\xc3\xa9",
                                       "",    "b ",    "a\"",      "a_name_that_is_longer_than_others"};
    static const char *const scalars[] = {"1", "true", "\"s\"", "-0.5", "null", "[1,2]", "123456", "tru", "\"\\u12\""};
    uint64_t r = (*state = *state * 6364136223846793005u + 1442695040888963407u) >> 33;
    bool map = r & 1;
    uint64_t n = r >> 1 & 7, blanks = r >> 4 & 7;

    if (depth == 0 || (r >> 7 & 3) == 0) {
        /* The last two are no JSON: rarely. */
        buf_fmt(text, "%s", scalars[r >> 9 & 63 ? (r >> 15) % 7 : (r >> 15) % 9]);
        return;
    }
    buf_char(text, map ? '{' : '[');
    for (uint64_t i = 0; i < n; i++) {
        uint64_t k = (*state = *state * 6364136223846793005u + 1442695040888963407u) >> 33;
        buf_fmt(text, "%s", i ? blanks == 1 ? " , " : "," : "");
        if (map)
            buf_fmt(text, "\"%s\"%s", keys[k >> 8 & 3 ? i : k % 12], blanks == 2 ? " : " : blanks == 3 ? ": " : ":");
        random_value(text, state, depth - 1);
    }
    buf_char(text, map ? '}' : ']');
}

TEST(known_keys_change_nothing)
{
    struct json_limits plain = json_limits_default; /* with which no key is known */
    uint64_t state = 99;
    int good = 0;

    plain.key_bytes = 40;
    plain.members = 63;
    for (int i = 0; i < 60000; i++) {
        CLEANUP(buf_free) struct buf text = {0}, known = {0}, other = {0};
        struct json_result a = {0}, b = {0};
        struct err x = {0}, y = {0};
        bool read;
        random_value(&text, &state, 5);
        if (i % 7 == 0)
            text.n -= text.n / 3;
        /* Where it ends is where memory ends. */
        char *exact = malloc(text.n + 1);
        memcpy(exact, text.p, text.n);
        exact = realloc(exact, text.n ? text.n : 1);
        read = json_read((struct str){exact, text.n}, &json_limits_default, &known, &a, &x);
        good += read;
        CHECK(read == json_read(buf_view(&text), &plain, &other, &b, &y));
        CHECK(str_eq(buf_view(&known), buf_view(&other)) && a.used == b.used && a.replaced == b.replaced);
        CHECK(strcmp(x.text, y.text) == 0);
        free(exact);
    }
    CHECK(good > 20000 && good < 60000);
}
