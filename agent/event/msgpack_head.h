/* SPDX-License-Identifier: Apache-2.0 */
/* The first byte of a MessagePack value, decoded: for those in this folder who walk encoded bytes. */
#pragma once
#include "event/value.h"

#include <endian.h>

enum { HEAD_BAD = 255 };

/* What a first byte says: the value's type; the bytes of its length field (0, 1, 2, 4); and, without such a field, the
 * bytes of its payload or the number of its members.  `extra`: the type byte of an ext. */
struct head_shape {
    uint8_t type, length, fixed, extra;
};
extern const struct head_shape head_shapes[256];

struct head {
    uint8_t type, bytes; /* of the header itself */
    uint32_t n;          /* payload bytes, or members */
};

static inline uint16_t load_be16(const char *p)
{
    uint16_t v;

    memcpy(&v, p, sizeof v);
    return be16toh(v);
}

static inline uint32_t load_be32(const char *p)
{
    uint32_t v;

    memcpy(&v, p, sizeof v);
    return be32toh(v);
}

static inline uint64_t load_be64(const char *p)
{
    uint64_t v;

    memcpy(&v, p, sizeof v);
    return be64toh(v);
}

static inline bool head_container(uint8_t type)
{
    return type == V_ARRAY || type == V_MAP;
}

/* False: no such first byte, or the header or the payload does not fit.  Of a container every member must have at
 * least one byte. */
static inline bool head_read(const char *p, size_t left, struct head *h)
{
    struct head_shape shape;
    uint64_t need;

    if (__builtin_expect(!left, 0))
        return false;
    shape = head_shapes[(uint8_t)*p];
    h->type = shape.type;
    h->bytes = (uint8_t)(1 + shape.length + shape.extra);
    h->n = shape.fixed;
    if (shape.length) {
        if (left < h->bytes)
            return false;
        h->n = shape.length == 1 ? (uint8_t)p[1] : shape.length == 2 ? load_be16(p + 1) : load_be32(p + 1);
    }
    need = h->type == V_MAP ? (uint64_t)h->n * 2 : h->n;
    return shape.type != HEAD_BAD && left - 1 >= (uint64_t)h->bytes - 1 + need;
}
