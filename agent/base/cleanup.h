/* SPDX-License-Identifier: Apache-2.0 */
/* Scope-bound release: `CLEANUP(buf_free) struct buf b = {0};`.  TAKE moves ownership out of the scope. */
#pragma once
#include <stdlib.h>
#include <unistd.h>

#define CLEANUP(fn) __attribute__((cleanup(fn)))
#define TAKE(ptr)                     \
    ({                                \
        __typeof__(ptr) taken_ = ptr; \
        (ptr) = NULL;                 \
        taken_;                       \
    })

static inline void cleanup_free(void *p)
{
    free(*(void **)p);
}

static inline void cleanup_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

static inline int cleanup_take_fd(int *fd)
{
    int taken = *fd;

    *fd = -1;
    return taken;
}

#define container_of(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))
#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
