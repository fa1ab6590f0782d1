/* SPDX-License-Identifier: Apache-2.0 */
#include "pipe/pipeline.h"

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/io.h"
#include "base/log.h"
#include "pipe/ingest.h"
#include "pipe/keeper.h"
#include "pipe/positions.h"
#include "pipe/worker.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

struct pipeline {
    struct config *config;
    struct env env;
    struct build build;
    struct store *store;
    struct quarantine_key *key;
    struct lane *lane;
    struct keeper *keeper;
    struct worker **workers;
    size_t nworkers;
    struct loop *main;
    struct letter finished_letter;
    void (*finished)(void *arg);
    void *finished_arg;
    struct positions *positions; /* storage.type memory only */
    char *dir;
    int64_t started;
};

bool pipeline_check(struct config *config, struct err *e)
{
    struct env env = {.config = config, .host_id = {1, 1}};
    struct build build;
    bool good = build_units(config, &env, &build, e) && build_check(&build, e);

    build_free(&build);
    return good;
}

/* Where state belongs when the configuration names no place. */
static char *state_dir(const struct config *config)
{
    const char *base = getenv("STATE_DIRECTORY"), *home = getenv("HOME");
    CLEANUP(buf_free) struct buf dir = {0};
    char hash[33];

    if (config->service.storage_path.n)
        return alloc_text(config->service.storage_path.p, config->service.storage_path.n);
    if (base && *base)
        return alloc_text(base, strlen(base));
    base = getenv("XDG_STATE_HOME");
    if (base && *base)
        buf_fmt(&dir, "%s/weir/", base);
    else
        buf_fmt(&dir, "%s/.local/state/weir/", home && *home ? home : "/var/lib");
    id_text(hash_128(str_of(config->identity), &(struct id){1, 1}), hash);
    buf_fmt(&dir, "%.12s", hash);
    return alloc_text(dir.p, dir.n);
}

static bool in_memory(const struct config *config)
{
    return config->service.storage_type == STORAGE_MEMORY || config->service.durability == DURABILITY_MEMORY;
}

const char *pipeline_durability(const struct config *config)
{
    return in_memory(config) ? "memory" : config->service.durability == DURABILITY_DISK ? "disk" : "os";
}

char *pipeline_store_dir(const struct config *config)
{
    return in_memory(config) ? NULL : state_dir(config);
}

static bool open_positions(struct pipeline *p, struct err *e)
{
    CLEANUP(cleanup_free) char *dir = NULL;

    if (!in_memory(p->config))
        return true;
    dir = state_dir(p->config);
    p->positions = positions_open(dir, p->store, e);
    return p->positions != NULL;
}

static bool open_store(struct pipeline *p, struct err *e)
{
    const struct service *s = &p->config->service;
    struct store_options options = {
        .dir = p->dir,
        .sync = s->durability == DURABILITY_DISK ? STORE_DISK : STORE_OS,
        .limit = s->storage_limit,
        .segment_size = s->segment_size,
        .commit_delay = s->commit_delay,
        .dedup_window = s->dedup_window,
        .dedup_ids = s->dedup_ids,
    };

    p->store = store_open(&options, e);
    if (!p->store)
        return err_wrap(e, "store %s", p->dir ? p->dir : "in memory");
    p->env.host_id = store_uuid(p->store);
    p->env.state_dir = p->dir;
    return true;
}

/* The key lies beside the store, not in it: who copies the store has not copied the key. */
static bool load_key(struct pipeline *p, struct err *e)
{
    const struct service *s = &p->config->service;
    CLEANUP(buf_free) struct buf path = {0};

    if (!s->quarantine_raw || !p->dir)
        return true;
    if (s->quarantine_key_file.n)
        buf_str(&path, s->quarantine_key_file);
    else
        buf_fmt(&path, "%s.quarantine-key", p->dir);
    p->key = quarantine_key_load(buf_text(&path), true, e);
    return p->key != NULL;
}

static bool make_workers(struct pipeline *p, struct err *e)
{
    p->workers = alloc_array(p->build.noutputs, sizeof *p->workers);
    for (size_t i = 0; i < p->build.noutputs; i++) {
        struct worker *w = worker_new(p->build.outputs[i], p->store, &p->config->service, e);
        if (!w)
            return false;
        p->workers[p->nworkers++] = w;
    }
    return true;
}

