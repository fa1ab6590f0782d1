/* SPDX-License-Identifier: Apache-2.0 */
#include "lua/record_internal.h"

#include <lauxlib.h>

const char record_hidden, record_side;

const char record_key_type, record_key_newindex, record_fn_newindex;

int bridge_fail(struct bridge *b, const char *code, const char *text)
{
    b->fail_code = code;
    snprintf(b->fail_text, sizeof b->fail_text, "%s", text);
    lua_pushlightuserdata(b->L, b);
    lua_error(b->L);
    __builtin_unreachable();
}

static __attribute__((noreturn)) void malformed(struct bridge *b)
{
    bridge_fail(b, "Lua-Bad-Record", "the event is no valid msgpack");
}

void record_registry(lua_State *L, const char *key)
{
    lua_pushlightuserdata(L, (void *)(uintptr_t)key);
    lua_rawget(L, LUA_REGISTRYINDEX);
}

/* ---- reading the bytes of a map ---- */

static bool key_is_text(const struct value *k)
{
    return k->type == V_STR || k->type == V_BIN;
}

/* Passes over the value at p and tells its type; `whole`: it is known to reach to the end. */
static inline const char *pass_value(struct bridge *b, const char *p, const char *end, uint8_t *type, bool whole)
{
    uint8_t c = p < end ? (uint8_t)*p : 0xc1;
    const char *at = p;
    struct value v;

    if (c < 0x80 || c >= 0xe0) {
        *type = V_INT;
        return p + 1;
    }
    if (c >= 0xa0 && c < 0xc0) {
        *type = V_STR;
        p += 1 + (c & 31);
        if (p > end)
            malformed(b);
        return p;
    }
    if (c < 0xa0) {
        v.type = c < 0x90 ? V_MAP : V_ARRAY;
        p = whole ? end : wire_skip(at, end);
    } else {
        p = wire_read(p, end, &v);
        if (p && (v.type == V_MAP || v.type == V_ARRAY))
            p = wire_skip(at, end);
    }
    if (!p)
        malformed(b);
    *type = v.type;
    return p;
}

/* A key that is no short string. */
static const char *pass_key(struct bridge *b, const struct source *s, struct slot *f, const char *p, const char *end,
                            unsigned *n)
{
    const char *at = p;
    struct value k;

    p = wire_read(p, end, &k);
    if (p && (k.type == V_MAP || k.type == V_ARRAY))
        p = wire_skip(at, end);
    if (!p)
        malformed(b);
    if (key_is_text(&k)) {
        f->key = (uint32_t)(k.p - s->bytes);
        *n = k.n;
    } else {
        f->key = (uint32_t)(at - s->bytes);
        f->flags = SLOT_OTHER;
        *n = 0;
    }
    return p;
}

/* Notes where the fields begin and end; false: a key is no string, or two may be equal.  `inner`: it was passed over as
 * a part of another value, so it is sound and ends where its last field does. */
static bool source_index(struct bridge *b, struct source *s, bool inner)
{
    const char *bytes = s->bytes, *p = bytes + s->head, *end = bytes + s->size;
    struct slot *f = s->slots;
    bool simple = s->n <= LAZY_MEMBERS;
    uint64_t seen[4] = {0};

    for (struct slot *last = f + s->n; f < last; f++) {
        unsigned n, mark, bit;
        const char *key;
        uint8_t type;
        f->now = 0;
        f->flags = 0;
        if (p < end && ((uint8_t)*p & 0xe0) == 0xa0) {
            n = (uint8_t)*p & 31;
            key = p + 1;
            p = key + n;
        } else {
            p = pass_key(b, s, f, p, end, &n);
            key = bytes + f->key;
        }
        if (p >= end)
            malformed(b);
        f->key = (uint32_t)(key - bytes);
        f->nkey = n;
        f->val = (uint32_t)(p - bytes);
        if (__builtin_expect(f->flags & SLOT_OTHER, 0)) {
            simple = false;
            f->mark = 0;
        } else {
            mark = slot_mark(key, n);
            bit = slot_bit(mark);
            if (seen[bit >> 6] & UINT64_C(1) << (bit & 63))
                simple = simple && !source_find_before(s, (uint32_t)(f - s->slots), key, n);
            seen[bit >> 6] |= UINT64_C(1) << (bit & 63);
            f->mark = (uint16_t)mark;
        }
        p = pass_value(b, p, end, &type, inner && f + 1 == last);
        f->type = type;
        f->end = (uint32_t)(p - bytes);
    }
    return simple;
}

