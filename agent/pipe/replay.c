/* SPDX-License-Identifier: Apache-2.0 */
/* What was quarantined, sent through the rules again. */
#include "pipe/chain.h"
#include "pipe/ingest.h"

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/io.h"
#include "event/msgpack.h"

struct replay {
    struct letter letter;
    struct commit commit;
    struct lane *lane;
    struct replay_item *items;
    size_t n;
    pthread_mutex_t lock;
    pthread_cond_t done;
    bool finished, durable;
};

static bool decode(const struct replay_item *item, struct event *ev)
{
    struct value outer, head, time;
    struct str body, inner;
    size_t n;

    if (!msgpack_check(item->encoded, true, NULL) || !msgpack_read(item->encoded, &outer) || outer.type != V_ARRAY)
        return false;
    if (msgpack_members(value_bytes(&outer), &body) != 2)
        return false;
    n = msgpack_read(body, &head);
    if (head.type != V_ARRAY || msgpack_members(value_bytes(&head), &inner) != 2)
        return false;
    msgpack_read(str_from(body, n), &ev->body);
    n = msgpack_read(inner, &time);
    msgpack_read(str_from(inner, n), &ev->meta);
    ev->tag = item->tag;
    ev->id = item->event_id;
    return msgpack_read_time(&time, &ev->time) && ev->body.type == V_MAP && ev->meta.type == V_MAP;
}

static struct feed *feed_of(struct lane *l, struct str input)
{
    for (size_t i = 0; i < l->nfeeds; i++)
        if (str_eq(str_of(l->feeds[i].unit->name), input))
            return &l->feeds[i];
    return l->nfeeds ? &l->feeds[0] : NULL;
}

static struct unit **output_of(struct lane *l, struct str name)
{
    for (size_t i = 0; i < l->noutputs; i++)
        if (str_eq(str_of(l->outputs[i]->name), name))
            return &l->outputs[i];
    return NULL;
}

/* Only the output that rejected it owes it again. */
static void to_one_output(struct lane *l, struct unit **output, struct event *ev)
{
    uint32_t set = route_sets_number(l->sets, output, 1);
    struct batch *b = batch_new(ev->tag, set, 0);

    route_sets_declare(l->sets, set, &l->open->txn);
    batch_add(b, ev);
    txn_open(&l->open->txn);
    batch_seal(b, &l->open->txn.bytes);
    txn_close(&l->open->txn, FRAME_EVENTS, 1);
    batch_free(b);
    l->logged->delta++;
    tally_counter(&l->tally, "routed", (*output)->name)->delta++;
}

static void replay_one(struct lane *l, struct replay_item *item)
{
    struct event ev = {.arena = l->arena};
    struct feed *f = feed_of(l, item->input);
    struct unit **output = item->output.n ? output_of(l, item->output) : NULL;
    struct event original;
    struct id mark = {item->entry.hi, ~item->entry.lo};

    /* Where its output is gone it stays in quarantine: nothing may be remembered of this attempt. */
    if (!f || (item->output.n && !output) || !decode(item, &ev))
        return;
    /* An agent that dies between the commit and the mark in the file must not count it again. */
    item->taken = true;
    if (dedup_add(store_dedup(l->store), mark, 0, io->monotonic()) != DEDUP_NEW)
        return;
    l->open->ids = alloc_grow(l->open->ids, l->open->nids, &l->open->ids_cap, sizeof *l->open->ids);
    l->open->ids[l->open->nids++] = mark;
    dedup_write(&l->open->id_frame, mark, 0);
    l->created->delta++;
    if (output) {
        to_one_output(l, output, &ev);
    } else {
        original = ev;
        lane_run(l, f, &ev, &original, 0);
    }
    arena_reset(l->arena);
}

static void replay_done(struct commit *c, bool durable)
{
    struct replay *r = container_of(c, struct replay, commit);

    pthread_mutex_lock(&r->lock);
    r->finished = true;
    r->durable = durable;
    pthread_cond_signal(&r->done);
    pthread_mutex_unlock(&r->lock);
}

static void replay_all(struct letter *m)
{
    struct replay *r = container_of(m, struct replay, letter);
    struct lane *l = r->lane;

    for (size_t i = 0; i < r->n; i++)
        replay_one(l, &r->items[i]);
    r->commit.done = replay_done;
    r->commit.next = NULL;
    *l->open->last = &r->commit;
    l->open->last = &r->commit.next;
    lane_flush(l);
}

void ingest_replay(struct lane *l, struct replay_item *items, size_t n)
{
    struct replay r = {
        .lane = l, .items = items, .n = n, .lock = PTHREAD_MUTEX_INITIALIZER, .done = PTHREAD_COND_INITIALIZER};

    r.letter.open = replay_all;
    loop_post(l->loop, &r.letter);
    pthread_mutex_lock(&r.lock);
    while (!r.finished)
        pthread_cond_wait(&r.done, &r.lock);
    pthread_mutex_unlock(&r.lock);
    for (size_t i = 0; i < n && !r.durable; i++)
        items[i].taken = false;
}
