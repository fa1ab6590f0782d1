/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"
#include "event/msgpack.h"
#include "lua/host_internal.h"
#include "lua/scrub.h"
#include "lua/wire.h"

#include <math.h>

enum {
    ADAPT_CALLS = 64,   /* after so many lazy calls it is judged whether laziness pays */
    TAG_KEPT = 256,     /* bytes of a tag that stays in Lua for the next event */
    EAGER_CALLS = 4096, /* how long records are then pushed eagerly before it is tried again */
};

bool host_lazy(const struct host *h)
{
    return h->bridge.lazy;
}

static double seconds(int64_t ns)
{
    int64_t s = ns / 1000000000, rest = ns % 1000000000;

    return (double)s + (double)rest / 1e9;
}

static void push_time(struct host *h)
{
    int64_t s = h->ev->time / 1000000000, rest = h->ev->time % 1000000000;

    if (rest < 0) {
        rest += 1000000000;
        s--;
    }
    if (!h->o.time_as_table) {
        lua_pushnumber(h->L, seconds(h->ev->time));
        return;
    }
    lua_createtable(h->L, 0, 2);
    lua_pushnumber(h->L, (double)s);
    lua_setfield(h->L, -2, "sec");
    lua_pushnumber(h->L, (double)rest);
    lua_setfield(h->L, -2, "nsec");
}

static double table_number(lua_State *L, int index, const char *key)
{
    double f;

    lua_pushstring(L, key);
    lua_rawget(L, index);
    f = lua_type(L, -1) == LUA_TNUMBER ? lua_tonumber(L, -1) : NAN;
    lua_pop(L, 1);
    return f;
}

/* The time that the rule returned; where it is none, or the one that was given, the event's own. */
static int64_t returned_time(struct host *h, int index)
{
    const double most = 9e9; /* the year 2255: nanoseconds fit 64 bits */
    lua_State *L = h->L;
    double s, ns = 0;

    if (h->o.time_as_table && lua_type(L, index) == LUA_TTABLE) {
        s = table_number(L, index, "sec");
        ns = table_number(L, index, "nsec");
    } else if (!h->o.time_as_table && lua_type(L, index) == LUA_TNUMBER) {
        s = lua_tonumber(L, index);
        if (s == seconds(h->ev->time))
            return h->ev->time;
    } else {
        s = NAN;
    }
    if (!(s >= -most && s <= most) || !(ns >= 0 && ns < 1e9)) {
        if (!h->odd_time)
            log_warn("a rule returned no valid time; the event keeps its own", "filter", h->o.name);
        h->odd_time = true;
        return h->ev->time;
    }
    if (h->o.time_as_table)
        return (int64_t)s * 1000000000 + (int64_t)ns;
    return (int64_t)s * 1000000000 + (int64_t)((s - (double)(int64_t)s) * 1e9);
}

static struct str encoded(struct host *h, const struct value *v)
{
    static const char empty = (char)0x80;

    if (v->type != V_MAP)
        return (struct str){&empty, 1};
    if (v->raw)
        return value_bytes(v);
    buf_clear(&h->in);
    msgpack_value(&h->in, v);
    return buf_view(&h->in);
}

/* Most events have the tag of the one before. */
static void push_tag(struct host *h)
{
    struct str tag = h->ev->tag;

    if (h->tag_ref && tag.n == h->tag.n && memcmp(h->tag.p, tag.p, tag.n) == 0) {
        lua_rawgeti(h->L, LUA_REGISTRYINDEX, h->tag_ref);
        return;
    }
    lua_pushlstring(h->L, tag.p, tag.n);
    if (tag.n && tag.n <= TAG_KEPT) {
        lua_pushvalue(h->L, -1);
        if (h->tag_ref)
            lua_rawseti(h->L, LUA_REGISTRYINDEX, h->tag_ref);
        else
            h->tag_ref = luaL_ref(h->L, LUA_REGISTRYINDEX);
        buf_clear(&h->tag);
        buf_str(&h->tag, tag);
    }
}

