/* SPDX-License-Identifier: Apache-2.0 */
#include "base/cleanup.h"
#include "event/msgpack.h"
#include "test.h"

#include <math.h>

static void check_hex(const char *file, int line, struct str got, struct str want)
{
    if (str_eq(got, want))
        return;
    test_failures++;
    fprintf(stderr, "%s:%d: is", file, line);
    for (size_t i = 0; i < got.n; i++)
        fprintf(stderr, " %02x", (uint8_t)got.p[i]);
    fprintf(stderr, "\n");
}
#define WRITES(call, want)                                           \
    do {                                                             \
        CLEANUP(buf_free) struct buf out = {0};                      \
        call;                                                        \
        check_hex(__FILE__, __LINE__, buf_view(&out), STR(want));    \
        CHECK_INT(msgpack_check(buf_view(&out), true, NULL), out.n); \
        CHECK_INT(msgpack_skip(buf_view(&out)), out.n);              \
    } while (0)

TEST(smallest_encodings)
{
    WRITES(msgpack_nil(&out), "\xc0");
    WRITES(msgpack_bool(&out, true), "\xc3");
    WRITES(msgpack_int(&out, 127), "\x7f");
    WRITES(msgpack_int(&out, 128), "\xcc\x80");
    WRITES(msgpack_int(&out, 256), "\xcd\x01\x00");
    WRITES(msgpack_int(&out, 65536), "\xce\x00\x01\x00\x00");
    WRITES(msgpack_int(&out, 4294967296), "\xcf\x00\x00\x00\x01\x00\x00\x00\x00");
    WRITES(msgpack_int(&out, -32), "\xe0");
    WRITES(msgpack_int(&out, -33), "\xd0\xdf");
    WRITES(msgpack_int(&out, -129), "\xd1\xff\x7f");
    WRITES(msgpack_int(&out, -32769), "\xd2\xff\xff\x7f\xff");
    WRITES(msgpack_int(&out, INT64_MIN), "\xd3\x80\x00\x00\x00\x00\x00\x00\x00");
    WRITES(msgpack_uint(&out, UINT64_MAX), "\xcf\xff\xff\xff\xff\xff\xff\xff\xff");
    WRITES(msgpack_float(&out, 1.5), "\xcb\x3f\xf8\x00\x00\x00\x00\x00\x00");
    WRITES(msgpack_str(&out, STR("abc")), "\xa3"
                                          "abc");
    WRITES(msgpack_str(&out, STR("0123456789abcdef0123456789abcdef")), "\xd9\x20"
                                                                       "0123456789abcdef0123456789abcdef");
    WRITES(msgpack_bin(&out, STR("\xff")), "\xc4\x01\xff");
    WRITES(msgpack_ext(&out, 5, STR("x")), "\xd4\x05x");
    WRITES(msgpack_ext(&out, -1, STR("xyz")), "\xc7\x03\xffxyz");
    WRITES(msgpack_ext(&out, 0, STR("")), "\xc7\x00\x00");
    WRITES(msgpack_ext(&out, 7, STR("0123456789abcdef")), "\xd8\x07"
                                                          "0123456789abcdef");
    WRITES(msgpack_time(&out, 1000000001), "\xd7\x00\x00\x00\x00\x01\x00\x00\x00\x01");
    WRITES(msgpack_time(&out, -1), "\xff");
}

TEST(header_sizes)
{
    static const struct {
        uint32_t n;
        size_t array, str, bin, ext;
    } rows[] = {{15, 1, 1, 2, 3},  {16, 3, 1, 2, 2},  {31, 3, 1, 2, 3},    {32, 3, 2, 2, 3},
                {255, 3, 2, 2, 3}, {256, 3, 3, 3, 4}, {65535, 3, 3, 3, 4}, {65536, 5, 5, 5, 6}};
    static const char bytes[65536];

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(buf_free) struct buf out = {0};
        struct str s = {bytes, rows[i].n}, body;
        msgpack_array(&out, rows[i].n);
        CHECK_INT(out.n, rows[i].array);
        for (uint32_t j = 0; j < rows[i].n; j++)
            msgpack_nil(&out);
        CHECK_INT(msgpack_members(buf_view(&out), &body), rows[i].n);
        CHECK_INT(body.n, rows[i].n);
        CHECK_INT(msgpack_skip(buf_view(&out)), out.n);
        buf_clear(&out);
        msgpack_str(&out, s);
        CHECK_INT(out.n, rows[i].str + s.n);
        buf_clear(&out);
        msgpack_bin(&out, s);
        CHECK_INT(out.n, rows[i].bin + s.n);
        buf_clear(&out);
        msgpack_ext(&out, 3, s);
        CHECK_INT(out.n, rows[i].ext + s.n);
        CHECK_INT(msgpack_check(buf_view(&out), false, NULL), out.n);
    }
}

