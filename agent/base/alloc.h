/* SPDX-License-Identifier: Apache-2.0 */
/* Allocation that cannot fail: out of memory aborts.  Queues are bounded and the log makes dying safe. */
#pragma once
#include <stddef.h>

void *alloc_new(size_t n);                    /* zeroed */
void *alloc_raw(size_t n);                    /* not zeroed */
void *alloc_array(size_t count, size_t size); /* zeroed; the product is checked */
void *alloc_resize(void *p, size_t n);
char *alloc_text(const char *p, size_t n); /* a copy with a NUL behind it */

/* Room for one more in a growing array: returns the (possibly moved) items; *cap is updated. */
void *alloc_grow(void *items, size_t n, size_t *cap, size_t size);
