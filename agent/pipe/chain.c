/* SPDX-License-Identifier: Apache-2.0 */
#include "pipe/chain.h"

#include "base/io.h"
#include "event/msgpack.h"
#include "plugin.h"

#include <stdio.h>

void filter_emit(struct emit *out, const struct event *ev)
{
    struct emitted *copy = arena_zero(out->lane->arena, sizeof *copy);

    copy->event = *ev;
    copy->event.arena = out->lane->arena;
    copy->event.tag = arena_str(out->lane->arena, ev->tag);
    copy->event.body = value_copy(&ev->body, out->lane->arena);
    copy->event.meta = value_copy(&ev->meta, out->lane->arena);
    lane_encode(out->lane, &copy->event.body);
    lane_encode(out->lane, &copy->event.meta);
    copy->event.id = event_child_id(out->parent, ++out->children);
    *out->last = copy;
    out->last = &copy->next;
}

enum pass filter_fail(struct emit *out, const char *code, const char *text)
{
    out->code = code;
    snprintf(out->text, sizeof out->text, "%s", text);
    switch (out->filter->common.on_error) {
    case ON_ERROR_DROP:
        return DISCARD;
    case ON_ERROR_PASS:
        return KEEP;
    default:
        return QUARANTINE;
    }
}

static void log_event_of(struct lane *l, struct route *r, const struct event *ev)
{
    size_t before = batch_bytes(r->open), after;

    batch_add(r->open, ev);
    after = batch_bytes(r->open);
    l->logged->delta++;
    for (size_t i = 0; i < r->noutputs; i++)
        r->routed[i]->delta++;
    l->pending_bytes += after - before;
    if (after >= LANE_FLUSH)
        lane_seal(l, r);
}

/* The index of the first filter of the route that stands behind `filter`, which another tag's route may not have. */
static size_t first_behind(const struct lane *l, const struct route *r, const struct unit *filter)
{
    size_t next = 0;

    for (size_t i = 0; i < l->nfilters; i++) {
        next += next < r->nfilters && r->filters[next] == l->filters[i];
        if (l->filters[i] == filter)
            break;
    }
    return next;
}

/* The children of a filter go on behind it, in order, after their parent. */
static void run_emitted(struct lane *l, struct feed *f, struct emit *out)
{
    for (struct emitted *e = out->first; e; e = e->next) {
        struct event original = e->event;
        l->created->delta++;
        lane_run(l, f, &e->event, &original, first_behind(l, lane_route(l, e->event.tag), out->filter));
    }
}

static enum outcome settle(struct lane *l, struct feed *f, const struct event *original, enum pass pass,
                           struct emit *out)
{
    struct instance *filter = unit_instance(out->filter);

    switch (pass) {
    case DROP:
        l->filtered->delta++;
        metric_add(filter->bytes, 1);
        return FILTERED;
    case DISCARD:
        l->dropped->delta++;
        metric_add(filter->errors, 1);
        return DROPPED;
    default:
        metric_add(filter->errors, 1);
        lane_quarantine(l, f, original, (struct str){0}, "filter", out->filter->name,
                        out->code ? out->code : "Filter-Failed", out->text);
        return QUARANTINED;
    }
}

enum outcome lane_run(struct lane *l, struct feed *f, struct event *ev, const struct event *original, size_t from)
{
    struct route *r = lane_route(l, ev->tag);

    for (size_t i = from; i < r->nfilters; i++) {
        struct unit *filter = r->filters[i];
        struct emit out = {.lane = l, .filter = filter, .parent = ev->id};
        enum pass pass;
        enum outcome outcome = ACCEPTED;
        out.last = &out.first;
        out.text[0] = 0;
        filter->seen++;
        pass = filter->plugin->filter->apply(filter->self, ev, &out);
        if (pass != KEEP)
            outcome = settle(l, f, original, pass, &out);
        if (pass == QUARANTINE || (pass == DISCARD && out.code))
            return outcome; /* what a failed rule emitted goes with its event: a replay makes it again */
        if (out.first) {
            if (pass == KEEP)
                outcome = lane_run(l, f, ev, original, i + 1);
            run_emitted(l, f, &out);
            return outcome;
        }
        if (pass != KEEP)
            return outcome;
    }
    if (!r->set) {
        l->unrouted->delta++;
        return UNROUTED;
    }
    log_event_of(l, r, ev);
    return ACCEPTED;
}

/* The event as it came, for a replay through the rules. */
static void encode_original(struct buf *out, const struct event *ev)
{
    msgpack_array(out, 2);
    msgpack_array(out, 2);
    msgpack_time(out, ev->time);
    msgpack_value(out, &ev->meta);
    msgpack_value(out, &ev->body);
}

void lane_quarantine(struct lane *l, struct feed *f, const struct event *original, struct str raw, const char *stage,
                     const char *plugin, const char *code, const char *text)
{
    struct buf plain = {0}, listing = {0}, payload = {0};
    struct quarantine_entry entry = {
        .time = io->wall(),
        .stage = str_of(stage),
        .plugin = str_of(plugin),
        .input = str_of(f->unit->name),
        .code = str_of(code),
        .text = str_of(text),
        .attempts = 1,
    };

    entry.id = (struct id){l->id_base ^ UINT64_C(0x71756172), ++l->next_id};
    if (original) {
        struct event shown = *original;
        entry.event_id = original->id;
        entry.tag = original->tag;
        encode_original(&plain, original);
        quarantine_describe(&listing, &shown);
        entry.kind = QUARANTINE_EVENT;
    } else {
        buf_fmt(&listing, "%zu bytes", raw.n);
        buf_str(&plain, raw);
        entry.tag = f->unit->common.tag.n ? f->unit->common.tag : str_of(f->unit->name);
        entry.kind = QUARANTINE_BYTES;
    }
    entry.listing = buf_view(&listing);
    if (l->key) {
        quarantine_seal(l->key, buf_view(&plain), &payload);
        entry.sealed = true;
        entry.payload = buf_view(&payload);
    } else {
        entry.kind = QUARANTINE_NONE;
    }
    txn_open(&l->open->txn);
    quarantine_write(&l->open->txn.bytes, &entry);
    txn_close(&l->open->txn, FRAME_QUARANTINE, 1);
    l->quarantined->delta++;
    snprintf(l->reason, sizeof l->reason, "%s: %s", code, text);
    if (plain.p)
        explicit_bzero(plain.p, plain.n);
    buf_free(&plain);
    buf_free(&listing);
    buf_free(&payload);
}
