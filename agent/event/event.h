/* SPDX-License-Identifier: Apache-2.0 */
/* One record on its way through the filter chain.  All filters share this view; nothing is decoded until looked at. */
#pragma once
#include "base/hash.h"
#include "event/time.h"
#include "event/value.h"

struct event {
    int64_t time; /* ns since the epoch */
    struct str tag;
    struct value body;   /* a map */
    struct value meta;   /* a map; {} where there is none */
    struct id id;        /* zero: not yet given one */
    struct arena *arena; /* owns everything opened or set; reset when the event is done */
};

static inline struct value *event_get(struct event *ev, struct str key)
{
    return map_value_get(&ev->body, key, ev->arena);
}

static inline void event_set(struct event *ev, struct str key, struct value v)
{
    map_value_set(&ev->body, key, v, ev->arena);
}

static inline bool event_del(struct event *ev, struct str key)
{
    return map_value_del(&ev->body, key, ev->arena);
}

/* The body as JSON, with the event's time in front under `date_key`; without one where that is empty. */
void event_write_json(struct buf *out, const struct event *ev, struct str date_key, enum json_date format);

/* The id of the nth child of a split or a re-emission: parent#n. */
struct id event_child_id(struct id parent, uint32_t n);
