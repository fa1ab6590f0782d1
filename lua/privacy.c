/* SPDX-License-Identifier: Apache-2.0 */
#include "base/cleanup.h"
#include "base/log.h"
#include "lua/privacy_internal.h"

#include <lauxlib.h>

enum { CODE_MAX = 40 };

struct privacy *privacy_of(lua_State *L)
{
    struct privacy *p = lua_touserdata(L, lua_upvalueindex(1));

    p->bridge->L = L;
    buf_clear(&p->work);
    return p;
}

static int privacy_end(lua_State *L)
{
    struct privacy *p = lua_touserdata(L, 1);

    secret_free(TAKE(p->secret));
    buf_free(&p->work);
    return 0;
}

static int push_work(lua_State *L, struct privacy *p)
{
    lua_pushlstring(L, p->work.p ? p->work.p : "", p->work.n);
    return 1;
}

/* weir.quarantine(code, pointer): sets this event aside.  Codes are words with hyphens, pointers are JSON pointers. */
static int do_quarantine(lua_State *L)
{
    struct privacy *p = privacy_of(L);
    const char *given = luaL_checkstring(L, 1), *pointer = luaL_optstring(L, 2, "");
    size_t n = 0;

    for (; given[n] && n < CODE_MAX; n++)
        if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-", given[n]))
            return luaL_error(L, "bad argument #1 to 'quarantine' (letters, digits and hyphens expected)");
    snprintf(p->bridge->quarantine_code, sizeof p->bridge->quarantine_code, "%s", n ? given : "Rule");
    bridge_fail(p->bridge, p->bridge->quarantine_code, pointer);
}

size_t privacy_hash(struct privacy *p, struct str value, char out[SECRET_TEXT])
{
    struct err e;

    if (!p->secret && !(p->secret = secret_open(p->key_dir, &e))) {
        log_error("no key for keyed hashes", "why", e.text);
        bridge_fail(p->bridge, "Rule-No-Key", "the key of keyed hashes cannot be read");
    }
    return secret_hash(p->secret, value, out);
}

static int do_hmac(lua_State *L)
{
    struct privacy *p = privacy_of(L);
    char out[SECRET_TEXT];
    struct str value;

    value.p = luaL_checklstring(L, 1, &value.n);
    lua_pushlstring(L, out, privacy_hash(p, value, out));
    return 1;
}

static int do_truncate_ip(lua_State *L)
{
    struct privacy *p = privacy_of(L);
    struct str s;

    if (lua_type(L, 1) != LUA_TSTRING)
        return lua_pushnil(L), 1;
    s.p = lua_tolstring(L, 1, &s.n);
    if (!scan_truncate_address(s, &p->work))
        return lua_pushnil(L), 1;
    return push_work(L, p);
}

static int do_clean_url(lua_State *L)
{
    struct privacy *p = privacy_of(L);
    struct str s;

    s.p = luaL_checklstring(L, 1, &s.n);
    scan_url(s, &p->work);
    return push_work(L, p);
}

static bool may_hold_mail(struct str bytes)
{
    const char *end = bytes.p + bytes.n, *p = bytes.p;

    if (memchr(p, '@', bytes.n))
        return true;
    while ((p = memchr(p, '%', (size_t)(end - p)))) {
        if (end - ++p >= 2 && p[0] == '4' && p[1] == '0')
            return true;
    }
    return false;
}

/* Replaces the value on top by the one without mail addresses; true: it is another one. */
static bool redact_top(struct privacy *p)
{
    lua_State *L = p->bridge->L;
    struct str s;

    s.p = lua_tolstring(L, -1, &s.n);
    buf_clear(&p->work);
    if (!may_hold_mail(s) || !scan_mail(s, &p->work))
        return false;
    lua_pop(L, 1);
    push_work(L, p);
    return true;
}

