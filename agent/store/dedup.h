/* SPDX-License-Identifier: Apache-2.0 */
/* The exact set of event ids seen within the window; no false positives, for one would be a lost event.  It survives a
 * restart: ids ride in the transaction as FRAME_IDS, and each sealed segment leaves its ids in ids/.  Locked: any
 * thread. */
#pragma once
#include "base/buf.h"
#include "base/hash.h"

struct dedup;

enum dedup_answer {
    DEDUP_NEW,     /* remembered now; take it back with dedup_forget if its transaction fails */
    DEDUP_SEEN,    /* the same id with the same body */
    DEDUP_CONFLICT /* the same id with another body */
};

struct dedup *dedup_new(int64_t window, int64_t ids);
void dedup_free(struct dedup *d);
/* now: io->monotonic(). */
enum dedup_answer dedup_add(struct dedup *d, struct id id, uint32_t body_hash, int64_t now);
bool dedup_has(struct dedup *d, struct id id); /* whatever its body */
void dedup_forget(struct dedup *d, struct id id);
size_t dedup_count(const struct dedup *d);
/* At start, oldest first, before the first dedup_add: seen `age` ns ago. */
void dedup_load(struct dedup *d, struct id id, uint32_t body_hash, int64_t age);

/* One entry of a FRAME_IDS payload. */
void dedup_write(struct buf *payload, struct id id, uint32_t body_hash);
