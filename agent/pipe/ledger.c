/* SPDX-License-Identifier: Apache-2.0 */
#include "pipe/ledger.h"

#include "base/alloc.h"
#include "base/cleanup.h"
#include "event/json.h"
#include "pipe/pipeline.h"
#include "pipe/tally.h"
#include "pipe/worker.h"

#include <inttypes.h>

struct look {
    struct ledger *ledger;
    struct worker_totals *totals; /* taken before the image, so that nothing is settled that was not yet routed */
    struct worker **workers;
    size_t nworkers;
};

static struct ledger_output *add_output(struct ledger *l, const char *name)
{
    l->outputs = alloc_resize(l->outputs, (l->noutputs + 1) * sizeof *l->outputs);
    l->outputs[l->noutputs] = (struct ledger_output){.name = alloc_text(name, strlen(name))};
    return &l->outputs[l->noutputs++];
}

static uint64_t routed(const struct image *image, const char *name)
{
    CLEANUP(buf_free) struct buf key = {0};

    buf_fmt(&key, "routed/%s", name);
    return image_counter(image, buf_view(&key));
}

static void read_image(void *arg, const struct image *image)
{
    struct look *look = arg;
    struct ledger *l = look->ledger;

    l->in = image_counter(image, STR(TALLY_IN));
    l->created = image_counter(image, STR(TALLY_CREATED));
    l->filtered = image_counter(image, STR(TALLY_FILTERED));
    l->deduplicated = image_counter(image, STR(TALLY_DEDUPLICATED));
    l->quarantined = image_counter(image, STR(TALLY_QUARANTINED));
    l->dropped = image_counter(image, STR(TALLY_DROPPED));
    l->unrouted = image_counter(image, STR(TALLY_UNROUTED));
    l->logged = image_counter(image, STR(TALLY_LOGGED));
    for (size_t i = 0; i < look->nworkers; i++) {
        const struct worker_totals *t = &look->totals[i];
        const char *name = worker_unit(look->workers[i])->name;
        struct ledger_output *o = add_output(l, name);
        o->routed = routed(image, name);
        o->delivered = t->delivered;
        o->quarantined = t->quarantined;
        o->dropped = t->dropped;
        o->pending = image_owed(image, str_of(name)) - t->consumed;
    }
}

/* Outputs that have a cursor but no worker. */
struct orphans {
    struct ledger *ledger;
    struct store *store;
    bool running; /* the others have workers: these are orphans */
};

static void read_orphan_image(void *arg, const struct image *image)
{
    struct ledger_output *o = arg;

    o->routed = routed(image, o->name);
    o->pending += image_owed(image, str_of(o->name));
}

static void add_orphan(void *arg, struct str output, const struct cursor_state *state)
{
    struct orphans *orphans = arg;
    struct ledger *l = orphans->ledger;
    struct ledger_output *o;
    CLEANUP(buf_free) struct buf name = {0};

    if (output.n && output.p[0] == '!')
        return;
    for (size_t i = 0; i < l->noutputs; i++)
        if (str_eq(str_of(l->outputs[i].name), output))
            return;
    buf_str(&name, output);
    o = add_output(l, buf_text(&name));
    o->orphan = orphans->running;
    o->delivered = state->delivered;
    o->quarantined = state->quarantined;
    o->dropped = state->dropped;
    o->pending = 0 - state->consumed;
    store_image(orphans->store, read_orphan_image, o);
}

static bool balances(const struct ledger *l)
{
    bool balanced = l->in + l->created ==
                    l->filtered + l->deduplicated + l->quarantined + l->dropped + l->unrouted + l->held + l->logged;

    for (size_t i = 0; i < l->noutputs; i++) {
        const struct ledger_output *o = &l->outputs[i];
        balanced &= o->pending <= o->routed; /* below zero it wraps, and the sum would be right again */
        balanced &= o->routed == o->delivered + o->pending + o->quarantined + o->dropped;
    }
    return balanced;
}

void ledger_read(struct pipeline *p, struct ledger *out)
{
    struct look look = {.ledger = out};
    struct orphans orphans = {out, pipeline_store(p), true};

    *out = (struct ledger){0};
    look.nworkers = pipeline_workers(p, &look.workers);
    look.totals = alloc_array(look.nworkers, sizeof *look.totals);
    for (size_t i = 0; i < look.nworkers; i++)
        worker_totals(look.workers[i], &look.totals[i]);
    store_image(pipeline_store(p), read_image, &look);
    cursor_each(pipeline_store(p), add_orphan, &orphans);
    out->held = (uint64_t)pipeline_held(p);
    out->in += out->held;
    out->balanced = balances(out);
    free(look.totals);
}

void ledger_read_store(struct store *store, struct ledger *out)
{
    struct look look = {.ledger = out};
    struct orphans orphans = {out, store, false};

    *out = (struct ledger){0};
    store_image(store, read_image, &look);
    cursor_each(store, add_orphan, &orphans);
    out->balanced = balances(out);
}

void ledger_free(struct ledger *l)
{
    for (size_t i = 0; i < l->noutputs; i++)
        free((char *)l->outputs[i].name);
    free(l->outputs);
    *l = (struct ledger){0};
}

void ledger_json(const struct ledger *l, struct buf *out)
{
    buf_fmt(out,
            "{\"in\":%" PRIu64 ",\"created\":%" PRIu64 ",\"filtered\":%" PRIu64 ",\"deduplicated\":%" PRIu64
            ",\"quarantined\":%" PRIu64 ",\"dropped\":%" PRIu64 ",\"unrouted\":%" PRIu64 ",\"held\":%" PRIu64
            ",\"logged\":%" PRIu64 ",\"outputs\":{",
            l->in, l->created, l->filtered, l->deduplicated, l->quarantined, l->dropped, l->unrouted, l->held,
            l->logged);
    for (size_t i = 0; i < l->noutputs; i++) {
        const struct ledger_output *o = &l->outputs[i];
        if (i)
            buf_char(out, ',');
        json_write_str(out, str_of(o->name));
        buf_fmt(out,
                ":{\"routed\":%" PRIu64 ",\"delivered\":%" PRIu64 ",\"pending\":%" PRIu64 ",\"quarantined\":%" PRIu64
                ",\"dropped\":%" PRIu64 "%s}",
                o->routed, o->delivered, o->pending, o->quarantined, o->dropped, o->orphan ? ",\"orphan\":true" : "");
    }
    buf_fmt(out, "},\"balanced\":%s}\n", l->balanced ? "true" : "false");
}

void ledger_text(const struct ledger *l, struct buf *out)
{
    buf_fmt(
        out,
        "in %" PRIu64 " + created %" PRIu64 " = filtered %" PRIu64 " + deduplicated %" PRIu64 " + quarantined %" PRIu64
        " + dropped %" PRIu64 " + unrouted %" PRIu64 " + held %" PRIu64 " + logged %" PRIu64 "\n",
        l->in, l->created, l->filtered, l->deduplicated, l->quarantined, l->dropped, l->unrouted, l->held, l->logged);
    for (size_t i = 0; i < l->noutputs; i++) {
        const struct ledger_output *o = &l->outputs[i];
        buf_fmt(out,
                "%s: routed %" PRIu64 " = delivered %" PRIu64 " + pending %" PRIu64 " + quarantined %" PRIu64
                " + dropped %" PRIu64 "%s\n",
                o->name, o->routed, o->delivered, o->pending, o->quarantined, o->dropped,
                o->orphan ? " (not in the configuration: it keeps the log; see weir queue forget)" : "");
    }
    buf_fmt(out, l->balanced ? "balanced\n" : "NOT BALANCED\n");
}
