/* SPDX-License-Identifier: Apache-2.0 */
/* The durable store: a directory with one log, one cursor per output, the deduplication set and the quarantine.
 *
 *   LOCK  store.json {uuid, version}  log/%016x.seg  ids/%016x.ids  cur/NAME.cur  quarantine/  corrupt/
 *
 * Directories 0700, files 0600, opened below one directory descriptor with O_NOFOLLOW.  One process at a time. */
#pragma once
#include "base/err.h"
#include "base/hash.h"
#include "store/cursor.h"
#include "store/dedup.h"
#include "store/image.h"
#include "store/log.h"
#include "store/quarantine.h"

enum store_sync { STORE_DISK, STORE_OS }; /* fdatasync before done(); or handed to the kernel only */

struct store_options {
    const char *dir; /* made where it is missing; NULL: in memory (segments on memfds, nothing survives) */
    enum store_sync sync;
    int64_t limit; /* bytes of the log; reaching it refuses new transactions */
    int64_t segment_size;
    int64_t commit_delay; /* ns to wait for company before a commit; 0: none */
    int64_t dedup_window; /* ns */
    int64_t dedup_ids;
};

struct store;

/* Locks, recovers and starts the log thread.  NULL: e says why (another agent has it, a newer format, not writable). */
struct store *store_open(const struct store_options *options, struct err *e);
/* Commits what was appended, seals nothing, joins the log thread.  Cursors must be closed before. */
void store_close(struct store *s);

struct id store_uuid(const struct store *s);
const char *store_dir(const struct store *s); /* NULL in memory */
int store_dir_fd(const struct store *s);      /* -1 in memory */
struct log *store_log(struct store *s);
struct dedup *store_dedup(struct store *s);

/* Read a consistent copy of the image of everything committed (see image.h); the lock is held during the call. */
void store_image(struct store *s, void (*look)(void *arg, const struct image *image), void *arg);

enum store_room { STORE_ROOM, STORE_FULL, STORE_TROUBLE };
/* FULL from 95 % of the limit until it falls below 80 %; TROUBLE while the disk refuses writes. Cheap, any thread. */
enum store_room store_room(const struct store *s);
int64_t store_bytes(const struct store *s); /* of the log on disk */
/* Of the log from this LSN to its end; within a segment as if all records were of one size.  Any thread. */
int64_t store_bytes_from(struct store *s, uint64_t lsn);

/* Retires segments that every cursor (in use or orphaned) has durably passed.  Called by the cursors' owners. */
void store_trim(struct store *s);
