/* SPDX-License-Identifier: Apache-2.0 */
/* The segment files of a log: made as `next`, named when their first commit is on disk, retired when every cursor has
 * passed them.  The list is guarded by the log's lock. */
#pragma once
#include "store/segment.h"

struct segment {
    uint64_t base, first, previous, generation;
    uint64_t end_lsn;  /* readers stop here; of the newest: durable */
    uint64_t end;      /* bytes, likewise; of older ones the whole file */
    uint64_t size;     /* as counted against the limit */
    uint64_t capacity; /* bytes allocated */
    uint64_t counted;  /* damage below this offset was counted already */
    int64_t created;   /* wall clock */
    int fd;            /* of the newest, and of all in memory; else -1 */
    unsigned refs;     /* readers, and 1 for the list */
    /* thread, of the active one */
    uint64_t at; /* where the next write goes: beyond `end` while a group is being written */
    uint64_t written_lsn, frames, records;
    uint32_t rolling; /* checksum of the header checksums */
    bool linked;      /* it has its name, durably */
    bool spare;       /* it is still called `next` */
    uint64_t zeroed;  /* up to here the file was written before, if only with zeros */
};

struct segment *segment_create(struct log *log, uint64_t first, uint64_t need);
bool segment_link(struct log *log, struct segment *seg);
void segment_abandon(struct log *log, struct segment *seg); /* its unsynced part must never be seen */
void segment_publish(struct log *log, struct segment *seg); /* lock held: into the list, if it is not there */
void segment_unref(struct segment *seg);                    /* lock held */
void log_trim(struct log *log, uint64_t lsn);
void log_count(struct log *log); /* lock held: bytes, full */
bool spare_prepare(struct log *log);
