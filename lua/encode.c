/* SPDX-License-Identifier: Apache-2.0 */
/* Tables to msgpack: what a script made itself; tables with a source go through writeback.c. */
#include "lua/encode.h"

#include <math.h>
#include <stdlib.h>

static bool listed(const struct strs *list, const char *p, size_t n)
{
    for (size_t i = 0; i < list->n; i++)
        if (list->items[i].n == n && memcmp(list->items[i].p, p, n) == 0)
            return true;
    return false;
}

unsigned encode_as_listed(const struct bridge *b, const char *p, size_t n)
{
    return (listed(&b->int_keys, p, n) ? AS_INT : 0) | (listed(&b->array_keys, p, n) ? AS_ARRAY : 0);
}

static int64_t truncated(double f)
{
    if (f != f)
        return 0;
    return f >= 9223372036854775808.0 ? INT64_MAX : f < -9223372036854775808.0 ? INT64_MIN : (int64_t)f;
}

static void encode_number(struct bridge *b, double f, unsigned as)
{
    if ((as & AS_INT) || (f >= -9223372036854775808.0 && f < 9223372036854775808.0 && (double)(int64_t)f == f))
        msgpack_int(&b->out, truncated(f));
    else
        msgpack_float(&b->out, f);
}

/* ---- copying what was not touched ---- */

/* p to end is one value; only type_int_key and type_array_key change anything in it. */
static void copy_keyed(struct bridge *b, const char *p, const char *end, unsigned depth, unsigned as)
{
    struct value v = {0}, k;
    const char *body = wire_read(p, end, &v), *next;

    if (depth > RECORD_DEPTH + 1)
        bridge_fail(b, "Lua-Bad-Record", "nested deeper than 64 levels");
    if (v.type == V_FLOAT && (as & AS_INT)) {
        msgpack_int(&b->out, truncated(v.f));
        return;
    }
    if (v.type == V_MAP && v.n == 0 && (as & AS_ARRAY)) {
        msgpack_array(&b->out, 0);
        return;
    }
    buf_add(&b->out, p, (size_t)(body - p));
    if (v.type != V_MAP && v.type != V_ARRAY)
        return;
    for (uint32_t i = 0; i < v.n; i++) {
        as = 0;
        if (v.type == V_MAP) {
            next = wire_skip(body, end);
            wire_read(body, end, &k);
            buf_add(&b->out, body, (size_t)(next - body));
            as = k.type == V_STR ? encode_as(b, k.p, k.n) : 0;
            body = next;
        }
        next = wire_skip(body, end);
        copy_keyed(b, body, next, depth + 1, as);
        body = next;
    }
}

void encode_copy(struct bridge *b, const char *p, const char *end, unsigned as)
{
    if (encode_keyed(b))
        copy_keyed(b, p, end, 0, as);
    else
        buf_add(&b->out, p, (size_t)(end - p));
}

/* ---- tables without a source ---- */

static int key_compare(const void *x, const void *y)
{
    const struct key *a = x, *b = y;
    int order;

    if (a->p && b->p) {
        order = memcmp(a->p, b->p, a->n < b->n ? a->n : b->n);
        return order ? order : (a->n > b->n) - (a->n < b->n);
    }
    if (a->p || b->p)
        return a->p ? 1 : -1;
    return (a->number > b->number) - (a->number < b->number);
}

static struct key *keys_at(struct bridge *b, size_t base)
{
    return (struct key *)(void *)(b->scratch.p + base);
}

/* The key at -1 (not popped) onto the scratch stack. */
void encode_note(struct bridge *b, int at)
{
    lua_State *L = b->L;
    struct key k = {.type = lua_type(L, -1), .at = at};

    if (k.type == LUA_TSTRING)
        k.p = lua_tolstring(L, -1, &k.n);
    else if (k.type == LUA_TNUMBER)
        k.number = lua_tonumber(L, -1);
    else if (k.type == LUA_TBOOLEAN)
        k.number = lua_toboolean(L, -1);
    else if (k.type == LUA_TLIGHTUSERDATA && lua_touserdata(L, -1) == &record_hidden)
        return;
    else
        bridge_fail(b, "Lua-Bad-Return", "a key of the record is neither string, number nor boolean");
    if (b->scratch.n > RECORD_MAX)
        bridge_fail(b, "Lua-Bad-Return", "the record has too many fields");
    buf_add(&b->scratch, &k, sizeof k);
}

/* Writes the noted keys from `base` on, sorted, with their values; the order of a Lua table is nobody's choice. */
void encode_noted(struct bridge *b, int index, size_t base, unsigned depth)
{
    lua_State *L = b->L;
    size_t n = (b->scratch.n - base) / sizeof(struct key);

    if (n > 1)
        qsort(keys_at(b, base), n, sizeof(struct key), key_compare);
    for (size_t i = 0; i < n; i++) {
        struct key k = keys_at(b, base)[i]; /* the stack may move below */
        unsigned as = 0;
        if (k.p) {
            msgpack_str(&b->out, (struct str){k.p, k.n});
            as = encode_as(b, k.p, k.n);
            if (k.at) {
                encode_value(b, k.at, depth, as);
                continue;
            }
            lua_pushlstring(L, k.p, k.n);
        } else if (k.type == LUA_TNUMBER) {
            encode_number(b, k.number, 0);
            lua_pushnumber(L, k.number);
        } else {
            msgpack_bool(&b->out, k.number != 0);
            lua_pushboolean(L, k.number != 0);
        }
        lua_rawget(L, index);
        encode_value(b, lua_gettop(L), depth, as);
        lua_pop(L, 1);
    }
    b->scratch.n = base;
}