static int push_arguments(struct host *h)
{
    struct event *ev = h->ev;

    bridge_push(&h->bridge, encoded(h, &ev->body)); /* at 2 during the call, its source at 1: see bridge.root */
    lua_rawgeti(h->L, LUA_REGISTRYINDEX, h->function);
    push_tag(h);
    push_time(h);
    if (h->five) {
        lua_newtable(h->L); /* events here belong to no group */
        bridge_push_more(&h->bridge, encoded(h, &ev->meta));
    }
    lua_pushvalue(h->L, 2);
    return h->five ? 5 : 3;
}

/* Where out's bytes from `start` on are an array of maps: their places; else NULL. */
static const char *maps_of(struct str bytes, uint32_t *n)
{
    struct value v;
    const char *p = wire_read(bytes.p, bytes.p + bytes.n, &v), *at = p;

    if (!p || v.type != V_ARRAY)
        return NULL;
    *n = v.n;
    for (uint32_t i = 0; i < v.n; i++) {
        struct value item;
        if (!wire_read(at, bytes.p + bytes.n, &item) || item.type != V_MAP)
            return NULL;
        at = wire_skip(at, bytes.p + bytes.n);
    }
    return p;
}

static struct value raw_map(const char *p, const char *end)
{
    return value_raw((struct str){p, (size_t)(end - p)});
}

static bool is_map(struct str bytes)
{
    struct value v;

    return wire_read(bytes.p, bytes.p + bytes.n, &v) && v.type == V_MAP;
}

static struct str encode_to_arena(struct host *h, int index)
{
    buf_clear(&h->bridge.out);
    bridge_encode(&h->bridge, index);
    return arena_str(h->ev->arena, buf_view(&h->bridge.out));
}

/* Metadata of the events that were made: one map for all, or an array with one for each. */
static void set_metadata(struct host *h, int index)
{
    struct host_result *r = h->r;
    const char *p, *next;
    uint32_t n = 0;
    struct str bytes;

    if (lua_type(h->L, index) != LUA_TTABLE)
        return;
    bytes = encode_to_arena(h, index);
    if (is_map(bytes)) {
        for (size_t i = 0; i < r->n; i++)
            r->events[i].meta = value_raw(bytes);
        return;
    }
    p = maps_of(bytes, &n);
    if (!p || n != r->n) {
        if (!h->odd_meta)
            log_warn("a rule returned metadata that fits no event; the events keep theirs", "filter", h->o.name);
        h->odd_meta = true;
        return;
    }
    for (size_t i = 0; i < n; i++, p = next) {
        next = wire_skip(p, bytes.p + bytes.n);
        r->events[i].meta = raw_map(p, next);
    }
}

static void take_record(struct host *h, int index, int64_t time)
{
    struct host_result *r = h->r;
    const char *p, *next;
    uint32_t n = 1;
    struct str bytes;

    if (lua_type(h->L, index) != LUA_TTABLE)
        bridge_fail(&h->bridge, "Lua-Bad-Return", "the rule returned no table as its record");
    bytes = encode_to_arena(h, index);
    p = is_map(bytes) ? bytes.p : maps_of(bytes, &n);
    if (!p)
        bridge_fail(&h->bridge, "Lua-Bad-Return", "the rule returned an array whose members are not all maps");
    r->n = n;
    r->events = arena_alloc(h->ev->arena, (n ? n : 1) * sizeof *r->events);
    for (uint32_t i = 0; i < n; i++, p = next) {
        next = p == bytes.p ? bytes.p + bytes.n : wire_skip(p, bytes.p + bytes.n);
        r->events[i] = *h->ev;
        r->events[i].time = time;
        r->events[i].body = raw_map(p, next);
    }
    h->verdict = n ? HOST_EVENTS : HOST_DROP;
}

