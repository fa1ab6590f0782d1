/* SPDX-License-Identifier: Apache-2.0 */
#include "pipe/worker_state.h"

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/io.h"
#include "base/reader.h"
#include "event/regex.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>

enum { RANGE_BYTES = 1024 * 1024 }; /* a delivery's events, more or less */

void output_wants_checkpoint(const struct instance *i)
{
    struct worker *w = i->machine;

    w->wants_checkpoint = true;
}

/* ---- which route sets name this output ---- */

static void learn(struct worker *w, uint32_t number, bool yes)
{
    if (number >= w->nmine) {
        size_t n = number + 16;
        w->mine = alloc_resize(w->mine, n);
        memset(w->mine + w->nmine, 0, n - w->nmine);
        w->nmine = n;
    }
    w->mine[number] = yes;
}

static void learn_set(struct worker *w, uint32_t number, const struct strs *outputs)
{
    bool yes = false;

    for (size_t i = 0; i < outputs->n; i++)
        yes |= str_eq(outputs->items[i], str_of(w->unit->name));
    learn(w, number, yes);
}

static void learn_image(void *arg, const struct image *image)
{
    struct worker *w = arg;

    for (size_t i = 0; i < image->nroutes; i++)
        learn_set(w, image->routes[i].number, &image->routes[i].outputs);
}

/* ---- life ---- */

static void add_metrics(struct worker *w)
{
    const char *name = w->unit->name;

    w->retries = metric_named(METRIC_COUNTER, "fluentbit_output_retries_total", "Attempts repeated.", "name", name);
    w->retries_failed =
        metric_named(METRIC_COUNTER, "fluentbit_output_retries_failed_total", "Windows given up.", "name", name);
    w->retried = metric_named(METRIC_COUNTER, "fluentbit_output_retried_records_total", "Events in repeated attempts.",
                              "name", name);
    w->dropped = metric_named(METRIC_COUNTER, "fluentbit_output_dropped_records_total", "Events dropped by policy.",
                              "name", name);
}

struct worker *worker_new(struct unit *unit, struct store *store, const struct service *service, struct err *e)
{
    struct worker *w = alloc_new(sizeof *w);
    pthread_condattr_t attr;
    bool fresh;

    w->unit = unit;
    w->store = store;
    w->base = service->scheduler_base;
    w->cap = service->scheduler_cap;
    unit_retry_limit(unit, &w->retry_limit); /* checked when the unit was made */
    pthread_mutex_init(&w->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&w->wake, &attr);
    pthread_condattr_destroy(&attr);
    delivery_init(&w->delivery, &w->stopping);
    unit_instance(unit)->machine = w;
    add_metrics(w);
    w->cursor = cursor_open(store, str_of(unit->name), &w->state, &fresh, e);
    if (!w->cursor) {
        worker_free(w);
        return NULL;
    }
    store_image(store, learn_image, w);
    worker_learn_adopted(w);
    if (fresh || w->state.lost) {
        if (!worker_begin(w, e) || !cursor_save(w->cursor, &w->state, true, e)) {
            worker_free(w);
            return NULL;
        }
    }
    worker_publish(w);
    return w;
}

/* The frames of [lsn, to); without an end (UINT64_MAX) as many as make a range.  *failed: the disk refused before that.
 */
