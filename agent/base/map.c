/* SPDX-License-Identifier: Apache-2.0 */
#include "base/map.h"

#include "base/alloc.h"
#include "base/hash.h"

#include <stdlib.h>

#define NONE UINT32_MAX

/* The slot that holds the key, or the empty one where it would go. */
static size_t probe(const struct map *m, struct str key, uint64_t hash)
{
    size_t i = hash & (m->nslots - 1);

    while (m->slots[i] != NONE) {
        const struct map_entry *e = &m->entries[m->slots[i]];
        if (e->key.p && e->hash == hash && str_eq(e->key, key))
            return i;
        i = (i + 1) & (m->nslots - 1);
    }
    return i;
}

static struct map_entry *find(const struct map *m, struct str key)
{
    size_t i;

    if (!m->live)
        return NULL;
    i = probe(m, key, hash_bytes(key));
    return m->slots[i] == NONE ? NULL : &m->entries[m->slots[i]];
}

/* Drops the holes and makes room for twice what lives. */
static void rebuild(struct map *m)
{
    size_t kept = 0;

    for (size_t i = 0; i < m->n; i++)
        if (m->entries[i].key.p)
            m->entries[kept++] = m->entries[i];
    m->n = kept;
    m->nslots = 16;
    while (m->nslots < kept * 4)
        m->nslots *= 2;
    free(m->slots);
    m->slots = alloc_raw(m->nslots * sizeof *m->slots);
    for (size_t i = 0; i < m->nslots; i++)
        m->slots[i] = NONE;
    for (size_t i = 0; i < kept; i++)
        m->slots[probe(m, m->entries[i].key, m->entries[i].hash)] = (uint32_t)i;
}

void *map_get(const struct map *m, struct str key)
{
    struct map_entry *e = find(m, key);

    return e ? e->value : NULL;
}

void *map_set(struct map *m, struct str key, void *value)
{
    struct map_entry *e = find(m, key);
    uint64_t hash;

    if (e) {
        void *was = e->value;
        e->value = value;
        return was;
    }
    if ((m->n + 1) * 2 > m->nslots)
        rebuild(m);
    hash = hash_bytes(key);
    m->entries = alloc_grow(m->entries, m->n, &m->cap, sizeof *m->entries);
    m->slots[probe(m, key, hash)] = (uint32_t)m->n;
    m->entries[m->n++] = (struct map_entry){{alloc_text(key.p, key.n), key.n}, value, hash};
    m->live++;
    return NULL;
}

void *map_del(struct map *m, struct str key)
{
    struct map_entry *e = find(m, key);
    void *was;

    if (!e)
        return NULL;
    was = e->value;
    free((char *)e->key.p);
    e->key = (struct str){0};
    e->value = NULL;
    m->live--;
    return was;
}

void map_free(struct map *m)
{
    for (size_t i = 0; i < m->n; i++)
        free((char *)m->entries[i].key.p);
    free(m->entries);
    free(m->slots);
    *m = (struct map){0};
}

struct map_entry *map_next(const struct map *m, struct map_entry *after)
{
    size_t i = after ? (size_t)(after - m->entries) + 1 : 0;

    while (i < m->n && !m->entries[i].key.p)
        i++;
    return i < m->n ? &m->entries[i] : NULL;
}