static void redact_table(struct privacy *p, int index, unsigned depth)
{
    lua_State *L = p->bridge->L;
    struct source *s = source_of(p->bridge, index);
    bool lazy;

    if (depth > RECORD_DEPTH || !lua_checkstack(L, 8))
        bridge_fail(p->bridge, "Lua-Bad-Return", "nested deeper than 64 levels, or a table that contains itself");
    lazy = s && s->lazy && may_hold_mail((struct str){s->bytes, s->size});
    for (uint32_t i = 0; lazy && i < s->n; i++) { /* what holds none stays encoded */
        struct slot *f = &s->slots[i];
        if (!(f->flags & SLOT_LOADED) && f->type >= V_STR &&
            may_hold_mail((struct str){s->bytes + f->val, f->end - f->val}))
            record_load(p->bridge, index, s, f);
    }
    lua_pushnil(L);
    while (lua_next(L, index)) {
        if (lua_type(L, -1) == LUA_TSTRING) {
            if (redact_top(p)) {
                lua_pushvalue(L, -2);
                lua_insert(L, -2);
                lua_rawset(L, index); /* an existing key: the walk goes on */
                continue;
            }
        } else if (lua_type(L, -1) == LUA_TTABLE) {
            redact_table(p, lua_gettop(L), depth + 1);
        }
        lua_pop(L, 1);
    }
}

/* weir.redact(text) gives the text without mail addresses; of a table all texts in it are changed in place. */
static int do_redact(lua_State *L)
{
    struct privacy *p = privacy_of(L);

    lua_settop(L, 1);
    if (lua_type(L, 1) == LUA_TSTRING)
        redact_top(p);
    else if (lua_type(L, 1) == LUA_TTABLE)
        redact_table(p, 1, 0);
    return 1;
}

static bool allowed(struct bridge *b, const struct source *s, const struct slot *f)
{
    bool yes;

    record_push_key(b, s, f);
    lua_rawget(b->L, 2);
    yes = lua_toboolean(b->L, -1);
    lua_pop(b->L, 1);
    return yes;
}

/* weir.keep(table, set): drops every field whose key is not in the set.  Fields of a lazy table that nobody has looked
 * at are dropped without being read. */
static int do_keep(lua_State *L)
{
    struct privacy *p = privacy_of(L);
    struct source *s;

    luaL_checktype(L, 1, LUA_TTABLE);
    luaL_checktype(L, 2, LUA_TTABLE);
    lua_settop(L, 2);
    s = source_of(p->bridge, 1);
    for (uint32_t i = 0; s && s->map && i < s->n; i++) {
        struct slot *f = &s->slots[i];
        if (f->flags & SLOT_HIDDEN)
            f->flags |= SLOT_SHADOW; /* no set can name it */
        else if ((!(f->flags & SLOT_LOADED) || f->type == V_NIL) && !allowed(p->bridge, s, f))
            f->flags |= SLOT_LOADED | SLOT_GONE;
    }
    lua_pushnil(L);
    while (lua_next(L, 1)) {
        lua_pop(L, 1);
        if (lua_type(L, -1) == LUA_TLIGHTUSERDATA)
            continue;
        lua_pushvalue(L, -1);
        lua_rawget(L, 2);
        if (!lua_toboolean(L, -1)) {
            lua_pushvalue(L, -2);
            lua_pushnil(L);
            lua_rawset(L, 1);
        }
        lua_pop(L, 1);
    }
    lua_settop(L, 1);
    return 1;
}

void privacy_open(struct bridge *b, const char *key_dir)
{
    static const luaL_Reg functions[] = {
        {"quarantine", do_quarantine}, {"hmac", do_hmac}, {"truncate_ip", do_truncate_ip}, {"clean_url", do_clean_url},
        {"redact", do_redact},         {"keep", do_keep}, {"clean", privacy_clean},        {NULL, NULL}};
    lua_State *L = b->L;
    struct privacy *p;

    lua_createtable(L, 0, 8);
    p = lua_newuserdata(L, sizeof *p);
    *p = (struct privacy){.bridge = b, .key_dir = key_dir};
    privacy_words(p);
    lua_createtable(L, 0, 1);
    lua_pushcfunction(L, privacy_end);
    lua_setfield(L, -2, "__gc");
    lua_setmetatable(L, -2);
    for (const luaL_Reg *r = functions; r->name; r++) {
        lua_pushvalue(L, -1);
        lua_pushcclosure(L, r->func, 1);
        lua_setfield(L, -3, r->name);
    }
    lua_pop(L, 1);
    lua_pushvalue(L, -1);
    lua_setglobal(L, "weir");
    lua_getfield(L, LUA_REGISTRYINDEX, "weir.loaded"); /* require "weir.privacy" gives the same table */
    if (!lua_istable(L, -1)) {
        lua_pop(L, 1);
        luaL_findtable(L, LUA_REGISTRYINDEX, "_LOADED", 8);
    }
    lua_pushvalue(L, -2);
    lua_setfield(L, -2, "weir");
    lua_pushvalue(L, -2);
    lua_setfield(L, -2, "weir.privacy");
    lua_pop(L, 2);
}
