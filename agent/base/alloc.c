/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *must(void *p, size_t n)
{
    if (!p && n) {
        fprintf(stderr, "weir: out of memory (%zu bytes)\n", n);
        abort();
    }
    return p;
}

void *alloc_new(size_t n)
{
    return must(calloc(1, n ? n : 1), n);
}

void *alloc_raw(size_t n)
{
    return must(malloc(n ? n : 1), n);
}

void *alloc_array(size_t count, size_t size)
{
    return must(calloc(count ? count : 1, size ? size : 1), 1);
}

void *alloc_resize(void *p, size_t n)
{
    return must(realloc(p, n ? n : 1), n);
}

char *alloc_text(const char *p, size_t n)
{
    char *copy = alloc_raw(n + 1);

    if (n)
        memcpy(copy, p, n);
    copy[n] = 0;
    return copy;
}

void *alloc_grow(void *items, size_t n, size_t *cap, size_t size)
{
    if (n < *cap)
        return items;
    *cap = *cap ? *cap * 2 : 8;
    return must(reallocarray(items, *cap, size), 1);
}
