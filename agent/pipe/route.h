/* SPDX-License-Identifier: Apache-2.0 */
/* Which filters and outputs a tag goes through: resolved once per tag, then cached by its lane. */
#pragma once
#include "event/batch.h"
#include "pipe/instance.h"
#include "pipe/tally.h"

struct route {
    struct str tag;        /* owned */
    struct unit **filters; /* in order */
    size_t nfilters;
    struct unit **outputs;
    size_t noutputs;
    struct counter **routed; /* one per output */
    uint32_t set;            /* the route set's number; 0: no output */
    struct batch *open;      /* events of the open transaction */
};

/* Route sets: the names of the outputs that an event owes, numbered for good in the store. */
struct route_sets;

/* `known`: from the store's image at start. */
struct route_sets *route_sets_new(void);
void route_sets_free(struct route_sets *s);
void route_sets_learn(struct route_sets *s, uint32_t number, const struct strs *outputs);
/* The number of this set; a new one is not declared yet. */
uint32_t route_sets_number(struct route_sets *s, struct unit *const *outputs, size_t n);
/* Writes the ROUTES frame of a set that no durable transaction has declared; call before its first EVENTS frame.  After
 * a transaction failed, route_sets_undeclare makes all sets of this run be declared again. */
void route_sets_declare(struct route_sets *s, uint32_t number, struct txn *txn);
void route_sets_undeclare(struct route_sets *s);

struct route *route_new(struct str tag, struct unit *const *filters, size_t nfilters, struct unit *const *outputs,
                        size_t noutputs, struct route_sets *sets, struct tally *tally);
void route_free(struct route *r);
