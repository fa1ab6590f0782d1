/* SPDX-License-Identifier: Apache-2.0 */
/* The time for hostile JSON grows as its size does.  Each shape is read at one size and at sixteen times that: a
 * quadratic reader takes 256 times as long, a linear one 16 times; more than 64 times, thrice in a row, fails.
 * Processor time, the least of several runs, so that a busy machine does not matter. */
#include "base/cleanup.h"
#include "event/json.h"
#include "event/msgpack.h"
#include "test.h"

#include <time.h>

enum { TIMES = 16, SLACK = 64, SMALL = 32 * 1024 };

static double processor(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static const struct json_limits wide = {64, UINT32_MAX, UINT32_MAX, false, false};

/* Shapes: each appends about n bytes of text. */
static void brackets(struct buf *t, size_t n)
{
    memset(buf_room(t, n), '[', n);
    t->n += n;
}

static void objects(struct buf *t, size_t n)
{
    while (t->n < n)
        buf_str(t, STR("{\"a\":"));
}

static void deep_again(struct buf *t, size_t n)
{
    buf_char(t, '[');
    while (t->n < n) {
        for (int i = 0; i < 63; i++)
            buf_char(t, '[');
        for (int i = 0; i < 63; i++)
            buf_char(t, ']');
        buf_char(t, ',');
    }
    buf_str(t, STR("0]"));
}

static void many_keys(struct buf *t, size_t n)
{
    buf_char(t, '{');
    for (unsigned i = 0; t->n < n; i++)
        buf_fmt(t, "\"key%u\":%u,", i, i);
    buf_str(t, STR("\"\":0}"));
}

static void same_key(struct buf *t, size_t n)
{
    buf_char(t, '{');
    while (t->n < n)
        buf_str(t, STR("\"a\":1,"));
    buf_str(t, STR("\"a\":0}"));
}

static void same_keys(struct buf *t, size_t n)
{
    buf_char(t, '{');
    for (unsigned i = 0; t->n < n; i++)
        buf_fmt(t, "\"k%u\":1,\"x\":[2],", i % 1000);
    buf_str(t, STR("\"a\":0}"));
}

/* Keys that a hash of their ends and length cannot tell apart. */
static void like_keys(struct buf *t, size_t n)
{
    buf_char(t, '{');
    for (unsigned i = 0; t->n < n; i++)
        buf_fmt(t, "\"aaaaaaaaaaaaaaaa%08uaaaaaaaaaaaaaaaa\":1,", i);
    buf_str(t, STR("\"a\":0}"));
}

static void wide_array(struct buf *t, size_t n)
{
    buf_char(t, '[');
    while (t->n < n)
        buf_str(t, STR("1,"));
    buf_str(t, STR("1]"));
}

/* Every level has sixteen members, so that each header grows behind all that is inside of it. */
static void headers(struct buf *t, size_t n)
{
    for (int i = 0; i < 63; i++)
        buf_char(t, '[');
    wide_array(t, n);
    for (int i = 0; i < 63; i++)
        buf_str(t, STR(",1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]"));
}

/* Every level loses a pair in front of all that is inside of it, and many of those inside lose some, too. */
static void losers(struct buf *t, size_t n)
{
    for (int i = 0; i < 62; i++)
        buf_str(t, STR("{\"a\":1,\"b\":2,\"a\":"));
    buf_char(t, '[');
    while (t->n < n)
        buf_str(t, STR("{\"a\":1,\"a\":2,\"b\":3},"));
    buf_str(t, STR("0]"));
    for (int i = 0; i < 62; i++)
        buf_char(t, '}');
}

static void escapes(struct buf *t, size_t n)
{
    buf_char(t, '"');
    while (t->n < n)
        buf_str(t, STR("\\n\\u0041\\\\x"));
    buf_char(t, '"');
}

static void long_string(struct buf *t, size_t n)
{
    buf_char(t, '"');
    memset(buf_room(t, n), 'a', n);
    t->n += n;
    buf_char(t, '"');
}

static void bad_bytes(struct buf *t, size_t n)
{
    buf_char(t, '"');
    memset(buf_room(t, n), 0xff, n);
    t->n += n;
    buf_char(t, '"');
}

static void long_number(struct buf *t, size_t n)
{
    buf_str(t, STR("0."));
    memset(buf_room(t, n), '7', n);
    t->n += n;
}

static void blanks(struct buf *t, size_t n)
{
    buf_char(t, '[');
    memset(buf_room(t, n), ' ', n);
    t->n += n;
    buf_char(t, ']');
}

static void unfinished_strings(struct buf *t, size_t n)
{
    buf_char(t, '[');
    while (t->n < n)
        buf_str(t, STR("\"\\\"\","));
}

static const struct shape {
    const char *name;
    void (*make)(struct buf *text, size_t n);
    bool valid;
} shapes[] = {
    {"brackets", brackets, false},    {"objects", objects, false},
    {"deep_again", deep_again, true}, {"many_keys", many_keys, true},
    {"same_key", same_key, true},     {"same_keys", same_keys, true},
    {"like_keys", like_keys, true},   {"wide_array", wide_array, true},
    {"headers", headers, true},       {"losers", losers, true},
    {"escapes", escapes, true},       {"long_string", long_string, true},
    {"bad_bytes", bad_bytes, true},   {"long_number", long_number, true},
    {"blanks", blanks, true},         {"unfinished_strings", unfinished_strings, false},
};

/* The least processor time of several runs over about n bytes. */
static double least(const struct shape *shape, size_t n, int runs)
{
    CLEANUP(buf_free) struct buf text = {0}, out = {0};
    double best = 1e9;

    shape->make(&text, n);
    for (int i = 0; i < runs; i++) {
        double start = processor(), took;
        buf_clear(&out);
        bool ok = json_read_whole(buf_view(&text), &wide, &out, NULL);
        took = processor() - start;
        best = took < best ? took : best;
        if (ok != shape->valid || (ok && msgpack_check(buf_view(&out), false, NULL) != out.n)) {
            test_failures++;
            fprintf(stderr, "%s of %zu bytes: not what it should give\n", shape->name, n);
        }
    }
    return best;
}

TEST(time_grows_as_size_does)
{
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        double small = 0, big = 0;
        int tries = 0;
        /* What is refused early takes no time at all at any size. */
        do {
            small = least(&shapes[i], SMALL, 5);
            big = least(&shapes[i], (size_t)SMALL * TIMES, 2);
        } while (big > small * SLACK + 0.0005 && ++tries < 3);
        if (getenv("VERBOSE"))
            fprintf(stderr, "%-20s %8.2f ns/byte, then %8.2f\n", shapes[i].name, small * 1e9 / SMALL,
                    big * 1e9 / SMALL / TIMES);
        if (tries == 3) {
            test_failures++;
            fprintf(stderr, "%s: %.6f s for %d bytes, %.6f s for %d times as many\n", shapes[i].name, small, SMALL, big,
                    TIMES);
        }
    }
}

