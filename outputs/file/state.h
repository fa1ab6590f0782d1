/* SPDX-License-Identifier: Apache-2.0 */
/* What makes files exactly once: checkpoints, the way back to one, and the journal of files opened since. */
#pragma once
#include "grow.h"

/* Everything taken is durable, and `out` describes it. */
bool state_checkpoint(struct grow_set *s, struct buf *out, struct err *e);
/* The last checkpoint is durable: finishes what is due. */
void state_settled(struct grow_set *s);
/* Takes back everything after the checkpoint. */
bool state_restore(struct grow_set *s, struct str state, struct err *e);
/* Gives a sealed file its name, where its whole length is durable; a failure is logged and tried again. */
bool state_finish(struct grow_set *s, struct grow *g);
/* At the agent's end: finishes every growing file that is durable, due or not. */
void state_finish_all(struct grow_set *s);

/* The identity and length of append-only files at their first opening since a checkpoint, durable before they grow.
 * `dir` NULL: none is kept. */
bool journal_open(struct grow_set *s, const char *dir, struct err *e);
bool journal_add(struct grow_set *s, struct err *e); /* every touched file whose ->journal is set */
void journal_settled(struct grow_set *s);
struct journal_entry {
    uint32_t generation;
    uint64_t dev, ino;
    int64_t len;
    struct str dir, rel; /* NUL terminated */
};
bool journal_each(struct grow_set *s, bool (*each)(void *arg, const struct journal_entry *j, struct err *e), void *arg,
                  struct err *e);

/* Rotation of append-only files: the next name, and afterwards compression and the removal of the oldest. */
void rotate_name(struct grow_set *s, struct grow *g);
void rotate_after(struct grow_set *s, struct grow *g);
