/* SPDX-License-Identifier: Apache-2.0 */
/* Repeated keys, and containers that are not done with one byte of header. */
#include "base/alloc.h"
#include "base/cleanup.h"
#include "event/json_parse.h"
#include "event/msgpack_put.h"

#include <stdlib.h>

void json_more_keys(struct json_reader *r)
{
    struct json_key *more = alloc_array(r->cap_keys * (size_t)2, sizeof *more);

    memcpy(more, r->keys, r->nkeys * sizeof *more);
    if (r->keys != r->few)
        free(r->keys);
    r->keys = more;
    r->cap_keys *= 2;
}

/* Encoded strings are equal when they begin with the same bytes as the whole of one. */
static bool same(const struct json_reader *r, const struct json_key *a, const struct json_key *b, size_t bytes)
{
    return a->hash == b->hash && !(a->at & JSON_DEAD) && memcmp(r->start + a->at, r->start + b->at, bytes) == 0;
}

/* Room for twice the keys of the level; enters all but the last. */
static void build(struct json_reader *r, struct json_level *level)
{
    uint32_t n = r->nkeys - level->keys, nslots = 4 * JSON_LINEAR;

    while (nslots < n * 4)
        nslots *= 2;
    free(level->slots);
    level->slots = alloc_array(nslots, sizeof *level->slots);
    level->nslots = nslots;
    for (uint32_t i = 0; i + 1 < n; i++) {
        const struct json_key *key = &r->keys[level->keys + i];
        uint32_t slot = key->hash & (nslots - 1);
        if (key->at & JSON_DEAD)
            continue;
        while (level->slots[slot])
            slot = (slot + 1) & (nslots - 1);
        level->slots[slot] = i + 1;
    }
}

/* The earlier key of the same name, in a small object. */
static struct json_key *look_through(struct json_reader *r, struct json_level *level, size_t bytes)
{
    struct json_key *last = &r->keys[r->nkeys - 1];

    for (struct json_key *k = &r->keys[level->keys]; k < last; k++)
        if (k->hash == last->hash && same(r, k, last, bytes))
            return k;
    return NULL;
}

/* The same in a big one; enters the last key. */
static struct json_key *look_up(struct json_reader *r, struct json_level *level, size_t bytes)
{
    struct json_key *keys = &r->keys[level->keys], *last = &r->keys[r->nkeys - 1], *was = NULL;
    uint32_t n = r->nkeys - level->keys, slot;

    if (n * 2 > level->nslots)
        build(r, level);
    slot = last->hash & (level->nslots - 1);
    while (level->slots[slot]) {
        struct json_key *k = &keys[level->slots[slot] - 1];
        if (same(r, k, last, bytes)) {
            was = k;
            break;
        }
        slot = (slot + 1) & (level->nslots - 1);
    }
    level->slots[slot] = n;
    return was;
}

bool json_key_again(struct json_reader *r, struct json_level *level, size_t bytes)
{
    struct json_key *was;

    was = level->count > JSON_LINEAR ? look_up(r, level, bytes) : look_through(r, level, bytes);
    if (!was)
        return true;
    was->at |= JSON_DEAD;
    level->dead++;
    return !r->limits->refuse_duplicates;
}

static void edit(struct json_reader *r, uint32_t at, uint32_t n, uint8_t kind)
{
    struct json_edit *last = r->nedits ? &r->edits[r->nedits - 1] : NULL;

    if (!kind && last && !last->kind && last->at + last->n == at) {
        last->n += n;
        return;
    }
    r->edits = alloc_grow(r->edits, r->nedits, &r->cap_edits, sizeof *r->edits);
    r->edits[r->nedits++] = (struct json_edit){at, n, kind};
}

/* Leaves out the pairs that lost, now or at the end; returns where the content ends. */
static char *drop_dead(struct json_reader *r, struct json_level *level, char *w)
{
    uint32_t first = level->keys, end = (uint32_t)(w - r->start);
    char *to = r->start + level->head + 1;

    for (uint32_t i = first; i < r->nkeys; i++) {
        uint32_t at = r->keys[i].at & ~JSON_DEAD;
        uint32_t behind = i + 1 < r->nkeys ? r->keys[i + 1].at & ~JSON_DEAD : end;
        bool dead = r->keys[i].at & JSON_DEAD;
        if (r->defer && dead) {
            edit(r, at, behind - at, 0);
        } else if (!r->defer && !dead) {
            memmove(to, r->start + at, behind - at);
            to += behind - at;
        }
    }
    return r->defer ? w : to;
}

char *json_close(struct json_reader *r, struct json_level *level, char *w)
{
    uint32_t live = level->count - level->dead;
    size_t content = (size_t)(w - r->start) - level->head - 1;
    uint8_t kind = level->map ? 0x80 : 0x90;
    char head[8], *end;

    free(level->slots);
    level->slots = NULL;
    if (content > r->budget)
        r->defer = true; /* and from now on: what is around it must not move what is noted in it */
    else
        r->budget -= content;
    if (level->dead)
        w = drop_dead(r, level, w);
    if (r->defer) {
        edit(r, level->head, live, kind);
        return w;
    }
    if (w > r->limit)
        w = json_more(r, w, 0);
    end = level->map ? put_map(head, live) : put_array(head, live);
    content = (size_t)(w - r->start) - level->head - 1;
    if (end - head > 1)
        memmove(r->start + level->head + (end - head), r->start + level->head + 1, content);
    memcpy(r->start + level->head, head, (size_t)(end - head));
    return w + (end - head) - 1;
}

static int by_place(const void *a, const void *b)
{
    uint32_t x = ((const struct json_edit *)a)->at, y = ((const struct json_edit *)b)->at;

    return (x > y) - (x < y);
}

void json_finish_edits(struct json_reader *r)
{
    CLEANUP(buf_free) struct buf done = {0};
    size_t at = 0, n = r->out->n - r->base;

    qsort(r->edits, r->nedits, sizeof *r->edits, by_place);
    buf_room(&done, n + r->nedits * 4);
    for (struct json_edit *e = r->edits; e < r->edits + r->nedits; e++) {
        if (e->at < at)
            continue; /* inside of something left out */
        buf_add(&done, r->start + at, e->at - at);
        at = e->at + (e->kind ? 1 : e->n);
        if (e->kind) {
            char *w = buf_room(&done, 8);
            w = e->kind == 0x80 ? put_map(w, e->n) : put_array(w, e->n);
            done.n = (size_t)(w - done.p);
        }
    }
    buf_add(&done, r->start + at, n - at);
    r->out->n = r->base;
    buf_str(r->out, buf_view(&done));
}
