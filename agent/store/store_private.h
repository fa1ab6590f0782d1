/* SPDX-License-Identifier: Apache-2.0 */
/* What the store's own files share. */
#pragma once
#include "base/io.h"
#include "store/log_private.h"
#include "store/store.h"

/* A cursor that the store knows, in use or orphaned. */
struct cursor {
    struct store *store;
    struct cursor *next;
    char *output;
    char *file; /* name below cur/; NULL in memory */
    bool in_use;
    uint64_t held; /* durable position: what store_trim goes by; store->lock */
    int fd;        /* -1: to be opened or made */
    uint64_t generation;
    uint64_t slot_size;
    unsigned durable_slot; /* never overwritten: an unsynced save goes to the other one, again and again */
    bool rewrite;          /* the file must be made anew: too small, or a sync of it failed */
    bool damaged;          /* no slot could be read */
    bool lost;             /* the same, told by cursor_open once */
    struct buf image;      /* in memory: the state as it would stand in the slot */
};

struct store {
    char *dir;
    int fd, lock_fd, log_fd, ids_fd, cursors_fd, corrupt_fd; /* -1 in memory */
    struct id uuid;
    struct log *log;
    struct dedup *dedup;
    struct dedup_ids *ids;
    pthread_mutex_t lock;
    struct cursor *cursors;
};

/* cursor.c: finds every cursor file.  *furthest: the largest durable position. */
bool cursors_load(struct store *s, uint64_t *furthest, struct err *e);
void cursors_free(struct store *s);
