/* SPDX-License-Identifier: Apache-2.0 */
/* Memory for one Lua state: a rule makes and drops a few dozen small objects for every event, of few sizes.  They come
 * from lists of free blocks, one for each size; what is larger comes from malloc.  Blocks stay until the end. */
#pragma once
#include <stddef.h>

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
    POOL_SLAB = 32 << 10, /* bytes that are cut into blocks */
};

struct pool {
    void *free[POOL_MOST / POOL_STEP + 1];
    char *cut, *end;
    void *slabs;
};

/* As a lua_Alloc: `old` is what the block was asked for, 0 where p is NULL; n 0 frees. */
void *pool_resize(struct pool *pool, void *p, size_t old, size_t n);
void pool_end(struct pool *pool); /* gives back all small blocks */