static bool gather(struct worker *w, uint64_t to, bool sorted, bool *failed)
{
    struct delivery *d = &w->delivery;
    struct frame frame;
    struct err e = {0};
    enum log_read got = READ_END;

    delivery_reset(d, w->state.lsn);
    while ((to != UINT64_MAX || d->data.n < RANGE_BYTES) && d->to_lsn < to &&
           (got = log_reader_next(w->reader, &frame, &e)) == READ_FRAME) {
        if (frame.first_lsn >= to) { /* damage has taken the last frame of the range */
            log_reader_seek(w->reader, to);
            d->to_lsn = to;
            break;
        }
        if (frame.type == FRAME_ROUTES) {
            store_image(w->store, learn_image, w);
        } else if (frame.type == FRAME_EVENTS && worker_owns(w, &frame)) {
            if (!d->total)
                d->from_lsn = frame.first_lsn;
            if (delivery_add(d, frame.payload))
                d->parts[d->nparts - 1].lsn = frame.first_lsn;
        }
        d->to_lsn = frame.first_lsn + frame.records;
    }
    /* Damage behind the last frame: the cursor must pass it, or waiting for more would never be waiting. */
    if (got == READ_END && d->to_lsn < to && log_reader_lsn(w->reader) > d->to_lsn)
        d->to_lsn = log_reader_lsn(w->reader);
    *failed = got == READ_ERROR;
    if (*failed) {
        log_error("the log cannot be read, will try again", "output", w->unit->name, "why", e.text);
        worker_sleep(w, SECOND);
    }
    w->sorted = sorted;
    delivery_number(d, sorted);
    return d->total > 0;
}

/* A range without events of ours: the cursor passes it. */
static void pass_over(struct worker *w)
{
    if (w->delivery.to_lsn == w->state.lsn)
        return;
    w->state.lsn = w->delivery.to_lsn;
    w->dirty = true;
    worker_publish(w);
}

static void first_window(struct worker *w)
{
    struct delivery *d = &w->delivery;
    uint32_t end = w->unit->plugin->output->by_tag ? delivery_tag_end(d, 0) : d->total;

    w->attempts = 0;
    w->known_bad = 0;
    w->begun.delivered = w->state.delivered;
    w->begun.quarantined = w->state.quarantined;
    delivery_window(d, 0, end, store_uuid(w->store), str_of(w->unit->name));
}

/* The range is not what it was (damage in the log): from its beginning, and what was counted of it is counted anew. */
static void forget_plan(struct worker *w, uint64_t delivered, uint64_t quarantined)
{
    log_warn("an unfinished delivery is begun anew: the log has lost a part of it", "output", w->unit->name);
    w->state.delivered -= delivered;
    w->state.quarantined -= quarantined;
    w->state.consumed -= delivered + quarantined;
    log_reader_seek(w->reader, w->state.lsn);
    delivery_reset(&w->delivery, w->state.lsn);
    worker_publish(w);
}

/* A plan that an earlier run left open is repeated as it was.  False: it could not be read before the agent ended. */
static bool resume_plan(struct worker *w)
{
    struct reader r = reader_of(buf_view(&w->state.plan.done));
    uint32_t from = (uint32_t)reader_varint(&r), to = (uint32_t)reader_varint(&r), bad = (uint32_t)reader_varint(&r);
    bool sorted = reader_varint(&r) != 0, by_tag = w->unit->plugin->output->by_tag, failed;
    uint64_t delivered = reader_varint(&r), quarantined = reader_varint(&r);
    struct delivery *d = &w->delivery;

    do {
        log_reader_seek(w->reader, w->state.plan.from);
        gather(w, w->state.plan.to, sorted, &failed);
        if (failed && w->stopping == STOP)
            return false;
    } while (failed);
    if (!d->total || r.bad || from >= to || to > d->total) {
        forget_plan(w, delivered, quarantined);
        return true;
    }
    w->begun.delivered = w->state.delivered - delivered;
    w->begun.quarantined = w->state.quarantined - quarantined;
    w->known_bad = bad;
    while (reader_left(&r)) {
        uint64_t number = reader_varint(&r);
        if (number < d->total)
            worker_settle(w, (uint32_t)number);
    }
    /* Another plugin may stand under this name now, which wants one tag at a time. */
    if (by_tag && !sorted && to > delivery_tag_end(d, from))
        to = delivery_tag_end(d, from);
    delivery_window(d, from, to, store_uuid(w->store), str_of(w->unit->name));
    log_info("delivery resumed after a restart", "output", w->unit->name, "id", d->id, "events", log_num(to - from));
    return true;
}

static void tick(struct worker *w)
{
    int64_t now = io->monotonic();

    if (now - w->last_tick >= SECOND) {
        w->last_tick = now;
        if (w->unit->plugin->output->tick)
            w->unit->plugin->output->tick(w->unit->self);
    }
    worker_save_if_due(w);
}

