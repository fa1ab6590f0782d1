/* SPDX-License-Identifier: Apache-2.0 */
/* The two identities of the contract, read from the log's image, the lanes and the cursors. */
#pragma once
#include "base/buf.h"

struct pipeline;
struct store;

struct ledger_output {
    const char *name; /* owned by the ledger */
    uint64_t routed, delivered, pending, quarantined, dropped;
    bool orphan; /* no longer in the configuration */
};

struct ledger {
    uint64_t in, created, filtered, deduplicated, quarantined, dropped, unrouted, held, logged;
    struct ledger_output *outputs;
    size_t noutputs;
    bool balanced;
};

void ledger_read(struct pipeline *p, struct ledger *out);    /* any thread */
void ledger_read_store(struct store *s, struct ledger *out); /* of an agent that is stopped */
void ledger_free(struct ledger *l);
void ledger_json(const struct ledger *l, struct buf *out);
void ledger_text(const struct ledger *l, struct buf *out); /* for people */
