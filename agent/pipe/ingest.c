/* SPDX-License-Identifier: Apache-2.0 */
#include "pipe/ingest.h"
#include "pipe/room.h"

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/io.h"
#include "base/log.h"

static void learn_routes(void *arg, const struct image *image)
{
    struct route_sets *sets = arg;

    for (size_t i = 0; i < image->nroutes; i++)
        route_sets_learn(sets, image->routes[i].number, &image->routes[i].outputs);
}

struct lane *ingest_new(struct build *b, struct store *store, struct quarantine_key *key)
{
    struct lane *l = alloc_new(sizeof *l);

    l->store = store;
    l->key = key;
    lane_init(l);
    l->filters = b->filters;
    l->nfilters = b->nfilters;
    b->filters = NULL;
    b->nfilters = 0;
    l->outputs = b->outputs;
    l->noutputs = b->noutputs;
    l->nfeeds = b->ninputs;
    l->feeds = alloc_array(b->ninputs, sizeof *l->feeds);
    for (size_t i = 0; i < b->ninputs; i++)
        l->feeds[i] =
            (struct feed){.lane = l, .unit = b->inputs[i], .in = tally_counter(&l->tally, "in", b->inputs[i]->name)};
    store_image(store, learn_routes, l->sets);
    room_init(l, b);
    return l;
}

static void *run(void *arg)
{
    struct lane *l = arg;

    loop_run(l->loop);
    return NULL;
}

static void stop_inputs(struct lane *l)
{
    for (size_t i = 0; i < l->nfeeds; i++)
        if (l->feeds[i].started) {
            l->feeds[i].started = false;
            if (l->feeds[i].unit->plugin->input->stop)
                l->feeds[i].unit->plugin->input->stop(l->feeds[i].unit->self);
        }
}

static void stop_filters(struct lane *l)
{
    for (size_t i = 0; i < l->nstarted; i++)
        if (l->filters[i]->plugin->filter->stop)
            l->filters[i]->plugin->filter->stop(l->filters[i]->self);
    l->nstarted = 0;
}

/* ---- stopping: in steps, each when the log has answered what went before ---- */

struct stop {
    struct letter letter;
    struct timer poll;
    struct lane *lane;
    bool stopped;
};

static void stop_step(struct timer *t)
{
    struct stop *s = container_of(t, struct stop, poll);
    struct lane *l = s->lane;

    lane_flush(l);
    if (l->in_flight) {
        loop_timer(l->loop, &s->poll, MILLISECOND);
        return;
    }
    if (!s->stopped) {
        s->stopped = true;
        l->silent = true;
        stop_inputs(l);
        stop_step(t);
        return;
    }
    stop_filters(l);
    loop_cancel(l->loop, &l->retry);
    loop_cancel(l->loop, &s->poll);
    loop_stop(l->loop);
}

static void stop_begin(struct letter *m)
{
    struct stop *s = container_of(m, struct stop, letter);
    struct lane *l = s->lane;

    l->stopping = true;
    for (size_t i = 0; i < l->nfeeds; i++)
        if (l->feeds[i].started && l->feeds[i].unit->plugin->input->pause)
            l->feeds[i].unit->plugin->input->pause(l->feeds[i].unit->self, true);
    s->poll.fire = stop_step;
    stop_step(&s->poll);
}

/* A start that failed half-way: what the inputs have committed is with the log, which will answer. */
static bool give_up(struct lane *l)
{
    struct stop s = {.lane = l, .stopped = true, .poll.fire = stop_step};

    l->stopping = l->silent = true;
    stop_inputs(l);
    loop_timer(l->loop, &s.poll, 0);
    loop_run(l->loop);
    return false;
}

bool ingest_start(struct lane *l, struct err *e)
{
    for (; l->nstarted < l->nfilters; l->nstarted++) {
        struct unit *u = l->filters[l->nstarted];
        if (u->plugin->filter->start && !u->plugin->filter->start(u->self, e))
            return give_up(l);
    }
    for (size_t i = 0; i < l->nfeeds; i++) {
        struct feed *f = &l->feeds[i];
        if (!f->unit->plugin->input->start(f->unit->self, f, e))
            return give_up(l);
        f->started = true;
    }
    if (pthread_create(&l->thread, NULL, run, l)) {
        err_set(e, "no thread for the inputs");
        return give_up(l);
    }
    l->running = true;
    return true;
}

void ingest_stop(struct lane *l)
{
    struct stop s = {.lane = l};

    if (!l || !l->running)
        return;
    s.letter.open = stop_begin;
    loop_post(l->loop, &s.letter);
    pthread_join(l->thread, NULL);
    l->running = false;
}

void ingest_free(struct lane *l)
{
    if (!l)
        return;
    lane_free(l);
    free(l);
}