static bool check_ends(struct build *b, struct err *e)
{
    for (size_t i = 0; i < b->ninputs; i++)
        if (b->inputs[i]->plugin->input->check && !b->inputs[i]->plugin->input->check(b->inputs[i]->self, e))
            return false;
    for (size_t i = 0; i < b->noutputs; i++)
        if (b->outputs[i]->plugin->output->check && !b->outputs[i]->plugin->output->check(b->outputs[i]->self, e))
            return false;
    return true;
}

struct pipeline *pipeline_new(struct config *config, struct loop *main, struct err *e)
{
    struct pipeline *p = alloc_new(sizeof *p);

    p->config = config;
    p->env.config = config;
    p->main = main;
    p->dir = pipeline_store_dir(config);
    if (!build_units(config, &p->env, &p->build, e) || !check_ends(&p->build, e) || !open_store(p, e) ||
        !open_positions(p, e) || !load_key(p, e) || !make_workers(p, e) ||
        !(p->keeper = keeper_new(p->store, &config->service, e))) {
        pipeline_free(p);
        return NULL;
    }
    p->lane = ingest_new(&p->build, p->store, p->key);
    p->lane->durability = pipeline_durability(config);
    return p;
}

static void finished_on_main(struct letter *m)
{
    struct pipeline *p = container_of(m, struct pipeline, finished_letter);

    if (p->finished)
        p->finished(p->finished_arg);
}

static void finished_on_lane(void *arg)
{
    struct pipeline *p = arg;

    p->finished_letter.open = finished_on_main;
    loop_post(p->main, &p->finished_letter);
}

void pipeline_on_finished(struct pipeline *p, void (*finished)(void *arg), void *arg)
{
    p->finished = finished;
    p->finished_arg = arg;
    p->lane->finished = finished_on_lane;
    p->lane->finished_arg = p;
}

static void stop_workers(struct pipeline *p)
{
    for (size_t i = 0; i < p->nworkers; i++)
        worker_stop(p->workers[i]);
    for (size_t i = 0; i < p->nworkers; i++)
        worker_join(p->workers[i], 2 * SECOND);
}

bool pipeline_start(struct pipeline *p, struct err *e)
{
    p->started = io->monotonic();
    for (size_t i = 0; i < p->nworkers; i++)
        if (!worker_start(p->workers[i], e)) {
            stop_workers(p);
            return false;
        }
    if (!keeper_start(p->keeper, e) || !ingest_start(p->lane, e)) {
        stop_workers(p);
        keeper_stop(p->keeper);
        return false;
    }
    if (p->positions)
        positions_watch(p->positions, p->main, p);
    return true;
}

static uint64_t progress(struct pipeline *p)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < p->nworkers; i++) {
        struct worker_totals t;
        worker_totals(p->workers[i], &t);
        sum += t.lsn + t.consumed;
    }
    return sum;
}

static bool all_joined(struct pipeline *p, int64_t timeout)
{
    bool all = true;

    for (size_t i = 0; i < p->nworkers; i++)
        all &= worker_join(p->workers[i], timeout / (int64_t)(p->nworkers ? p->nworkers : 1));
    return all;
}

bool pipeline_idle(struct pipeline *p)
{
    return all_joined(p, 0);
}

/* The signals are blocked, and who reads them waits for this: a second Ctrl-C still ends the patience. */
static bool told_to_end(void)
{
    sigset_t set;

    return !sigpending(&set) && (sigismember(&set, SIGINT) || sigismember(&set, SIGTERM));
}

bool pipeline_stop(struct pipeline *p, int64_t grace, bool patient)
{
    /* A part of it is kept for ending calls that hang: the whole ends in time. */
    int64_t reserve = grace / 5 < SECOND ? grace / 5 : SECOND, until = io->monotonic() + grace - reserve;
    uint64_t seen = 0;
    bool good;

    ingest_stop(p->lane);
    for (size_t i = 0; i < p->nworkers; i++)
        worker_drain(p->workers[i]);
    while (!all_joined(p, 50 * MILLISECOND) && io->monotonic() < until) {
        patient = patient && !told_to_end();
        if (patient && progress(p) != seen) {
            seen = progress(p);
            until = io->monotonic() + grace - reserve;
        }
    }
    for (size_t i = 0; i < p->nworkers; i++)
        worker_stop(p->workers[i]);
    good = all_joined(p, 500 * MILLISECOND);
    keeper_stop(p->keeper);
    return good;
}

