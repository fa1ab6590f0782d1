/* SPDX-License-Identifier: Apache-2.0 */
/* string.find match gmatch gsub rep format for fenced rules: the same as Lua's, with a budget of steps and bytes. */
#include "lua/pattern.h"

#include <lauxlib.h>

enum { TEXT_KEPT = 64 << 10 }; /* bytes of gsub's buffer that stay for the next call */

/* Large, and written before they are read: compilers that clear every variable are told not to clear these. */
#if defined(__has_attribute)
#if __has_attribute(uninitialized)
#define UNSET __attribute__((uninitialized))
#endif
#endif
#ifndef UNSET
#define UNSET
#endif

static void pattern_start(struct pattern *m, lua_State *L, const char *s, size_t n, const char *pattern_end)
{
    m->L = L;
    m->fence = fence_of(L);
    m->subject = s;
    m->subject_end = s + n;
    m->end = pattern_end;
    m->steps = 0;
    m->first = NULL;
    m->level = m->depth = 0;
}

static void pattern_done(struct pattern *m)
{
    fence_work(m->fence, m->L, m->steps);
    m->steps = 0;
}

static void push_capture(struct pattern *m, unsigned i, const char *s, const char *e)
{
    if (i >= m->level) {
        if (i > 0)
            luaL_error(m->L, "invalid capture index");
        lua_pushlstring(m->L, s, (size_t)(e - s));
    } else if (m->capture[i].n == CAPTURE_POSITION) {
        lua_pushinteger(m->L, m->capture[i].p - m->subject + 1);
    } else if (m->capture[i].n == CAPTURE_OPEN) {
        luaL_error(m->L, "unfinished capture");
    } else {
        lua_pushlstring(m->L, m->capture[i].p, (size_t)m->capture[i].n);
    }
}

/* The captures, or the whole match where there are none and s is given. */
static int push_captures(struct pattern *m, const char *s, const char *e)
{
    unsigned n = m->level == 0 && s ? 1 : m->level;

    luaL_checkstack(m->L, (int)n, "too many captures");
    for (unsigned i = 0; i < n; i++)
        push_capture(m, i, s, e);
    return (int)n;
}

static int find(lua_State *L, bool want_place)
{
    size_t n, np;
    const char *s = luaL_checklstring(L, 1, &n), *p = luaL_checklstring(L, 2, &np), *at, *e = NULL;
    ptrdiff_t init = luaL_optinteger(L, 3, 1);
    UNSET struct pattern m;
    bool anchor;

    init = init < 0 ? (ptrdiff_t)n + init : init - 1;
    if (init < 0)
        init = 0;
    if ((size_t)init > n)
        init = (ptrdiff_t)n;
    if (want_place && (lua_toboolean(L, 4) || strcspn(p, "^$*+?.([%-") == np)) {
        fence_work(fence_of(L), L, (n - (size_t)init) / 16);
        at = np ? memmem(s + init, n - (size_t)init, p, np) : s + init;
        if (!at)
            return lua_pushnil(L), 1;
        lua_pushinteger(L, at - s + 1);
        lua_pushinteger(L, at - s + (ptrdiff_t)np);
        return 2;
    }
    pattern_start(&m, L, s, n, p + np);
    anchor = np && *p == '^';
    if (!anchor)
        pattern_first(&m, p);
    for (at = s + init; at <= m.subject_end; at++) {
        e = pattern_next(&m, &at, p + anchor);
        if (e || anchor)
            break;
    }
    pattern_done(&m);
    if (!e)
        return lua_pushnil(L), 1;
    if (!want_place)
        return push_captures(&m, at, e);
    lua_pushinteger(L, at - s + 1);
    lua_pushinteger(L, e - s);
    return push_captures(&m, NULL, NULL) + 2;
}

static int string_find(lua_State *L)
{
    return find(L, true);
}

static int string_match(lua_State *L)
{
    return find(L, false);
}