/* Of {type=1} and {type=2}, which make arrays and maps. */
static int meta_type(struct bridge *b, int index)
{
    lua_State *L = b->L;
    int type = 0;

    if (!lua_getmetatable(L, index))
        return 0;
    lua_pushliteral(L, "type");
    lua_rawget(L, -2);
    if (lua_type(L, -1) == LUA_TNUMBER)
        type = (int)lua_tonumber(L, -1);
    lua_pop(L, 2);
    return type == 1 || type == 2 ? type : 0;
}

/* The largest positive numeric key, as table.maxn; *others: keys that an array cannot keep. */
size_t table_extent(struct bridge *b, int index, bool note, bool *others)
{
    lua_State *L = b->L;
    double max = 0;

    *others = false;
    lua_pushnil(L);
    while (lua_next(L, index)) {
        lua_pop(L, 1);
        if (lua_type(L, -1) == LUA_TNUMBER) {
            double k = lua_tonumber(L, -1);
            if (k > max)
                max = k;
            if (k < 1 || k != floor(k))
                *others = true;
        } else if (lua_type(L, -1) != LUA_TLIGHTUSERDATA) {
            *others = true;
        }
        if (note)
            encode_note(b, 0);
    }
    if (max > RECORD_MAX)
        bridge_fail(b, "Lua-Bad-Return", "an array has an index beyond 33 million");
    return (size_t)max;
}

void encode_items(struct bridge *b, int index, size_t from, size_t n, unsigned depth)
{
    for (size_t i = from; i <= n; i++) {
        lua_rawgeti(b->L, index, (int)i);
        encode_value(b, lua_gettop(b->L), depth, 0);
        lua_pop(b->L, 1);
    }
}

static void encode_fresh(struct bridge *b, int index, int type, unsigned depth, unsigned as)
{
    size_t base = b->scratch.n, n;
    bool others;

    n = table_extent(b, index, true, &others);
    if (type == 1 || (as & AS_ARRAY) || (type == 0 && n > 0)) {
        b->scratch.n = base;
        b->mixed |= others;
        msgpack_array(&b->out, (uint32_t)n);
        encode_items(b, index, 1, n, depth);
        return;
    }
    msgpack_map(&b->out, (uint32_t)((b->scratch.n - base) / sizeof(struct key)));
    encode_noted(b, index, base, depth);
}

static void encode_table(struct bridge *b, int index, unsigned depth, unsigned as)
{
    struct source *s = source_of(b, index);
    int type;

    if (depth > RECORD_DEPTH || !lua_checkstack(b->L, 12))
        bridge_fail(b, "Lua-Bad-Return", "nested deeper than 64 levels, or a table that contains itself");
    if (s && !s->foreign) {
        if (!s->map) {
            encode_array(b, index, s, depth);
            return;
        }
        if (!(as & AS_ARRAY) || !s->extra) {
            encode_map(b, index, s, depth, as);
            return;
        }
        source_fill(b, index, s);
    }
    type = meta_type(b, index);
    if (s && type != (s->map ? 1 : 2) && !(as & AS_ARRAY)) {
        bool others;
        if (type || s->map != (table_extent(b, index, false, &others) > 0)) {
            if (s->map)
                encode_map(b, index, s, depth, as);
            else
                encode_array(b, index, s, depth);
            return;
        }
    }
    encode_fresh(b, index, type, depth, as);
}

void encode_value(struct bridge *b, int index, unsigned depth, unsigned as)
{
    lua_State *L = b->L;
    struct str s;

    record_room(b);
    switch (lua_type(L, index)) {
    case LUA_TNIL:
        msgpack_nil(&b->out);
        break;
    case LUA_TBOOLEAN:
        msgpack_bool(&b->out, lua_toboolean(L, index));
        break;
    case LUA_TNUMBER:
        encode_number(b, lua_tonumber(L, index), as);
        break;
    case LUA_TSTRING:
        s.p = lua_tolstring(L, index, &s.n);
        msgpack_str(&b->out, s);
        break;
    case LUA_TTABLE:
        encode_table(b, index, depth + 1, as);
        break;
    case LUA_TLIGHTUSERDATA:
        if (!lua_touserdata(L, index)) {
            msgpack_nil(&b->out);
            break;
        }
        /* fall through */
    default:
        bridge_fail(b, "Lua-Bad-Return", "a function, thread or userdata cannot be part of a record");
    }
}

void bridge_encode(struct bridge *b, int index)
{
    if (index < 0)
        index += lua_gettop(b->L) + 1;
    b->scratch.n = 0;
    encode_value(b, index, 0, 0);
}
