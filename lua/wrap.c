/* SPDX-License-Identifier: Apache-2.0 */
/* The functions of the standard library through which a script could see a lazy table that is not filled: each fills it
 * first and then does what the real one does. */
#include "lua/record_internal.h"

#include <lauxlib.h>

static struct bridge *bridge_of(lua_State *L)
{
    struct bridge *b = lua_touserdata(L, lua_upvalueindex(1));

    b->L = L;
    return b;
}

static bool is_lazy(struct bridge *b, int index)
{
    bool lazy;

    if (lua_type(b->L, index) != LUA_TTABLE || !lua_getmetatable(b->L, index))
        return false;
    lazy = lua_topointer(b->L, -1) == b->lazy_meta;
    lua_pop(b->L, 1);
    return lazy;
}

static void fill(struct bridge *b, int index)
{
    struct source *s = is_lazy(b, index) ? source_of(b, index) : NULL;

    if (s)
        source_fill(b, index, s);
}

/* Calls the real function, upvalue 2, with the arguments as they are. */
static int forward(lua_State *L)
{
    lua_pushvalue(L, lua_upvalueindex(2));
    lua_insert(L, 1);
    lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
    return lua_gettop(L);
}

static int wrap_fill(lua_State *L) /* table.foreach */
{
    fill(bridge_of(L), 1);
    return forward(L);
}

/* What the script does with the metatable nobody knows. */
static int wrap_getmetatable(lua_State *L)
{
    struct bridge *b = bridge_of(L);
    struct source *s = lua_type(L, 1) == LUA_TTABLE ? source_of(b, 1) : NULL;

    if (s) {
        source_fill(b, 1, s);
        s->foreign = true;
    }
    return forward(L);
}

static int wrap_next(lua_State *L)
{
    struct bridge *b = bridge_of(L);

    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 2);
    fill(b, 1);
    if (lua_next(L, 1))
        return 2;
    lua_pushnil(L);
    return 1;
}

/* Returns the real next, which the interpreter knows how to run fast. */
static int wrap_pairs(lua_State *L)
{
    fill(bridge_of(L), 1);
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_pushvalue(L, lua_upvalueindex(2));
    lua_pushvalue(L, 1);
    lua_pushnil(L);
    return 3;
}

static int wrap_rawget(lua_State *L)
{
    struct bridge *b = bridge_of(L);

    luaL_checktype(L, 1, LUA_TTABLE);
    luaL_checkany(L, 2);
    lua_settop(L, 2);
    if (is_lazy(b, 1))
        lua_gettable(L, 1);
    else
        lua_rawget(L, 1);
    return 1;
}

static int wrap_rawset(lua_State *L)
{
    struct bridge *b = bridge_of(L);
    struct source *s;

    luaL_checktype(L, 1, LUA_TTABLE);
    luaL_checkany(L, 3);
    lua_settop(L, 3);
    s = source_of(b, 1);
    if (s && !s->map)
        s = NULL;
    record_raw_set(b, 1, s);
    return 1;
}

static int wrap_setmetatable(lua_State *L)
{
    struct bridge *b = bridge_of(L);
    struct source *s = lua_type(L, 1) == LUA_TTABLE ? source_of(b, 1) : NULL;

    if (s && lua_gettop(L) >= 2) {
        source_fill(b, 1, s);
        s->foreign = true;
        b->side = true;
        lua_pushlightuserdata(L, (void *)(uintptr_t)&record_side);
        lua_rawget(L, LUA_REGISTRYINDEX);
        lua_pushvalue(L, 1);
        if (lua_getmetatable(L, 1)) { /* the metatable of a filled table owns the source */
            lua_rawgeti(L, -1, 1);
            lua_remove(L, -2);
        } else {
            lua_pushnil(L);
        }
        if (lua_isuserdata(L, -1))
            lua_rawset(L, -3);
        else
            lua_pop(L, 2);
        lua_pop(L, 1);
    }
    return forward(L);
}

static int wrap_insert(lua_State *L)
{
    struct bridge *b = bridge_of(L);
    struct source *s = lua_type(L, 1) == LUA_TTABLE ? source_of(b, 1) : NULL;

    if (s)
        s->extra = true;
    return forward(L);
}

static void replace(struct bridge *b, const char *library, const char *name, lua_CFunction fn)
{
    lua_State *L = b->L;

    lua_getfield(L, LUA_GLOBALSINDEX, library);
    if (lua_istable(L, -1)) {
        lua_getfield(L, -1, name);
        if (fn == wrap_pairs) {
            lua_pop(L, 1);
            lua_getfield(L, -1, "next");
        }
        if (lua_isfunction(L, -1)) {
            lua_pushlightuserdata(L, b);
            lua_insert(L, -2);
            lua_pushcclosure(L, fn, 2);
            lua_setfield(L, -2, name);
        } else {
            lua_pop(L, 1);
        }
    }
    lua_pop(L, 1);
}

void record_wrap(struct bridge *b)
{
    replace(b, "_G", "pairs", wrap_pairs); /* before next: it returns the real one */
    replace(b, "_G", "next", wrap_next);
    replace(b, "_G", "rawget", wrap_rawget);
    replace(b, "_G", "rawset", wrap_rawset);
    replace(b, "_G", "getmetatable", wrap_getmetatable);
    replace(b, "_G", "setmetatable", wrap_setmetatable);
    replace(b, "table", "foreach", wrap_fill);
    replace(b, "table", "insert", wrap_insert);
    replace(b, "debug", "getmetatable", wrap_getmetatable);
    replace(b, "debug", "setmetatable", wrap_setmetatable);
}
