/* SPDX-License-Identifier: Apache-2.0 */
#include "event/json_shape.h"

struct json_shape *shape_learn(struct json_shapes *s, uint16_t *place, struct str text, struct str encoded,
                               uint32_t hash)
{
    struct json_shape *shape;
    int others = 0;

    s->misses++;
    while (*place && others++ < SHAPE_OTHERS)
        place = &s->all[*place].other;
    if (*place || s->n + 1 >= SHAPES)
        return NULL;
    *place = ++s->n;
    shape = &s->all[*place];
    memset(shape, 0, sizeof *shape);
    memcpy(shape->text, text.p, text.n);
    memcpy(shape->encoded, encoded.p, encoded.n);
    shape->need = (uint32_t)((UINT64_C(1) << text.n) - 1);
    shape->hash = hash;
    shape->bytes = (uint8_t)text.n;
    shape->n = (uint8_t)encoded.n;
    return shape;
}

void shape_forget(struct json_shapes *s)
{
    s->root = s->n = 0;
    s->misses = 0;
}