static int gmatch_next(lua_State *L)
{
    size_t n, np;
    const char *s = lua_tolstring(L, lua_upvalueindex(1), &n), *p = lua_tolstring(L, lua_upvalueindex(2), &np);
    UNSET struct pattern m;

    pattern_start(&m, L, s, n, p + np);
    pattern_first(&m, p);
    for (const char *at = s + lua_tointeger(L, lua_upvalueindex(3)); at <= m.subject_end; at++) {
        const char *e = pattern_next(&m, &at, p);
        if (e) {
            lua_pushinteger(L, e - s + (e == at));
            lua_replace(L, lua_upvalueindex(3));
            pattern_done(&m);
            return push_captures(&m, at, e);
        }
    }
    pattern_done(&m);
    return 0;
}

static int string_gmatch(lua_State *L)
{
    luaL_checkstring(L, 1);
    luaL_checkstring(L, 2);
    lua_settop(L, 2);
    lua_pushinteger(L, 0);
    lua_pushcclosure(L, gmatch_next, 3);
    return 1;
}

static void too_long(lua_State *L)
{
    struct fence *f = fence_of(L);

    f->bridge->L = L;
    bridge_fail(f->bridge, "Lua-Memory", "a string grew beyond string_limit");
}

struct text { /* what gsub makes */
    lua_State *L;
    struct buf *buf; /* the fence's own; NULL: `b`, because a function may run in between and call gsub again */
    int64_t n, limit;
    luaL_Buffer b;
};

static void text_add(struct text *t, const char *p, size_t n)
{
    t->n += (int64_t)n;
    if (t->n > t->limit)
        too_long(t->L);
    if (t->buf)
        buf_add(t->buf, p, n);
    else
        luaL_addlstring(&t->b, p, n);
}

static void text_add_top(struct text *t)
{
    size_t n = lua_objlen(t->L, -1);

    if (t->buf) {
        const char *p = lua_tolstring(t->L, -1, &n);
        text_add(t, p, n);
        lua_pop(t->L, 1);
        return;
    }
    t->n += (int64_t)n;
    if (t->n > t->limit)
        too_long(t->L);
    luaL_addvalue(&t->b);
}

static void text_push(struct text *t)
{
    if (!t->buf) {
        luaL_pushresult(&t->b);
        return;
    }
    lua_pushlstring(t->L, t->buf->n ? t->buf->p : "", t->buf->n);
    if (t->buf->cap > TEXT_KEPT)
        buf_free(t->buf);
}

static void expand(struct pattern *m, struct text *t, const char *s, const char *e)
{
    size_t n;
    const char *r = lua_tolstring(m->L, 3, &n);

    for (size_t i = 0; i < n; i++) {
        const char *plain = r + i, *mark = memchr(plain, '%', n - i);
        i = mark ? (size_t)(mark - r) : n;
        text_add(t, plain, (size_t)(r + i - plain));
        if (++i >= n)
            break;
        if (r[i] >= '1' && r[i] <= '9') {
            push_capture(m, (unsigned)(r[i] - '1'), s, e);
            lua_tostring(m->L, -1); /* a position is a number */
            text_add_top(t);
        } else if (r[i] == '0') {
            text_add(t, s, (size_t)(e - s));
        } else {
            text_add(t, r + i, 1);
        }
    }
}

/* What comes in place of s to e, by string, table or function. */
static void substitute(struct pattern *m, struct text *t, const char *s, const char *e)
{
    lua_State *L = m->L;

    switch (lua_type(L, 3)) {
    case LUA_TFUNCTION:
        lua_pushvalue(L, 3);
        lua_call(L, push_captures(m, s, e), 1);
        break;
    case LUA_TTABLE:
        push_capture(m, 0, s, e);
        lua_gettable(L, 3);
        break;
    default:
        expand(m, t, s, e);
        return;
    }
    if (!lua_toboolean(L, -1)) {
        lua_pop(L, 1);
        text_add(t, s, (size_t)(e - s));
        return;
    }
    if (!lua_isstring(L, -1))
        luaL_error(L, "invalid replacement value (a %s)", luaL_typename(L, -1));
    lua_tostring(L, -1);
    text_add_top(t);
}

