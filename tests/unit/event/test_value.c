/* SPDX-License-Identifier: Apache-2.0 */
#include "base/cleanup.h"
#include "event/json.h"
#include "event/msgpack.h"
#include "event/value.h"
#include "test.h"

static struct value parse(const char *json, struct arena *a)
{
    CLEANUP(buf_free) struct buf out = {0};
    struct err e = {""};

    if (!json_read_whole(str_of(json), &json_limits_default, &out, &e)) {
        fprintf(stderr, "%s: %s\n", json, e.text);
        abort();
    }
    return value_raw(arena_str(a, buf_view(&out)));
}

#define CHECK_JSON(v, want)                                         \
    do {                                                            \
        CLEANUP(buf_free) struct buf t_ = {0};                      \
        json_write(&t_, v);                                         \
        CHECK_STR(buf_view(&t_), want);                             \
        buf_clear(&t_);                                             \
        msgpack_value(&t_, v);                                      \
        CHECK_INT(msgpack_check(buf_view(&t_), false, NULL), t_.n); \
    } while (0)

TEST(opens_one_level)
{
    struct arena *a = arena_new();
    struct value m = parse("{\"a\":{\"b\":{\"c\":1}},\"d\":[1,[2]]}", a), *inner;

    CHECK(m.raw);
    CHECK_INT(value_members(&m), 2);
    CHECK(m.raw); /* counting does not open */
    inner = map_value_get(&m, STR("a"), a);
    CHECK(inner && inner->raw && !m.raw);
    CHECK(!map_value_get(&m, STR("b"), a));
    inner = map_value_get(inner, STR("b"), a);
    CHECK(inner && inner->raw);
    CHECK(!map_value_get(map_value_get(inner, STR("c"), a), STR("x"), a)); /* not a map */
    CHECK_JSON(&m, "{\"a\":{\"b\":{\"c\":1}},\"d\":[1,[2]]}");
    arena_free(a);
}

TEST(untouched_bytes_are_kept)
{
    struct arena *a = arena_new();
    /* {"x": [uint16 5, float32 1.5, bin], "y": 1}: neither number in its smallest form. */
    struct str bytes = STR("\x82\xa1x\x93\xcd\x00\x05\xca\x3f\xc0\x00\x00\xc4\x01\xff\xa1y\x01");
    struct value m = value_raw(bytes);
    CLEANUP(buf_free) struct buf out = {0};

    msgpack_value(&out, &m);
    CHECK(str_eq(buf_view(&out), bytes));
    map_value_set(&m, STR("y"), value_int(2), a);
    buf_clear(&out);
    msgpack_value(&out, &m);
    CHECK(str_eq(buf_view(&out), STR("\x82\xa1x\x93\xcd\x00\x05\xca\x3f\xc0\x00\x00\xc4\x01\xff\xa1y\x02")));
    arena_free(a);
}

TEST(set_add_delete)
{
    struct arena *a = arena_new();
    struct value m = parse("{\"a\":1,\"b\":2,\"c\":3}", a);

    map_value_set(&m, STR("b"), value_str(STR("two")), a);
    map_value_set(&m, STR("d"), value_bool(true), a);
    CHECK_JSON(&m, "{\"a\":1,\"b\":\"two\",\"c\":3,\"d\":true}");
    CHECK(map_value_del(&m, STR("a"), a));
    CHECK(!map_value_del(&m, STR("a"), a));
    CHECK(!map_value_del(&m, STR("ab"), a));
    map_value_add(&m, STR("c"), value_nil(), a);
    CHECK_JSON(&m, "{\"b\":\"two\",\"c\":3,\"d\":true,\"c\":null}");
    CHECK(map_value_del(&m, STR("c"), a));
    CHECK_JSON(&m, "{\"b\":\"two\",\"d\":true}");
    CHECK(map_value_del(&m, STR("b"), a) && map_value_del(&m, STR("d"), a));
    CHECK_JSON(&m, "{}");
    map_value_set(&m, STR(""), value_int(0), a);
    CHECK_JSON(&m, "{\"\":0}");
    arena_free(a);
}

TEST(grow_one_by_one)
{
    struct arena *a = arena_new();
    struct value m = value_map(a), l = value_array(a);
    struct str names[300];

    for (int i = 0; i < 300; i++) {
        names[i] = arena_fmt(a, "k%d", i); /* between, so that no growth is in place */
        map_value_set(&m, names[i], value_int(i), a);
        array_value_add(&l, value_int(-i), a);
    }
    CHECK_INT(value_members(&m), 300);
    CHECK_INT(value_members(&l), 300);
    for (int i = 0; i < 300; i++) {
        struct value *v = map_value_get(&m, names[i], a);
        CHECK(v && v->i == i);
        CHECK(l.items[i].i == -i);
    }
    arena_free(a);
}

/* Members that somebody put in place have no room behind them. */
TEST(members_by_hand)
{
    struct arena *a = arena_new();
    struct field *one = malloc(sizeof *one);
    struct value m = {.type = V_MAP, .n = 1, .fields = one}, empty = {.type = V_MAP};

    *one = (struct field){value_str(STR("a")), value_int(1)};
    map_value_set(&m, STR("b"), value_int(2), a);
    map_value_set(&empty, STR("b"), value_int(2), a);
    CHECK_JSON(&m, "{\"a\":1,\"b\":2}");
    CHECK_JSON(&empty, "{\"b\":2}");
    free(one);
    arena_free(a);
}

