/* SPDX-License-Identifier: Apache-2.0 */
/* The source of a table, and a field in it by its key. */
#include "lua/record_internal.h"

struct source *record_source(lua_State *L, int index)
{
    struct source *s = lua_touserdata(L, index); /* a light one has no length */

    return s && lua_objlen(L, index) >= sizeof *s && s->magic == SOURCE_MAGIC ? s : NULL;
}

/* Checked as any: a script can find the hidden slot with the real next, which pairs returns. */
struct source *record_lazy_source(lua_State *L, int index)
{
    struct source *s;

    lua_pushlightuserdata(L, (void *)(uintptr_t)&record_hidden);
    lua_rawget(L, index);
    s = record_source(L, -1);
    lua_pop(L, 1);
    return s;
}

static struct source *source_beside(struct bridge *b, int index)
{
    lua_State *L = b->L;
    struct source *s;

    lua_pushvalue(L, index);
    record_registry(L, &record_side);
    lua_insert(L, -2);
    lua_rawget(L, -2);
    s = record_source(L, -1);
    lua_pop(L, 2);
    return s;
}

struct source *source_of(struct bridge *b, int index)
{
    lua_State *L = b->L;
    struct source *s;

    s = record_known(b, lua_topointer(L, index));
    if (s)
        return s;
    if (index < 0)
        index += lua_gettop(L) + 1;
    s = record_lazy_source(L, index);
    if (s)
        return s;
    if (lua_getmetatable(L, index)) {
        lua_rawgeti(L, -1, 1);
        s = record_source(L, -1);
        lua_pop(L, 2);
        if (s)
            return s;
    }
    return b->side ? source_beside(b, index) : NULL;
}

/* Most keys are short: two words each, which may overlap. */
static inline bool same_key(const char *a, const char *b, size_t n)
{
    uint64_t v[4];
    uint32_t w[4];

    if (n >= 8 && n <= 16) {
        memcpy(v, a, 8);
        memcpy(v + 1, b, 8);
        memcpy(v + 2, a + n - 8, 8);
        memcpy(v + 3, b + n - 8, 8);
        return v[0] == v[1] && v[2] == v[3];
    }
    if (n < 4 || n > 16)
        return memcmp(a, b, n) == 0;
    memcpy(w, a, 4);
    memcpy(w + 1, b, 4);
    memcpy(w + 2, a + n - 4, 4);
    memcpy(w + 3, b + n - 4, 4);
    return w[0] == w[1] && w[2] == w[3];
}

struct slot *source_find_before(struct source *s, uint32_t count, const char *key, size_t n)
{
    unsigned mark = slot_mark(key, n);

    for (struct slot *f = s->slots, *end = f + count; f < end; f++)
        if (f->mark == mark && f->nkey == n && !(f->flags & (SLOT_SHADOW | SLOT_HIDDEN | SLOT_OTHER)) &&
            memcmp(s->bytes + f->key, key, n) == 0)
            return f;
    return NULL;
}

static __attribute__((noinline)) struct slot *find_slow(struct source *s, const char *key, size_t n, uint8_t *hint)
{
    struct slot *f = source_find_before(s, s->n, key, n);

    if (f)
        *hint = (uint8_t)(f - s->slots); /* right or wrong, it is only a hint */
    return f;
}

struct slot *source_find(struct bridge *b, struct source *s, const char *key, size_t n)
{
    uint8_t *hint = &b->hints[((uintptr_t)key >> 4) % KEY_HINTS];

    if (*hint < s->n && s->simple) {
        struct slot *f = &s->slots[*hint];
        if (f->nkey == n && same_key(s->bytes + f->key, key, n))
            return f; /* no other field has this key */
    }
    return find_slow(s, key, n, hint);
}
