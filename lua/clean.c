/* SPDX-License-Identifier: Apache-2.0 */
/* weir.clean(record, fields, open): one pass over a map by a table that says of every field what becomes of it.  Fields
 * that stay as they are stay encoded: a lazy record is cleaned without being read. */
#include "base/cleanup.h"
#include "lua/privacy_internal.h"

#include <lauxlib.h>

enum action { KEEP, DROP, HASH, ADDRESS, URL, NESTED };
static const char *const names[ACTIONS] = {"keep", "drop", "hash", "address", "url"};

void privacy_words(struct privacy *p)
{
    lua_State *L = p->bridge->L;

    for (size_t i = 0; i < ACTIONS; i++) {
        lua_pushstring(L, names[i]);
        p->words[i] = lua_topointer(L, -1);
        luaL_ref(L, LUA_REGISTRYINDEX);
    }
}

/* Of the value that the table of fields has for a key, on top of the stack; popped unless NESTED. */
static enum action action_top(struct privacy *p, bool open)
{
    lua_State *L = p->bridge->L;
    enum action action = NESTED;
    const void *word;

    switch (lua_type(L, -1)) {
    case LUA_TTABLE:
        return NESTED;
    case LUA_TNIL:
        action = open ? KEEP : DROP;
        break;
    case LUA_TBOOLEAN:
        action = lua_toboolean(L, -1) ? KEEP : DROP;
        break;
    case LUA_TSTRING:
        word = lua_topointer(L, -1); /* equal strings are one */
        for (action = KEEP; action < NESTED && p->words[action] != word;)
            action++;
    }
    if (action == NESTED)
        luaL_error(L, "weir.clean knows keep, drop, hash, address, url and tables of fields");
    lua_pop(L, 1);
    return action;
}

/* What the table of fields says of a field; NESTED: leaves the nested table on the stack. */
static inline enum action ask(struct privacy *p, int fields, const char *key, size_t n, bool open)
{
    lua_pushlstring(p->bridge->L, key, n);
    lua_rawget(p->bridge->L, fields);
    return action_top(p, open);
}

enum made { MADE, MADE_NONE, MADE_SAME };

/* What the action makes of a text, in p->work. */
static enum made act(struct privacy *p, enum action action, struct str s)
{
    char hash[SECRET_TEXT];

    buf_clear(&p->work);
    if (action == HASH) {
        if (s.n == 0 || str_eq(s, STR("-")))
            return MADE_SAME; /* nobody */
        buf_add(&p->work, hash, privacy_hash(p, s, hash));
    } else if (action == ADDRESS) {
        if (!scan_truncate_address(s, &p->work))
            return MADE_NONE;
    } else {
        scan_url(s, &p->work);
    }
    return str_eq(buf_view(&p->work), s) ? MADE_SAME : MADE;
}

