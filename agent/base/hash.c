/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hash.h"

#include "base/io.h"

#include <endian.h>
#include <pthread.h>
#include <stdio.h>

struct sip {
    uint64_t v0, v1, v2, v3;
};

static inline uint64_t rotl(uint64_t x, int b)
{
    return (x << b) | (x >> (64 - b));
}

static inline void sip_round(struct sip *s)
{
    s->v0 += s->v1;
    s->v1 = rotl(s->v1, 13) ^ s->v0;
    s->v0 = rotl(s->v0, 32);
    s->v2 += s->v3;
    s->v3 = rotl(s->v3, 16) ^ s->v2;
    s->v0 += s->v3;
    s->v3 = rotl(s->v3, 21) ^ s->v0;
    s->v2 += s->v1;
    s->v1 = rotl(s->v1, 17) ^ s->v2;
    s->v2 = rotl(s->v2, 32);
}

static void absorb(struct sip *s, uint64_t word)
{
    s->v3 ^= word;
    sip_round(s);
    sip_round(s);
    s->v0 ^= word;
}

static struct sip start(const struct id *key)
{
    return (struct sip){key->lo ^ 0x736f6d6570736575ull, key->hi ^ 0x646f72616e646f6dull,
                        key->lo ^ 0x6c7967656e657261ull, key->hi ^ 0x7465646279746573ull};
}

static void feed_all(struct sip *s, struct str in)
{
    size_t whole = in.n & ~(size_t)7;
    uint64_t word, last = (uint64_t)in.n << 56;

    for (size_t i = 0; i < whole; i += 8) {
        memcpy(&word, in.p + i, 8);
        absorb(s, le64toh(word));
    }
    for (size_t i = whole; i < in.n; i++)
        last |= (uint64_t)(unsigned char)in.p[i] << (8 * (i - whole));
    absorb(s, last);
}

static uint64_t finish(struct sip *s)
{
    for (int i = 0; i < 4; i++)
        sip_round(s);
    return s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
}

uint64_t hash_64(struct str in, const struct id *key)
{
    struct sip s = start(key);

    feed_all(&s, in);
    s.v2 ^= 0xff;
    return finish(&s);
}

struct id hash_128(struct str in, const struct id *key)
{
    struct sip s = start(key);
    struct id out;

    s.v1 ^= 0xee;
    feed_all(&s, in);
    s.v2 ^= 0xee;
    out.lo = finish(&s);
    s.v1 ^= 0xdd;
    out.hi = finish(&s);
    if (id_none(out))
        out.lo = 1;
    return out;
}

static struct id table_key;
static pthread_once_t drawn = PTHREAD_ONCE_INIT;

static void draw(void)
{
    io->random(&table_key, sizeof table_key);
}

uint64_t hash_bytes(struct str s)
{
    pthread_once(&drawn, draw);
    return hash_64(s, &table_key);
}

void id_text(struct id id, char out[33])
{
    snprintf(out, 33, "%016llx%016llx", (unsigned long long)id.hi, (unsigned long long)id.lo);
}

static bool hex_word(const char *p, uint64_t *out)
{
    uint64_t v = 0;

    for (int i = 0; i < 16; i++) {
        char c = p[i];
        unsigned digit;
        if (c >= '0' && c <= '9')
            digit = (unsigned)(c - '0');
        else if (c >= 'a' && c <= 'f')
            digit = (unsigned)(c - 'a') + 10;
        else if (c >= 'A' && c <= 'F')
            digit = (unsigned)(c - 'A') + 10;
        else
            return false;
        v = v << 4 | digit;
    }
    *out = v;
    return true;
}

bool id_parse(struct str text, struct id *out)
{
    return text.n == 32 && hex_word(text.p, &out->hi) && hex_word(text.p + 16, &out->lo);
}
