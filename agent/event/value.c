/* SPDX-License-Identifier: Apache-2.0 */
#include "event/value.h"

#include "event/json.h"
#include "event/msgpack.h"
#include "event/msgpack_head.h"

/* An open container has room for 1 << ext members; 0: for no more than it has.  So that adding one by one is linear,
 * and that members which somebody else put in place are never written beyond. */
static void *grow(struct value *v, struct arena *a, void *members, size_t size)
{
    unsigned power = v->n < 4 ? 2 : 32 - (unsigned)__builtin_clz(v->n);

    if (v->ext && v->n < (uint32_t)1 << v->ext)
        return members;
    v->ext = (int8_t)power;
    return arena_extend(a, members, v->n * size, ((size_t)1 << power) * size);
}

struct value value_raw(struct str msgpack)
{
    struct head h;

    if (!head_read(msgpack.p, msgpack.n, &h) || !head_container(h.type))
        return value_nil();
    return (struct value){.type = h.type, .raw = true, .n = (uint32_t)msgpack.n, .p = msgpack.p};
}

bool value_as_str(const struct value *v, struct str *out)
{
    if (v->type != V_STR)
        return false;
    *out = value_bytes(v);
    return true;
}

bool value_as_int(const struct value *v, int64_t *out)
{
    if (v->type == V_INT) {
        *out = v->i;
        return true;
    }
    /* 2^63 is a double, INT64_MAX is not. */
    if (v->type != V_FLOAT || !(v->f >= -0x1p63 && v->f < 0x1p63) || v->f != (double)(int64_t)v->f)
        return false;
    *out = (int64_t)v->f;
    return true;
}

void value_open(struct value *v, struct arena *a)
{
    struct str body;
    struct value *members;
    size_t n, each, got = 0;

    if (!head_container(v->type) || !v->raw)
        return;
    n = msgpack_members(value_bytes(v), &body);
    each = v->type == V_MAP ? 2 : 1;
    /* The fields of a map are its keys and values in turn. */
    members = arena_alloc(a, n * each * sizeof *members);
    while (got < n * each) {
        size_t used = msgpack_read(body, &members[got]);
        if (!used)
            break; /* not checked before: what can be read is what there is */
        body = str_from(body, used);
        got++;
    }
    v->raw = false;
    v->n = (uint32_t)(got / each);
    v->items = members;
}

size_t value_members(const struct value *v)
{
    struct str body;

    if (!head_container(v->type))
        return 0;
    return v->raw ? msgpack_members(value_bytes(v), &body) : v->n;
}

static bool named(const struct value *v, struct str key)
{
    return v->n == key.n && v->type == V_STR && (key.n == 0 || memcmp(v->p, key.p, key.n) == 0);
}

static struct field *find(const struct value *map, struct str key)
{
    for (struct field *f = map->fields, *end = f + map->n; f < end; f++)
        if (named(&f->key, key))
            return f;
    return NULL;
}

struct value *map_value_get(struct value *map, struct str key, struct arena *a)
{
    struct field *f;

    if (map->type != V_MAP)
        return NULL;
    value_open(map, a);
    f = find(map, key);
    return f ? &f->val : NULL;
}

void map_value_set(struct value *map, struct str key, struct value val, struct arena *a)
{
    struct value *was = map_value_get(map, key, a);

    if (was)
        *was = val;
    else
        map_value_add(map, key, val, a);
}

bool map_value_del(struct value *map, struct str key, struct arena *a)
{
    struct field *kept, *end;

    if (!map_value_get(map, key, a))
        return false;
    kept = find(map, key);
    end = map->fields + map->n;
    for (struct field *f = kept + 1; f < end; f++)
        if (!named(&f->key, key))
            *kept++ = *f;
    map->n = (uint32_t)(kept - map->fields);
    return true;
}

void map_value_add(struct value *map, struct str key, struct value val, struct arena *a)
{
    if (map->type != V_MAP)
        return;
    value_open(map, a);
    map->fields = grow(map, a, map->fields, sizeof *map->fields);
    map->fields[map->n++] = (struct field){value_str(key), val};
}

void array_value_add(struct value *array, struct value item, struct arena *a)
{
    if (array->type != V_ARRAY)
        return;
    value_open(array, a);
    array->items = grow(array, a, array->items, sizeof *array->items);
    array->items[array->n++] = item;
}

struct value value_map(struct arena *a)
{
    struct value v = {.type = V_MAP};

    v.fields = grow(&v, a, NULL, sizeof *v.fields);
    return v;
}

struct value value_array(struct arena *a)
{
    struct value v = {.type = V_ARRAY};

    v.items = grow(&v, a, NULL, sizeof *v.items);
    return v;
}

struct value value_copy(const struct value *v, struct arena *a)
{
    struct value copy = *v;
    struct buf encoded = {0};

    if (head_container(v->type) && !v->raw) {
        /* Encoded, because a walk over the copy would be no cheaper, and a reader may never open it. */
        msgpack_value(&encoded, v);
        copy = value_raw(arena_str(a, buf_view(&encoded)));
        buf_free(&encoded);
    } else if (v->type >= V_STR) {
        copy.p = arena_str(a, value_bytes(v)).p;
    }
    return copy;
}

struct str value_text(const struct value *v, struct arena *a)
{
    struct buf text = {0};
    struct str copy;

    if (v->type == V_NIL)
        return STR("");
    if (v->type == V_STR || v->type == V_BIN)
        return value_bytes(v);
    json_write(&text, v);
    copy = arena_str(a, buf_view(&text));
    buf_free(&text);
    return copy;
}
