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
struct quarantine *keeper_files(struct keeper *k); /* NULL in memory */
