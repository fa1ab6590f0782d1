/* SPDX-License-Identifier: Apache-2.0 */
#include "base/cleanup.h"
#include "base/reader.h"
#include "test.h"

TEST(comparing)
{
    CHECK(str_eq(STR(""), (struct str){NULL, 0}));
    CHECK(!str_eq(STR("a"), STR("b")));
    CHECK(str_eq_fold(STR("Time_Key"), STR("TIME_KEY")));
    CHECK(!str_eq_fold(STR("a"), STR("ab")));
    CHECK(!str_eq_fold(STR("["), STR("{")));
    CHECK(str_starts(STR("abc"), STR("ab")) && !str_starts(STR("ab"), STR("abc")) && str_starts(STR(""), STR("")));
    CHECK(str_ends(STR("abc"), STR("bc")) && !str_ends(STR("abc"), STR("ab")) && !str_ends(STR("c"), STR("bc")));
    CHECK(str_cmp(STR("a"), STR("b")) < 0 && str_cmp(STR("ab"), STR("a")) > 0 && str_cmp(STR("a"), STR("a")) == 0);
    CHECK(str_cmp(STR("\xff"), STR("a")) > 0);
}

TEST(parts)
{
    struct str rest = STR("a,,b");

    CHECK_STR(str_from(STR("abc"), 1), "bc");
    CHECK_STR(str_from(STR("abc"), 9), "");
    CHECK_STR(str_head(STR("abc"), 2), "ab");
    CHECK_STR(str_head(STR("abc"), 9), "abc");
    CHECK_STR(str_trim(STR(" \t\r\na b\n")), "a b");
    CHECK_STR(str_trim(STR(" \n")), "");
    CHECK_STR(str_cut(&rest, ','), "a");
    CHECK_STR(str_cut(&rest, ','), "");
    CHECK_STR(str_cut(&rest, ','), "b");
    CHECK(!rest.p && !rest.n);
    rest = STR("  one \t two ");
    CHECK_STR(str_word(&rest), "one");
    CHECK_STR(str_word(&rest), "two");
    CHECK_STR(str_word(&rest), "");
    CHECK_INT(str_find(STR("abcabc"), STR("ca")), 2);
    CHECK(str_find(STR("abc"), STR("x")) == SIZE_MAX && str_find(STR(""), STR("x")) == SIZE_MAX);
    CHECK_INT(str_find(STR("abc"), STR("")), 0);
    CHECK_INT(str_find_char(STR("abc"), 'c'), 2);
    CHECK(str_find_char(STR(""), 'c') == SIZE_MAX);
}

TEST(numbers)
{
    static const char *const bad_i64[] = {"",
                                          "-",
                                          "+",
                                          "x",
                                          "1x",
                                          " 1",
                                          "1 ",
                                          "--1",
                                          "9223372036854775808",
                                          "-9223372036854775809",
                                          "99999999999999999999"};
    static const char *const bad_double[] = {"", "x", "1x", " 1", "1e999"};
    int64_t i = 0;
    uint64_t u = 0;
    double f = 0;

    CHECK(str_i64(STR("-9223372036854775808"), &i) && i == INT64_MIN);
    CHECK(str_i64(STR("9223372036854775807"), &i) && i == INT64_MAX);
    CHECK(str_i64(STR("+7"), &i) && i == 7);
    CHECK(str_i64(STR("007"), &i) && i == 7);
    for (size_t n = 0; n < ARRAY_LEN(bad_i64); n++)
        CHECK(!str_i64(str_of(bad_i64[n]), &i));
    CHECK(str_u64(STR("18446744073709551615"), &u) && u == UINT64_MAX);
    CHECK(!str_u64(STR("18446744073709551616"), &u) && !str_u64(STR("-1"), &u) && !str_u64(STR(""), &u));
    CHECK(str_double(STR("-1.5e3"), &f) && f == -1500);
    for (size_t n = 0; n < ARRAY_LEN(bad_double); n++)
        CHECK(!str_double(str_of(bad_double[n]), &f));
}

TEST(distance)
{
    CHECK_INT(str_distance(STR("refresh"), STR("refesh"), 9), 1);
    CHECK_INT(str_distance(STR("Tag"), STR("tag"), 9), 0);
    CHECK_INT(str_distance(STR("kitten"), STR("sitting"), 9), 3);
    CHECK_INT(str_distance(STR(""), STR("abc"), 9), 3);
    CHECK_INT(str_distance(STR("abcdef"), STR("uvwxyz"), 3), 3);
}

TEST(patterns)
{
    CHECK(str_match(STR("*"), STR("")) && str_match(STR("*"), STR("a.b")));
    CHECK(str_match(STR("app.*"), STR("app.web")) && !str_match(STR("app.*"), STR("apx.web")));
    CHECK(str_match(STR("*.log"), STR("a.log.log")) && !str_match(STR("*.log"), STR("a.logs")));
    CHECK(str_match(STR("a*b*c"), STR("aXbYbc")) && !str_match(STR("a*b*c"), STR("acb")));
    CHECK(str_match(STR(""), STR("")) && !str_match(STR(""), STR("a")) && !str_match(STR("a"), STR("")));
}

TEST(buffers)
{
    CLEANUP(buf_free) struct buf b = {0};

    CHECK_STR(str_of(buf_text(&b)), "");
    for (int i = 0; i < 1000; i++)
        buf_fmt(&b, "%d,", i);
    CHECK_INT(b.n, 10 * 2 + 90 * 3 + 900 * 4);
    CHECK(str_ends(buf_view(&b), STR("998,999,")));
    buf_clear(&b);
    buf_fmt(&b, "%500d", 7);
    CHECK_INT(b.n, 500);
    CHECK_INT(b.p[499], '7');
}

TEST(integers_of_binary_formats)
{
    CLEANUP(buf_free) struct buf b = {0};
    static const uint64_t varints[] = {0, 1, 127, 128, 16383, 16384, UINT32_MAX, UINT64_MAX};
    struct reader r;

    buf_le16(&b, 0x0102);
    buf_le32(&b, 0x01020304);
    buf_le64(&b, 0x0102030405060708);
    CHECK(str_eq(buf_view(&b), STR("\x02\x01\x04\x03\x02\x01\x08\x07\x06\x05\x04\x03\x02\x01")));
    for (size_t i = 0; i < ARRAY_LEN(varints); i++)
        buf_varint(&b, varints[i]);
    r = reader_of(buf_view(&b));
    CHECK_INT(reader_le16(&r), 0x0102);
    CHECK_INT(reader_le32(&r), 0x01020304);
    CHECK_INT(reader_le64(&r), 0x0102030405060708);
    for (size_t i = 0; i < ARRAY_LEN(varints); i++)
        CHECK(reader_varint(&r) == varints[i]);
    CHECK(!r.bad && reader_left(&r) == 0);
    CHECK_INT(reader_u8(&r), 0);
    CHECK(r.bad);
    r = reader_of(STR("\x01\x02"));
    CHECK_INT(reader_le32(&r), 0);
    CHECK(r.bad);
    r = reader_of(STR("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"));
    CHECK_INT(reader_varint(&r), 0);
    CHECK(r.bad);
}
