/* SPDX-License-Identifier: Apache-2.0 */
/* One attempt, its verdict, and what follows: the cursor moves, the window is halved, or it waits. */
#include "pipe/worker_state.h"

#include "base/alloc.h"
#include "base/io.h"

#include <stdio.h>
#include <time.h>

void worker_sleep(struct worker *w, int64_t ns)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    ns += until.tv_nsec;
    until.tv_sec += ns / SECOND;
    until.tv_nsec = ns % SECOND;
    pthread_mutex_lock(&w->lock);
    while (w->stopping != STOP && pthread_cond_timedwait(&w->wake, &w->lock, &until) == 0)
        ;
    pthread_mutex_unlock(&w->lock);
}

static void note(struct worker *w, bool holding, bool retrying, const char *why)
{
    pthread_mutex_lock(&w->lock);
    w->totals.holding = holding;
    w->totals.retrying = retrying;
    snprintf(w->totals.why, sizeof w->totals.why, "%s", why);
    pthread_mutex_unlock(&w->lock);
}

/* Full jitter: anything between a tenth and the whole of base * 2^n, at most cap. */
static int64_t back_off(struct worker *w)
{
    int64_t ceiling = w->base;
    uint64_t draw;

    for (unsigned i = 1; i < w->attempts && ceiling < w->cap; i++)
        ceiling *= 2;
    if (ceiling > w->cap)
        ceiling = w->cap;
    io->random(&draw, sizeof draw);
    return ceiling / 10 + (int64_t)(draw % (uint64_t)(ceiling - ceiling / 10 + 1));
}

/* Everything before `number` is settled: on to the next window, or the range is done. */
static void advance(struct worker *w, uint32_t number)
{
    struct delivery *d = &w->delivery;
    bool by_tag = w->unit->plugin->output->by_tag;

    worker_publish(w);
    w->attempts = 0;
    w->dirty = true;
    note(w, false, false, "");
    if (w->known_bad <= number)
        w->known_bad = 0;
    if (number < d->total) {
        uint32_t end = by_tag ? delivery_tag_end(d, number) : d->total;
        /* The rest of a bad window is known to hold the culprit: its half is tried, not the whole again. */
        if (w->known_bad)
            end = number + (w->known_bad - number + 1) / 2;
        delivery_window(d, number, end, store_uuid(w->store), str_of(w->unit->name));
        return;
    }
    w->state.lsn = d->to_lsn;
    w->unsaved_bytes += (int64_t)d->data.n;
    delivery_reset(d, d->to_lsn);
    worker_publish(w);
}

void worker_settle(struct worker *w, uint32_t number)
{
    struct delivery *d = &w->delivery;

    if (!d->settled)
        d->settled = alloc_array(d->total, 1);
    d->settled[number] = 1;
}

static void quarantine_window(struct worker *w, const char *code, const char *why)
{
    struct delivery *d = &w->delivery;

    if (worker_quarantine(w, d->from, d->to, code, why))
        advance(w, d->to);
    else
        worker_sleep(w, back_off(w)); /* the store is in trouble: the window stands, and is tried again */
}

static void rejected(struct worker *w, const char *why)
{
    struct delivery *d = &w->delivery;

    if (d->to - d->from > 1) {
        w->known_bad = d->to;
        w->attempts = 0; /* a child plan of its own, durable before it is sent */
        delivery_window(d, d->from, d->from + (d->to - d->from + 1) / 2, store_uuid(w->store), str_of(w->unit->name));
        return;
    }
    log_warn("event rejected, quarantined", "output", w->unit->name, "why", why);
    quarantine_window(w, "Output-Rejected", why);
}