void record_push_scalar(struct bridge *b, const struct value *v)
{
    lua_State *L = b->L;

    switch (v->type) {
    case V_BOOL:
        lua_pushboolean(L, v->b);
        break;
    case V_INT:
        lua_pushnumber(L, (double)v->i);
        break;
    case V_UINT:
        lua_pushnumber(L, (double)v->u);
        break;
    case V_FLOAT:
        lua_pushnumber(L, v->f);
        break;
    case V_STR:
    case V_BIN:
    case V_EXT:
        lua_pushlstring(L, v->p, v->n);
        break;
    default:
        if (b->flb_null)
            lua_pushlightuserdata(L, NULL);
        else
            lua_pushnil(L);
    }
}

static void push_container(struct bridge *b, const char *p, const char *end, unsigned depth);

/* p to end is exactly one value. */
static void push_value(struct bridge *b, const char *p, const char *end, unsigned depth)
{
    struct value v;

    if (!wire_read(p, end, &v))
        malformed(b);
    if (v.type == V_MAP || v.type == V_ARRAY)
        push_container(b, p, end, depth + 1);
    else
        record_push_scalar(b, &v);
}

void record_push_slot(struct bridge *b, const struct source *s, const struct slot *f)
{
    push_value(b, s->bytes + f->val, s->bytes + f->end, 0);
}

void record_push_key(struct bridge *b, const struct source *s, const struct slot *f)
{
    struct value v;

    if (!(f->flags & SLOT_OTHER)) {
        lua_pushlstring(b->L, s->bytes + f->key, f->nkey);
        return;
    }
    wire_read(s->bytes + f->key, s->bytes + f->val, &v);
    record_push_scalar(b, &v);
}

/* ---- filling tables ---- */

static bool key_possible(const struct source *s, const struct slot *f)
{
    struct value v;

    wire_read(s->bytes + f->key, s->bytes + f->val, &v);
    return v.type == V_BOOL || v.type == V_INT || v.type == V_UINT || (v.type == V_FLOAT && v.f == v.f);
}

/* A later field whose key is there already wins: the earlier one is marked. */
static void shadow(struct bridge *b, struct source *s, const struct slot *later)
{
    unsigned repeated = 0;

    for (struct slot *f = s->slots; f < later; f++) {
        bool same = false;
        if (f->flags & SLOT_SHADOW)
            repeated++;
        if (f->flags & (SLOT_HIDDEN | SLOT_SHADOW) || (f->flags & SLOT_OTHER) != (later->flags & SLOT_OTHER))
            continue;
        if (f->flags & SLOT_OTHER) {
            record_push_key(b, s, f);
            record_push_key(b, s, later);
            same = lua_rawequal(b->L, -1, -2);
            lua_pop(b->L, 2);
        } else {
            same = f->nkey == later->nkey && memcmp(s->bytes + f->key, s->bytes + later->key, f->nkey) == 0;
        }
        if (same)
            f->flags |= SLOT_SHADOW;
    }
    if (repeated > REPEATED_KEYS)
        bridge_fail(b, "Lua-Bad-Record", "more than 64 repeated keys in one map");
}

/* Nulls that stood in for their keys while repeated ones were looked for become absent. */
static void drop_stand_ins(struct bridge *b, struct source *s)
{
    for (uint32_t i = 0; i < s->n; i++) {
        if (s->slots[i].type != V_NIL || s->slots[i].flags & (SLOT_HIDDEN | SLOT_SHADOW))
            continue;
        record_push_key(b, s, &s->slots[i]);
        lua_pushnil(b->L);
        lua_rawset(b->L, -3);
    }
}

/* Everything into the table on top, at once; `careful`: keys may be of any type, and repeated. */
static void fill_all(struct bridge *b, struct source *s, bool careful, unsigned depth)
{
    lua_State *L = b->L;

    for (uint32_t i = 0; i < s->n; i++) {
        struct slot *f = &s->slots[i];
        if ((f->flags & SLOT_OTHER) && !key_possible(s, f)) {
            f->flags |= SLOT_HIDDEN;
            continue;
        }
        record_push_key(b, s, f);
        if (careful) {
            lua_pushvalue(L, -1);
            lua_rawget(L, -3);
            if (!lua_isnil(L, -1))
                shadow(b, s, f);
            lua_pop(L, 1);
        }
        f->flags |= SLOT_LOADED;
        if (careful && f->type == V_NIL && !b->flb_null)
            lua_pushlightuserdata(L, (void *)(uintptr_t)&record_hidden);
        else
            push_value(b, s->bytes + f->val, s->bytes + f->end, depth);
        lua_rawset(L, -3);
    }
    if (careful && !b->flb_null)
        drop_stand_ins(b, s);
}