TEST(keys_that_are_no_strings)
{
    struct arena *a = arena_new();
    struct value m = value_raw(STR("\x84\x01\xa3one\xc0\x02\xc4\x01x\x03\x91\x05\x04"));

    CHECK(!map_value_get(&m, STR("x"), a));
    map_value_set(&m, STR("x"), value_int(9), a);
    CHECK_JSON(&m, "{\"1\":\"one\",\"null\":2,\"x\":3,\"\\u0091\\u0005\":4,\"x\":9}");
    arena_free(a);
}

TEST(conversions)
{
    struct value v = value_int(5);
    struct str s;
    int64_t i;

    CHECK(value_as_int(&v, &i) && i == 5);
    CHECK(!value_as_str(&v, &s));
    v = value_float(-3.0);
    CHECK(value_as_int(&v, &i) && i == -3);
    v = value_float(3.5);
    CHECK(!value_as_int(&v, &i));
    v = value_float(0x1p63);
    CHECK(!value_as_int(&v, &i));
    v = value_float(-0x1p63);
    CHECK(value_as_int(&v, &i) && i == INT64_MIN);
    v = value_float(__builtin_nan(""));
    CHECK(!value_as_int(&v, &i));
    v = (struct value){.type = V_UINT, .u = UINT64_MAX};
    CHECK(!value_as_int(&v, &i));
    v = value_str(STR("x"));
    CHECK(value_as_str(&v, &s) && str_eq(s, STR("x")));
    CHECK(value_raw(STR("\x05")).type == V_NIL);
    CHECK(value_raw(STR("")).type == V_NIL);
}

TEST(text)
{
    struct arena *a = arena_new();
    struct value v = parse(
        "{\"s\":\"x \\\"y\",\"i\":-5,\"f\":1.5,\"b\":true,\"n\":null,\"l\":[1,\"a\"],\"u\":18446744073709551615}", a);

    CHECK_STR(value_text(map_value_get(&v, STR("s"), a), a), "x \"y");
    CHECK_STR(value_text(map_value_get(&v, STR("i"), a), a), "-5");
    CHECK_STR(value_text(map_value_get(&v, STR("f"), a), a), "1.5");
    CHECK_STR(value_text(map_value_get(&v, STR("b"), a), a), "true");
    CHECK_STR(value_text(map_value_get(&v, STR("n"), a), a), "");
    CHECK_STR(value_text(map_value_get(&v, STR("l"), a), a), "[1,\"a\"]");
    CHECK_STR(value_text(map_value_get(&v, STR("u"), a), a), "18446744073709551615");
    arena_free(a);
}

TEST(copies_borrow_nothing)
{
    struct arena *a = arena_new(), *b = arena_new();
    char *text = strdup("{\"a\":[1,{\"b\":\"c\"}],\"d\":\"e\"}");
    struct value v = parse(text, a), opened, raw, str;

    opened = v;
    map_value_set(&opened, STR("d"), value_int(7), a);
    raw = value_copy(&v, b);
    opened = value_copy(&opened, b);
    v = value_str(str_of(text));
    str = value_copy(&v, b);
    memset(text, 'x', strlen(text));
    free(text);
    arena_free(a);
    CHECK_JSON(&raw, "{\"a\":[1,{\"b\":\"c\"}],\"d\":\"e\"}");
    CHECK_JSON(&opened, "{\"a\":[1,{\"b\":\"c\"}],\"d\":7}");
    CHECK_INT(str.p[0], '{');
    arena_free(b);
}

/* A rule may nest deeper than any input: nothing recurses, and nothing is cut off. */
TEST(nested_by_a_rule)
{
    enum { LEVELS = 100000 };
    struct arena *a = arena_new();
    struct value v = value_int(1), copy;
    CLEANUP(buf_free) struct buf out = {0};

    for (int i = 0; i < LEVELS; i++) {
        struct value outer = value_array(a);
        array_value_add(&outer, v, a);
        v = outer;
    }
    json_write(&out, &v);
    CHECK_INT(out.n, 2 * LEVELS + 1);
    CHECK(out.p[LEVELS] == '1');
    copy = value_copy(&v, a);
    CHECK_INT(copy.n, LEVELS + 1);
    buf_clear(&out);
    json_write(&out, &copy);
    CHECK_INT(out.n, 2 * LEVELS + 1);
    arena_free(a);
}

TEST(not_a_container)
{
    struct arena *a = arena_new();
    struct value v = value_int(1);

    CHECK(!map_value_get(&v, STR("a"), a));
    CHECK(!map_value_del(&v, STR("a"), a));
    map_value_set(&v, STR("a"), v, a);
    map_value_add(&v, STR("a"), v, a);
    array_value_add(&v, v, a);
    value_open(&v, a);
    CHECK_INT(value_members(&v), 0);
    CHECK(v.type == V_INT && v.i == 1);
    arena_free(a);
}
