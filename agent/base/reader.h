/* SPDX-License-Identifier: Apache-2.0 */
/* Reading binary formats: every read is checked against what is left.  After the first short read `bad` is set and
 * everything further reads as zero, so that a decoder checks once, at its end. */
#pragma once
#include "base/str.h"

struct reader {
    const uint8_t *p, *end;
    bool bad;
};

static inline struct reader reader_of(struct str s)
{
    return (struct reader){(const uint8_t *)s.p, (const uint8_t *)s.p + s.n, false};
}

static inline size_t reader_left(const struct reader *r)
{
    return (size_t)(r->end - r->p);
}

struct str reader_bytes(struct reader *r, size_t n); /* borrowed from the input */
uint8_t reader_u8(struct reader *r);
uint16_t reader_le16(struct reader *r);
uint32_t reader_le32(struct reader *r);
uint64_t reader_le64(struct reader *r);
uint64_t reader_varint(struct reader *r);
