/* SPDX-License-Identifier: Apache-2.0 */
/* storage.type memory: the log does not survive, so positions of inputs are kept in a file, and only once every output
 * has what lies before them.  Not used with a durable store, whose log has the positions. */
#pragma once
#include "net/loop.h"
#include "store/store.h"

struct pipeline;
struct positions;

/* Reads `dir`/positions, if there, into the store's image; makes the directory.  NULL: e. */
struct positions *positions_open(const char *dir, struct store *store, struct err *e);
/* Looks once a second, on the main loop. */
void positions_watch(struct positions *p, struct loop *main, struct pipeline *pipeline);
void positions_close(struct positions *p); /* saves what every output has, then frees */
