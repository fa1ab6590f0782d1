/* SPDX-License-Identifier: Apache-2.0 */
/* Writing MessagePack to memory that has room: each returns where the next byte goes.  At most 9 bytes each. */
#pragma once
#include <endian.h>
#include <stdint.h>
#include <string.h>

static inline char *put_be16(char *w, int code, uint16_t v)
{
    *w = (char)code;
    v = htobe16(v);
    memcpy(w + 1, &v, sizeof v);
    return w + 3;
}

static inline char *put_be32(char *w, int code, uint32_t v)
{
    *w = (char)code;
    v = htobe32(v);
    memcpy(w + 1, &v, sizeof v);
    return w + 5;
}

static inline char *put_be64(char *w, int code, uint64_t v)
{
    *w = (char)code;
    v = htobe64(v);
    memcpy(w + 1, &v, sizeof v);
    return w + 9;
}

static inline char *put_uint(char *w, uint64_t u)
{
    if (u < 0x80) {
        *w = (char)u;
        return w + 1;
    }
    if (u <= UINT8_MAX) {
        w[0] = (char)0xcc;
        w[1] = (char)u;
        return w + 2;
    }
    if (u <= UINT16_MAX)
        return put_be16(w, 0xcd, (uint16_t)u);
    if (u <= UINT32_MAX)
        return put_be32(w, 0xce, (uint32_t)u);
    return put_be64(w, 0xcf, u);
}

static inline char *put_int(char *w, int64_t i)
{
    if (i >= 0)
        return put_uint(w, (uint64_t)i);
    if (i >= -32) {
        *w = (char)i;
        return w + 1;
    }
    if (i >= INT8_MIN) {
        w[0] = (char)0xd0;
        w[1] = (char)i;
        return w + 2;
    }
    if (i >= INT16_MIN)
        return put_be16(w, 0xd1, (uint16_t)i);
    if (i >= INT32_MIN)
        return put_be32(w, 0xd2, (uint32_t)i);
    return put_be64(w, 0xd3, (uint64_t)i);
}

static inline char *put_float(char *w, double f)
{
    uint64_t bits;

    memcpy(&bits, &f, sizeof bits);
    return put_be64(w, 0xcb, bits);
}

/* A header of 1, 3 or 5 bytes: fix is the code with up to `max` members in it, wide the 16-bit one; the 32-bit one
 * follows it. */
static inline char *put_members(char *w, int fix, int wide, uint32_t n)
{
    if (n < 16) {
        *w = (char)(fix | (int)n);
        return w + 1;
    }
    return n <= UINT16_MAX ? put_be16(w, wide, (uint16_t)n) : put_be32(w, wide + 1, n);
}

static inline char *put_array(char *w, uint32_t n)
{
    return put_members(w, 0x90, 0xdc, n);
}

static inline char *put_map(char *w, uint32_t n)
{
    return put_members(w, 0x80, 0xde, n);
}

static inline char *put_str_head(char *w, uint32_t n)
{
    if (n < 32) {
        *w = (char)(0xa0 | n);
        return w + 1;
    }
    if (n <= UINT8_MAX) {
        w[0] = (char)0xd9;
        w[1] = (char)n;
        return w + 2;
    }
    return n <= UINT16_MAX ? put_be16(w, 0xda, (uint16_t)n) : put_be32(w, 0xdb, n);
}
