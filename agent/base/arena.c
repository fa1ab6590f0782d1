/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"

#include "base/alloc.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { BLOCK = 16 * 1024 };

struct block {
    struct block *next;
    size_t cap;
    _Alignas(16) char data[];
};

struct arena {
    struct block *first, *now;
    char *p, *end;
};

static struct block *block_new(size_t cap)
{
    struct block *b = alloc_raw(sizeof *b + cap);

    b->next = NULL;
    b->cap = cap;
    return b;
}

static void enter(struct arena *a, struct block *b)
{
    a->now = b;
    a->p = b->data;
    a->end = b->data + b->cap;
}

struct arena *arena_new(void)
{
    struct arena *a = alloc_new(sizeof *a);

    a->first = block_new(BLOCK);
    enter(a, a->first);
    return a;
}

void arena_reset(struct arena *a)
{
    for (struct block *b = a->first->next, *next; b; b = next) {
        next = b->next;
        free(b);
    }
    a->first->next = NULL;
    enter(a, a->first);
}

void arena_free(struct arena *a)
{
    if (!a)
        return;
    arena_reset(a);
    free(a->first);
    free(a);
}

void *arena_alloc(struct arena *a, size_t n)
{
    char *p = a->p;

    n = (n + 15) & ~(size_t)15;
    if (__builtin_expect((size_t)(a->end - p) < n, 0)) {
        size_t doubled = a->now->cap * 2, cap = doubled < 1024 * 1024 ? doubled : 1024 * 1024;
        struct block *b = block_new(n > cap ? n : cap);
        a->now->next = b;
        enter(a, b);
        p = a->p;
    }
    a->p = p + n;
    return p;
}

void *arena_zero(struct arena *a, size_t n)
{
    return memset(arena_alloc(a, n), 0, n);
}

struct str arena_str(struct arena *a, struct str s)
{
    char *p = arena_alloc(a, s.n + 1);

    if (s.n)
        memcpy(p, s.p, s.n);
    p[s.n] = 0;
    return (struct str){p, s.n};
}

void *arena_extend(struct arena *a, void *p, size_t n, size_t want)
{
    size_t rounded = (n + 15) & ~(size_t)15, wanted = (want + 15) & ~(size_t)15;
    void *copy;

    if (p && (char *)p + rounded == a->p && (size_t)(a->end - (char *)p) >= wanted) {
        a->p = (char *)p + wanted;
        return p;
    }
    copy = arena_alloc(a, want);
    if (p)
        memcpy(copy, p, n);
    return copy;
}

struct str arena_fmt(struct arena *a, const char *fmt, ...)
{
    va_list args, again;
    int n;
    char *p;

    va_start(args, fmt);
    va_copy(again, args);
    n = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    p = arena_alloc(a, (size_t)n + 1);
    vsnprintf(p, (size_t)n + 1, fmt, again);
    va_end(again);
    return (struct str){p, (size_t)n};
}
