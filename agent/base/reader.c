/* SPDX-License-Identifier: Apache-2.0 */
#include "base/reader.h"

#include <endian.h>

struct str reader_bytes(struct reader *r, size_t n)
{
    struct str out = {(const char *)r->p, n};

    if (reader_left(r) < n) {
        r->bad = true;
        r->p = r->end;
        return (struct str){(const char *)r->end, 0};
    }
    r->p += n;
    return out;
}

uint8_t reader_u8(struct reader *r)
{
    struct str s = reader_bytes(r, 1);

    return s.n ? (uint8_t)s.p[0] : 0;
}

uint16_t reader_le16(struct reader *r)
{
    struct str s = reader_bytes(r, 2);
    uint16_t v = 0;

    memcpy(&v, s.p, s.n);
    return le16toh(v);
}

uint32_t reader_le32(struct reader *r)
{
    struct str s = reader_bytes(r, 4);
    uint32_t v = 0;

    memcpy(&v, s.p, s.n);
    return le32toh(v);
}

uint64_t reader_le64(struct reader *r)
{
    struct str s = reader_bytes(r, 8);
    uint64_t v = 0;

    memcpy(&v, s.p, s.n);
    return le64toh(v);
}

uint64_t reader_varint(struct reader *r)
{
    uint64_t v = 0;
    const uint8_t *p = r->p;

    if (r->end - p >= 2 && !(p[0] & p[1] & 0x80)) { /* most */
        bool two = p[0] & 0x80;
        r->p = p + 1 + two;
        return two ? (p[0] & 0x7fu) | (uint64_t)p[1] << 7 : p[0];
    }
    for (unsigned shift = 0; shift < 64; shift += 7) {
        uint8_t byte = reader_u8(r);
        v |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80))
            return v;
    }
    r->bad = true;
    return 0;
}
