/* SPDX-License-Identifier: Apache-2.0 */
/* What the log's small frames add up to: the state that a restart needs, rebuilt from the last CHECKPOINT and the
 * frames behind it.  The log thread applies every transaction it commits, so that a new segment can begin with a
 * CHECKPOINT. */
#pragma once
#include "base/map.h"
#include "store/log.h"

struct image_route_set {
    uint32_t number;
    struct strs outputs; /* names */
    uint64_t events;     /* of EVENTS frames with this route set, since the store was made */
};

struct image {
    struct map positions; /* "input\0key" -> struct buf * */
    struct map state;     /* "owner\0key" -> struct buf * */
    struct map ledger;    /* counter name -> uint64_t * */
    struct image_route_set *routes;
    size_t nroutes, routes_cap;
};

void image_free(struct image *image);
/* Applies one frame; frames of other types than TAILPOS STATE ROUTES LEDGER CHECKPOINT EVENTS change nothing.
 * False: its payload is damaged. */
bool image_apply(struct image *image, const struct frame *frame);
void image_checkpoint(const struct image *image, struct buf *payload);

/* The payloads, for those who write them.  An empty value deletes. */
void image_write_position(struct buf *payload, struct str input, struct str key, struct str value);
void image_write_state(struct buf *payload, struct str owner, struct str key, struct str value);
void image_write_routes(struct buf *payload, uint32_t number, const struct strs *outputs);
void image_write_ledger(struct buf *payload, struct str counter, int64_t delta); /* again and again: one frame */

uint64_t image_counter(const struct image *image, struct str counter);
/* Events in the log that an output owes or has owed: the sum over the route sets that name it. */
uint64_t image_owed(const struct image *image, struct str output);
