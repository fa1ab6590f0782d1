/* SPDX-License-Identifier: Apache-2.0 */
/* A worker's inside, shared by worker.c, worker_judge.c and worker_save.c. */
#pragma once
#include "pipe/worker.h"

#include <pthread.h>

enum { RUN, DRAIN, STOP };

struct worker {
    struct unit *unit;
    struct store *store;
    struct log_reader *reader;
    struct cursor *cursor;
    struct cursor_state state;
    struct delivery delivery;
    pthread_t thread;
    bool started, running, joined;
    bool ended;           /* under the lock: its thread has nothing left to do */
    _Atomic int stopping; /* RUN, DRAIN, STOP */
    _Atomic bool wants_checkpoint;
    uint8_t *mine; /* per route set: it names this output */
    size_t nmine;
    uint64_t adopted_to; /* LSN: what lies below it and fits `match` is its own too (from oldest) */
    struct regex *regex; /* of match_regex, for this thread */
    struct {
        uint64_t delivered, quarantined;
    } begun;                      /* the counts when the range began */
    bool sorted;                  /* its events are numbered by tag */
    uint32_t known_bad;           /* [delivery.from, known_bad) holds an event that was rejected; 0: nothing known */
    unsigned attempts;            /* of the window */
    bool replan;                  /* what is left of the window must be made durable again before it is sent */
    int64_t retry_limit;          /* -1: unlimited */
    int64_t base, cap;            /* ns, of the back-off */
    int64_t last_look;            /* when it last woke up for a commit */
    int64_t last_save, last_tick; /* monotonic */
    int64_t unsaved_bytes;
    bool dirty;
    pthread_mutex_t lock; /* of totals and the sleep */
    pthread_cond_t wake;
    struct worker_totals totals;
    struct metric *retries, *retries_failed, *retried, *dropped;
};

/* worker_begin.c */
void worker_learn_adopted(struct worker *w);
bool worker_begin(struct worker *w, struct err *e); /* there is no cursor, or it is lost: where to begin */
bool worker_owns(const struct worker *w, const struct frame *frame);

/* worker_save.c */
bool worker_append(struct worker *w, enum frame_type type, struct str payload); /* true: it is durable */
void worker_publish(struct worker *w);                                          /* state -> totals */
bool worker_save(struct worker *w); /* checkpoint of the plugin, plan, cursor; trims */
void worker_save_if_due(struct worker *w);
/* What is not settled of [from, to), in one transaction; then it is settled and counted.  False: nothing has changed.
 */
bool worker_quarantine(struct worker *w, uint32_t from, uint32_t to, const char *code, const char *why);

/* worker_judge.c */
void worker_attempt(struct worker *w);
void worker_settle(struct worker *w, uint32_t number); /* the event was judged on its own */
void worker_sleep(struct worker *w, int64_t ns);
