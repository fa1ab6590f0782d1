/* SPDX-License-Identifier: Apache-2.0 */
/* What encode.c and writeback.c share. */
#pragma once
#include "event/msgpack.h"
#include "lua/record_internal.h"

enum { AS_INT = 1, AS_ARRAY = 2 }; /* what type_int_key and type_array_key say of a key */

struct key {
    const char *p; /* a string; else NULL */
    size_t n;
    double number;
    int type;
    int at; /* where its value is on the stack; 0: it is to be looked up */
};

void encode_value(struct bridge *b, int index, unsigned depth, unsigned as);
void encode_items(struct bridge *b, int index, size_t from, size_t n, unsigned depth); /* of an array */
unsigned encode_as_listed(const struct bridge *b, const char *key, size_t n);

static inline bool encode_keyed(const struct bridge *b) /* are there such keys at all? */
{
    return b->int_keys.n || b->array_keys.n;
}

static inline unsigned encode_as(const struct bridge *b, const char *key, size_t n)
{
    return encode_keyed(b) ? encode_as_listed(b, key, n) : 0;
}

/* Bytes of one untouched value, changed only as `as` and the keys in it say. */
void encode_copy(struct bridge *b, const char *p, const char *end, unsigned as);

/* Keys whose fields are to be written are noted on the scratch stack first, and then written in order. */
void encode_note(struct bridge *b, int at); /* the key at -1, not popped; `at`: as above */
void encode_noted(struct bridge *b, int index, size_t base, unsigned depth);
/* The largest positive numeric key, as table.maxn; *others: keys that an array cannot keep. */
size_t table_extent(struct bridge *b, int index, bool note, bool *others);

/* Tables with a source. */
void encode_map(struct bridge *b, int index, struct source *s, unsigned depth, unsigned as);
void encode_array(struct bridge *b, int index, struct source *s, unsigned depth);