TEST(refused)
{
    static const struct str bad[] = {
        {"", 0},
        STR("\xc1"),
        STR("\xdd\xff\xff\xff\xff"),
        STR("\xdf\xff\xff\xff\xff"),
        STR("\xdb\xff\xff\xff\xff"),
        STR("\xc6\xff\xff\xff\xff"),
        STR("\xc9\xff\xff\xff\xff\x00"),
        STR("\xdf\x80\x00\x00\x00\x00\x00"),
        STR("\xdd\xff\xff"),
        STR("\x91"),
        STR("\x81\x01"),
        STR("\xa2x"),
        STR("\xd9"),
        STR("\xd9\x02x"),
        STR("\xcd\x01"),
        STR("\xcb\x00\x00\x00"),
        STR("\xd7\x00\x00\x00\x00\x01\x00\x00\x00"),
        STR("\xc7\x01\x05"),
        STR("\x92\x01\xc1"),
        STR("\xa1\xff"),
        STR("\x81\xa2\xc0\xaf\x01"),
        STR("\xa3\xed\xa0\x80"),
    };
    struct err e;

    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        char *copy = malloc(bad[i].n + 1);
        memcpy(copy + 1, bad[i].p, bad[i].n);
        e.text[0] = 0;
        if (msgpack_check((struct str){copy + 1, bad[i].n}, false, &e) || !e.text[0]) {
            test_failures++;
            fprintf(stderr, "row %zu: accepted\n", i);
        }
        free(copy);
    }
    CHECK_INT(msgpack_check(STR("\xa1\xff"), true, &e), 2);
    CHECK_INT(msgpack_check(STR("\x01\x02"), false, &e), 1);
}

TEST(depth)
{
    for (size_t depth = 63; depth < 67; depth++) {
        char bytes[80];
        memset(bytes, 0x91, depth);
        bytes[depth] = 1;
        CHECK_INT(msgpack_check((struct str){bytes, depth + 1}, false, NULL), depth <= 64 ? depth + 1 : 0);
    }
    CLEANUP(buf_free) struct buf many = {0};
    memset(buf_room(&many, 1000000), 0x91, 1000000);
    many.n = 1000000;
    CHECK_INT(msgpack_check(buf_view(&many), false, NULL), 0);
    buf_char(&many, 1);
    CHECK_INT(msgpack_skip(buf_view(&many)), many.n); /* no stack to run out of */
}

TEST(read_values)
{
    struct value v;

    CHECK_INT(msgpack_read(STR("\xd3\xff\xff\xff\xff\xff\xff\xff\xfe"), &v), 9);
    CHECK(v.type == V_INT && v.i == -2);
    msgpack_read(STR("\xcf\x7f\xff\xff\xff\xff\xff\xff\xff"), &v);
    CHECK(v.type == V_INT && v.i == INT64_MAX);
    msgpack_read(STR("\xcf\x80\x00\x00\x00\x00\x00\x00\x00"), &v);
    CHECK(v.type == V_UINT && v.u == 1ull << 63);
    CHECK_INT(msgpack_read(STR("\xca\x3f\xc0\x00\x00"), &v), 5);
    CHECK(v.type == V_FLOAT && v.single && v.f == 1.5);
    WRITES(msgpack_value(&out, &v), "\xca\x3f\xc0\x00\x00");
    CHECK_INT(msgpack_read(STR("\xc7\x02\xfe\x01\x02\x03"), &v), 5);
    CHECK(v.type == V_EXT && v.ext == -2 && v.n == 2);
    CHECK_INT(msgpack_read(STR("\x92\x01\x91\x02\x03"), &v), 4);
    CHECK(v.type == V_ARRAY && v.raw && v.n == 4);
    CHECK_INT(msgpack_read(STR("\xc1"), &v), 0);
    CHECK_INT(msgpack_read(STR(""), &v), 0);
}

static bool time_of(struct str bytes, int64_t *ns)
{
    struct value v;

    return msgpack_read(bytes, &v) && msgpack_read_time(&v, ns);
}

TEST(times)
{
    int64_t ns = 0;
    struct value v;

    CHECK(time_of(STR("\xd7\x00\x00\x00\x00\x02\x00\x00\x00\x03"), &ns));
    CHECK_INT(ns, 2000000003);
    CHECK(time_of(STR("\xc7\x08\x00\x00\x00\x00\x02\x00\x00\x00\x03"), &ns));
    CHECK_INT(ns, 2000000003);
    CHECK(time_of(STR("\xce\x65\x00\x00\x00"), &ns));
    CHECK_INT(ns, 1694498816ll * 1000000000);
    CHECK(time_of(STR("\xcb\x3f\xf8\x00\x00\x00\x00\x00\x00"), &ns));
    CHECK_INT(ns, 1500000000);
    v = value_float(-0.25);
    CHECK(msgpack_read_time(&v, &ns));
    CHECK_INT(ns, -250000000);
    v = value_float(1700000000.123456);
    CHECK(msgpack_read_time(&v, &ns));
    CHECK(llabs(ns - 1700000000123456000) < 1000);
    CHECK(!time_of(STR("\xd7\x01\x00\x00\x00\x02\x00\x00\x00\x03"), &ns));
    CHECK(!time_of(STR("\xd6\x00\x00\x00\x00\x02"), &ns));
    CHECK(!time_of(STR("\xa1x"), &ns));
    CHECK(!time_of(STR("\xd3\x7f\xff\xff\xff\xff\xff\xff\xff"), &ns));
    v = value_float(NAN);
    CHECK(!msgpack_read_time(&v, &ns));
    v = value_float(1e300);
    CHECK(!msgpack_read_time(&v, &ns));
}
