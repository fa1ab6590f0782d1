/* SPDX-License-Identifier: Apache-2.0 */
/* The deduplication set on disk: for each segment of the log a file with the ids of its FRAME_IDS frames, which
 * outlives the segment until the window has passed.
 *
 *   ids/%016x.ids: "WEIRIDS\n" u32 version | u64 store.hi | u64 store.lo | u64 base, then blocks of
 *   u32 payload length | u32 crc32c (over what follows) | i64 wall clock | payload: n times u64 hi, u64 lo, u32 body
 *   An empty payload ends the file: it is complete.
 *
 * Log thread only, after recovery.  All calls accept NULL (in memory nothing is kept). */
#pragma once
#include "base/err.h"
#include "store/dedup.h"

struct dedup_ids;

/* Fills the set from every file within the window. */
struct dedup_ids *dedup_ids_open(int dir, struct id store, struct dedup *set, int64_t window, struct err *e);
void dedup_ids_close(struct dedup_ids *ids);
/* What comes next belongs to this segment; the file of the one before is completed. */
void dedup_ids_segment(struct dedup_ids *ids, uint64_t base);
void dedup_ids_add(struct dedup_ids *ids, struct str payload);     /* of a committed FRAME_IDS */
void dedup_ids_recover(struct dedup_ids *ids, struct str payload); /* the same, and into the set */
bool dedup_ids_complete(const struct dedup_ids *ids, uint64_t base);
