/* SPDX-License-Identifier: Apache-2.0 */
#include "tail_position.h"

#include "base/reader.h"

#include <inttypes.h>
#include <stdio.h>

enum { POSITION_VERSION = 1, POSITION_SKIPPING = 1 };

void position_write(struct buf *out, const struct position *p)
{
    buf_char(out, POSITION_VERSION);
    buf_char(out, p->skipping ? POSITION_SKIPPING : 0);
    buf_varint(out, p->generation);
    buf_varint(out, p->offset);
    buf_varint(out, (uint64_t)p->birth);
    buf_varint(out, (uint64_t)p->seen);
    buf_varint(out, p->head.n);
    buf_le32(out, p->head.crc);
    buf_str(out, p->path);
}

bool position_read(struct str in, struct position *out)
{
    struct reader r = reader_of(in);
    uint64_t n;

    if (reader_u8(&r) != POSITION_VERSION)
        return false;
    *out = (struct position){.skipping = reader_u8(&r) & POSITION_SKIPPING};
    out->generation = reader_varint(&r);
    out->offset = reader_varint(&r);
    out->birth = (int64_t)reader_varint(&r);
    out->seen = (int64_t)reader_varint(&r);
    n = reader_varint(&r);
    out->head = (struct head){(uint32_t)n, reader_le32(&r)};
    out->path = reader_bytes(&r, reader_left(&r));
    return !r.bad && n <= HEAD_BYTES && out->offset <= INT64_MAX;
}

size_t position_key(char out[40], uint64_t device, uint64_t inode)
{
    return (size_t)snprintf(out, 40, "%" PRIx64 ":%" PRIx64, device, inode);
}

static bool read_hex(struct str s, uint64_t *out)
{
    uint64_t v = 0;

    if (!s.n || s.n > 16)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (c >= '0' && c <= '9')
            v = v << 4 | (uint64_t)(c - '0');
        else if (c >= 'a' && c <= 'f')
            v = v << 4 | (uint64_t)(c - 'a' + 10);
        else
            return false;
    }
    *out = v;
    return true;
}

bool position_parse_key(struct str key, uint64_t *device, uint64_t *inode)
{
    struct str rest = key, first = str_cut(&rest, ':');

    return read_hex(first, device) && read_hex(rest, inode);
}
