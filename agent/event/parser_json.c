/* SPDX-License-Identifier: Apache-2.0 */
/* The hot path of tail: the line becomes msgpack, and the time is cut out of the encoded map; no value is opened. */
#include "event/json.h"
#include "event/msgpack.h"
#include "event/msgpack_head.h"
#include "event/parser_internal.h"

#include <stdio.h>

/* The text of a time value: a string, or a number as people write epochs. */
static bool time_text(const struct value *v, char number[32], struct str *out)
{
    int n;

    if (v->type == V_STR) {
        *out = value_bytes(v);
        return true;
    }
    if (v->type == V_INT)
        n = snprintf(number, 32, "%lld", (long long)v->i);
    else if (v->type == V_FLOAT && v->f > -1e12 && v->f < 1e12)
        n = snprintf(number, 32, "%.9f", v->f);
    else
        return false;
    *out = (struct str){number, (size_t)n};
    return true;
}

static void take_time(struct parser *p, int64_t now, struct buf *out, size_t start, const struct head *map,
                      int64_t *time)
{
    size_t at = start + map->bytes;

    for (uint32_t i = 0; i < map->n; i++) {
        struct str rest = {out->p + at, out->n - at}, text;
        struct head key;
        if (!head_read(rest.p, rest.n, &key))
            return;
        size_t key_bytes = key.bytes + key.n, bytes = key_bytes + msgpack_skip(str_from(rest, key_bytes));
        if (!str_eq((struct str){rest.p + key.bytes, key.n}, p->time_key)) {
            at += bytes;
            continue;
        }
        struct value v;
        char number[32];
        msgpack_read(str_from(rest, key_bytes), &v);
        if (!time_text(&v, number, &text))
            text = (struct str){0}; /* neither text nor a number: no format fits it */
        if (!parser_time(p, text, now, time) || p->def->time_keep)
            return;
        memmove(out->p + at, out->p + at + bytes, out->n - at - bytes);
        out->n -= bytes;
        parser_map_head(out, start, map->bytes, map->n - 1);
        return;
    }
}

bool parser_json(struct parser *p, struct str line, int64_t now, struct buf *out, int64_t *time, struct err *e)
{
    size_t start = out->n;
    struct head map;

    if (!json_read_whole(line, &json_limits_default, out, e))
        return false;
    if (!head_read(out->p + start, out->n - start, &map) || map.type != V_MAP) {
        out->n = start;
        return err_set(e, "the JSON is no object");
    }
    if (p->time)
        take_time(p, now, out, start, &map, time);
    return true;
}
