/* SPDX-License-Identifier: Apache-2.0 */
#include "base/crc32c.h"

#include <pthread.h>
#include <stdbool.h>
#include <string.h>

static uint32_t table[8][256];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void fill(void)
{
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t c = i;
        for (int bit = 0; bit < 8; bit++)
            c = c & 1 ? c >> 1 ^ 0x82f63b78u : c >> 1;
        table[0][i] = c;
    }
    for (int slice = 1; slice < 8; slice++)
        for (int i = 0; i < 256; i++)
            table[slice][i] = table[slice - 1][i] >> 8 ^ table[0][table[slice - 1][i] & 0xff];
}

uint32_t crc32c_portable(uint32_t crc, const void *data, size_t n)
{
    const uint8_t *p = data;

    pthread_once(&once, fill);
    crc = ~crc;
    for (; n >= 8; n -= 8, p += 8) {
        uint32_t a = crc ^ ((uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24);
        crc = table[7][a & 0xff] ^ table[6][a >> 8 & 0xff] ^ table[5][a >> 16 & 0xff] ^ table[4][a >> 24] ^
              table[3][p[4]] ^ table[2][p[5]] ^ table[1][p[6]] ^ table[0][p[7]];
    }
    while (n--)
        crc = crc >> 8 ^ table[0][(crc ^ *p++) & 0xff];
    return ~crc;
}

#if defined(__x86_64__)
/* An instruction waits three cycles for the one before it, so three stretches of a block are summed side by side and
 * then joined: the tables say what a register becomes when as many zeros follow as a stretch has bytes. */
enum { LONG = 2048, SHORT = 128 };

struct zeros {
    uint32_t t[4][256];
};
static struct zeros after_long, after_short;
static pthread_once_t joined = PTHREAD_ONCE_INIT;

__attribute__((target("sse4.2"))) static void zeros_fill(struct zeros *z, size_t n)
{
    for (int bit = 0; bit < 32; bit++) {
        uint64_t c = UINT64_C(1) << bit;
        for (size_t i = 0; i < n; i += 8)
            c = __builtin_ia32_crc32di(c, 0);
        z->t[bit / 8][1 << bit % 8] = (uint32_t)c;
    }
    for (int k = 0; k < 4; k++)
        for (int v = 1; v < 256; v++)
            z->t[k][v] = z->t[k][v & (v - 1)] ^ z->t[k][v & -v];
}

static void join_fill(void)
{
    zeros_fill(&after_long, LONG);
    zeros_fill(&after_short, SHORT);
}

static inline uint32_t zeros_run(const struct zeros *z, uint32_t c)
{
    return z->t[0][c & 0xff] ^ z->t[1][c >> 8 & 0xff] ^ z->t[2][c >> 16 & 0xff] ^ z->t[3][c >> 24];
}

static inline uint64_t word_at(const uint8_t *p)
{
    uint64_t word;

    memcpy(&word, p, sizeof word);
    return word;
}

/* Three stretches of `each` bytes at p. */
__attribute__((target("sse4.2"))) static inline uint64_t three(uint64_t c, const uint8_t *p, size_t each,
                                                               const struct zeros *z)
{
    uint64_t second = 0, third = 0;

    for (const uint8_t *end = p + each; p < end; p += 8) {
        c = __builtin_ia32_crc32di(c, word_at(p));
        second = __builtin_ia32_crc32di(second, word_at(p + each));
        third = __builtin_ia32_crc32di(third, word_at(p + 2 * each));
    }
    c = zeros_run(z, (uint32_t)c) ^ second;
    return zeros_run(z, (uint32_t)c) ^ third;
}

__attribute__((target("sse4.2"))) static uint32_t hardware(uint32_t crc, const void *data, size_t n)
{
    const uint8_t *p = data;
    uint64_t c = ~crc;

    if (n >= 3 * SHORT)
        pthread_once(&joined, join_fill);
    for (; n >= 3 * LONG; n -= 3 * LONG, p += 3 * LONG)
        c = three(c, p, LONG, &after_long);
    for (; n >= 3 * SHORT; n -= 3 * SHORT, p += 3 * SHORT)
        c = three(c, p, SHORT, &after_short);
    for (; n >= 8; n -= 8, p += 8)
        c = __builtin_ia32_crc32di(c, word_at(p));
    crc = (uint32_t)c;
    while (n--)
        crc = __builtin_ia32_crc32qi(crc, *p++);
    return ~crc;
}

static bool have_hardware(void)
{
    return __builtin_cpu_supports("sse4.2");
}
#else
static uint32_t hardware(uint32_t crc, const void *data, size_t n)
{
    return crc32c_portable(crc, data, n);
}

static bool have_hardware(void)
{
    return false;
}
#endif

uint32_t crc32c(uint32_t crc, const void *p, size_t n)
{
    return have_hardware() ? hardware(crc, p, n) : crc32c_portable(crc, p, n);
}
