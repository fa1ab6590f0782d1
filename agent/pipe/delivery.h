/* SPDX-License-Identifier: Apache-2.0 */
/* What one attempt of an output gets: a window of the events that a range of the log owes it.  The events of a range
 * are numbered once (grouped by tag where the output wants that), so that a window is two numbers and can be repeated
 * or halved, also after a restart. */
#pragma once
#include "event/batch.h"
#include "plugin.h"

#include <stdatomic.h>

struct part {
    size_t lengths; /* bytes of the column */
    size_t at, n;   /* of the payload in data */
    uint64_t lsn;   /* of its frame; set by who adds it */
    struct batch_view view;
    uint32_t first; /* number of its first event */
};

struct failure {
    uint32_t index; /* number of the event; once each */
    enum verdict verdict;
    char why[128];
};

struct delivery {
    struct buf data;
    struct part *parts;
    size_t nparts, cap;
    uint32_t total; /* events of the range */
    uint64_t from_lsn, to_lsn;
    uint32_t from, to; /* the window */
    uint8_t *settled;  /* per event: judged on its own already */
    uint32_t at;       /* number of the next event */
    size_t part;
    struct batch_cursor cursor;
    struct arena *arena;
    char id[33];
    int64_t retry_after;
    struct failure *failures;
    size_t nfailures, failures_cap;
    uint32_t highest; /* of the failures' numbers */
    const _Atomic int *stopping;
};

void delivery_init(struct delivery *d, const _Atomic int *stopping);
void delivery_reset(struct delivery *d, uint64_t from_lsn);         /* an empty range */
bool delivery_add(struct delivery *d, struct str payload);          /* of an EVENTS frame; false: damaged */
void delivery_number(struct delivery *d, bool by_tag);              /* the range is complete */
uint32_t delivery_tag_end(const struct delivery *d, uint32_t from); /* where the tag of event `from` ends */
void delivery_window(struct delivery *d, uint32_t from, uint32_t to, struct id agent, struct str output);
uint32_t delivery_unsettled(const struct delivery *d); /* in the window */
void delivery_free(struct delivery *d);
