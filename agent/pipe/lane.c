/* SPDX-License-Identifier: Apache-2.0 */
#include "pipe/lane.h"

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/io.h"
#include "pipe/room.h"

/* What is kept for the next transactions; a burst, or one large request, is not paid for ever. */
enum { SLOT_KEEP = 2 * 1024 * 1024, SLOTS_SPARE = 16, BATCH_KEEP = 16 * 1024, FEW_TAGS = 64 };

static struct slot *slot_take(struct lane *l)
{
    struct slot *s = l->spare;

    if (s) {
        l->spare = s->next;
        l->nspare--;
    } else
        s = alloc_new(sizeof *s);
    s->lane = l;
    s->first = NULL;
    s->last = &s->first;
    s->nids = 0;
    s->events = 0;
    s->next = NULL;
    buf_clear(&s->id_frame);
    txn_clear(&s->txn);
    s->txn.fence = &l->failed;
    s->txn.fence_at = l->failed_heard;
    return s;
}

static void slot_free(struct slot *s)
{
    txn_free(&s->txn);
    buf_free(&s->id_frame);
    free(s->ids);
    free(s);
}

static void run_commits(struct commit *c, bool durable)
{
    while (c) {
        struct commit *next = c->next;
        c->done(c, durable);
        c = next;
    }
}

/* On the lane's thread, in the order of the log. */
static void slot_answered(struct letter *m)
{
    struct slot *s = container_of(m, struct slot, letter);
    struct lane *l = s->lane;

    if (!s->durable) {
        /* Until here this thread has built on what is lost (ids, route sets, positions): the log refuses that too. */
        l->failed_heard++;
        if (!l->open->events && !l->open->txn.frames) /* nothing in it was built before */
            l->open->txn.fence_at = l->failed_heard;
        for (size_t i = 0; i < s->nids; i++)
            dedup_forget(store_dedup(l->store), s->ids[i]);
        route_sets_undeclare(l->sets);
    }
    l->in_flight--;
    if (l->last_in_flight == s)
        l->last_in_flight = NULL;
    if (l->limited) /* only now it is a part of the outputs' backlogs */
        room_check(l);
    if (!l->silent)
        run_commits(s->first, s->durable);
    if (s->txn.bytes.cap > SLOT_KEEP || l->nspare == SLOTS_SPARE) {
        slot_free(s);
        return;
    }
    l->nspare++;
    s->next = l->spare;
    l->spare = s;
}

/* On the log's thread. */
static void slot_done(struct txn *txn, bool durable)
{
    struct slot *s = container_of(txn, struct slot, txn);

    s->durable = durable;
    atomic_fetch_sub_explicit(&s->lane->held, s->events, memory_order_relaxed); /* the image has them now */
    s->lane->failed += !durable;
    s->letter.open = slot_answered;
    loop_post(s->lane->loop, &s->letter);
}

static void publish_metrics(struct lane *l)
{
    for (size_t i = 0; i < l->nfeeds; i++) {
        struct feed *f = &l->feeds[i];
        struct instance *instance = unit_instance(f->unit);
        if (!f->records)
            continue;
        metric_add(instance->records, f->records);
        metric_add(instance->bytes, f->bytes);
        f->records = f->bytes = 0;
    }
    for (size_t i = 0; i < l->nfilters; i++) {
        struct unit *filter = l->filters[i];
        if (filter->seen)
            metric_add(unit_instance(filter)->records, filter->seen);
        filter->seen = 0;
    }
}

static void empty_routes(struct lane *l)
{
    for (struct map_entry *e = NULL; (e = map_next(&l->routes, e));)
        route_free(e->value);
    map_free(&l->routes);
    l->last_route = NULL;
}

