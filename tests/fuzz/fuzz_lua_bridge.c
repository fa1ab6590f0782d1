/* SPDX-License-Identifier: Apache-2.0 */
/* Arbitrary bytes as a record through the bridge, lazily and eagerly, through rules that read, walk and change it: no
 * crash, the same answer both ways, and what comes back is valid msgpack; a rule that changes nothing gives the bytes
 * back. */
#include "base/arena.h"
#include "event/msgpack.h"
#include "lua/host.h"

#include <stdio.h>
#include <stdlib.h>

static const char rules[] = "local function walk(t, d) local n = 0 for k, v in pairs(t) do n = n + 1 "
                            "  if type(v) == 'table' and d < 80 then n = n + walk(v, d + 1) end end return n end\n"
                            "local function cut(t, d) for k, v in pairs(t) do if type(v) == 'string' then t[k] = nil "
                            "  elseif type(v) == 'number' then t[k] = v + 1 elseif type(v) == 'table' and d < 80 then "
                            "cut(v, d + 1) end end end\n"
                            "local rule = {\n"
                            "  function(r) return r end,\n"
                            "  function(r) local x = r.a, r.b, r.log return r end,\n"
                            "  function(r) walk(r, 0) return r end,\n"
                            "  function(r) r.a = nil r.z = 1 r[1] = r.b return r end,\n"
                            "  function(r) cut(r, 0) return r end,\n"
                            "  function(r) weir.redact(r) weir.keep(r, {a = true, b = true}) return r end,\n"
                            "  function(r) return {copy = r, again = r.a} end,\n"
                            "  function(r) weir.clean(r, {a = true, b = {a = true, l = 'url'}, log = 'url', c = "
                            "'address', d = {}}, r.open) return r end,\n"
                            "  function(r) getmetatable(r) rawset(r, 'q', rawget(r, 'a')) return r end,\n"
                            "}\n"
                            "function f(tag, ts, record) return 2, ts, rule[tonumber(tag)](record) end\n";
enum { RULES = 9 };

static struct host *host(int lazy)
{
    struct host_options o = {.name = "fuzz",
                             .code = {rules, sizeof rules - 1},
                             .call = "f",
                             .sandbox = true,
                             .lazy = lazy,
                             .memory_limit = 64 << 20,
                             .string_limit = 4 << 20,
                             .time_limit = INT64_C(10000000000)};
    struct err e;
    struct host *h = host_new(&o, &e);

    if (!h || !host_load(h, &e)) {
        fprintf(stderr, "%s\n", e.text);
        abort();
    }
    return h;
}

static enum host_verdict run(struct host *h, int rule, struct str body, struct arena *a, struct buf *out)
{
    char tag[4];
    struct event ev = {.time = 1, .arena = a, .meta = {.type = V_MAP, .raw = true, .n = 1, .p = "\x80"}};
    struct host_result r;
    enum host_verdict v;

    snprintf(tag, sizeof tag, "%d", rule);
    ev.tag = str_of(tag);
    ev.body = (struct value){.type = V_MAP, .raw = true, .n = (uint32_t)body.n, .p = body.p};
    v = host_run(h, &ev, &r);
    buf_clear(out);
    for (size_t i = 0; v == HOST_EVENTS && i < r.n; i++)
        msgpack_value(out, &r.events[i].body);
    if (v == HOST_FAIL)
        buf_str(out, str_of(r.code));
    return v;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static struct host *lazy, *eager;
    static struct arena *arena;
    static struct buf one, two;
    struct str body = {(const char *)data, n};
    struct err e;
    bool valid;

    if (!lazy) {
        lazy = host(HOST_LAZY_ON);
        eager = host(HOST_LAZY_OFF);
        arena = arena_new();
    }
    valid = n && msgpack_check(body, true, &e) == n;
    for (int rule = 1; rule <= RULES; rule++) {
        enum host_verdict a = run(lazy, rule, body, arena, &one), b = run(eager, rule, body, arena, &two);
        if (valid && (a != b || !str_eq(buf_view(&one), buf_view(&two)))) {
            fprintf(stderr, "rule %d differs lazily and eagerly\n", rule);
            abort();
        }
        if (valid && a == HOST_EVENTS && rule <= 3 && (data[0] & 0xf0) == 0x80 && !str_eq(buf_view(&one), body)) {
            fprintf(stderr, "rule %d changed what it did not touch\n", rule);
            abort();
        }
        if (valid && a == HOST_EVENTS && msgpack_check(buf_view(&one), true, &e) == 0) {
            fprintf(stderr, "rule %d: %s\n", rule, e.text);
            abort();
        }
        arena_reset(arena);
    }
    return 0;
}