static int string_gsub(lua_State *L)
{
    size_t n, np;
    const char *s = luaL_checklstring(L, 1, &n), *p = luaL_checklstring(L, 2, &np);
    int type = lua_type(L, 3);
    ptrdiff_t most = luaL_optinteger(L, 4, (lua_Integer)n + 1), count = 0;
    const char *end = p + np, *plain = s; /* plain: not copied yet */
    bool anchor = np && *p == '^';
    UNSET struct pattern m;
    UNSET struct text t;

    if (type != LUA_TNUMBER && type != LUA_TSTRING && type != LUA_TFUNCTION && type != LUA_TTABLE)
        return luaL_error(L, "bad argument #3 to 'gsub' (string/function/table expected, got %s)", luaL_typename(L, 3));
    if (type == LUA_TNUMBER)
        lua_tostring(L, 3);
    p += anchor;
    pattern_start(&m, L, s, n, end);
    if (!anchor)
        pattern_first(&m, p);
    t.L = L;
    t.n = 0;
    t.limit = m.fence->string_limit;
    t.buf = type == LUA_TSTRING || type == LUA_TNUMBER ? &m.fence->text : NULL;
    if (t.buf)
        buf_clear(t.buf);
    else
        luaL_buffinit(L, &t.b);
    while (count < most) {
        const char *e = pattern_next(&m, &s, p);
        if (e) {
            count++;
            text_add(&t, plain, (size_t)(s - plain));
            substitute(&m, &t, s, e);
            plain = e;
        }
        if (e && e > s)
            s = e;
        else if (s < m.subject_end)
            s++;
        else
            break;
        if (anchor)
            break;
    }
    pattern_done(&m);
    text_add(&t, plain, (size_t)(m.subject_end - plain));
    text_push(&t);
    lua_pushinteger(L, count);
    return 2;
}

static int string_rep(lua_State *L)
{
    size_t n, ns;
    const char *s = luaL_checklstring(L, 1, &n), *between = luaL_optlstring(L, 3, "", &ns);
    ptrdiff_t times = luaL_checkinteger(L, 2);
    luaL_Buffer b;

    if (times <= 0 || n + ns == 0) {
        lua_pushliteral(L, "");
        return 1;
    }
    if (times > fence_of(L)->string_limit / (int64_t)(n + ns))
        too_long(L);
    luaL_buffinit(L, &b);
    while (times--) {
        luaL_addlstring(&b, s, n);
        if (times)
            luaL_addlstring(&b, between, ns);
    }
    luaL_pushresult(&b);
    return 1;
}

/* Lua's own format limits widths to two digits: what is long can only be an argument. */
static int string_format(lua_State *L)
{
    int64_t n = 0, limit = fence_of(L)->string_limit;

    for (int i = 1; i <= lua_gettop(L); i++)
        n += lua_type(L, i) == LUA_TSTRING ? (int64_t)lua_objlen(L, i) : 128;
    if (n > limit)
        too_long(L);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, lua_gettop(L) - 1, 1);
    if ((int64_t)lua_objlen(L, -1) > limit)
        too_long(L);
    return 1;
}

void fence_strings(struct fence *f, lua_State *L)
{
    static const luaL_Reg functions[] = {{"find", string_find}, {"match", string_match}, {"gmatch", string_gmatch},
                                         {"gsub", string_gsub}, {"rep", string_rep},     {NULL, NULL}};

    (void)f;
    lua_getglobal(L, "string");
    for (const luaL_Reg *r = functions; r->name; r++) {
        lua_pushcfunction(L, r->func);
        lua_setfield(L, -2, r->name);
    }
    lua_pushnil(L);
    lua_setfield(L, -2, "gfind"); /* the old name of gmatch */
    lua_getfield(L, -1, "format");
    lua_pushcclosure(L, string_format, 1);
    lua_setfield(L, -2, "format");
    lua_pop(L, 1);
}
