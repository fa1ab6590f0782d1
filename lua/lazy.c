/* SPDX-License-Identifier: Apache-2.0 */
/* Tables that fill themselves when touched: their metamethods, and what the registry holds for them. */
#include "lua/record_internal.h"
#include "lua/sandbox.h"

#include <lauxlib.h>

static struct bridge *bridge_of(lua_State *L)
{
    void *f;

    lua_getallocf(L, &f); /* as fence_of: cheaper than an upvalue */
    return ((struct fence *)f)->bridge;
}

void record_load(struct bridge *b, int index, struct source *s, struct slot *f)
{
    b->touched += !(f->flags & SLOT_READ);
    f->flags |= SLOT_LOADED;
    record_push_key(b, s, f);
    record_push_slot(b, s, f);
    lua_rawset(b->L, index);
}

/* A lazy table becomes a full one, with a metatable of its own. */
void source_fill(struct bridge *b, int index, struct source *s)
{
    lua_State *L = b->L;

    if (!s->lazy)
        return;
    luaL_checkstack(L, 12, NULL);
    if (index < 0)
        index += lua_gettop(L) + 1;
    lua_pushlightuserdata(L, (void *)(uintptr_t)&record_hidden);
    lua_rawget(L, index); /* keeps the source alive */
    lua_pushlightuserdata(L, (void *)(uintptr_t)&record_hidden);
    lua_pushnil(L);
    lua_rawset(L, index);
    s->lazy = false;
    record_set_filled(b, index, lua_gettop(L), 2);
    for (uint32_t i = 0; i < s->n; i++) {
        struct slot *f = &s->slots[i];
        if (!(f->flags & SLOT_LOADED))
            record_load(b, index, s, f);
    }
    lua_pop(L, 1);
}

/* ---- the metamethods ---- */

static int lazy_index(lua_State *L)
{
    struct bridge *b = bridge_of(L);
    struct source *s;
    struct slot *f;
    const char *key;
    size_t n;

    b->L = L;
    if (lua_type(L, 2) != LUA_TSTRING)
        return 0;
    s = record_known(b, lua_topointer(L, 1));
    if (!s)
        s = record_lazy_source(L, 1);
    if (!s)
        return 0;
    key = lua_tolstring(L, 2, &n);
    f = source_find(b, s, key, n);
    if (!f || f->flags & SLOT_LOADED)
        return 0;
    if (!(f->flags & SLOT_READ)) {
        struct value v;
        b->touched++;
        if (f->type < V_ARRAY) { /* most are read once: only what is read again goes into the table */
            f->flags |= SLOT_READ;
            wire_read(s->bytes + f->val, s->bytes + f->end, &v);
            record_push_scalar(b, &v);
            return 1;
        }
    }
    f->flags |= SLOT_LOADED;
    record_push_slot(b, s, f);
    if (f->type != V_NIL || b->flb_null) {
        lua_pushvalue(L, 2);
        lua_pushvalue(L, -2);
        lua_rawset(L, 1);
    }
    return 1;
}

/* Tells the source that the field whose key and value are the two on top is about to be set; `text`: the key is a
 * string. */
static void note_set(struct bridge *b, struct source *s, bool text)
{
    lua_State *L = b->L;
    struct slot *f = NULL;

    if (!s)
        return;
    if (text) {
        size_t n;
        const char *key = lua_tolstring(L, -2, &n);
        f = source_find(b, s, key, n);
    }
    if (f) {
        bool gone = f->type == V_NIL && lua_isnil(L, -1);
        f->flags = (uint8_t)((f->flags & ~SLOT_GONE) | SLOT_LOADED | (gone ? SLOT_GONE : 0));
    } else {
        s->extra = true;
    }
}

void record_raw_set(struct bridge *b, int index, struct source *s)
{
    note_set(b, s, lua_type(b->L, -2) == LUA_TSTRING);
    lua_rawset(b->L, index);
}

static int record_newindex(lua_State *L)
{
    struct bridge *b = bridge_of(L);
    int type;

    b->L = L;
    if (lua_gettop(L) != 3)
        lua_settop(L, 3);
    type = lua_type(L, 2);
    if (type == LUA_TNIL)
        return luaL_error(L, "table index is nil");
    note_set(b, source_of(b, 1), type == LUA_TSTRING);
    if (type != LUA_TSTRING || !lua_isnil(L, 3)) /* else it is absent already */
        lua_rawset(L, 1);
    return 0;
}

static void registry_set(lua_State *L, const char *key)
{
    lua_pushlightuserdata(L, (void *)(uintptr_t)key);
    lua_insert(L, -2);
    lua_rawset(L, LUA_REGISTRYINDEX);
}

void bridge_setup(struct bridge *b)
{
    lua_State *L = b->L;

    lua_pushliteral(L, "type");
    registry_set(L, &record_key_type);
    lua_pushliteral(L, "__newindex");
    registry_set(L, &record_key_newindex);
    lua_pushcfunction(L, record_newindex);
    registry_set(L, &record_fn_newindex);

    lua_createtable(L, 0, 4);
    lua_pushcfunction(L, lazy_index);
    lua_setfield(L, -2, "__index");
    record_registry(L, &record_fn_newindex);
    lua_setfield(L, -2, "__newindex");
    lua_pushinteger(L, 2);
    lua_setfield(L, -2, "type");
    b->lazy_meta = lua_topointer(L, -1);
    b->lazy_ref = luaL_ref(L, LUA_REGISTRYINDEX);

    for (unsigned i = 0; i < KNOWN_TABLES; i++) { /* their places: no nil, which luaL_ref keeps no place for */
        lua_pushboolean(L, 0);
        b->known[i].table_ref = luaL_ref(L, LUA_REGISTRYINDEX);
        lua_pushboolean(L, 0);
        b->known[i].source_ref = luaL_ref(L, LUA_REGISTRYINDEX);
    }

    lua_newtable(L);
    lua_createtable(L, 0, 1);
    lua_pushliteral(L, "k");
    lua_setfield(L, -2, "__mode");
    lua_setmetatable(L, -2);
    registry_set(L, &record_side);
    record_wrap(b);
}

void bridge_free(struct bridge *b)
{
    buf_free(&b->out);
    buf_free(&b->scratch);
}
