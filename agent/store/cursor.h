/* SPDX-License-Identifier: Apache-2.0 */
/* How far an output is: one file with two slots that are written in turn, so that a torn write leaves the other. */
#pragma once
#include "base/buf.h"
#include "base/err.h"
#include "base/hash.h"

struct store;
struct cursor;

struct cursor_state {
    uint64_t lsn;      /* the first LSN not yet settled */
    uint64_t consumed; /* events of this output below lsn: delivered + quarantined + dropped */
    uint64_t delivered, quarantined, dropped;
    struct { /* a delivery that was begun: repeated as it is after a restart */
        bool open;
        struct id id;
        uint64_t from, to; /* LSNs */
        uint32_t starts;   /* how often an agent came up and found it open */
        struct buf done;   /* what of it is settled already (the worker's encoding) */
    } plan;
    bool lost;         /* set by cursor_open: the file was damaged.  lsn is 0, and what was consumed below the oldest
                          LSN kept is not known: the caller counts anew */
    struct buf output; /* the output's own description of its files: see plugin.h, checkpoint */
};

void cursor_state_free(struct cursor_state *s);

/* Reads the best slot into *state.  *fresh: there was none; the caller decides where to begin and saves.  NULL: e. */
struct cursor *cursor_open(struct store *store, struct str output, struct cursor_state *state, bool *fresh,
                           struct err *e);
/* sync: fdatasynced when it returns, and only then counts for store_trim. */
bool cursor_save(struct cursor *c, const struct cursor_state *state, bool sync, struct err *e);
void cursor_close(struct cursor *c);

/* Every cursor file of the store: those without an output in the configuration keep their backlog. */
void cursor_each(struct store *store, void (*each)(void *arg, struct str output, const struct cursor_state *state),
                 void *arg);
bool cursor_forget(struct store *store, struct str output, struct err *e); /* `weir queue forget` */
