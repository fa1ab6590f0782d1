/* SPDX-License-Identifier: Apache-2.0 */
/* What of the log is an output's own, and where it begins when it has no cursor. */
#include "pipe/worker_state.h"

#include "base/cleanup.h"
#include "event/batch.h"
#include "event/regex.h"

struct known { /* what the image says of the output */
    const char *name;
    uint64_t owed, routed, adopted;
};

static uint64_t counter(const struct image *image, const char *prefix, const char *name)
{
    CLEANUP(buf_free) struct buf key = {0};

    buf_fmt(&key, "%s/%s", prefix, name);
    return image_counter(image, buf_view(&key));
}

static void ask(void *arg, const struct image *image)
{
    struct known *k = arg;

    k->owed = image_owed(image, str_of(k->name));
    k->routed = counter(image, "routed", k->name);
    k->adopted = counter(image, "adopted", k->name);
}

void worker_learn_adopted(struct worker *w)
{
    struct known k = {.name = w->unit->name};
    struct err e;

    store_image(w->store, ask, &k);
    w->adopted_to = k.adopted;
    /* The unit's own belongs to the lane's thread. */
    if (w->unit->common.match_regex.n)
        w->regex = regex_new(w->unit->common.match_regex, &e);
}

bool worker_owns(const struct worker *w, const struct frame *frame)
{
    struct str match = w->unit->common.match;
    struct batch_view view;

    if (!batch_peek(frame->payload, &view))
        return false;
    if (view.route_set < w->nmine && w->mine[view.route_set])
        return true;
    if (frame->first_lsn >= w->adopted_to)
        return false;
    return w->regex ? regex_match(w->regex, view.tag) : match.n && str_match(match, view.tag);
}

/* Events of this output between the oldest that is kept and now. */
static uint64_t kept_events(struct worker *w)
{
    struct log_reader *reader = log_reader_new(store_log(w->store), log_oldest(store_log(w->store)));
    struct frame frame;
    struct err e;
    uint64_t n = 0;

    while (log_reader_next(reader, &frame, &e) == READ_FRAME)
        if (frame.type == FRAME_EVENTS && worker_owns(w, &frame))
            n += frame.records;
    log_reader_free(reader);
    return n;
}

/* from oldest: what is kept becomes its own, and the ledger says so before anything of it is delivered. */
static bool adopt(struct worker *w, struct known *k, struct err *e)
{
    CLEANUP(buf_free) struct buf payload = {0}, name = {0};

    w->adopted_to = log_durable(store_log(w->store));
    k->routed += kept_events(w);
    buf_fmt(&name, "adopted/%s", k->name);
    image_write_ledger(&payload, buf_view(&name), (int64_t)w->adopted_to);
    buf_clear(&name);
    buf_fmt(&name, "routed/%s", k->name);
    image_write_ledger(&payload, buf_view(&name), (int64_t)k->routed);
    return worker_append(w, FRAME_LEDGER, buf_view(&payload)) || err_set(e, "the store takes no writes");
}

bool worker_begin(struct worker *w, struct err *e)
{
    struct log *log = store_log(w->store);
    struct known k = {.name = w->unit->name};
    uint64_t kept;

    store_image(w->store, ask, &k);
    if (!k.owed && !k.adopted) {
        w->state.lsn = log_durable(log);
        w->state.consumed = w->state.delivered = 0;
        if (w->unit->common.from != FROM_OLDEST)
            return true; /* the store has never heard of this output: it begins now */
        if (!adopt(w, &k, e))
            return false;
    } else {
        log_warn("the cursor is gone; the output begins at the oldest event that is kept", "output", w->unit->name);
    }
    kept = kept_events(w);
    w->state.lsn = log_oldest(log);
    w->state.consumed = k.owed - kept;
    w->state.delivered = k.routed - kept;
    return true;
}
