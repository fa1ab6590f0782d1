/* SPDX-License-Identifier: Apache-2.0 */
/* One output on its own thread: reads the log behind its cursor, delivers, judges, retries, moves the cursor. */
#pragma once
#include "pipe/delivery.h"
#include "pipe/instance.h"
#include "store/store.h"

struct worker;

struct worker_totals {
    uint64_t lsn, consumed, delivered, quarantined, dropped;
    bool holding, retrying; /* what it is about now */
    char why[160];
};

/* Opens the cursor; a new output begins now (or at the oldest), a lost cursor at the oldest. */
struct worker *worker_new(struct unit *unit, struct store *store, const struct service *service, struct err *e);
bool worker_start(struct worker *w, struct err *e);  /* the plugin, then the thread */
void worker_drain(struct worker *w);                 /* deliver what is there, then end */
void worker_stop(struct worker *w);                  /* end now */
bool worker_join(struct worker *w, int64_t timeout); /* false: it did not end in time */
void worker_free(struct worker *w);

struct unit *worker_unit(const struct worker *w);
void worker_totals(struct worker *w, struct worker_totals *out); /* consistent, any thread */
