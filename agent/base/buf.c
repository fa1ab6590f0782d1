/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"

#include "base/alloc.h"

#include <endian.h>
#include <stdio.h>
#include <stdlib.h>

void buf_grow(struct buf *b, size_t more)
{
    size_t want = b->n + more, cap = b->cap ? b->cap : 64;

    while (cap < want)
        cap += cap / 2 + 64;
    b->p = alloc_resize(b->p, cap);
    b->cap = cap;
}

void buf_vfmt(struct buf *b, const char *fmt, va_list args)
{
    va_list again;
    int n;

    va_copy(again, args);
    buf_room(b, 64);
    n = vsnprintf(b->p + b->n, b->cap - b->n, fmt, args);
    if (n > 0 && (size_t)n >= b->cap - b->n) {
        buf_room(b, (size_t)n + 1);
        n = vsnprintf(b->p + b->n, b->cap - b->n, fmt, again);
    }
    va_end(again);
    if (n > 0)
        b->n += (size_t)n;
}

void buf_fmt(struct buf *b, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    buf_vfmt(b, fmt, args);
    va_end(args);
}

void buf_free(struct buf *b)
{
    free(b->p);
    *b = (struct buf){0};
}

const char *buf_text(struct buf *b)
{
    *buf_room(b, 1) = 0;
    return b->p;
}

void buf_le16(struct buf *b, uint16_t v)
{
    v = htole16(v);
    buf_add(b, &v, sizeof v);
}

void buf_le32(struct buf *b, uint32_t v)
{
    v = htole32(v);
    buf_add(b, &v, sizeof v);
}

void buf_le64(struct buf *b, uint64_t v)
{
    v = htole64(v);
    buf_add(b, &v, sizeof v);
}

void buf_varint(struct buf *b, uint64_t v)
{
    char *p = buf_room(b, 10);

    while (v >= 0x80) {
        *p++ = (char)(v | 0x80);
        v >>= 7;
    }
    *p++ = (char)v;
    b->n = (size_t)(p - b->p);
}
