/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the bridge share. */
#pragma once
#include "lua/record.h"
#include "lua/wire.h"

extern const char record_hidden; /* its address is the key of a lazy table's source */
extern const char record_side;   /* registry: weak table of the sources of tables with a foreign metatable */

/* Registry keys of what every filled table needs: cheaper than a look-up by string. */
extern const char record_key_type, record_key_newindex, record_fn_newindex;

void record_registry(lua_State *L, const char *key);        /* pushes registry[address] */
struct source *record_source(lua_State *L, int index);      /* the userdata at index as a source, or NULL */
struct source *record_lazy_source(lua_State *L, int index); /* of the table at index, or NULL */

/* The same at once, of the record and the first tables in it; `table`: its address. */
static inline struct source *record_known(const struct bridge *b, const void *table)
{
    if (b->root && table == b->root)
        return b->root_source;
    for (unsigned i = b->nknown; i--;)
        if (b->known[i].table == table)
            return b->known[i].source;
    return NULL;
}

/* Among the first `count` fields, of those that are in the table under a string. */
struct slot *source_find_before(struct source *s, uint32_t count, const char *key, size_t n);
void record_set_filled(struct bridge *b, int table, int userdata, int type);
void record_push_key(struct bridge *b, const struct source *s, const struct slot *f);
void record_push_scalar(struct bridge *b, const struct value *v);
void record_push_slot(struct bridge *b, const struct source *s, const struct slot *f);
void record_load(struct bridge *b, int index, struct source *s, struct slot *f); /* one field of a lazy table */
/* Sets a field as if raw, with the source told of it; key and value are the two on top, and are popped. */
void record_raw_set(struct bridge *b, int index, struct source *s);
void record_wrap(struct bridge *b); /* pairs, next, rawget ...: see wrap.c */

/* Tells most keys apart. */
static inline unsigned slot_mark(const char *key, size_t n)
{
    return n ? (uint16_t)(((unsigned)(uint8_t)key[0] << 8 | (uint8_t)key[n - 1]) + 67 * (unsigned)n) : 0;
}

static inline unsigned slot_bit(unsigned mark) /* for sets of 256 bits */
{
    return (mark ^ mark >> 8) & 255;
}

static inline void record_room(struct bridge *b)
{
    if (b->out.n > RECORD_MAX)
        bridge_fail(b, "Lua-Bad-Return", "the record grew beyond 32 MiB");
}
