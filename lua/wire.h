/* SPDX-License-Identifier: Apache-2.0 */
/* One msgpack item at a time, inline: the record bridge reads more of them than anything else.  Every read is checked
 * against `end`, so that bytes nobody checked before (fuzzing) are refused and not followed. */
#pragma once
#include "event/value.h"

#include <byteswap.h>

static inline uint64_t wire_big(const uint8_t *p, unsigned n)
{
    uint16_t h;
    uint32_t w;
    uint64_t q;

    switch (n) {
    case 1:
        return *p;
    case 2:
        memcpy(&h, p, 2);
        return bswap_16(h);
    case 4:
        memcpy(&w, p, 4);
        return bswap_32(w);
    default:
        memcpy(&q, p, 8);
        return bswap_64(q);
    }
}

/* Reads the item at p.  Scalars: the whole item; containers: the header only, v->n its members.  Returns what follows,
 * or NULL when the bytes are no msgpack. */
const char *wire_long(const char *p, const char *end, struct value *v); /* the less frequent forms */

static inline const char *wire_read(const char *p, const char *end, struct value *v)
{
    uint8_t c;

    if (p >= end)
        return NULL;
    c = (uint8_t)*p++;
    v->raw = false;
    if (c < 0x80 || c >= 0xe0) {
        v->type = V_INT;
        v->i = (int8_t)c;
        return p;
    }
    if (c >= 0xa0 && c < 0xc0) {
        v->type = V_STR;
        v->n = c & 31;
        v->p = p;
        return (size_t)(end - p) < v->n ? NULL : p + v->n;
    }
    if (c < 0xa0) {
        v->type = c < 0x90 ? V_MAP : V_ARRAY;
        v->n = c & 15;
        return p;
    }
    return wire_long(p - 1, end, v);
}

/* By first byte: the bytes behind it where that alone says how many and none of them is an item; else WIRE_LONG. */
enum { WIRE_LONG = 255 };
extern const uint8_t wire_sizes[256];

/* What follows the whole value at p, or NULL. */
static inline const char *wire_skip(const char *p, const char *end)
{
    uint64_t left = 1;
    struct value v;

    for (; left; left--) {
        uint8_t size;
        if (p >= end) /* also after a short item that ends behind it */
            return NULL;
        size = wire_sizes[(uint8_t)*p];
        if (__builtin_expect(size != WIRE_LONG, 1)) {
            p += size + 1;
            continue;
        }
        p = wire_read(p, end, &v);
        if (!p)
            return NULL;
        if (v.type == V_MAP)
            left += 2 * (uint64_t)v.n;
        else if (v.type == V_ARRAY)
            left += v.n;
        if (left - 1 > (uint64_t)(end - p))
            return NULL; /* every item takes a byte at least */
    }
    return p <= end ? p : NULL;
}
