/* SPDX-License-Identifier: Apache-2.0 */
/* Events of one tag, encoded once.  Written by one thread, then sealed into the payload of one EVENTS frame of the log:
 *
 *   u16 tag length, tag | u32 route set | u8 flags | u32 count
 *   ids: count * 16 bytes (hi, lo; little endian)
 *   lengths: count varints, the bytes of each event
 *   events: msgpack [[time, meta], body] each, Fluent's forward wire format
 *
 * All integers little endian. */
#pragma once
#include "event/event.h"

enum { BATCH_DEDUP = 1 }; /* flags: the ids are in the deduplication set */

struct batch;

struct batch *batch_new(struct str tag, uint32_t route_set, uint8_t flags);
void batch_free(struct batch *b);
void batch_add(struct batch *b, const struct event *ev); /* copies: the event is free afterwards */
size_t batch_bytes(const struct batch *b);               /* what the payload will take */
uint32_t batch_count(const struct batch *b);
struct str batch_tag(const struct batch *b);
uint32_t batch_route_set(const struct batch *b);
void batch_seal(struct batch *b, struct buf *payload); /* appends the payload and empties the batch for re-use */

/* Reading a payload. */
struct batch_view {
    struct str tag;
    uint32_t route_set, count;
    uint8_t flags;
    const char *ids; /* count * 16 bytes */
    struct str lengths, events;
};
/* False: the payload is damaged.  Checks the columns against each other, not the msgpack of each event. */
bool batch_view(struct str payload, struct batch_view *out);
/* Only what stands before the columns: tag, route set, flags, count. */
bool batch_peek(struct str payload, struct batch_view *out);
/* Of a copy of a payload that batch_view took before; `lengths` are the bytes of that column. */
void batch_view_again(struct str payload, size_t lengths, struct batch_view *out);
struct id batch_id(const struct batch_view *view, uint32_t i);

struct batch_cursor {
    struct batch_view view;
    uint32_t i;
    struct str lengths, events;
};
void batch_start(struct batch_cursor *c, const struct batch_view *view);
/* The next event with raw body and meta, borrowed from the payload; ev->arena is left alone.  False: no more. */
bool batch_next(struct batch_cursor *c, struct event *ev);
/* The bytes of the next event as they stand, for encoders that copy; false: no more. */
bool batch_next_raw(struct batch_cursor *c, struct str *encoded);
