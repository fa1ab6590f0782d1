/* SPDX-License-Identifier: Apache-2.0 */
#include "pipe/room.h"

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/io.h"
#include "base/log.h"
#include "pipe/worker.h"

enum { LOW_PERCENT = 80 }; /* of the limit: below it a full output takes again */

void room_init(struct lane *l, const struct build *b)
{
    for (size_t i = 0; i < b->noutputs; i++)
        l->limited |= b->outputs[i]->common.total_limit_size > 0;
    for (size_t i = 0; l->limited && i < l->nfeeds; i++) {
        l->feeds[i].fills = alloc_array(b->noutputs, sizeof(bool));
        for (size_t j = 0; j < b->noutputs; j++)
            l->feeds[i].fills[j] =
                b->outputs[j]->common.total_limit_size > 0 && build_may_reach(b->inputs[i], b->outputs[j]);
    }
}

/* The backlog: all of the log from its cursor on, for that is what the output keeps from being given back. */
static bool is_over(struct lane *l, struct unit *u)
{
    int64_t limit = u->common.total_limit_size, bytes;
    struct worker *worker = unit_instance(u)->machine;
    struct worker_totals t;
    bool over = u->over;

    if (limit <= 0 || !worker)
        return false;
    worker_totals(worker, &t);
    bytes = store_bytes_from(l->store, t.lsn);
    u->over = bytes >= limit || (over && bytes >= limit / 100 * LOW_PERCENT);
    if (u->over && !over)
        log_warn("output is at its storage.total_limit_size, the inputs that feed it are refused", "output", u->name);
    else if (over && !u->over)
        log_info("output has room again", "output", u->name);
    return u->over;
}

static bool fills_a_full_one(const struct feed *f)
{
    for (size_t i = 0; f->fills && i < f->lane->noutputs; i++)
        if (f->fills[i] && is_over(f->lane, f->lane->outputs[i]))
            return true;
    return false;
}

enum store_room room_of(const struct feed *f)
{
    enum store_room room = store_room(f->lane->store);

    return room == STORE_ROOM && fills_a_full_one(f) ? STORE_FULL : room;
}

static void pause_input(struct feed *f, bool on)
{
    if (f->started && f->paused != on && f->unit->plugin->input->pause) {
        f->paused = on;
        f->unit->plugin->input->pause(f->unit->self, on);
    }
}

static void look(struct timer *t);

/* Pauses or resumes each input; a timer looks again while one is refused. */
static void apply(struct lane *l)
{
    bool any = false;

    for (size_t i = 0; i < l->nfeeds; i++) {
        bool refused = room_of(&l->feeds[i]) != STORE_ROOM;
        pause_input(&l->feeds[i], refused);
        any |= refused;
    }
    l->paused = any;
    if (any) {
        l->retry.fire = look;
        loop_timer(l->loop, &l->retry, 100 * MILLISECOND);
    }
}

/* Says what the store itself does; outputs speak for themselves. */
static void say(struct lane *l)
{
    enum store_room room = store_room(l->store);

    if (room == STORE_ROOM && l->refused)
        log_info("store has room again, inputs resumed");
    else if (room != STORE_ROOM && !l->refused)
        log_warn(room == STORE_FULL ? "store is full, inputs paused" : "store refuses writes, inputs paused");
    l->refused = room != STORE_ROOM;
}

static void look(struct timer *t)
{
    struct lane *l = container_of(t, struct lane, retry);

    if (l->stopping) /* inputs are paused for good */
        return;
    say(l);
    apply(l);
}

void room_check(struct lane *l)
{
    /* While one is paused the timer looks; an output that has become full must still be seen at once. */
    if (l->stopping || (l->paused && !l->limited) || (store_room(l->store) == STORE_ROOM && !l->limited))
        return;
    say(l);
    apply(l);
}
