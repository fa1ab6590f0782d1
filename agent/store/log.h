/* SPDX-License-Identifier: Apache-2.0 */
/* The log: append-only segments of checksummed frames (segment.h), committed in groups by one thread.  Nothing durable
 * is ever modified in place.
 *
 * An LSN numbers records, not bytes: a frame covers [first_lsn, first_lsn + records).  A transaction is a run of frames
 * of which the last carries FRAME_LAST; readers see it when that frame is durable, and not before. */
#pragma once
#include "base/buf.h"
#include "base/err.h"

enum frame_type {
    FRAME_EVENTS = 1, /* event/batch.h */
    FRAME_TAILPOS,    /* input name, key, value: see image.h */
    FRAME_QUARANTINE, /* one entry: quarantine.h */
    FRAME_STATE,      /* a change of filter state: owner, key, value */
    FRAME_ROUTES,     /* u32 route set, then its output names */
    FRAME_LEDGER,     /* counter deltas */
    FRAME_CHECKPOINT, /* the whole image, first frame of a segment */
    FRAME_SEAL,       /* last frame of a full segment */
    FRAME_PAD,
    FRAME_IDS /* ids that deduplication must remember: n times id, u32 body hash */
};
enum { FRAME_LAST = 1 }; /* flags */
struct log;

/* ---- appending ---- */

/* One transaction in the making; owned by its lane, handed to the log whole. */
struct txn {
    struct buf bytes; /* frames with headers; the log thread fills in LSNs and the headers' checksums */
    uint32_t frames;
    uint32_t records;
    size_t last; /* offset of the last frame's header */
    /* Called on the log thread, in the order of appending, when it is durable or will never be (then nothing of it can
     * be seen by a reader, now or after a restart).  Free or re-use the txn there or later; not before. */
    void (*done)(struct txn *txn, bool durable);
    uint64_t first_lsn, end_lsn; /* set by log_append */
    /* May be NULL.  Where *fence, which done() may change and nobody else, is not fence_at any more, it fails. */
    const uint32_t *fence;
    uint32_t fence_at;
    struct txn *next; /* the log's */
};

/* Adds a frame of `records` (at least 1) and checksums its payload. */
void txn_add(struct txn *txn, enum frame_type type, uint32_t records, struct str payload);
/* The same without a copy: write the payload straight to &txn->bytes between the two calls. */
void txn_open(struct txn *txn);
void txn_close(struct txn *txn, enum frame_type type, uint32_t records);
void txn_clear(struct txn *txn);
void txn_free(struct txn *txn); /* its buffer */
/* Takes the transaction; any thread.  Transactions become durable in the order of these calls. */
void log_append(struct log *log, struct txn *txn);
uint64_t log_durable(const struct log *log); /* every LSN below it is durable and visible */
uint64_t log_oldest(const struct log *log);  /* the first LSN still kept */

/* ---- reading ---- */
struct log_reader; /* one thread at a time */
struct frame {
    enum frame_type type;
    uint64_t first_lsn;
    uint32_t records;
    struct str payload; /* borrowed until the next call on this reader */
};

enum log_read { READ_FRAME, READ_END, READ_ERROR };
/* From the frame that holds `lsn` on, at least from the oldest kept. */
struct log_reader *log_reader_new(struct log *log, uint64_t lsn);
void log_reader_free(struct log_reader *r);
/* The payloads of other types are not read, nor checked; their frames come with an empty one. */
void log_reader_only(struct log_reader *r, enum frame_type type);
void log_reader_seek(struct log_reader *r, uint64_t lsn);
uint64_t log_reader_lsn(const struct log_reader *r); /* of what log_reader_next will give */
/* READ_END: nothing more is durable yet.  A damaged frame is counted, copied to corrupt/ and passed over. READ_ERROR:
 * the disk failed; try again later. */
enum log_read log_reader_next(struct log_reader *r, struct frame *out, struct err *e);

/* Sleeps until log_durable() > lsn, `timeout` ns have passed, or log_wake.  Returns at once where *unless is not zero,
 * so that a flag set before log_wake is never slept over; unless may be NULL. */
void log_wait(struct log *log, uint64_t lsn, int64_t timeout, const _Atomic int *unless);
void log_wake(struct log *log); /* all waiters */
