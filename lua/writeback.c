/* SPDX-License-Identifier: Apache-2.0 */
/* Tables that came from a record, back to msgpack: a field that still has the value it came with keeps its bytes, and a
 * table in which nothing changed is copied whole. */
#include "lua/encode.h"

/* Is the value on top what Lua was given for v? */
static bool same_scalar(lua_State *L, const struct value *v)
{
    size_t n;
    const char *p;

    switch (v->type) {
    case V_NIL:
        return lua_type(L, -1) == LUA_TNIL || (lua_type(L, -1) == LUA_TLIGHTUSERDATA && !lua_touserdata(L, -1));
    case V_BOOL:
        return lua_type(L, -1) == LUA_TBOOLEAN && lua_toboolean(L, -1) == v->b;
    case V_INT:
        return lua_type(L, -1) == LUA_TNUMBER && lua_tonumber(L, -1) == (double)v->i;
    case V_UINT:
        return lua_type(L, -1) == LUA_TNUMBER && lua_tonumber(L, -1) == (double)v->u;
    case V_FLOAT:
        return lua_type(L, -1) == LUA_TNUMBER &&
               (lua_tonumber(L, -1) == v->f || (v->f != v->f && lua_tonumber(L, -1) != lua_tonumber(L, -1)));
    case V_STR:
    case V_BIN:
    case V_EXT:
        if (lua_type(L, -1) != LUA_TSTRING)
            return false;
        p = lua_tolstring(L, -1, &n);
        return n == v->n && memcmp(p, v->p, n) == 0;
    default:
        return false;
    }
}

/* Writes the value on top, which stands where p to end stood; true: the same bytes. */
static bool encode_against(struct bridge *b, const char *p, const char *end, unsigned depth, unsigned as)
{
    size_t start = b->out.n;
    struct value v = {0};

    wire_read(p, end, &v);
    if (same_scalar(b->L, &v)) {
        encode_copy(b, p, end, as);
        return true;
    }
    encode_value(b, lua_gettop(b->L), depth, as);
    return b->out.n - start == (size_t)(end - p) && memcmp(b->out.p + start, p, b->out.n - start) == 0;
}

struct walk {     /* over the fields of a map's source */
    uint32_t run; /* bytes from here on are to be copied; 0: none */
    uint32_t count;
    bool changed;
};

static inline void run_flush(struct bridge *b, const struct source *s, struct walk *w, uint32_t until)
{
    if (w->run)
        buf_add(&b->out, s->bytes + w->run, until - w->run);
    w->run = 0;
}

static void keep_field(struct bridge *b, const struct source *s, const struct slot *f, struct walk *w, uint32_t at)
{
    w->count++;
    if (encode_keyed(b)) {
        buf_add(&b->out, s->bytes + at, f->val - at);
        encode_copy(b, s->bytes + f->val, s->bytes + f->end,
                    f->flags & SLOT_OTHER ? 0 : encode_as(b, s->bytes + f->key, f->nkey));
    } else if (!w->run) {
        w->run = at;
    }
}

static void encode_field(struct bridge *b, int index, struct source *s, struct slot *f, struct walk *w, unsigned depth)
{
    uint32_t at = f == s->slots ? s->head : f[-1].end;
    lua_State *L = b->L;
    struct value v = {0};

    if (f->flags & SLOT_SHADOW) {
        run_flush(b, s, w, at);
        w->changed |= (f->flags & SLOT_HIDDEN) != 0; /* dropped on purpose */
        return;
    }
    if (f->flags & SLOT_HIDDEN || !(f->flags & SLOT_LOADED)) {
        keep_field(b, s, f, w, at);
        return;
    }
    record_push_key(b, s, f);
    lua_rawget(L, index);
    if (lua_isnil(L, -1) && (f->type != V_NIL || f->flags & SLOT_GONE)) {
        run_flush(b, s, w, at);
        w->changed = true;
    } else if (wire_read(s->bytes + f->val, s->bytes + f->end, &v) && same_scalar(L, &v)) {
        keep_field(b, s, f, w, at);
    } else {
        unsigned as = f->flags & SLOT_OTHER ? 0 : encode_as(b, s->bytes + f->key, f->nkey);
        run_flush(b, s, w, at);
        buf_add(&b->out, s->bytes + at, f->val - at);
        if (!encode_against(b, s->bytes + f->val, s->bytes + f->end, depth, as))
            w->changed = true;
        w->count++;
    }
    lua_pop(L, 1);
}

/* What slot.now says: where on the stack the new value is, or one of these. */
enum { NOW_ABSENT = 0, NOW_SAME = 1, NOW_OTHER = UINT16_MAX, NOW_HELD = 16 /* values on the stack */ };
enum { FEW_LOADED = 3 };

