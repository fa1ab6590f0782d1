/* SPDX-License-Identifier: Apache-2.0 */
#include "pipe/worker_state.h"

#include "base/cleanup.h"
#include "base/io.h"
#include "base/reader.h"

#include <stdio.h>

enum { SAVE_BYTES = 64 * 1024 * 1024 }; /* delivered since the last durable cursor */

void worker_publish(struct worker *w)
{
    pthread_mutex_lock(&w->lock);
    w->totals.lsn = w->state.lsn;
    w->totals.consumed = w->state.consumed;
    w->totals.delivered = w->state.delivered;
    w->totals.quarantined = w->state.quarantined;
    w->totals.dropped = w->state.dropped;
    pthread_mutex_unlock(&w->lock);
}

/* The range that is being delivered, its window, and which of its events were judged one by one. */
static void describe_plan(struct worker *w)
{
    const struct delivery *d = &w->delivery;
    struct buf *done = &w->state.plan.done;

    buf_clear(done);
    w->state.plan.open = d->total > 0;
    if (!d->total)
        return;
    w->state.plan.from = d->from_lsn;
    w->state.plan.to = d->to_lsn;
    id_parse(str_of(d->id), &w->state.plan.id);
    buf_varint(done, d->from);
    buf_varint(done, d->to);
    buf_varint(done, w->known_bad);
    buf_varint(done, w->sorted);
    buf_varint(done, w->state.delivered - w->begun.delivered);
    buf_varint(done, w->state.quarantined - w->begun.quarantined);
    for (uint32_t i = d->from; d->settled && i < d->to; i++)
        if (d->settled[i])
            buf_varint(done, i);
}

static bool save(struct worker *w)
{
    const struct output *output = w->unit->plugin->output;
    struct err e = {0};

    describe_plan(w);
    if (output->checkpoint) {
        buf_clear(&w->state.output);
        if (!output->checkpoint(w->unit->self, &w->state.output, &e)) {
            log_error("output cannot make its files durable, will try again", "output", w->unit->name, "why", e.text);
            return false;
        }
    }
    if (!cursor_save(w->cursor, &w->state, true, &e)) {
        log_error("cursor cannot be saved, will try again", "output", w->unit->name, "why", e.text);
        return false;
    }
    if (output->settled)
        output->settled(w->unit->self);
    return true;
}

bool worker_save(struct worker *w)
{
    w->last_save = io->monotonic();
    w->wants_checkpoint = false;
    if (!save(w))
        return false;
    w->dirty = false;
    w->unsaved_bytes = 0;
    store_trim(w->store);
    return true;
}

void worker_save_if_due(struct worker *w)
{
    int64_t now = io->monotonic();

    if (w->wants_checkpoint || (w->dirty && (now - w->last_save >= SECOND || w->unsaved_bytes >= SAVE_BYTES)))
        worker_save(w);
}

struct waiting {
    struct txn txn;
    pthread_mutex_t lock;
    pthread_cond_t moved;
    int answer; /* 0 not yet, 1 durable, -1 lost */
};

static void answered(struct txn *txn, bool durable)
{
    struct waiting *wait = container_of(txn, struct waiting, txn);

    pthread_mutex_lock(&wait->lock);
    wait->answer = durable ? 1 : -1;
    pthread_cond_signal(&wait->moved);
    pthread_mutex_unlock(&wait->lock);
}

static bool append_and_wait(struct worker *w, struct waiting *wait)
{
    bool durable;

    wait->txn.done = answered;
    log_append(store_log(w->store), &wait->txn);
    pthread_mutex_lock(&wait->lock);
    while (!wait->answer)
        pthread_cond_wait(&wait->moved, &wait->lock);
    durable = wait->answer > 0;
    pthread_mutex_unlock(&wait->lock);
    return durable;
}

bool worker_append(struct worker *w, enum frame_type type, struct str payload)
{
    struct waiting wait = {.lock = PTHREAD_MUTEX_INITIALIZER, .moved = PTHREAD_COND_INITIALIZER};
    bool durable;

    txn_add(&wait.txn, type, 1, payload);
    durable = append_and_wait(w, &wait);
    txn_free(&wait.txn);
    return durable;
}

/* The event is stored as it was logged: it is redacted already.  The entry's id comes from the event's place in the
 * log, which no later range changes, so that doing it again after a crash changes nothing. */
static void add_entry(struct worker *w, struct txn *txn, uint32_t number, const char *code, const char *why)
{
    struct delivery one = w->delivery;
    struct batch_cursor raw;
    const struct part *part;
    struct event ev = {0};
    struct str encoded = {0};
    CLEANUP(buf_free) struct buf listing = {0}, name = {0};

    one.settled = NULL;
    one.from = number;
    one.to = number + 1;
    delivery_rewind(&one);
    part = &one.parts[one.part];
    raw = one.cursor;
    batch_next_raw(&raw, &encoded);
    delivery_next(&one, &ev);
    quarantine_describe(&listing, &ev);
    buf_fmt(&name, "%s/%llu/%u", w->unit->name, (unsigned long long)part->lsn, number - part->first);
    txn_open(txn);
    quarantine_write(&txn->bytes, &(struct quarantine_entry){
                                      .id = hash_128(buf_view(&name), &(struct id){store_uuid(w->store).hi, 2}),
                                      .event_id = ev.id,
                                      .time = io->wall(),
                                      .stage = STR("output"),
                                      .plugin = str_of(w->unit->name),
                                      .tag = ev.tag,
                                      .code = str_of(code),
                                      .text = str_of(why),
                                      .listing = buf_view(&listing),
                                      .attempts = w->attempts,
                                      .kind = QUARANTINE_EVENT,
                                      .payload = encoded,
                                  });
    txn_close(txn, FRAME_QUARANTINE, 1);
}

bool worker_quarantine(struct worker *w, uint32_t from, uint32_t to, const char *code, const char *why)
{
    struct waiting wait = {.lock = PTHREAD_MUTEX_INITIALIZER, .moved = PTHREAD_COND_INITIALIZER};
    const uint8_t *settled = w->delivery.settled;
    bool durable;

    for (uint32_t i = from; i < to; i++)
        if (!settled || !settled[i])
            add_entry(w, &wait.txn, i, code, why);
    durable = !wait.txn.frames || append_and_wait(w, &wait);
    txn_free(&wait.txn);
    for (uint32_t i = from; durable && i < to; i++) {
        if (settled && settled[i])
            continue;
        worker_settle(w, i);
        settled = w->delivery.settled;
        w->state.quarantined++;
        w->state.consumed++;
    }
    return durable;
}
