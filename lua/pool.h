/* SPDX-License-Identifier: Apache-2.0 */
/* Memory for one Lua state: a rule makes and drops a few dozen small objects for every event, of few sizes.  They come
 * from lists of free blocks, one for each size, in one region; what is larger, or does not fit there, comes from
 * malloc: so no more than the region is held by blocks that nobody uses. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__SANITIZE_ADDRESS__)
#define POOL_OFF 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define POOL_OFF 1
#endif
#endif

enum {
    POOL_STEP = 16, /* bytes from one size to the next */
#ifdef POOL_OFF
    POOL_MOST = 0, /* the sanitizer is to see every object */
#else
    POOL_MOST = 1024,
#endif
    POOL_BYTES = 4 << 20, /* of the region, which takes memory when it is first touched */
};

struct pool {
    char *region, *cut; /* cut: nothing behind it was given away yet */
    void *free[POOL_MOST / POOL_STEP + 1];
};

void *pool_cut(struct pool *pool, size_t n);                         /* a small block where none is free */
void *pool_resize(struct pool *pool, void *p, size_t old, size_t n); /* what pool_take does not do at once */
void pool_end(struct pool *pool);                                    /* every small block is gone then */

static inline size_t pool_class(size_t n)
{
    return (n + POOL_STEP - 1) / POOL_STEP;
}

static inline void *pool_get(struct pool *pool, size_t n)
{
    void **list = &pool->free[pool_class(n)], *p = *list;

    if (!p)
        return pool_cut(pool, n);
    *list = *(void **)p;
    return p;
}

static inline bool pool_owns(const struct pool *pool, const void *p)
{
    return (uintptr_t)p - (uintptr_t)pool->region < POOL_BYTES;
}

static inline void pool_put(struct pool *pool, void *p, size_t n)
{
    void **list = &pool->free[pool_class(n)];

    *(void **)p = *list;
    *list = p;
}

/* As a lua_Alloc: `old` is what the block was asked for, 0 where p is NULL; n 0 frees. */
static inline void *pool_take(struct pool *pool, void *p, size_t old, size_t n)
{
    if (!p && n && n <= POOL_MOST)
        return pool_get(pool, n);
    if (p && !n && pool_owns(pool, p)) {
        pool_put(pool, p, old);
        return NULL;
    }
    return pool_resize(pool, p, old, n);
}
