/* SPDX-License-Identifier: Apache-2.0 */
#include "base/cleanup.h"
#include "event/decimal.h"
#include "event/json.h"
#include "event/msgpack.h"
#include "test.h"

#include <math.h>

static uint64_t state = 0x2545f4914f6cdd1d;

static uint64_t draw(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static double of_bits(uint64_t bits)
{
    double f;

    memcpy(&f, &bits, sizeof f);
    return f;
}

#define WRITES_STR(text, want)                  \
    do {                                        \
        CLEANUP(buf_free) struct buf out = {0}; \
        json_write_str(&out, STR(text));        \
        CHECK_STR(buf_view(&out), want);        \
    } while (0)
#define WRITES(f, want)                         \
    do {                                        \
        CLEANUP(buf_free) struct buf out = {0}; \
        json_write_double(&out, f);             \
        CHECK_STR(buf_view(&out), want);        \
    } while (0)

TEST(strings)
{
    WRITES_STR("", "\"\"");
    WRITES_STR("plain", "\"plain\"");
    WRITES_STR("a\"b\\c/d", "\"a\\\"b\\\\c/d\"");
    WRITES_STR("\b\f\n\r\t", "\"\\b\\f\\n\\r\\t\"");
    WRITES_STR("\x01\x1f\x7f", "\"\\u0001\\u001f\x7f\"");
    WRITES_STR("a\0b", "\"a\\u0000b\"");
    WRITES_STR("caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80", "\"caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80\"");
    WRITES_STR("\xff", "\"\xef\xbf\xbd\"");
    WRITES_STR("a\xe2\x82", "\"a\xef\xbf\xbd\"");
    WRITES_STR("\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
}

/* Every length and place of a special character, in memory of exactly the string's size. */
TEST(strings_of_every_length)
{
    for (size_t n = 0; n < 70; n++)
        for (size_t at = 0; at <= n; at++) {
            CLEANUP(buf_free) struct buf want = {0}, out = {0}, back = {0};
            char *s = malloc(n + 1);
            for (size_t i = 0; i < n; i++)
                s[1 + i] = i == at ? '\n' : (char)('a' + i % 26);
            json_write_str(&out, (struct str){s + 1, n});
            CHECK_INT(out.n, n + 2 + (at < n));
            msgpack_str(&want, (struct str){s + 1, n});
            CHECK(json_read_whole(buf_view(&out), &json_limits_default, &back, NULL));
            CHECK(str_eq(buf_view(&back), buf_view(&want)));
            free(s);
        }
}

TEST(doubles)
{
    WRITES(0.0, "0.0");
    WRITES(-0.0, "-0.0");
    WRITES(1.0, "1.0");
    WRITES(-1.5, "-1.5");
    WRITES(0.1, "0.1");
    WRITES(0.3, "0.3");
    WRITES(0.1 + 0.2, "0.30000000000000004");
    WRITES(78.87, "78.87");
    WRITES(1e15, "1000000000000000.0");
    WRITES(9007199254740991.0, "9007199254740991.0");
    WRITES(9007199254740992.0, "9007199254740992.0");
    WRITES(1e16, "10000000000000000.0");
    WRITES(1e17, "1e17");
    WRITES(1e22, "1e22");
    WRITES(1e23, "1e23");
    WRITES(1.7976931348623157e308, "1.7976931348623157e308");
    WRITES(5e-324, "5e-324");
    WRITES(2.2250738585072014e-308, "2.2250738585072014e-308");
    WRITES(0x1p-44, "5.684341886080802e-14");
    WRITES(0.0001, "0.0001");
    WRITES(0.000015, "1.5e-5");
    WRITES(0.00002, "0.00002");
    WRITES(1e-7, "1e-7");
    WRITES(123456789.125, "123456789.125");
    WRITES(1700000000.123456, "1700000000.123456");
    WRITES(4503599627370495.5, "4503599627370495.5");
    WRITES(0.8444218515250481, "0.8444218515250481");
    WRITES(NAN, "null");
    WRITES(INFINITY, "null");
    WRITES(-INFINITY, "null");
}

/* The significant digits of decimal text, without zeros at either end. */
static size_t digits_of(const char *text, char *out)
{
    size_t n = 0;

    for (; *text && *text != 'e'; text++)
        if (*text >= '0' && *text <= '9' && (n || *text != '0'))
            out[n++] = *text;
    while (n && out[n - 1] == '0')
        n--;
    out[n] = 0;
    return n;
}

/* Against the C library: it reads back the same, and no shorter text does; of the shortest it is the nearest. */
static void check_shortest(double f)
{
    char text[DECIMAL_MAX + 1], trial[64], got[64], want[64];
    int places = 0;
    size_t n;
    bool edge = (f == ldexp(1, ilogb(f)));

    *decimal_double(text, f) = 0;
    if (strtod(text, NULL) != f) {
        test_failures++;
        fprintf(stderr, "%a gives %s\n", f, text);
        return;
    }
    do
        snprintf(trial, sizeof trial, "%.*e", places++, f);
    while (strtod(trial, NULL) != f);
    n = digits_of(text, got);
    /* Next to a power of two the nearest short decimal may miss where a farther one hits. */
    if (n != digits_of(trial, want) ? !edge || n > strlen(want) : strcmp(got, want) != 0 && !edge) {
        test_failures++;
        fprintf(stderr, "%a gives %s, shortest is %s\n", f, text, trial);
    }
}

TEST(shortest_digits)
{
    for (int i = 0; i < 20000; i++) {
        double any = of_bits(draw() & ~(1ull << 63));
        if (isfinite(any) && any > 0)
            check_shortest(any);
        check_shortest(ldexp((double)(draw() >> 11) + 1, (int)(draw() % 70) - 69)); /* 2^-16 to 2^54 */
        check_shortest((double)(draw() % 100000000) / pow(10, (double)(draw() % 8)) + 1e-9);
        check_shortest((double)(draw() % 10000000 + 1) / pow(10, (double)(draw() % 8))); /* few decimals */
    }
    for (int e = -1070; e < 1024; e++) {
        check_shortest(ldexp(1, e));
        check_shortest(nextafter(ldexp(1, e), 0));
        check_shortest(nextafter(ldexp(1, e), INFINITY));
    }
}

TEST(doubles_read_back)
{
    for (int i = 0; i < 50000; i++) {
        double f = i & 1 ? of_bits(draw()) : (double)(int64_t)draw() / 1e15;
        CLEANUP(buf_free) struct buf text = {0}, back = {0}, want = {0};
        if (!isfinite(f))
            continue;
        json_write_double(&text, f);
        msgpack_float(&want, f);
        CHECK(json_read_whole(buf_view(&text), &json_limits_default, &back, NULL));
        CHECK(str_eq(buf_view(&back), buf_view(&want)));
    }
}

/* Reading decimals of any number of digits against the C library. */
TEST(decimals_as_the_c_library_reads_them)
{
    for (int i = 0; i < 50000; i++) {
        CLEANUP(buf_free) struct buf text = {0}, back = {0}, want = {0};
        int digits = 1 + (int)(draw() % 22), point = (int)(draw() % (unsigned)(digits + 1));
        for (int d = 0; d < digits; d++) {
            if (d == point)
                buf_str(&text, d ? STR(".") : STR("0."));
            buf_char(&text, (char)('0' + (d == 0 && point ? 1 + draw() % 9 : draw() % 10)));
        }
        if (i & 1 || point == digits)
            buf_fmt(&text, "e%d", (int)(draw() % 60) - 30);
        msgpack_float(&want, strtod(buf_text(&text), NULL));
        CHECK(json_read_whole(buf_view(&text), &json_limits_default, &back, NULL));
        if (!str_eq(buf_view(&back), buf_view(&want))) {
            test_failures++;
            fprintf(stderr, "%s is read otherwise\n", buf_text(&text));
        }
    }
}

TEST(integers)
{
    static const struct {
        struct str msgpack;
        const char *text;
    } rows[] = {{STR("\x00"), "0"},
                {STR("\x09"), "9"},
                {STR("\x0a"), "10"},
                {STR("\xff"), "-1"},
                {STR("\xcf\x7f\xff\xff\xff\xff\xff\xff\xff"), "9223372036854775807"},
                {STR("\xcf\xff\xff\xff\xff\xff\xff\xff\xff"), "18446744073709551615"},
                {STR("\xd3\x80\x00\x00\x00\x00\x00\x00\x00"), "-9223372036854775808"},
                {STR("\xce\x3b\x9a\xca\x00"), "1000000000"},
                {STR("\xce\x3b\x9a\xc9\xff"), "999999999"}};

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(buf_free) struct buf out = {0};
        struct value v;
        msgpack_read(rows[i].msgpack, &v);
        json_write(&out, &v);
        CHECK_STR(buf_view(&out), rows[i].text);
    }
    for (uint64_t u = 1, i = 0; i < 20; u *= 10, i++)
        for (int d = -1; d <= 1; d++) {
            char got[DECIMAL_MAX], want[DECIMAL_MAX];
            *decimal_uint(got, u + (uint64_t)d) = 0;
            snprintf(want, sizeof want, "%" PRIu64, u + (uint64_t)d);
            CHECK_STR(str_of(got), want);
        }
}

TEST(raw_containers)
{
    static const char *const same[] = {"{}",
                                       "[]",
                                       "[[]]",
                                       "[{},{}]",
                                       "{\"a\":{}}",
                                       "{\"a\":[1,2,{\"b\":[]}],\"c\":\"d\"}",
                                       "[null,true,false,-1,1.5,\"\\n\"]"};

    for (size_t i = 0; i < ARRAY_LEN(same); i++) {
        CLEANUP(buf_free) struct buf encoded = {0}, out = {0};
        struct value v;
        CHECK(json_read_whole(str_of(same[i]), &json_limits_default, &encoded, NULL));
        v = value_raw(buf_view(&encoded));
        json_write(&out, &v);
        CHECK_STR(buf_view(&out), same[i]);
    }
}

TEST(what_json_has_not)
{
    CLEANUP(buf_free) struct buf out = {0};
    struct value v =
        value_raw(STR("\x94\xc4\x03"
                      "a\xff\"\xd5\x05\x01z\xca\x7f\xc0\x00\x00\x81\xcb\x3f\xf8\x00\x00\x00\x00\x00\x00\xc4\x01\x80"));

    json_write(&out, &v);
    CHECK_STR(buf_view(&out), "[\"a\\u00ff\\\"\",\"\\u0001z\",null,{\"1.5\":\"\\u0080\"}]");
}
