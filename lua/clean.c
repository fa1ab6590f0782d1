/* SPDX-License-Identifier: Apache-2.0 */
/* weir.clean(record, fields, open): one pass over a map by a table that says of every field what becomes of it.  Fields
 * that stay as they are stay encoded: a lazy record is cleaned without being read. */
#include "base/cleanup.h"
#include "lua/privacy_internal.h"

#include <lauxlib.h>

enum action { KEEP, DROP, HASH, ADDRESS, URL, NESTED };

static int action_named(const char *name)
{
    static const char *const names[] = {"keep", "drop", "hash", "address", "url"};

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (names[i][0] == name[0] && strcmp(names[i], name) == 0)
            return (int)i;
    return -1;
}

/* Of the value that the table of fields has for a key, on top of the stack; popped unless NESTED. */
static enum action action_top(lua_State *L, bool open)
{
    int type = lua_type(L, -1), action;

    if (type == LUA_TTABLE)
        return NESTED;
    if (type == LUA_TNIL)
        action = open ? KEEP : DROP;
    else if (type == LUA_TBOOLEAN)
        action = lua_toboolean(L, -1) ? KEEP : DROP;
    else
        action = type == LUA_TSTRING ? action_named(lua_tostring(L, -1)) : -1;
    if (action < 0)
        luaL_error(L, "weir.clean knows keep, drop, hash, address, url and tables of fields");
    lua_pop(L, 1);
    return (enum action)action;
}

/* Replaces the string or number on top by what the action makes of it: nil where it cannot. */
static void act_top(struct privacy *p, enum action action)
{
    lua_State *L = p->bridge->L;
    char hash[SECRET_TEXT];
    struct str s;
    bool ok = false;

    buf_clear(&p->work);
    if (lua_type(L, -1) == LUA_TSTRING || (action == HASH && lua_type(L, -1) == LUA_TNUMBER)) {
        s.p = lua_tolstring(L, -1, &s.n);
        if (action == HASH) {
            if (s.n == 0 || str_eq(s, STR("-")))
                return; /* nobody */
            buf_add(&p->work, hash, privacy_hash(p, s, hash));
            ok = true;
        } else if (action == ADDRESS) {
            ok = scan_truncate_address(s, &p->work);
        } else {
            scan_url(s, &p->work);
            ok = true;
        }
    }
    lua_pop(L, 1);
    if (ok)
        lua_pushlstring(L, p->work.p ? p->work.p : "", p->work.n);
    else
        lua_pushnil(L);
}

/* Decides about what is still encoded: it stays, is dropped, or is loaded for the second pass. */
static void clean_encoded(struct privacy *p, int table, int fields, bool open, struct source *s)
{
    lua_State *L = p->bridge->L;

    for (uint32_t i = 0; i < s->n; i++) {
        struct slot *f = &s->slots[i];
        enum action action;
        if (f->flags & SLOT_HIDDEN) {
            f->flags |= open ? 0 : SLOT_SHADOW;
            continue;
        }
        if (f->flags & SLOT_LOADED && f->type != V_NIL)
            continue;
        record_push_key(p->bridge, s, f);
        lua_rawget(L, fields);
        action = action_top(L, open);
        if (action == NESTED)
            lua_pop(L, 1);
        if (action == DROP || (action == NESTED && f->type != V_MAP && f->type != V_NIL))
            f->flags |= SLOT_LOADED | SLOT_GONE;
        else if (action != KEEP && f->type != V_NIL)
            record_load(p->bridge, table, s, f);
    }
}

static void clean_table(struct privacy *p, int table, int fields, bool open, unsigned depth)
{
    lua_State *L = p->bridge->L;
    struct source *s = source_of(p->bridge, table);

    if (depth > RECORD_DEPTH || !lua_checkstack(L, 12))
        bridge_fail(p->bridge, "Lua-Bad-Return", "nested deeper than 64 levels, or a table that contains itself");
    if (s && s->map)
        clean_encoded(p, table, fields, open, s);
    lua_pushnil(L);
    while (lua_next(L, table)) { /* only existing keys are assigned: the walk goes on */
        int value = lua_gettop(L);
        enum action action;
        if (lua_type(L, value - 1) == LUA_TLIGHTUSERDATA) {
            lua_pop(L, 1);
            continue;
        }
        lua_pushvalue(L, value - 1);
        lua_rawget(L, fields);
        action = action_top(L, open);
        if (action == NESTED && lua_type(L, value) == LUA_TTABLE) {
            struct source *inner = source_of(p->bridge, value);
            if (!inner || inner->map) {
                clean_table(p, value, value + 1, open, depth + 1);
                action = KEEP;
            }
        }
        lua_settop(L, value);
        if (action != KEEP) {
            lua_pushvalue(L, value - 1);
            lua_pushvalue(L, value);
            if (action == DROP || action == NESTED) {
                lua_pop(L, 1);
                lua_pushnil(L);
            } else {
                act_top(p, action);
            }
            lua_rawset(L, table);
        }
        lua_settop(L, value - 1);
    }
}

int privacy_clean(lua_State *L)
{
    struct privacy *p = privacy_of(L);

    luaL_checktype(L, 1, LUA_TTABLE);
    luaL_checktype(L, 2, LUA_TTABLE);
    lua_settop(L, 3);
    clean_table(p, 1, 2, lua_toboolean(L, 3), 0);
    return 0;
}