/* One walk over a table whose source is simple: sets `now` of its fields, and notes the keys that the source lacks.
 * Leaves on the stack what is not the same. */
static void look_through(struct bridge *b, int index, struct source *s)
{
    lua_State *L = b->L;
    int held = lua_gettop(L), most = lua_checkstack(L, NOW_HELD + 12) ? held + NOW_HELD : 0;

    lua_pushnil(L);
    while (lua_next(L, index)) {
        struct slot *f = NULL;
        struct value v = {0};
        int type = lua_type(L, -2);
        if (type == LUA_TLIGHTUSERDATA && lua_touserdata(L, -2) == &record_hidden) {
            lua_pop(L, 1);
            continue;
        }
        if (type == LUA_TSTRING) {
            size_t n;
            const char *p = lua_tolstring(L, -2, &n);
            f = source_find(b, s, p, n);
        }
        if (f && f->type != V_MAP && wire_read(s->bytes + f->val, s->bytes + f->end, &v) && same_scalar(L, &v)) {
            f->now = NOW_SAME;
        } else if (type == LUA_TSTRING && held < most) {
            lua_insert(L, -2);
            held++;
            if (f)
                f->now = (uint16_t)held;
            else
                encode_note(b, held);
            continue;
        } else if (f) {
            f->now = NOW_OTHER;
        }
        lua_pop(L, 1);
        if (!f)
            encode_note(b, 0);
    }
}

/* The same where only a few fields can be other than they came. */
static void look_at(struct bridge *b, int index, struct source *s)
{
    lua_State *L = b->L;
    struct value v = {0};

    for (struct slot *f = s->slots, *end = f + s->n; f < end; f++) {
        if (!(f->flags & SLOT_LOADED))
            continue;
        lua_pushlstring(L, s->bytes + f->key, f->nkey);
        lua_rawget(L, index);
        if (lua_isnil(L, -1))
            continue;
        if (f->type != V_MAP && wire_read(s->bytes + f->val, s->bytes + f->end, &v) && same_scalar(L, &v))
            f->now = NOW_SAME;
        else
            f->now = (uint16_t)lua_gettop(L);
    }
}

/* A field after look_through. */
static void encode_looked(struct bridge *b, int index, struct source *s, struct slot *f, struct walk *w, unsigned depth)
{
    uint32_t at = f == s->slots ? s->head : f[-1].end;
    int now = f->now;
    size_t start;

    if (!(f->flags & SLOT_LOADED) || f->now == NOW_SAME ||
        (f->now == NOW_ABSENT && f->type == V_NIL && !(f->flags & SLOT_GONE))) {
        keep_field(b, s, f, w, at);
        return;
    }
    run_flush(b, s, w, at);
    if (f->now == NOW_ABSENT) {
        w->changed = true;
        return;
    }
    if (f->now == NOW_OTHER) {
        record_push_key(b, s, f);
        lua_rawget(b->L, index);
        now = lua_gettop(b->L);
    }
    buf_add(&b->out, s->bytes + at, f->val - at);
    start = b->out.n;
    encode_value(b, now, depth, encode_as(b, s->bytes + f->key, f->nkey));
    if (f->now == NOW_OTHER)
        lua_pop(b->L, 1);
    if (b->out.n - start != f->end - f->val || memcmp(b->out.p + start, s->bytes + f->val, f->end - f->val) != 0)
        w->changed = true;
    w->count++;
}

/* Notes the keys of the table that its source does not have. */
static void note_extras(struct bridge *b, int index, struct source *s)
{
    lua_State *L = b->L;
    int seen = 0;

    for (uint32_t i = 0; i < s->n && !s->lazy; i++) {
        if (s->n <= LAZY_MEMBERS && !(s->slots[i].flags & SLOT_OTHER))
            continue;
        if (!seen) {
            lua_createtable(L, 0, (int)s->n);
            seen = lua_gettop(L);
        }
        if (s->slots[i].flags & SLOT_HIDDEN)
            continue;
        record_push_key(b, s, &s->slots[i]);
        lua_pushboolean(L, 1);
        lua_rawset(L, seen);
    }
    lua_pushnil(L);
    while (lua_next(L, index)) {
        bool known = false;
        lua_pop(L, 1);
        if (lua_type(L, -1) == LUA_TSTRING && s->n <= LAZY_MEMBERS) {
            size_t n;
            const char *p = lua_tolstring(L, -1, &n);
            known = source_find(b, s, p, n) != NULL;
        } else if (seen) {
            lua_pushvalue(L, -1);
            lua_rawget(L, seen);
            known = !lua_isnil(L, -1);
            lua_pop(L, 1);
        }
        if (!known)
            encode_note(b, 0);
    }
    if (seen)
        lua_remove(L, seen);
}