/* What is open becomes one transaction of the log. */
void lane_flush(struct lane *l)
{
    struct slot *s = l->open;

    for (struct map_entry *e = NULL; l->pending_bytes && (e = map_next(&l->routes, e));) {
        struct route *r = e->value;
        if (r->open && batch_count(r->open))
            lane_seal(l, r);
    }
    if (s->id_frame.n)
        txn_add(&s->txn, FRAME_IDS, (uint32_t)s->nids, buf_view(&s->id_frame));
    tally_write(&l->tally, &s->txn);
    publish_metrics(l);
    l->pending_bytes = 0;
    if (s->txn.frames) {
        l->open = slot_take(l);
        l->in_flight++;
        l->last_in_flight = s;
        s->txn.done = slot_done;
        log_append(store_log(l->store), &s->txn);
        room_check(l);
    } else if (s->first) {
        /* Nothing was pushed, but what was pushed before may still be on its way: the answer keeps its place. */
        struct commit *first = s->first, **last = s->last;
        s->first = NULL;
        s->last = &s->first;
        if (l->last_in_flight) {
            *l->last_in_flight->last = first;
            l->last_in_flight->last = last;
        } else {
            run_commits(first, true);
        }
    }
    if (l->routes.live > LANE_TAGS)
        empty_routes(l);
}

void lane_seal(struct lane *l, struct route *r)
{
    struct txn *txn = &l->open->txn;
    uint32_t n = batch_count(r->open);
    bool large;

    route_sets_declare(l->sets, r->set, txn);
    txn_open(txn);
    large = batch_bytes(r->open) > BATCH_KEEP;
    batch_seal(r->open, &txn->bytes);
    txn_close(txn, FRAME_EVENTS, n);
    if (large && l->routes.live > FEW_TAGS) { /* thousands of tags with a large buffer each are too many bytes */
        batch_free(r->open);
        r->open = batch_new(r->tag, r->set, 0);
    }
}

static void after_round(struct hook *h)
{
    struct lane *l = container_of(h, struct lane, hook);

    if (l->open->first || l->open->txn.frames || l->pending_bytes || l->open->events)
        lane_flush(l);
}

struct route *lane_route(struct lane *l, struct str tag)
{
    struct route *r = l->last_route;

    if (r && str_eq(r->tag, tag))
        return r;
    r = map_get(&l->routes, tag);
    if (!r) {
        r = route_new(tag, l->filters, l->nfilters, l->outputs, l->noutputs, l->sets, &l->tally);
        map_set(&l->routes, tag, r);
    }
    return l->last_route = r;
}

void lane_init(struct lane *l)
{
    l->loop = loop_new();
    l->arena = arena_new();
    l->feed_arena = arena_new();
    l->sets = route_sets_new();
    l->in = tally_counter(&l->tally, TALLY_IN, NULL);
    l->created = tally_counter(&l->tally, TALLY_CREATED, NULL);
    l->filtered = tally_counter(&l->tally, TALLY_FILTERED, NULL);
    l->deduplicated = tally_counter(&l->tally, TALLY_DEDUPLICATED, NULL);
    l->quarantined = tally_counter(&l->tally, TALLY_QUARANTINED, NULL);
    l->dropped = tally_counter(&l->tally, TALLY_DROPPED, NULL);
    l->unrouted = tally_counter(&l->tally, TALLY_UNROUTED, NULL);
    l->logged = tally_counter(&l->tally, TALLY_LOGGED, NULL);
    l->open = slot_take(l);
    io->random(&l->id_base, sizeof l->id_base);
    l->hook.round = after_round;
    loop_after_round(l->loop, &l->hook);
}

void lane_free(struct lane *l)
{
    empty_routes(l);
    if (l->loop)
        loop_free(l->loop);
    if (l->open)
        slot_free(l->open);
    while (l->spare) {
        struct slot *next = l->spare->next;
        slot_free(l->spare);
        l->spare = next;
    }
    for (size_t i = 0; i < l->nfilters; i++)
        unit_free(l->filters[i]);
    free(l->filters);
    for (size_t i = 0; i < l->nfeeds; i++)
        free(l->feeds[i].fills);
    free(l->feeds);
    route_sets_free(l->sets);
    tally_free(&l->tally);
    arena_free(l->arena);
    arena_free(l->feed_arena);
    buf_free(&l->scratch);
}
