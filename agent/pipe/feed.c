/* SPDX-License-Identifier: Apache-2.0 */
/* An input's way into the machine: plugin.h's feed_ functions over its lane. */
#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/crc32c.h"
#include "base/io.h"
#include "event/msgpack.h"
#include "pipe/chain.h"
#include "pipe/room.h"
#include "plugin.h"

#include <stdlib.h>

struct loop *feed_loop(const struct feed *f)
{
    return f->lane->loop;
}

struct arena *feed_arena(const struct feed *f)
{
    return f->lane->feed_arena;
}

struct str feed_reason(const struct feed *f)
{
    return str_of(f->lane->reason);
}

static struct id fresh_id(struct lane *l)
{
    return (struct id){l->id_base, ++l->next_id};
}

void lane_encode(struct lane *l, struct value *v)
{
    if (v->raw)
        return;
    buf_clear(&l->scratch);
    msgpack_value(&l->scratch, v);
    *v = value_raw(arena_str(l->arena, buf_view(&l->scratch)));
}

static void remember_id(struct lane *l, struct id id, uint32_t hash)
{
    struct slot *s = l->open;

    s->ids = alloc_grow(s->ids, s->nids, &s->ids_cap, sizeof *s->ids);
    s->ids[s->nids++] = id;
    dedup_write(&s->id_frame, id, hash);
}

/* True: the event is new, or its id says nothing. */
static bool is_new(struct lane *l, struct feed *f, const struct event *ev, enum outcome *outcome)
{
    uint32_t hash = crc32c(0, ev->body.p, ev->body.n);

    switch (dedup_add(store_dedup(l->store), ev->id, hash, io->monotonic())) {
    case DEDUP_NEW:
        remember_id(l, ev->id, hash);
        return true;
    case DEDUP_SEEN:
        l->deduplicated->delta++;
        *outcome = DUPLICATE;
        return false;
    default:
        lane_quarantine(l, f, ev, (struct str){0}, "input", f->unit->name, "Id-Conflict",
                        "the same event id came before with another body");
        *outcome = QUARANTINED;
        return false;
    }
}

static void count_in(struct feed *f, size_t bytes)
{
    struct lane *l = f->lane;

    f->in->delta++;
    l->in->delta++;
    f->records++;
    f->bytes += (int64_t)bytes;
    l->open->events++;
    atomic_fetch_add_explicit(&l->held, 1, memory_order_relaxed);
}

enum outcome feed_push(struct feed *f, struct event *ev, bool client_id)
{
    struct lane *l = f->lane;
    enum outcome outcome = ACCEPTED;
    struct event original;

    if (!ev->tag.n)
        ev->tag = f->unit->common.tag.n ? f->unit->common.tag : str_of(f->unit->name);
    if (ev->meta.type != V_MAP)
        ev->meta = value_map(l->arena);
    ev->arena = l->arena;
    lane_encode(l, &ev->body);
    count_in(f, ev->body.n);
    if (id_none(ev->id)) {
        ev->id = fresh_id(l);
        client_id = false;
    }
    original = *ev;
    if (!client_id || is_new(l, f, ev, &outcome))
        outcome = lane_run(l, f, ev, &original, 0);
    arena_reset(l->arena);
    arena_reset(l->feed_arena);
    return outcome;
}

void feed_reject(struct feed *f, struct str raw, const char *code, const char *text)
{
    count_in(f, raw.n);
    lane_quarantine(f->lane, f, NULL, raw, "input", f->unit->name, code, text);
    metric_add(unit_instance(f->unit)->errors, 1);
}

void feed_position(struct feed *f, struct str key, struct str value)
{
    struct txn *txn = &f->lane->open->txn;

    txn_open(txn);
    image_write_position(&txn->bytes, str_of(f->unit->name), key, value);
    txn_close(txn, FRAME_TAILPOS, 1);
}

struct positions {
    struct str prefix;
    void (*each)(void *arg, struct str key, struct str value);
    void *arg;
};

static void look_at_positions(void *arg, const struct image *image)
{
    struct positions *p = arg;

    for (struct map_entry *e = NULL; (e = map_next(&image->positions, e));) {
        struct str key = e->key;
        struct str input = str_cut(&key, '\0');
        if (str_eq(input, p->prefix))
            p->each(p->arg, key, buf_view(e->value));
    }
}

void feed_positions(struct feed *f, void (*each)(void *arg, struct str key, struct str value), void *arg)
{
    struct positions p = {str_of(f->unit->name), each, arg};

    store_image(f->lane->store, look_at_positions, &p);
}

void feed_commit(struct feed *f, struct commit *c)
{
    struct lane *l = f->lane;

    if (c) {
        c->next = NULL;
        *l->open->last = c;
        l->open->last = &c->next;
    }
    if (l->pending_bytes + l->open->txn.bytes.n >= LANE_FLUSH)
        lane_flush(l);
}

enum room feed_room(const struct feed *f, int *retry_after_seconds)
{
    enum store_room room = f->lane->stopping ? STORE_TROUBLE : room_of(f);

    if (retry_after_seconds)
        *retry_after_seconds = room == STORE_ROOM ? 0 : 1 + (int)(fresh_id(f->lane).lo % 5);
    return room == STORE_ROOM ? ROOM : room == STORE_FULL ? ROOM_QUOTA : ROOM_DISK;
}

const char *feed_durability(const struct feed *f)
{
    return f->lane->durability;
}

void feed_finish(struct feed *f)
{
    struct lane *l = f->lane;
    bool all = true;

    if (f->finished)
        return;
    f->finished = true;
    for (size_t i = 0; i < l->nfeeds; i++)
        if (l->feeds[i].unit->plugin->input->ends_run)
            all &= l->feeds[i].finished;
    if (all && l->finished)
        l->finished(l->finished_arg);
}
