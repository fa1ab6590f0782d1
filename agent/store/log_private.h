/* SPDX-License-Identifier: Apache-2.0 */
/* The log's parts, for its own files.  `lock` guards the queue, the list of segments and the spare; what is marked
 * "thread" belongs to the log thread alone. */
#pragma once
#include "base/io.h"
#include "base/metrics.h"
#include "store/dedup_ids.h"
#include "store/image.h"
#include "store/log_segments.h"

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

enum spare { SPARE_NONE, SPARE_READY, SPARE_BUSY };

struct log {
    struct log_options {
        _Atomic int dir;   /* -1 in memory */
        int root, corrupt; /* borrowed from the store */
        struct id store;
        bool disk; /* fdatasync */
        int64_t limit, segment_size, commit_delay, dedup_window;
        struct dedup_ids *ids;
    } o;
    pthread_mutex_t lock;
    pthread_cond_t work, moved, woken;
    struct txn *queue, **queue_end;
    size_t queued;                      /* bytes */
    uint64_t queued_records, gathering; /* gathering: the thread sleeps until so many are queued */
    uint64_t next_lsn, trim_lsn, wakes;
    struct segment **segments; /* oldest first */
    size_t nsegments, segments_cap;
    enum spare spare;
    bool blank; /* the spare is allocated and was never written; whoever has the spare may say so */
    bool idle, closing, roll;
    bool broken, spareless; /* no segment can be written; the next one cannot be prepared */
    _Atomic uint64_t durable, oldest;
    _Atomic int64_t bytes;
    _Atomic bool trouble, full;
    pthread_mutex_t image_lock;
    struct image image;
    pthread_t thread;
    /* thread */
    struct segment *active;
    bool unmarked; /* commits since the last mark */
    int64_t retry_at, backoff, idle_since;
    uint64_t last_records, last_bytes; /* of the last group, and how long its commit took */
    int64_t last_took;
    struct metric *m_commits, *m_errors, *m_corrupt_bytes, *m_corrupt_records, *m_bytes, *m_segments;
};

/* log_commit.c */
void *log_thread(void *log);
/* recovery.c: fills the list, the image and next_lsn; sets active where appending can go on. */
bool log_recover(struct log *log, uint64_t min_lsn, struct err *e);
/* log_reader.c: how a segment's damage is kept and counted */
void log_damage(struct log *log, struct segment *seg, int fd, uint64_t from, uint64_t to, uint64_t records);
int segment_open(struct log *log, const struct segment *seg, int flags); /* -1: errno */

/* log.c: for the store */
void log_deadline(struct timespec *at, int64_t ns); /* for condition variables */
struct log *log_open(const struct log_options *options, uint64_t min_lsn, struct err *e);
void log_close(struct log *log);
