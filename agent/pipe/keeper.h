/* SPDX-License-Identifier: Apache-2.0 */
/* Moves quarantined events from the log to the files below quarantine/, on its own thread with its own cursor. */
#pragma once
#include "conf/config.h"
#include "store/store.h"

struct keeper;

struct keeper *keeper_new(struct store *store, const struct service *service, struct err *e);
bool keeper_start(struct keeper *k, struct err *e);
void keeper_stop(struct keeper *k); /* takes what is durable, then ends */
void keeper_free(struct keeper *k);

/* For a replay; any thread. */
bool keeper_each(struct keeper *k, bool (*each)(void *arg, const struct quarantine_entry *entry, bool replayed),
                 void *arg, struct err *e);
bool keeper_mark_replayed(struct keeper *k, struct id entry, struct err *e);