/* The metatable of a filled table: Fluent Bit's {type=N}, and the source (userdata below the table on top). */
void record_set_filled(struct bridge *b, int table, int userdata, int type)
{
    lua_State *L = b->L;

    lua_createtable(L, 2, 2);
    lua_pushvalue(L, userdata);
    lua_rawseti(L, -2, 1);
    record_registry(L, &record_key_type);
    lua_pushinteger(L, type);
    lua_rawset(L, -3);
    if (type == 2) {
        record_registry(L, &record_key_newindex);
        record_registry(L, &record_fn_newindex);
        lua_rawset(L, -3);
    }
    lua_setmetatable(L, table);
}

static void push_array(struct bridge *b, const struct source *s, unsigned depth)
{
    const char *p = s->bytes + s->head, *end = s->bytes + s->size;

    lua_createtable(b->L, (int)s->n, 0);
    for (uint32_t i = 1; i <= s->n; i++) {
        const char *next = wire_skip(p, end);
        if (!next)
            malformed(b);
        push_value(b, p, next, depth);
        lua_rawseti(b->L, -2, (int)i);
        p = next;
    }
}

static struct source *source_new(struct bridge *b, const char *p, const char *end)
{
    size_t size = (size_t)(end - p), slots;
    struct source *s;
    struct value v;
    const char *body = wire_read(p, end, &v);
    char *copy;

    if (!body || (v.type != V_MAP && v.type != V_ARRAY) || v.n > size || size > RECORD_MAX)
        malformed(b);
    slots = v.type == V_MAP ? v.n * sizeof(struct slot) : 0;
    s = lua_newuserdata(b->L, sizeof *s + slots + size);
    copy = (char *)s->slots + slots;
    memcpy(copy, p, size);
    *s = (struct source){.magic = SOURCE_MAGIC,
                         .map = v.type == V_MAP,
                         .n = v.n,
                         .head = (uint32_t)(body - p),
                         .size = (uint32_t)size,
                         .bytes = copy};
    return s;
}

/* The source is at `at`, the table on top. */
static void know(struct bridge *b, int at, struct source *s)
{
    struct known *k = &b->known[b->nknown];
    lua_State *L = b->L;

    lua_pushvalue(L, at);
    lua_rawseti(L, LUA_REGISTRYINDEX, k->source_ref);
    lua_pushvalue(L, -1);
    lua_rawseti(L, LUA_REGISTRYINDEX, k->table_ref);
    k->table = lua_topointer(L, -1);
    k->source = s;
    b->nknown++;
}

/* Leaves the source and the table. */
static struct source *push_both(struct bridge *b, const char *p, const char *end, unsigned depth)
{
    lua_State *L = b->L;
    struct source *s;
    int at;

    if (depth > RECORD_DEPTH || !lua_checkstack(L, 12))
        bridge_fail(b, "Lua-Bad-Record", "nested deeper than 64 levels");
    s = source_new(b, p, end);
    at = lua_gettop(L);
    if (!s->map) {
        push_array(b, s, depth);
        record_set_filled(b, at + 1, at, 1);
        return s;
    }
    s->simple = source_index(b, s, depth > 0);
    if (b->lazy && s->simple) {
        s->lazy = true;
        b->offered += s->n;
        lua_createtable(L, 0, depth ? 4 : 8); /* room for what rules usually touch: growing is dear */
        lua_pushlightuserdata(L, (void *)(uintptr_t)&record_hidden);
        lua_pushvalue(L, at);
        lua_rawset(L, at + 1);
        lua_rawgeti(L, LUA_REGISTRYINDEX, b->lazy_ref);
        lua_setmetatable(L, at + 1);
        if (depth && b->nknown < KNOWN_TABLES && s->size <= KNOWN_MOST)
            know(b, at, s);
        return s;
    }
    lua_createtable(L, 0, (int)s->n);
    fill_all(b, s, !s->simple, depth);
    record_set_filled(b, at + 1, at, 2);
    return s;
}

static void push_container(struct bridge *b, const char *p, const char *end, unsigned depth)
{
    push_both(b, p, end, depth);
    lua_remove(b->L, -2);
}

void bridge_push_more(struct bridge *b, struct str bytes)
{
    push_container(b, bytes.p, bytes.p + bytes.n, 0);
}

void bridge_forget(struct bridge *b)
{
    b->root = NULL;
    b->nknown = 0;
}

void bridge_push(struct bridge *b, struct str bytes)
{
    bridge_forget(b);
    b->root_source = push_both(b, bytes.p, bytes.p + bytes.n, 0);
    b->root = lua_topointer(b->L, -1);
}
