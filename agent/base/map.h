/* SPDX-License-Identifier: Apache-2.0 */
/* A hash map from strings to pointers, in insertion order when walked.  Keys are copied; values are the caller's.
 * Zero-initialised is empty and valid. */
#pragma once
#include "base/str.h"

struct map_entry {
    struct str key; /* owned by the map, NUL terminated */
    void *value;
    uint64_t hash;
};

struct map {
    struct map_entry *entries; /* removed ones have key.p NULL */
    size_t n, cap, live;
    uint32_t *slots;
    size_t nslots;
};

void *map_get(const struct map *m, struct str key);        /* NULL: absent */
void *map_set(struct map *m, struct str key, void *value); /* the value that was there before, or NULL */
void *map_del(struct map *m, struct str key);              /* the value that was there, or NULL */
void map_free(struct map *m);                              /* not the values */

/* Walk: `for (struct map_entry *e = NULL; (e = map_next(m, e));)` */
struct map_entry *map_next(const struct map *m, struct map_entry *after);
