/* SPDX-License-Identifier: Apache-2.0 */
/* The life of a lane: inputs and filters start, the thread runs, everything stops in order. */
#pragma once
#include "pipe/build.h"
#include "pipe/lane.h"

/* Takes the filters of `b`; its inputs and outputs stay the caller's and must outlive the lane. */
struct lane *ingest_new(struct build *b, struct store *store, struct quarantine_key *key);
bool ingest_start(struct lane *l, struct err *e);
/* Inputs stop bringing, what is open is committed and answered, inputs stop, the thread ends. */
void ingest_stop(struct lane *l);
void ingest_free(struct lane *l);

/* Events of the quarantine, back through the rules (or, of stage output, to that output alone). */
struct replay_item {
    struct id entry;
    struct id event_id;
    struct str tag, input, output; /* output empty: through the rules */
    struct str encoded;            /* msgpack [[time, meta], body] */
    bool taken;                    /* result: durable again under its old id */
};
/* Runs on the lane's thread; returns when all are durable (or have failed). */
void ingest_replay(struct lane *l, struct replay_item *items, size_t n);
