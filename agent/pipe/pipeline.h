/* SPDX-License-Identifier: Apache-2.0 */
/* The machine: built whole from an immutable configuration, or not at all. */
#pragma once
#include "conf/config.h"
#include "pipe/ledger.h"
#include "store/store.h"

struct pipeline;
struct loop;
struct worker;
struct keeper;
struct feed;

/* Checks every plugin as far as can be without touching the world (Lua is compiled); adds to config's warnings. */
bool pipeline_check(struct config *config, struct err *e);

/* Opens the store and makes everything; nothing runs yet.  `main`: where finished() is posted. */
struct pipeline *pipeline_new(struct config *config, struct loop *main, struct err *e);
bool pipeline_start(struct pipeline *p, struct err *e);
/* Called on the main loop's thread when every input that ends the run has ended. */
void pipeline_on_finished(struct pipeline *p, void (*finished)(void *arg), void *arg);
/* Inputs stop, what is durable is answered; outputs deliver on: for `grace` ns at the most, or, with `patient`, as long
 * as they get on.  False: an output did not end; the process should exit without pipeline_free. */
bool pipeline_stop(struct pipeline *p, int64_t grace, bool patient);
bool pipeline_idle(
    struct pipeline *p); /* no output hangs in a call; pipeline_free only then, also after a failed start */
void pipeline_free(struct pipeline *p);

/* Sends quarantined events through the rules again; called on the main thread while the pipeline runs.  The count that
 * was replayed, or -1 with e. */
int64_t pipeline_replay(struct pipeline *p, bool (*wanted)(void *arg, const struct quarantine_entry *entry), void *arg,
                        struct err *e);

const struct config *pipeline_config(const struct pipeline *p);
struct store *pipeline_store(struct pipeline *p);
size_t pipeline_workers(struct pipeline *p, struct worker ***out);
int64_t pipeline_held(struct pipeline *p);
int64_t pipeline_started(const struct pipeline *p); /* monotonic, ns */

const char *pipeline_durability(const struct config *config); /* what an acknowledgement means: disk, os, memory */
/* The directory of the store that this configuration uses; NULL for storage.type memory. */
char *pipeline_store_dir(const struct config *config);
