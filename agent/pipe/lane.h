/* SPDX-License-Identifier: Apache-2.0 */
/* One ingest thread: a loop with inputs on it, their filters, and the open transaction.  Everything in it belongs to
 * that thread; what other threads may read is atomic and said so. */
#pragma once
#include "base/map.h"
#include "net/loop.h"
#include "pipe/route.h"
#include "store/store.h"

#include <pthread.h>
#include <stdatomic.h>

enum {
    LANE_FLUSH = 256 * 1024, /* bytes: a transaction is closed at the end of the unit that reaches this */
    LANE_TAGS = 4096         /* routes cached; beyond, the cache is emptied */
};

/* A transaction and those who wait for it. */
struct slot {
    struct txn txn;
    struct letter letter;
    struct lane *lane;
    struct commit *first, **last;
    struct id *ids; /* that dedup must forget if it fails */
    size_t nids, ids_cap;
    struct buf id_frame;
    int64_t events; /* pushed in it */
    bool durable;
    struct slot *next;
};

struct feed { /* see plugin.h; one per input */
    struct lane *lane;
    struct unit *unit;
    struct counter *in;
    int64_t records, bytes; /* since the last flush, for the metrics */
    bool finished, started, paused;
    bool *fills; /* per output: it has a limit, and events of this input may go there; NULL: none has */
};

struct lane {
    struct loop *loop;
    struct hook hook;
    pthread_t thread;
    struct store *store;
    const char *durability;                      /* disk, os, memory */
    struct quarantine_key *key;                  /* NULL: quarantine.raw off */
    struct unit **filters, **outputs;            /* filters: this lane's own instances; outputs: for their matches */
    size_t nfilters, noutputs, nfeeds, nstarted; /* nstarted: filters */
    struct feed *feeds;
    struct map routes; /* tag -> struct route * */
    struct route *last_route;
    struct route_sets *sets;
    struct tally tally;
    struct counter *in, *created, *filtered, *deduplicated, *quarantined, *dropped, *unrouted, *logged;
    struct arena *arena, *feed_arena; /* of the event being pushed, and of the input that makes it */
    struct slot *open, *spare;
    size_t nspare, pending_bytes; /* in open batches and frames of the open transaction */
    int64_t in_flight;            /* transactions handed to the log and not yet answered */
    struct slot *last_in_flight;
    /* Transactions that failed: as the log thread knows, and as this thread has heard; see slot_answered. */
    uint32_t failed, failed_heard;
    _Atomic int64_t held; /* events pushed and not yet durable; any thread may read */
    uint64_t next_id, id_base;
    struct buf scratch;
    char reason[256];
    struct timer retry; /* looks whether a full store has room again */
    bool paused, stopping, running;
    bool limited, refused;       /* room.c: an output has a limit; the store took nothing at the last look */
    bool silent;                 /* inputs are gone: nobody to tell of commits */
    void (*finished)(void *arg); /* every ending input has finished */
    void *finished_arg;
};

void lane_init(struct lane *l);
struct route *lane_route(struct lane *l, struct str tag);
void lane_flush(struct lane *l);
void lane_seal(struct lane *l, struct route *r);   /* its open batch becomes a frame of the open transaction */
void lane_encode(struct lane *l, struct value *v); /* so that what the rules do to it leaves the bytes as they are */
void lane_free(struct lane *l);