static void wait_and_retry(struct worker *w, bool hold, const char *why)
{
    struct delivery *d = &w->delivery;
    int64_t wait = d->retry_after ? d->retry_after : hold ? w->cap : back_off(w);
    char text[32];

    metric_add(unit_instance(w->unit)->errors, 1);
    if (hold)
        w->attempts--; /* what someone must mend does not use up the retries */
    if (!hold && w->retry_limit >= 0 && (int64_t)w->attempts > w->retry_limit) {
        metric_add(w->retries_failed, 1);
        log_warn("retry limit reached, events quarantined", "output", w->unit->name, "why", why);
        quarantine_window(w, "Retry-Limit", why);
        return;
    }
    note(w, hold, !hold, why);
    metric_add(w->retries, 1);
    metric_add(w->retried, delivery_unsettled(d));
    snprintf(text, sizeof text, "%.1fs", (double)wait / (double)SECOND);
    if (hold)
        log_error("output holds: someone must mend this, events are kept", "output", w->unit->name, "again_in", text,
                  "why", why);
    else
        log_warn("output will retry", "output", w->unit->name, "again_in", text, "why", why);
    d->retry_after = 0;
    if (w->dirty)
        worker_save_if_due(w);
    worker_sleep(w, wait);
    delivery_rewind(d);
}

/* Those that the plugin named are judged one by one.  How many of them must be tried again, and whether to hold. */
static uint32_t judge_failures(struct worker *w, bool *hold, const char **why)
{
    struct delivery *d = &w->delivery;
    uint32_t waiting = 0;

    for (size_t i = 0; i < d->nfailures; i++) {
        struct failure *f = &d->failures[i];
        if (f->verdict == REJECT && worker_quarantine(w, f->index, f->index + 1, "Output-Rejected", f->why))
            continue;
        if (f->verdict == REJECT)
            f->verdict = RETRY; /* the store is in trouble */
        waiting++;
        *hold |= f->verdict == HOLD;
        *why = f->why;
    }
    return waiting;
}

/* The window was taken, but for the events that the plugin named. */
static void taken(struct worker *w)
{
    struct delivery *d = &w->delivery;
    uint32_t good = delivery_unsettled(d) - (uint32_t)d->nfailures, waiting;
    size_t size = d->data.n / (d->total ? d->total : 1);
    int64_t patience = d->retry_after;
    const char *why = "";
    char text[sizeof d->failures->why];
    bool hold = false;

    waiting = judge_failures(w, &hold, &why);
    w->state.delivered += good;
    w->state.consumed += good;
    metric_add(unit_instance(w->unit)->records, good);
    metric_add(unit_instance(w->unit)->bytes, (int64_t)(good * size));
    if (!waiting) {
        advance(w, d->to);
        return;
    }
    for (uint32_t i = d->from; i < d->to; i++)
        worker_settle(w, i);
    for (size_t i = 0; i < d->nfailures; i++)
        d->settled[d->failures[i].index] = d->failures[i].verdict == REJECT;
    snprintf(text, sizeof text, "%s", why);
    delivery_window(d, d->from, d->to, store_uuid(w->store), str_of(w->unit->name)); /* fewer events: another id */
    d->retry_after = patience;
    w->dirty = w->replan = true;
    worker_publish(w);
    wait_and_retry(w, hold, text);
}

void worker_attempt(struct worker *w)
{
    const struct output *output = w->unit->plugin->output;
    struct err e = {0};
    enum verdict verdict;

    if (!delivery_unsettled(&w->delivery)) { /* the half of a window of which the rest was judged one by one */
        advance(w, w->delivery.to);
        return;
    }
    if (output->planned && (!w->attempts || w->replan) && !worker_save(w)) {
        worker_sleep(w, back_off(w));
        return;
    }
    w->replan = false;
    w->attempts++;
    w->delivery.nfailures = 0;
    verdict = output->write(w->unit->self, &w->delivery, &e);
    switch (verdict) {
    case DONE:
        taken(w);
        break;
    case REJECT:
        rejected(w, e.text);
        break;
    default:
        if (w->stopping != STOP)
            wait_and_retry(w, verdict == HOLD, e.text);
    }
}
