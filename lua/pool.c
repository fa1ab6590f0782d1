/* SPDX-License-Identifier: Apache-2.0 */
#include "lua/pool.h"

#include <stdlib.h>
#include <string.h>

static inline size_t size_class(size_t n)
{
    return (n + POOL_STEP - 1) / POOL_STEP;
}

static void *cut_block(struct pool *pool, size_t class)
{
    size_t n = class * POOL_STEP;
    char *slab, *p;

    if ((size_t)(pool->end - pool->cut) < n) {
        slab = malloc(POOL_SLAB); /* what is left of the last one is lost: less than one block */
        if (!slab)
            return NULL;
        *(void **)slab = pool->slabs;
        pool->slabs = slab;
        pool->cut = slab + POOL_STEP;
        pool->end = slab + POOL_SLAB;
    }
    p = pool->cut;
    pool->cut += n;
    return p;
}

static inline void *get(struct pool *pool, size_t n)
{
    size_t class = size_class(n);
    void *p;

    if (n > POOL_MOST)
        return malloc(n);
    p = pool->free[class];
    if (!p)
        return cut_block(pool, class);
    pool->free[class] = *(void **)p;
    return p;
}

static inline void put(struct pool *pool, void *p, size_t n)
{
    if (n > POOL_MOST) {
        free(p);
        return;
    }
    *(void **)p = pool->free[size_class(n)];
    pool->free[size_class(n)] = p;
}

void *pool_resize(struct pool *pool, void *p, size_t old, size_t n)
{
    void *q;

    if (!p)
        return n ? get(pool, n) : NULL;
    if (!n) {
        put(pool, p, old);
        return NULL;
    }
    if (old > POOL_MOST && n > POOL_MOST)
        return realloc(p, n);
    if (old <= POOL_MOST && n <= POOL_MOST && size_class(old) == size_class(n))
        return p;
    q = get(pool, n);
    if (!q)
        return NULL;
    memcpy(q, p, old < n ? old : n);
    put(pool, p, old);
    return q;
}

void pool_end(struct pool *pool)
{
    while (pool->slabs) {
        void *next = *(void **)pool->slabs;
        free(pool->slabs);
        pool->slabs = next;
    }
    memset(pool, 0, sizeof *pool);
}