TEST(nesting_of_200_kilobytes_is_refused_at_once)
{
    CLEANUP(buf_free) struct buf text = {0}, out = {0};
    struct err e = {""};
    double start;

    brackets(&text, 200 * 1024);
    start = processor();
    CHECK(!json_read_whole(buf_view(&text), &json_limits_default, &out, &e));
    CHECK(processor() - start < 0.010);
    CHECK_STR(str_of(e.text), "at byte 64: nested too deep");
    CHECK(out.cap < 64 * 1024); /* nor does it take memory */
}

/* What is put off to the end gives the same bytes as what is done at once. */
TEST(headers_and_losers_put_off)
{
    CLEANUP(buf_free) struct buf text = {0}, out = {0}, want = {0};

    headers(&text, 100000);
    CHECK(json_read_whole(buf_view(&text), &wide, &out, NULL));
    for (int i = 0; i < 63; i++)
        msgpack_array(&want, 17);
    size_t ones = (100000 - 63 - 1 + 1) / 2;
    CHECK(out.n > ones);
    CHECK(memcmp(out.p, want.p, want.n) == 0);
    CHECK_INT(out.n, want.n + 3 + (size_t)(((uint8_t)out.p[want.n + 1] << 8) | (uint8_t)out.p[want.n + 2]) + 63 * 16);

    buf_clear(&text);
    buf_clear(&out);
    buf_clear(&want);
    losers(&text, 100000);
    CHECK(json_read_whole(buf_view(&text), &wide, &out, NULL));
    for (int i = 0; i < 62; i++)
        buf_str(&want, STR("\x82\xa1"
                           "b\x02\xa1"
                           "a"));
    CHECK(out.n > want.n + 3 && memcmp(out.p, want.p, want.n) == 0);
    for (size_t at = want.n + 3; at + 7 < out.n; at += 7)
        CHECK(memcmp(out.p + at,
                     "\x82\xa1"
                     "a\x02\xa1"
                     "b\x03",
                     7) == 0);
}
