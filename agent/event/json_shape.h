/* SPDX-License-Identifier: Apache-2.0 */
/* Keys come in the order in which they came before, mostly, and with the same blanks around them.  What was seen is a
 * tree: behind each key the one that followed it in its map, and the first one of the map that was its value.  A key
 * that is where the tree says costs one comparison; it is known to be new in its map, for the keys of one path differ.
 */
#pragma once
#include "event/json_parse.h"
#include "event/json_scan.h"

enum {
    SHAPE_TEXT = 32,    /* from behind the value before it to its own value */
    SHAPES = 512,       /* in all; more are not learned */
    SHAPE_OTHERS = 4,   /* in the same place */
    SHAPE_MISSES = 4096 /* after so many all is learned anew */
};

struct json_shape {
    char text[SHAPE_TEXT], encoded[SHAPE_TEXT];
    uint32_t need; /* a bit per byte of the text */
    uint32_t hash; /* for json_key */
    uint8_t bytes; /* of the text */
    uint8_t n;     /* of the encoded key */
    uint16_t next, child, other;
};

struct json_shapes {
    struct json_shape all[SHAPES]; /* the first is none */
    uint16_t root, n;
    uint32_t misses;
};

/* The key whose text is at p, where SHAPE_TEXT bytes may be read; NULL: it is none of those known in the place `at`. */
static inline struct json_shape *shape_find(struct json_shapes *s, uint16_t at, const char *p)
{
    for (; at; at = s->all[at].other) {
        struct json_shape *shape = &s->all[at];
#if defined(__SSE2__)
        const __m128i *a = (const __m128i *)(const void *)p, *b = (const __m128i *)(const void *)shape->text;
        unsigned low = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_loadu_si128(a), _mm_loadu_si128(b)));
        unsigned high = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_loadu_si128(a + 1), _mm_loadu_si128(b + 1)));
        if ((~(low | high << 16) & shape->need) == 0)
            return shape;
#else
        if (memcmp(p, shape->text, shape->bytes) == 0)
            return shape;
#endif
    }
    return NULL;
}

/* Learns a key that is new in its map; NULL: it cannot be.  Both texts are at most SHAPE_TEXT long. */
struct json_shape *shape_learn(struct json_shapes *s, uint16_t *place, struct str text, struct str encoded,
                               uint32_t hash);
void shape_forget(struct json_shapes *s);