/* Puts the header of a map of `count` where `width` bytes were left for it. */
static void set_header(struct bridge *b, size_t start, uint32_t width, uint32_t count)
{
    unsigned char head[5] = {0xdf, (unsigned char)(count >> 24), (unsigned char)(count >> 16),
                             (unsigned char)(count >> 8), (unsigned char)count};
    size_t n = count < 16 ? 1 : count < 65536 ? 3 : 5;

    head[5 - n] = (unsigned char)(n == 1 ? 0x80 | count : n == 3 ? 0xde : 0xdf);
    if (n > width)
        buf_room(&b->out, n - width);
    if (n != width) {
        memmove(b->out.p + start + n, b->out.p + start + width, b->out.n - start - width);
        b->out.n = b->out.n - width + n;
    }
    memcpy(b->out.p + start, head + 5 - n, n);
}

/* How many fields were in the table at some time; their `now` is reset. */
static uint32_t count_loaded(struct source *s)
{
    uint32_t n = 0;

    for (struct slot *f = s->slots, *end = f + s->n; f < end; f++) {
        if (f->flags & SLOT_LOADED) {
            f->now = NOW_ABSENT;
            n++;
        }
    }
    return n;
}

static void encode_simple(struct bridge *b, int index, struct source *s, struct walk *w, uint32_t loaded,
                          unsigned depth)
{
    uint32_t at = s->head;
    bool keyed = encode_keyed(b);

    s->busy = true;
    if (loaded <= FEW_LOADED && !s->extra && lua_checkstack(b->L, FEW_LOADED + 12))
        look_at(b, index, s);
    else
        look_through(b, index, s);
    for (struct slot *f = s->slots, *end = f + s->n; f < end; at = f->end, f++) {
        if (keyed || f->flags & SLOT_LOADED) {
            encode_looked(b, index, s, f, w, depth);
        } else {
            w->count++;
            if (!w->run)
                w->run = at;
        }
    }
    s->busy = false;
}

void encode_map(struct bridge *b, int index, struct source *s, unsigned depth, unsigned as)
{
    size_t start = b->out.n, base = b->scratch.n;
    struct walk w = {0};

    bool simple = s->simple && !s->foreign && !s->busy;
    uint32_t loaded = simple ? count_loaded(s) : 0;
    int top = lua_gettop(b->L);

    if (simple && !loaded && !s->extra) {
        encode_copy(b, s->bytes, s->bytes + s->size, as);
        return;
    }
    buf_add(&b->out, s->bytes, s->head);
    if (simple) {
        encode_simple(b, index, s, &w, loaded, depth);
    } else {
        for (uint32_t i = 0; i < s->n; i++)
            encode_field(b, index, s, &s->slots[i], &w, depth);
        if (s->extra || s->foreign)
            note_extras(b, index, s);
    }
    run_flush(b, s, &w, s->size);
    if (b->scratch.n > base) {
        w.changed = true;
        w.count += (uint32_t)((b->scratch.n - base) / sizeof(struct key));
        encode_noted(b, index, base, depth);
    }
    lua_settop(b->L, top);
    if (w.changed) {
        if (!w.count && (as & AS_ARRAY)) {
            b->out.n = start;
            msgpack_array(&b->out, 0);
        } else {
            set_header(b, start, s->head, w.count);
        }
    } else {
        b->out.n = start;
        encode_copy(b, s->bytes, s->bytes + s->size, as);
    }
}

void encode_array(struct bridge *b, int index, struct source *s, unsigned depth)
{
    const char *p = s->bytes + s->head, *end = s->bytes + s->size;
    size_t start = b->out.n, extent, whole = 0, n;
    bool changed, others;

    extent = table_extent(b, index, false, &others);
    b->mixed |= others;
    for (uint32_t i = 1; i <= s->n; i++) { /* nulls at the end leave no trace in a Lua table */
        if (*p != (char)0xc0 || b->flb_null)
            whole = i;
        p = wire_skip(p, end);
    }
    n = extent >= whole && extent <= s->n ? s->n : extent;
    changed = n != s->n;
    msgpack_array(&b->out, (uint32_t)n);
    p = s->bytes + s->head;
    for (uint32_t i = 1; i <= s->n && i <= n; i++) {
        const char *next = wire_skip(p, end);
        lua_rawgeti(b->L, index, (int)i);
        if (!encode_against(b, p, next, depth, 0))
            changed = true;
        lua_pop(b->L, 1);
        p = next;
    }
    if (changed) {
        encode_items(b, index, (size_t)s->n + 1, n, depth);
    } else {
        b->out.n = start;
        encode_copy(b, s->bytes, end, 0);
    }
}
