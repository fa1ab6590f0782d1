/* SPDX-License-Identifier: Apache-2.0 */
/* A growable byte buffer that owns p.  Zero-initialised is empty and valid. */
#pragma once
#include "base/str.h"

#include <stdarg.h>

struct buf {
    char *p;
    size_t n, cap;
};

void buf_grow(struct buf *b, size_t more); /* the slow path of buf_room */
void buf_fmt(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buf_vfmt(struct buf *b, const char *fmt, va_list args);
void buf_free(struct buf *b);
const char *buf_text(struct buf *b); /* NUL terminated, borrowed until the next buf_ call */

/* Room for `more` bytes behind n; write there, then add to n. */
static inline char *buf_room(struct buf *b, size_t more)
{
    if (__builtin_expect(b->cap - b->n < more, 0))
        buf_grow(b, more);
    return b->p + b->n;
}

static inline void buf_add(struct buf *b, const void *p, size_t n)
{
    if (!n)
        return;
    memcpy(buf_room(b, n), p, n);
    b->n += n;
}

static inline void buf_str(struct buf *b, struct str s)
{
    buf_add(b, s.p, s.n);
}

static inline void buf_char(struct buf *b, char c)
{
    *buf_room(b, 1) = c;
    b->n++;
}

static inline struct str buf_view(const struct buf *b)
{
    return (struct str){b->p, b->n};
}

static inline void buf_clear(struct buf *b)
{
    b->n = 0;
}

/* Integers of binary formats, in the byte order of their name. */
void buf_le16(struct buf *b, uint16_t v);
void buf_le32(struct buf *b, uint32_t v);
void buf_le64(struct buf *b, uint64_t v);
void buf_varint(struct buf *b, uint64_t v); /* LEB128 */