static void odd_code(struct host *h, bool number, double code)
{
    char text[32];

    if (h->odd_code)
        return;
    h->odd_code = true;
    snprintf(text, sizeof text, "%g", code);
    log_warn("unexpected Lua script return code, original record will be kept", "filter", h->o.name, "code",
             number ? text : "none");
}

/* Cheaper than to hand it over. */
static struct host *host_of(lua_State *L)
{
    void *fence;

    lua_getallocf(L, &fence);
    return (struct host *)((char *)fence - offsetof(struct host, fence));
}

/* Everything that may raise: arguments, the rule, the way back. */
int host_call(lua_State *L)
{
    struct host *h = host_of(L);
    int results = h->five ? 4 : 3, arguments, first;
    double code;

    arguments = push_arguments(h);
    lua_call(L, arguments, results);
    h->bridge.L = L; /* a coroutine may have used it */
    first = lua_gettop(L) - results + 1;
    code = lua_tonumber(L, first);
    if (code == -1) {
        h->verdict = HOST_DROP;
    } else if (code == 1 || code == 2) {
        take_record(h, first + results - 1, code == 1 ? returned_time(h, first + 1) : h->ev->time);
        if (h->five && h->verdict == HOST_EVENTS)
            set_metadata(h, first + 2);
    } else {
        bool number = lua_isnumber(L, first);
        h->verdict = HOST_SAME;
        if (!number || code != 0)
            odd_code(h, number, code);
    }
    return 0;
}

static enum host_verdict failed(struct host *h, int status, struct host_result *r)
{
    lua_State *L = h->L;

    buf_clear(&h->text);
    if (!status || (lua_islightuserdata(L, -1) && lua_touserdata(L, -1) == &h->bridge)) {
        r->code = h->bridge.fail_code;
        buf_str(&h->text, str_of(h->bridge.fail_text));
    } else if (status == LUA_ERRMEM) {
        r->code = "Lua-Memory";
        buf_str(&h->text, STR("the rule used more than its memory_limit"));
    } else {
        r->code = "Lua-Error";
        scrub_message(host_error_text(L), &h->text);
    }
    r->text = buf_text(&h->text);
    r->capped = strcmp(r->code, "Lua-Time") == 0 || strcmp(r->code, "Lua-Memory") == 0;
    r->n = 0;
    lua_settop(L, 0);
    fence_leave(&h->fence, L);
    return HOST_FAIL;
}

/* A rule that looks at nearly everything is better served at once; it is judged anew from time to time. */
static void adapt(struct host *h)
{
    struct bridge *b = &h->bridge;

    if (!b->lazy) {
        b->lazy = --h->eager_left == 0;
        h->calls = 0;
        b->offered = b->touched = 0;
    } else if (++h->calls >= ADAPT_CALLS) {
        if (b->touched * 5 > b->offered * 4 && b->offered) {
            b->lazy = false;
            h->eager_left = EAGER_CALLS;
        }
        h->calls = 0;
        b->offered = b->touched = 0;
    }
}

enum host_verdict host_run(struct host *h, struct event *ev, struct host_result *r)
{
    lua_State *L = h->L;
    int status;

    *r = (struct host_result){0};
    h->ev = ev;
    h->r = r;
    h->bridge.L = L;
    fence_enter(&h->fence, L);
    if (h->o.lazy == HOST_LAZY_AUTO && (h->bridge.lazy || h->eager_left))
        adapt(h);
    lua_rawgeti(L, LUA_REGISTRYINDEX, h->run);
    status = lua_pcall(L, 0, 0, 0);
    h->fence.stack = NULL;
    h->bridge.L = L;
    bridge_forget(&h->bridge);
    if (status || h->fence.expired)
        return failed(h, status, r);
    if (h->bridge.mixed && !h->mixed) {
        h->mixed = true;
        log_warn("a rule returned a table with integer and other keys; it became an array and lost the other keys",
                 "filter", h->o.name);
    }
    return h->verdict;
}