void pipeline_free(struct pipeline *p)
{
    if (!p)
        return;
    ingest_free(p->lane);
    positions_close(p->positions);
    for (size_t i = 0; i < p->nworkers; i++)
        worker_free(p->workers[i]);
    free(p->workers);
    keeper_free(p->keeper);
    if (p->store)
        store_close(p->store);
    build_free(&p->build);
    if (p->key)
        quarantine_key_free(p->key);
    free(p->dir);
    free(p);
}

const struct config *pipeline_config(const struct pipeline *p)
{
    return p->config;
}

struct store *pipeline_store(struct pipeline *p)
{
    return p->store;
}

size_t pipeline_workers(struct pipeline *p, struct worker ***out)
{
    *out = p->workers;
    return p->nworkers;
}

int64_t pipeline_held(struct pipeline *p)
{
    return p->lane ? atomic_load_explicit(&p->lane->held, memory_order_relaxed) : 0;
}

int64_t pipeline_started(const struct pipeline *p)
{
    return p->started;
}

/* ---- replay ---- */

enum { REPLAY_BYTES = 32 * 1024 * 1024 }; /* one transaction, and what is in memory for it */

struct collect {
    struct pipeline *p;
    bool (*wanted)(void *arg, const struct quarantine_entry *entry);
    void *arg;
    struct arena *arena;
    struct replay_item *items;
    size_t n, cap, bytes;
    size_t seen, failed, skip; /* of a round; skip: so many of earlier rounds could not be taken */
};

static bool collect_entry(void *arg, const struct quarantine_entry *entry, bool replayed)
{
    struct collect *c = arg;
    struct buf plain = {0};
    struct err e;

    if (replayed || entry->kind != QUARANTINE_EVENT || !c->wanted(c->arg, entry))
        return true;
    if (c->seen++ < c->skip)
        return true;
    if (c->bytes >= REPLAY_BYTES)
        return true; /* it is only counted, for another round */
    if (!entry->sealed) {
        buf_str(&plain, entry->payload);
    } else if (!c->p->key || !quarantine_unseal(c->p->key, entry->payload, &plain, &e)) {
        c->failed++;
        buf_free(&plain);
        return true;
    }
    c->items = alloc_grow(c->items, c->n, &c->cap, sizeof *c->items);
    c->items[c->n++] = (struct replay_item){
        .entry = entry->id,
        .event_id = entry->event_id,
        .tag = arena_str(c->arena, entry->tag),
        .input = arena_str(c->arena, entry->input),
        .output = str_eq(entry->stage, STR("output")) ? arena_str(c->arena, entry->plugin) : (struct str){0},
        .encoded = arena_str(c->arena, buf_view(&plain)),
    };
    c->bytes += plain.n;
    if (plain.p)
        explicit_bzero(plain.p, plain.n);
    buf_free(&plain);
    return true;
}

/* As many as make a transaction; false: e. */
static bool replay_some(struct collect *c, int64_t *taken, struct err *e)
{
    c->n = c->bytes = c->seen = c->failed = 0;
    if (!keeper_each(c->p->keeper, collect_entry, c, e))
        return false;
    if (c->n)
        ingest_replay(c->p->lane, c->items, c->n);
    for (size_t i = 0; i < c->n; i++) {
        if (c->items[i].taken && keeper_mark_replayed(c->p->keeper, c->items[i].entry, e))
            ++*taken;
        else
            c->failed++;
    }
    c->skip += c->failed;
    arena_reset(c->arena);
    return true;
}

int64_t pipeline_replay(struct pipeline *p, bool (*wanted)(void *arg, const struct quarantine_entry *entry), void *arg,
                        struct err *e)
{
    struct collect c = {.p = p, .wanted = wanted, .arg = arg, .arena = arena_new()};
    int64_t taken = 0;
    bool good = replay_some(&c, &taken, e);
    size_t total = c.seen;

    /* Not those that the rules refuse again meanwhile. */
    while (good && (size_t)taken + c.skip < total)
        good = replay_some(&c, &taken, e);
    free(c.items);
    arena_free(c.arena);
    return good ? taken : -1;
}
