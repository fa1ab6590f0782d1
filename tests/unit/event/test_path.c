/* SPDX-License-Identifier: Apache-2.0 */
#include "event/path.h"
#include "event/json.h"
#include "event/msgpack.h"
#include "test.h"

static struct arena *arena;
static struct event ev;

/* {"a": {"b": [1, {"c": "deep"}]}, "x.y": 2, "it's": 3, "": 4} */
static void setup(void)
{
    static struct buf b;

    if (!arena)
        arena = arena_new();
    arena_reset(arena);
    buf_clear(&b);
    msgpack_map(&b, 4);
    msgpack_str(&b, STR("a"));
    msgpack_map(&b, 1);
    msgpack_str(&b, STR("b"));
    msgpack_array(&b, 2);
    msgpack_int(&b, 1);
    msgpack_map(&b, 1);
    msgpack_str(&b, STR("c"));
    msgpack_str(&b, STR("deep"));
    msgpack_str(&b, STR("x.y"));
    msgpack_int(&b, 2);
    msgpack_str(&b, STR("it's"));
    msgpack_int(&b, 3);
    msgpack_str(&b, STR("k\\"));
    msgpack_int(&b, 4);
    ev = (struct event){.arena = arena, .body = value_raw(buf_view(&b))};
}

static struct str find(const char *text)
{
    struct err e = {0};
    struct path *p = path_compile(str_of(text), &e);
    struct str out = STR("(none)");

    if (!p)
        return STR("(refused)");
    struct value *v = path_find(p, &ev);
    if (v)
        out = value_text(v, arena);
    path_free(p);
    return out;
}

static bool set(const char *text, int64_t n)
{
    struct path *p = path_compile(str_of(text), NULL);
    bool ok = path_set(p, &ev, value_int(n));

    /* The map borrows the path's keys: in the agent a path lives as long as its plugin. */
    struct buf b = {0};
    msgpack_value(&b, &ev.body);
    struct str kept = arena_str(arena, buf_view(&b));
    ev.body = value_raw(kept);
    buf_free(&b);
    path_free(p);
    return ok;
}

static bool del(const char *text)
{
    struct path *p = path_compile(str_of(text), NULL);
    bool ok = path_delete(p, &ev);

    path_free(p);
    return ok;
}

TEST(finds)
{
    setup();
    CHECK_STR(find("$a['b'][0]"), "1");
    CHECK_STR(find(" $a[ 'b' ] [ 1 ][\"c\"] "), "deep");
    CHECK_STR(find("$x.y"), "2");
    CHECK_STR(find("x.y"), "2");
    CHECK_STR(find("$['x.y']"), "2");
    CHECK_STR(find("$['it\\'s']"), "3");
    CHECK_STR(find("$['it''s']"), "3");
    CHECK_STR(find("$[\"it's\"]"), "3");
    CHECK_STR(find("$['k\\\\']"), "4");
    CHECK_STR(find("$a['b'][2]"), "(none)");
    CHECK_STR(find("$a[0]"), "(none)");
    CHECK_STR(find("$a['b']['c']"), "(none)");
    CHECK_STR(find("$nope"), "(none)");
    CHECK_STR(find("a['b']"), "(none)"); /* without `$` it is a key as it stands */
}

TEST(sets_and_deletes)
{
    setup();
    CHECK(set("$a['b'][0]", 10));
    CHECK_STR(find("$a['b'][0]"), "10");
    CHECK(set("$a['n']['m']", 11));
    CHECK_STR(find("$a['n']['m']"), "11");
    CHECK(set("$new['n']", 12));
    CHECK_STR(find("$new['n']"), "12");
    CHECK(set("$a['b'][2]", 13)); /* the next of an array */
    CHECK_STR(find("$a['b'][2]"), "13");
    CHECK(!set("$a['b'][9]", 14));
    CHECK(!set("$x.y['z']", 15)); /* a number stands there */
    CHECK(!set("$q[0]", 16));
    CHECK_STR(find("$q"), "(none)");
    CHECK_STR(find("$x.y"), "2");
    CHECK(del("$a['b'][0]"));
    CHECK_STR(find("$a['b'][0]['c']"), "deep");
    CHECK(!del("$a['b'][5]"));
    CHECK(del("$a['b'][0]['c']"));
    CHECK(!del("$a['b'][0]['c']"));
    CHECK(del("$a"));
    CHECK(!del("$a['b']"));
    CHECK(del("x.y"));
    CHECK_STR(find("x.y"), "(none)");
}

TEST(describes_itself)
{
    struct path *p = path_compile(STR("$log['a']"), NULL);

    CHECK_STR(path_key(p), "log");
    CHECK(!path_simple(p));
    path_free(p);
    p = path_compile(STR("$log"), NULL);
    CHECK_STR(path_key(p), "log");
    CHECK(path_simple(p));
    path_free(p);
}

TEST(mistakes_are_named)
{
    static const struct {
        const char *text, *part;
    } bad[] = {
        {"", "empty"},
        {"$", "must follow"},
        {"$a['b", "quote has no end"},
        {"$a[b]", "in quotes"},
        {"$a['b'", "`]`"},
        {"$a['b']x", "`[` must follow"},
        {"$[0]", "must follow"},
        {"$a[99999999999]", "large"},
        {"$a[-1]", "in quotes"},
        {"$a[0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0]"
         "[0][0][0][0][0]",
         "more than"},
    };

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct err e = {0};
        CHECK(!path_compile(str_of(bad[i].text), &e));
        if (!strstr(e.text, bad[i].part))
            fprintf(stderr, "%s: %s\n", bad[i].text, e.text);
        CHECK(strstr(e.text, bad[i].part));
    }
}
