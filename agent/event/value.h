/* SPDX-License-Identifier: Apache-2.0 */
/* One value of an event.  It borrows its bytes from the batch, the request or the arena.  A container starts `raw`: p
 * and n are its encoded msgpack bytes, header included, which are copied verbatim on output.  An access opens one
 * level; only what was opened is encoded again, so that what nobody touched keeps its bytes (integers beyond 2^53,
 * doubles, nulls, empty arrays, key order). */
#pragma once
#include "base/arena.h"
#include "base/buf.h"

enum value_type { V_NIL, V_BOOL, V_INT, V_UINT, V_FLOAT, V_STR, V_BIN, V_EXT, V_ARRAY, V_MAP };

struct field;

struct value {
    uint8_t type;
    bool raw;    /* a container that is still encoded: p, n */
    bool single; /* V_FLOAT that came as a 32-bit float and is written as one */
    int8_t ext;  /* V_EXT: its type; an open container: private to value.c, 0 when members are put in place by hand */
    uint32_t n;  /* bytes (str, bin, ext, raw) or members (array, map) */
    union {
        bool b;
        int64_t i;  /* V_INT: any negative or positive number that fits */
        uint64_t u; /* V_UINT: only numbers above INT64_MAX */
        double f;
        const char *p;
        struct value *items;
        struct field *fields;
    };
};

/* Keys of other types than strings are kept as they came, and are found by nobody. */
struct field {
    struct value key, val;
};

static inline struct value value_nil(void)
{
    return (struct value){.type = V_NIL};
}

static inline struct value value_bool(bool b)
{
    return (struct value){.type = V_BOOL, .b = b};
}

static inline struct value value_int(int64_t i)
{
    return (struct value){.type = V_INT, .i = i};
}

static inline struct value value_float(double f)
{
    return (struct value){.type = V_FLOAT, .f = f};
}

static inline struct value value_str(struct str s)
{
    return (struct value){.type = V_STR, .n = (uint32_t)s.n, .p = s.p};
}

/* An encoded map or array (its header byte decides which); the bytes must be valid msgpack and outlive the value. */
struct value value_raw(struct str msgpack);

static inline struct str value_bytes(const struct value *v) /* of a str, bin, ext or raw container */
{
    return (struct str){v->p, v->n};
}

/* False: another type. */
bool value_as_str(const struct value *v, struct str *out);
bool value_as_int(const struct value *v, int64_t *out); /* also a double without a fraction that fits */

/* Opens a raw container by one level; nothing happens where it is open already. */
void value_open(struct value *v, struct arena *a);
size_t value_members(const struct value *v); /* of an array or map, open or raw; 0 for anything else */

/* Maps.  NULL or false: absent, or not a map.  Setting a key that is there replaces its value in place; a new one goes
 * to the end.  `key` and what `val` points to must live as long as the arena. */
struct value *map_value_get(struct value *map, struct str key, struct arena *a);
void map_value_set(struct value *map, struct str key, struct value val, struct arena *a);
bool map_value_del(struct value *map, struct str key, struct arena *a);                   /* every field of that key */
void map_value_add(struct value *map, struct str key, struct value val, struct arena *a); /* no look-up */

void array_value_add(struct value *array, struct value item, struct arena *a);

struct value value_map(struct arena *a); /* empty, open */
struct value value_array(struct arena *a);
struct value value_copy(const struct value *v, struct arena *a); /* deep: nothing borrowed from the source */

/* Values as text, for grep and templates: a string as it is, numbers and booleans as JSON writes them, nil as "",
 * containers as JSON.  Borrowed from the value or the arena. */
struct str value_text(const struct value *v, struct arena *a);
