/* SPDX-License-Identifier: Apache-2.0 */
/* The ledger's deltas of the open transaction.  A lane counts here without locks; at each flush the deltas become one
 * LEDGER frame of the transaction whose events they count. */
#pragma once
#include "base/str.h"
#include "store/log.h"

/* Names of the counters in the store: those of the contract, and "routed/OUTPUT", "in/INPUT", "filtered/FILTER". */
#define TALLY_IN "in"
#define TALLY_CREATED "created"
#define TALLY_FILTERED "filtered"
#define TALLY_DEDUPLICATED "deduplicated"
#define TALLY_QUARANTINED "quarantined"
#define TALLY_DROPPED "dropped"
#define TALLY_UNROUTED "unrouted"
#define TALLY_LOGGED "logged"

struct counter {
    char *name;
    int64_t delta;
};

struct tally {
    struct counter **counters;
    size_t n, cap;
};

/* The counter of that name; "prefix/instance" with an instance, the prefix alone without.  Lives as long as the tally.
 */
struct counter *tally_counter(struct tally *t, const char *prefix, const char *instance);
bool tally_write(struct tally *t, struct txn *txn); /* false: nothing had been counted */
void tally_free(struct tally *t);
