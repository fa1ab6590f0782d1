/* SPDX-License-Identifier: Apache-2.0 */
#include "lua/host.h"
#include "base/arena.h"
#include "event/json.h"
#include "event/msgpack.h"
#include "test.h"

static struct host *host(const char *code, struct host_options o)
{
    struct err e = {""};
    struct host *h;

    o.name = "test";
    o.code = str_of(code);
    o.call = "f";
    o.memory_limit = o.memory_limit ? o.memory_limit : 64 << 20;
    o.string_limit = 1 << 20;
    o.time_limit = INT64_C(5000000000);
    h = host_new(&o, &e);
    CHECK(h && host_load(h, &e));
    CHECK_STR(str_of(e.text), "");
    return h;
}

/* The record as JSON behind the rule, or the failure's code. */
static struct str run(struct host *h, const char *json, struct buf *out)
{
    static struct arena *a;
    struct host_result r;
    struct buf body = {0};
    struct event ev;
    struct err e;
    enum host_verdict v;

    if (!a)
        a = arena_new();
    arena_reset(a);
    CHECK(json_read_whole(str_of(json), &json_limits_default, &body, &e));
    ev =
        (struct event){.arena = a, .tag = STR("t"), .body = value_raw(buf_view(&body)), .meta = value_raw(STR("\x80"))};
    v = host_run(h, &ev, &r);
    buf_clear(out);
    if (v == HOST_EVENTS)
        json_write(out, &r.events[0].body);
    else
        buf_str(out, v == HOST_FAIL ? str_of(r.code) : v == HOST_DROP ? STR("drop") : STR("same"));
    buf_free(&body);
    return buf_view(out);
}

TEST(a_rule_that_touches_all_becomes_eager_and_back)
{
    struct host *h =
        host("function f(tag, ts, r) if r.walk then for k, v in pairs(r) do end end r.n = 1 return 2, ts, r end",
             (struct host_options){.sandbox = true});
    struct buf out = {0};
    bool was_eager = false;

    for (int i = 0; i < 200; i++) {
        CHECK_STR(run(h, "{\"walk\":true,\"big\":9007199254740993,\"z\":null,\"d\":1.0}", &out),
                  "{\"walk\":true,\"big\":9007199254740993,\"z\":null,\"d\":1.0,\"n\":1}");
        was_eager |= !host_lazy(h);
    }
    CHECK(was_eager);
    for (int i = 0; i < 5000; i++)
        run(h, "{\"a\":1,\"b\":2,\"c\":3,\"d\":4,\"e\":5}", &out);
    CHECK(host_lazy(h));
    buf_free(&out);
    host_free(h);
}

TEST(records_live_as_long_as_the_script_holds_them)
{
    struct host *h = host("held = {}\n"
                          "function f(tag, ts, r)\n"
                          "  held[#held + 1] = r held[#held + 1] = r.m\n"
                          "  collectgarbage() collectgarbage()\n"
                          "  local x = r.s .. r.m.k\n"
                          "  if #held < 100 then return -1 end\n"
                          "  local old = held held = {}\n"
                          "  return 2, ts, {all = old} end",
                          (struct host_options){.sandbox = false, .lazy = HOST_LAZY_ON});
    struct buf out = {0};

    for (int i = 0; i < 49; i++)
        CHECK_STR(run(h, "{\"s\":\"x\",\"m\":{\"k\":\"y\",\"d\":1.0,\"n\":null}}", &out), "drop");
    run(h, "{\"s\":\"last\",\"m\":{\"k\":\"y\",\"d\":1.0,\"n\":null}}", &out);
    CHECK(str_starts(buf_view(&out), STR("{\"all\":[{\"s\":\"x\",\"m\":{\"k\":\"y\",\"d\":1.0,\"n\":null}},"
                                         "{\"k\":\"y\",\"d\":1.0,\"n\":null},")));
    CHECK(str_ends(
        buf_view(&out),
        STR("{\"s\":\"last\",\"m\":{\"k\":\"y\",\"d\":1.0,\"n\":null}},{\"k\":\"y\",\"d\":1.0,\"n\":null}]}")));
    buf_free(&out);
    host_free(h);
}

TEST(memory_comes_back_after_a_failure)
{
    struct host *h =
        host("function f(tag, ts, r) if r.eat then local t = {} while true do t[#t + 1] = {} end end return 0 end",
             (struct host_options){.sandbox = true, .memory_limit = 2 << 20});
    struct buf out = {0};

    for (int i = 0; i < 20; i++) {
        CHECK_STR(run(h, "{\"eat\":true}", &out), "Lua-Memory");
        CHECK_STR(run(h, "{\"a\":1}", &out), "same");
    }
    buf_free(&out);
    host_free(h);
}

TEST(an_event_that_other_filters_have_opened)
{
    struct host *h =
        host("function f(tag, ts, r) r.c = r.a + 1 return 2, ts, r end", (struct host_options){.sandbox = true});
    struct arena *a = arena_new();
    struct event ev = {.arena = a, .tag = STR("t"), .body = value_map(a), .meta = value_map(a)};
    struct host_result r;
    struct buf out = {0};

    event_set(&ev, STR("a"), value_int(41));
    event_set(&ev, STR("b"), value_float(2.0));
    CHECK_INT(host_run(h, &ev, &r), HOST_EVENTS);
    json_write(&out, &r.events[0].body);
    CHECK_STR(buf_view(&out), "{\"a\":41,\"b\":2.0,\"c\":42}");
    buf_free(&out);
    arena_free(a);
    host_free(h);
}

TEST(a_script_that_finds_the_hidden_slot_frees_nothing)
{
    struct host *h = host("local raw = pairs({})\n"
                          "function f(tag, ts, r)\n"
                          "  local slot = raw(r)\n"
                          "  if type(slot) == 'userdata' then r[slot] = nil end\n"
                          "  for i = 1, 20000 do local t = {i, {}} end\n"
                          "  r.c = r.b\n"
                          "  return 2, ts, r\n"
                          "end",
                          (struct host_options){.sandbox = true, .lazy = HOST_LAZY_ON});
    struct buf out = {0};

    for (int i = 0; i < 30; i++)
        CHECK_STR(run(h, "{\"a\":1,\"b\":\"two\"}", &out), "{\"a\":1,\"b\":\"two\",\"c\":\"two\"}");
    buf_free(&out);
    host_free(h);
}
