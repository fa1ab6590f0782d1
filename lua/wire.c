/* SPDX-License-Identifier: Apache-2.0 */
#include "lua/wire.h"

#define FOUR(n) n, n, n, n
#define SIXTEEN(n) FOUR(n), FOUR(n), FOUR(n), FOUR(n)
#define COUNT4(n) n, n + 1, n + 2, n + 3
#define LONG WIRE_LONG

const uint8_t wire_sizes[256] = {SIXTEEN(0),
                                 SIXTEEN(0),
                                 SIXTEEN(0),
                                 SIXTEEN(0),
                                 SIXTEEN(0),
                                 SIXTEEN(0),
                                 SIXTEEN(0),
                                 SIXTEEN(0), /* 00 - 7f */
                                 SIXTEEN(LONG),
                                 SIXTEEN(LONG), /* maps, arrays */
                                 COUNT4(0),
                                 COUNT4(4),
                                 COUNT4(8),
                                 COUNT4(12),
                                 COUNT4(16),
                                 COUNT4(20),
                                 COUNT4(24),
                                 COUNT4(28), /* strings */
                                 0,
                                 LONG,
                                 0,
                                 0,
                                 FOUR(LONG),
                                 LONG,
                                 LONG,
                                 4,
                                 8,
                                 1,
                                 2,
                                 4,
                                 8, /* c0: nil, -, false, true, bin, ext, floats, uints */
                                 1,
                                 2,
                                 4,
                                 8,
                                 2,
                                 3,
                                 5,
                                 9,
                                 17,
                                 LONG,
                                 LONG,
                                 LONG,
                                 FOUR(LONG), /* d0: ints, fixext, str, array, map */
                                 SIXTEEN(0),
                                 SIXTEEN(0)};

static const char *payload(const char *p, const char *end, struct value *v, enum value_type type, uint64_t n)
{
    v->type = type;
    v->n = (uint32_t)n;
    v->p = p;
    return (uint64_t)(end - p) < n ? NULL : p + n;
}

static const char *sized(const char *p, const char *end, struct value *v, enum value_type type, unsigned width)
{
    if (end - p < (ptrdiff_t)width)
        return NULL;
    return payload(p + width, end, v, type, wire_big((const uint8_t *)p, width));
}

static const char *ext(const char *p, const char *end, struct value *v, uint64_t n)
{
    if (p >= end)
        return NULL;
    v->ext = (int8_t)*p;
    return payload(p + 1, end, v, V_EXT, n);
}

static const char *number(const char *p, const char *end, struct value *v, uint8_t c)
{
    static const uint8_t widths[] = {4, 8, 1, 2, 4, 8, 1, 2, 4, 8}; /* from 0xca */
    unsigned width = widths[c - 0xca];
    uint64_t bits;

    if (end - p < (ptrdiff_t)width)
        return NULL;
    bits = wire_big((const uint8_t *)p, width);
    v->type = V_INT;
    if (c == 0xca) {
        uint32_t half = (uint32_t)bits;
        float f;
        memcpy(&f, &half, 4);
        v->type = V_FLOAT;
        v->single = true;
        v->f = f;
    } else if (c == 0xcb) {
        v->type = V_FLOAT;
        v->single = false;
        memcpy(&v->f, &bits, 8);
    } else if (c <= 0xcf) {
        v->type = bits > INT64_MAX ? V_UINT : V_INT;
        v->u = bits;
    } else {
        v->i = width == 1 ? (int8_t)bits : width == 2 ? (int16_t)bits : width == 4 ? (int32_t)bits : (int64_t)bits;
    }
    return p + width;
}

static const char *container(const char *p, const char *end, struct value *v, enum value_type type, unsigned width)
{
    if (end - p < (ptrdiff_t)width)
        return NULL;
    v->type = type;
    v->n = (uint32_t)wire_big((const uint8_t *)p, width);
    return p + width;
}

const char *wire_long(const char *p, const char *end, struct value *v)
{
    uint8_t c = (uint8_t)*p++;

    switch (c) {
    case 0xc0:
        v->type = V_NIL;
        return p;
    case 0xc2:
    case 0xc3:
        v->type = V_BOOL;
        v->b = c == 0xc3;
        return p;
    case 0xc4:
    case 0xc5:
    case 0xc6:
        return sized(p, end, v, V_BIN, 1u << (c - 0xc4));
    case 0xc7:
    case 0xc8:
    case 0xc9:
        if (end - p < 1 << (c - 0xc7))
            return NULL;
        return ext(p + (1 << (c - 0xc7)), end, v, wire_big((const uint8_t *)p, 1u << (c - 0xc7)));
    case 0xd4:
    case 0xd5:
    case 0xd6:
    case 0xd7:
    case 0xd8:
        return ext(p, end, v, UINT64_C(1) << (c - 0xd4));
    case 0xd9:
    case 0xda:
    case 0xdb:
        return sized(p, end, v, V_STR, 1u << (c - 0xd9));
    case 0xdc:
    case 0xdd:
        return container(p, end, v, V_ARRAY, c == 0xdc ? 2 : 4);
    case 0xde:
    case 0xdf:
        return container(p, end, v, V_MAP, c == 0xde ? 2 : 4);
    case 0xc1:
        return NULL;
    default:
        return number(p, end, v, c);
    }
}