/* Commits in quick succession are looked at once a millisecond, not one by one: a wake-up costs more than a small one
 * of them.  What comes alone is delivered at once. */
static void wait_for_more(struct worker *w, uint64_t at)
{
    int64_t patience = w->dirty || w->unit->plugin->output->tick ? SECOND : 60 * SECOND, now;

    log_wait(store_log(w->store), at, patience, &w->stopping);
    now = io->monotonic();
    if (now - w->last_look < MILLISECOND && !w->stopping)
        worker_sleep(w, MILLISECOND);
    w->last_look = now;
}

static void work(struct worker *w)
{
    struct log *log = store_log(w->store);
    bool failed;

    if (w->state.plan.open && !resume_plan(w))
        return; /* and the cursor stays as it is */
    while (w->stopping != STOP) {
        if (w->delivery.total) {
            worker_attempt(w);
        } else if (gather(w, UINT64_MAX, w->unit->plugin->output->by_tag, &failed)) {
            first_window(w);
        } else {
            uint64_t at = w->delivery.to_lsn;
            pass_over(w);
            if (w->stopping == DRAIN && at >= log_durable(log))
                break;
            if (!w->stopping && !failed)
                wait_for_more(w, at);
        }
        tick(w);
    }
    worker_save(w);
}

static void *run(void *arg)
{
    struct worker *w = arg;

    work(w);
    pthread_mutex_lock(&w->lock);
    w->ended = true;
    pthread_cond_broadcast(&w->wake);
    pthread_mutex_unlock(&w->lock);
    return NULL;
}

bool worker_start(struct worker *w, struct err *e)
{
    const struct output *output = w->unit->plugin->output;

    if (output->start && !output->start(w->unit->self, e))
        return false;
    w->started = true;
    if (output->restore && !output->restore(w->unit->self, buf_view(&w->state.output), e))
        return false;
    w->reader = log_reader_new(store_log(w->store), w->state.lsn);
    if (pthread_create(&w->thread, NULL, run, w))
        return err_set(e, "no thread for output %s", w->unit->name);
    return w->running = true;
}

static void stopping(struct worker *w, int how)
{
    w->stopping = how;
    pthread_mutex_lock(&w->lock);
    pthread_cond_broadcast(&w->wake);
    pthread_mutex_unlock(&w->lock);
    log_wake(store_log(w->store));
}

void worker_drain(struct worker *w)
{
    stopping(w, DRAIN);
}

void worker_stop(struct worker *w)
{
    stopping(w, STOP);
}

bool worker_join(struct worker *w, int64_t timeout)
{
    struct timespec until;
    bool ended;

    if (!w->running || w->joined)
        return true;
    clock_gettime(CLOCK_MONOTONIC, &until);
    timeout += until.tv_nsec;
    until.tv_sec += timeout / SECOND;
    until.tv_nsec = timeout % SECOND;
    pthread_mutex_lock(&w->lock);
    while (!w->ended && pthread_cond_timedwait(&w->wake, &w->lock, &until) == 0)
        ;
    ended = w->ended;
    pthread_mutex_unlock(&w->lock);
    if (!ended)
        return false;
    pthread_join(w->thread, NULL);
    w->joined = true;
    return true;
}

void worker_free(struct worker *w)
{
    if (!w)
        return;
    if (w->started && w->unit->plugin->output->stop)
        w->unit->plugin->output->stop(w->unit->self);
    if (w->reader)
        log_reader_free(w->reader);
    if (w->cursor)
        cursor_close(w->cursor);
    cursor_state_free(&w->state);
    delivery_free(&w->delivery);
    free(w->mine);
    regex_free(w->regex);
    pthread_mutex_destroy(&w->lock);
    pthread_cond_destroy(&w->wake);
    free(w);
}

struct unit *worker_unit(const struct worker *w)
{
    return w->unit;
}

void worker_totals(struct worker *w, struct worker_totals *out)
{
    pthread_mutex_lock(&w->lock);
    *out = w->totals;
    pthread_mutex_unlock(&w->lock);
}
