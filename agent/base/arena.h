/* SPDX-License-Identifier: Apache-2.0 */
/* Bump allocator: everything in it lives until arena_reset.  One per thread and event chain; not locked. */
#pragma once
#include "base/str.h"

struct arena;

struct arena *arena_new(void);
void arena_free(struct arena *a);             /* NULL is fine */
void arena_reset(struct arena *a);            /* keeps the first block, gives the rest back */
void *arena_alloc(struct arena *a, size_t n); /* 16-byte aligned, not zeroed */
void *arena_zero(struct arena *a, size_t n);
struct str arena_str(struct arena *a, struct str s); /* a copy, with a NUL behind it */
/* A bigger copy of the n bytes at p; grows in place when p was the last allocation. */
void *arena_extend(struct arena *a, void *p, size_t n, size_t want);
struct str arena_fmt(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
