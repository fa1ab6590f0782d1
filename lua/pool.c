/* SPDX-License-Identifier: Apache-2.0 */
#include "lua/pool.h"

#include <stdlib.h>
#include <string.h>

void *pool_cut(struct pool *pool, size_t n)
{
    char *p;

    n = pool_class(n) * POOL_STEP; /* also of malloc's: what is resized within its size stays in place */
    if (!pool->region)
        pool->cut = pool->region = malloc(POOL_BYTES);
    if (!pool->region || n > POOL_BYTES - (size_t)(pool->cut - pool->region))
        return malloc(n);
    p = pool->cut;
    pool->cut += n;
    return p;
}

void *pool_resize(struct pool *pool, void *p, size_t old, size_t n)
{
    void *q;

    if (!n) {
        free(p);
        return NULL;
    }
    if (!p || (old > POOL_MOST && n > POOL_MOST))
        return realloc(p, n);
    if (old <= POOL_MOST && n <= POOL_MOST && pool_class(old) == pool_class(n))
        return p;
    q = n <= POOL_MOST ? pool_get(pool, n) : malloc(n);
    if (!q)
        return NULL;
    memcpy(q, p, old < n ? old : n);
    if (pool_owns(pool, p))
        pool_put(pool, p, old);
    else
        free(p);
    return q;
}

void pool_end(struct pool *pool)
{
    free(pool->region);
    memset(pool, 0, sizeof *pool);
}
