/* SPDX-License-Identifier: Apache-2.0 */
/* What a filter sees of the machine while it works on one event. */
#pragma once
#include "pipe/lane.h"

struct emitted {
    struct event event;
    struct emitted *next;
};

struct emit {
    struct lane *lane;
    struct unit *filter;
    struct emitted *first, **last;
    struct id parent;
    uint32_t children;
    const char *code; /* of filter_fail */
    char text[192];
};

/* The filters of the event's route from index `from`, then the batch. */
enum outcome lane_run(struct lane *l, struct feed *f, struct event *ev, const struct event *original, size_t from);
/* Quarantine of an event as it was before the rules, or of bytes (original NULL). */
void lane_quarantine(struct lane *l, struct feed *f, const struct event *original, struct str raw, const char *stage,
                     const char *plugin, const char *code, const char *text);
