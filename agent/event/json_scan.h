/* SPDX-License-Identifier: Apache-2.0 */
/* Sixteen bytes at a time through the strings of JSON. */
#pragma once
#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { SCAN = 16 };

#if defined(__SSE2__)
#include <emmintrin.h>

/* Copies 16 bytes and returns a bit for each that ends a run of plain characters: a quote, a backslash, a control
 * character, or a byte of a character beyond ASCII. */
static inline unsigned scan_copy(const char *p, char *w)
{
    __m128i x = _mm_loadu_si128((const __m128i *)(const void *)p), hit;

    _mm_storeu_si128((__m128i *)(void *)w, x);
    hit = _mm_cmplt_epi8(x, _mm_set1_epi8(0x20)); /* signed: those beyond ASCII too */
    hit = _mm_or_si128(hit, _mm_cmpeq_epi8(x, _mm_set1_epi8('"')));
    hit = _mm_or_si128(hit, _mm_cmpeq_epi8(x, _mm_set1_epi8('\\')));
    return (unsigned)_mm_movemask_epi8(hit);
}
#else
/* The high bit of each byte that is special, per word; carries may spoil only the bits above the lowest hit. */
static inline uint64_t scan_word(uint64_t x)
{
    const uint64_t ones = 0x0101010101010101ull, high = ones << 7;
    uint64_t quote = x ^ ones * '"', slash = x ^ ones * '\\';

    return ((x - ones * 0x20) | x | ((quote - ones) & ~quote) | ((slash - ones) & ~slash)) & high;
}

static inline unsigned scan_copy(const char *p, char *w)
{
    uint64_t a, b;

    memcpy(&a, p, 8);
    memcpy(&b, p + 8, 8);
    memcpy(w, &a, 8);
    memcpy(w + 8, &b, 8);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    a = __builtin_bswap64(a);
    b = __builtin_bswap64(b);
#endif
    a = scan_word(a);
    b = scan_word(b);
    if (a)
        return 1u << (__builtin_ctzll(a) >> 3);
    return b ? 0x100u << (__builtin_ctzll(b) >> 3) : 0;
}
#endif

/* n < 16 bytes at p, where no more may be read, to 16 at `out`; the rest is zero. */
static inline void scan_pad(const char *p, size_t n, char *out)
{
    uint64_t low = 0, high = 0;

    if (n >= 8) {
        memcpy(&low, p, 8);
        memcpy(&high, p + n - 8, 8);
        low = le64toh(low);
        high = n == 8 ? 0 : le64toh(high) >> (8 * (16 - n));
    } else if (n >= 4) {
        uint32_t a, b;
        memcpy(&a, p, 4);
        memcpy(&b, p + n - 4, 4);
        low = le32toh(a) | (uint64_t)le32toh(b) << (8 * (n - 4));
    } else if (n) {
        low =
            (uint8_t)p[0] | (uint64_t)(uint8_t)p[n / 2] << (8 * (n / 2)) | (uint64_t)(uint8_t)p[n - 1] << (8 * (n - 1));
    }
    low = htole64(low);
    high = htole64(high);
    memcpy(out, &low, 8);
    memcpy(out + 8, &high, 8);
}
