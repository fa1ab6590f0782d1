/* SPDX-License-Identifier: Apache-2.0 */
#include "pipe/worker_state.h"

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/io.h"
#include "base/reader.h"

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

static bool is_mine(const struct worker *w, struct str payload)
{
    struct batch_view view;

    return batch_view(payload, &view) && view.route_set < w->nmine && w->mine[view.route_set];
}

/* ---- where to begin ---- */

struct owed {
    struct str name;
    uint64_t events;
};

static void ask_owed(void *arg, const struct image *image)
{
    struct owed *o = arg;

    o->events = image_owed(image, o->name);
}

/* Events of this output between the oldest that is kept and now. */
static uint64_t kept_events(struct worker *w)
{
    struct log_reader *reader = log_reader_new(store_log(w->store), log_oldest(store_log(w->store)));
    struct frame frame;
    struct err e;
    uint64_t n = 0;

    while (log_reader_next(reader, &frame, &e) == READ_FRAME)
        if (frame.type == FRAME_EVENTS && is_mine(w, frame.payload))
            n += frame.records;
    log_reader_free(reader);
    return n;
}

static void begin(struct worker *w)
{
    struct owed owed = {str_of(w->unit->name), 0};
    struct log *log = store_log(w->store);

    store_image(w->store, ask_owed, &owed);
    w->state.lsn = log_durable(log);
    w->state.consumed = w->state.delivered = owed.events;
    if (!owed.events)
        return; /* the store has never heard of this output: it begins now */
    log_warn("the cursor is gone; the output begins at the oldest event that is kept", "output", w->unit->name);
    w->state.lsn = log_oldest(log);
    w->state.consumed = w->state.delivered = owed.events - kept_events(w);
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
    if (fresh || w->state.lost) {
        begin(w);
        if (!cursor_save(w->cursor, &w->state, true, e)) {
            worker_free(w);
            return NULL;
        }
    }
    worker_publish(w);
    return w;
}

/* The frames of [lsn, to), or as many as make a range. */
static bool gather(struct worker *w, uint64_t to)
{
    struct delivery *d = &w->delivery;
    struct frame frame;
    struct err e = {0};
    enum log_read got = READ_END;

    delivery_reset(d, w->state.lsn);
    while (d->data.n < RANGE_BYTES && d->to_lsn < to && (got = log_reader_next(w->reader, &frame, &e)) == READ_FRAME) {
        if (frame.type == FRAME_ROUTES) {
            store_image(w->store, learn_image, w);
        } else if (frame.type == FRAME_EVENTS && is_mine(w, frame.payload)) {
            if (!d->total)
                d->from_lsn = frame.first_lsn;
            delivery_add(d, frame.payload);
        }
        d->to_lsn = frame.first_lsn + frame.records;
    }
    if (got == READ_ERROR) {
        log_error("the log cannot be read, will try again", "output", w->unit->name, "why", e.text);
        worker_sleep(w, SECOND);
    }
    delivery_number(d, w->unit->plugin->output->by_tag);
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
    delivery_window(d, 0, end, store_uuid(w->store), str_of(w->unit->name));
}

/* A plan that an earlier run left open is repeated as it was. */
static void resume_plan(struct worker *w)
{
    struct reader r = reader_of(buf_view(&w->state.plan.done));
    uint32_t from = (uint32_t)reader_varint(&r), to = (uint32_t)reader_varint(&r), bad = (uint32_t)reader_varint(&r);
    struct delivery *d = &w->delivery;

    log_reader_seek(w->reader, w->state.plan.from);
    if (!gather(w, w->state.plan.to) || r.bad || from >= to || to > d->total) {
        log_reader_seek(w->reader, w->state.lsn);
        delivery_reset(d, w->state.lsn);
        return;
    }
    w->known_bad = bad;
    while (reader_left(&r)) {
        uint64_t number = reader_varint(&r);
        if (number < d->total)
            worker_settle(w, (uint32_t)number);
    }
    delivery_window(d, from, to, store_uuid(w->store), str_of(w->unit->name));
    log_info("delivery resumed after a restart", "output", w->unit->name, "id", d->id, "events", log_num(to - from));
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

static void *run(void *arg)
{
    struct worker *w = arg;
    struct log *log = store_log(w->store);

    if (w->state.plan.open)
        resume_plan(w);
    while (w->stopping != STOP) {
        if (w->delivery.total) {
            worker_attempt(w);
        } else if (gather(w, UINT64_MAX)) {
            first_window(w);
        } else {
            uint64_t at = w->delivery.to_lsn;
            pass_over(w);
            if (w->stopping == DRAIN && at >= log_durable(log))
                break;
            if (!w->stopping)
                log_wait(log, at, w->dirty || w->unit->plugin->output->tick ? SECOND : 60 * SECOND, &w->stopping);
        }
        tick(w);
    }
    worker_save(w);
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
    w->joined = false;
    return true;
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

    if (!w->reader || w->joined)
        return true;
    clock_gettime(CLOCK_REALTIME, &until);
    timeout += until.tv_nsec;
    until.tv_sec += timeout / SECOND;
    until.tv_nsec = timeout % SECOND;
    if (pthread_timedjoin_np(w->thread, NULL, &until) == ETIMEDOUT)
        return false;
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