/* Replaces the string or number on top by what the action makes of it: nil where it cannot. */
static void act_top(struct privacy *p, enum action action)
{
    lua_State *L = p->bridge->L;
    enum made made = MADE_NONE;
    struct str s;

    if (lua_type(L, -1) == LUA_TSTRING || (action == HASH && lua_type(L, -1) == LUA_TNUMBER)) {
        s.p = lua_tolstring(L, -1, &s.n);
        made = act(p, action, s);
    }
    if (made == MADE_SAME)
        return;
    lua_pop(L, 1);
    if (made == MADE)
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
        action = action_top(p, open);
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
        action = action_top(p, open);
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

/* ---- the same for a map as it came ---- */

/* Would the encoded map stay as it is?  Where that is not certain: no. */
static bool stays(struct privacy *p, int fields, bool open, const char *at, const char *end, unsigned depth)
{
    lua_State *L = p->bridge->L;
    uint64_t seen[4] = {0};
    struct value map = {0}, k, v = {0};

    at = wire_read(at, end, &map);
    if (!at || map.n > LAZY_MEMBERS || depth > RECORD_DEPTH || !lua_checkstack(L, 12))
        return false;
    for (uint32_t i = 0; i < map.n; i++) {
        const char *value = wire_read(at, end, &k);
        enum action action;
        unsigned bit;
        bool same;
        if (!value || k.type != V_STR)
            return false;
        bit = slot_bit(slot_mark(k.p, k.n));
        if (seen[bit >> 6] & UINT64_C(1) << (bit & 63))
            return false; /* perhaps a repeated key */
        seen[bit >> 6] |= UINT64_C(1) << (bit & 63);
        at = wire_skip(value, end);
        if (!at)
            return false;
        action = ask(p, fields, k.p, k.n, open);
        if (action == KEEP)
            continue;
        same = action != DROP && wire_read(value, end, &v);
        if (!same || v.type == V_NIL)
            ;
        else if (action == NESTED)
            same = v.type == V_MAP && stays(p, lua_gettop(L), open, value, at, depth + 1);
        else
            same = v.type == V_STR && action != HASH && act(p, action, value_bytes(&v)) == MADE_SAME;
        if (action == NESTED)
            lua_pop(L, 1);
        if (!same)
            return false;
    }
    return true;
}

static void clean_any(struct privacy *p, int table, int fields, bool open, unsigned depth);

/* A field that is in the table; where it is NESTED, the table for what is in it is on top. */
static void clean_loaded(struct privacy *p, int table, struct source *s, struct slot *f, enum action action, bool open,
                         unsigned depth)
{
    lua_State *L = p->bridge->L;
    int fields = lua_gettop(L);
    struct source *inner;

    record_push_key(p->bridge, s, f);
    lua_pushvalue(L, -1);
    lua_rawget(L, table);
    if (action == NESTED && lua_istable(L, -1)) {
        inner = source_of(p->bridge, fields + 2);
        if (!inner || inner->map) {
            clean_any(p, fields + 2, fields, open, depth + 1);
            lua_settop(L, fields);
            return;
        }
    }
    if (lua_isnil(L, -1)) {
        lua_settop(L, fields);
        return;
    }
    if (action == DROP || action == NESTED) {
        lua_pop(L, 1);
        lua_pushnil(L);
    } else {
        act_top(p, action);
    }
    lua_rawset(L, table);
}

/* A field that is still encoded; the same. */
static void clean_field(struct privacy *p, int table, struct source *s, struct slot *f, enum action action, bool open,
                        unsigned depth)
{
    lua_State *L = p->bridge->L;
    struct value v;
    enum made made;

    if (action == DROP || (action == NESTED && f->type != V_MAP && f->type != V_NIL)) {
        f->flags |= SLOT_LOADED | SLOT_GONE;
        return;
    }
    if (f->type == V_NIL)
        return;
    if (action == NESTED && stays(p, lua_gettop(L), open, s->bytes + f->val, s->bytes + f->end, depth))
        return;
    if (f->type != V_STR) {
        record_load(p->bridge, table, s, f);
        clean_loaded(p, table, s, f, action, open, depth);
        return;
    }
    wire_read(s->bytes + f->val, s->bytes + f->end, &v);
    made = act(p, action, value_bytes(&v));
    if (made == MADE_SAME)
        return;
    f->flags |= SLOT_LOADED;
    if (made == MADE_NONE)
        return;
    record_push_key(p->bridge, s, f);
    lua_pushlstring(L, p->work.p ? p->work.p : "", p->work.n);
    lua_rawset(L, table);
}

static void clean_any(struct privacy *p, int table, int fields, bool open, unsigned depth)
{
    struct source *s = source_of(p->bridge, table);
    lua_State *L = p->bridge->L;
    int top = lua_gettop(L);

    if (!s || !s->map || !s->simple || s->foreign || s->extra) {
        clean_table(p, table, fields, open, depth);
        return;
    }
    if (depth > RECORD_DEPTH || !lua_checkstack(L, 12))
        bridge_fail(p->bridge, "Lua-Bad-Return", "nested deeper than 64 levels, or a table that contains itself");
    for (struct slot *f = s->slots, *end = f + s->n; f < end; f++) {
        enum action action = ask(p, fields, s->bytes + f->key, f->nkey, open);
        bool loaded = f->flags & SLOT_LOADED;
        if (action == KEEP)
            continue;
        if (!loaded || f->type == V_NIL)
            clean_field(p, table, s, f, action, open, depth);
        if (loaded)
            clean_loaded(p, table, s, f, action, open, depth);
        lua_settop(L, top);
    }
}

int privacy_clean(lua_State *L)
{
    struct privacy *p = privacy_of(L);

    luaL_checktype(L, 1, LUA_TTABLE);
    luaL_checktype(L, 2, LUA_TTABLE);
    lua_settop(L, 3);
    clean_any(p, 1, 2, lua_toboolean(L, 3), 0);
    return 0;
}
