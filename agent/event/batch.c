/* SPDX-License-Identifier: Apache-2.0 */
#include "event/batch.h"

#include "base/alloc.h"
#include "base/reader.h"
#include "event/msgpack.h"
#include "event/msgpack_head.h"

#include <stdlib.h>

enum { FIXED = 2 + 4 + 1 + 4, ID = 16, TIMED = 13 /* 92 92 d7 00, 8 bytes of time, at least one of meta */ };

struct batch {
    struct buf tag, ids, lengths, events;
    uint32_t route_set, count;
    uint8_t flags;
};

struct batch *batch_new(struct str tag, uint32_t route_set, uint8_t flags)
{
    struct batch *b = alloc_new(sizeof *b);

    buf_str(&b->tag, str_head(tag, UINT16_MAX));
    b->route_set = route_set;
    b->flags = flags;
    return b;
}

void batch_free(struct batch *b)
{
    if (!b)
        return;
    buf_free(&b->tag);
    buf_free(&b->ids);
    buf_free(&b->lengths);
    buf_free(&b->events);
    free(b);
}

void batch_add(struct batch *b, const struct event *ev)
{
    size_t start = b->events.n;

    buf_le64(&b->ids, ev->id.hi);
    buf_le64(&b->ids, ev->id.lo);
    buf_add(&b->events, "\x92\x92", 2);
    msgpack_time(&b->events, ev->time);
    if (ev->meta.type == V_MAP)
        msgpack_value(&b->events, &ev->meta);
    else
        msgpack_map(&b->events, 0);
    msgpack_value(&b->events, &ev->body);
    buf_varint(&b->lengths, b->events.n - start);
    b->count++;
}

size_t batch_bytes(const struct batch *b)
{
    return FIXED + b->tag.n + b->ids.n + b->lengths.n + b->events.n;
}

uint32_t batch_count(const struct batch *b)
{
    return b->count;
}

struct str batch_tag(const struct batch *b)
{
    return buf_view(&b->tag);
}

uint32_t batch_route_set(const struct batch *b)
{
    return b->route_set;
}

void batch_seal(struct batch *b, struct buf *payload)
{
    buf_room(payload, batch_bytes(b));
    buf_le16(payload, (uint16_t)b->tag.n);
    buf_str(payload, buf_view(&b->tag));
    buf_le32(payload, b->route_set);
    buf_char(payload, (char)b->flags);
    buf_le32(payload, b->count);
    buf_str(payload, buf_view(&b->ids));
    buf_str(payload, buf_view(&b->lengths));
    buf_str(payload, buf_view(&b->events));
    buf_clear(&b->ids);
    buf_clear(&b->lengths);
    buf_clear(&b->events);
    b->count = 0;
}

/* What stands before the columns; the reader is left at the ids. */
static bool read_head(struct reader *r, struct batch_view *out)
{
    out->tag = reader_bytes(r, reader_le16(r));
    out->route_set = reader_le32(r);
    out->flags = reader_u8(r);
    out->count = reader_le32(r);
    /* Before the walk: a count that lies must not make it long. */
    return !r->bad && (uint64_t)out->count * ID <= reader_left(r);
}

bool batch_peek(struct str payload, struct batch_view *out)
{
    struct reader r = reader_of(payload);

    *out = (struct batch_view){0};
    return read_head(&r, out);
}

bool batch_view(struct str payload, struct batch_view *out)
{
    struct reader r = reader_of(payload);
    const uint8_t *lengths;
    uint64_t sum = 0, length;

    if (!read_head(&r, out))
        return false;
    out->ids = reader_bytes(&r, (size_t)out->count * ID).p;
    lengths = r.p;
    for (uint32_t i = 0; i < out->count; i++) {
        length = reader_varint(&r);
        if (r.bad || length > payload.n)
            return false;
        sum += length; /* each is at most the payload, and there are fewer than 2^32 */
    }
    out->lengths = (struct str){(const char *)lengths, (size_t)(r.p - lengths)};
    out->events = (struct str){(const char *)r.p, reader_left(&r)};
    return sum == out->events.n;
}

void batch_view_again(struct str payload, size_t lengths, struct batch_view *out)
{
    struct reader r = reader_of(payload);

    read_head(&r, out);
    out->ids = reader_bytes(&r, (size_t)out->count * ID).p;
    out->lengths = reader_bytes(&r, lengths);
    out->events = reader_bytes(&r, reader_left(&r));
}

struct id batch_id(const struct batch_view *view, uint32_t i)
{
    struct id id;

    memcpy(&id.hi, view->ids + (size_t)i * ID, 8);
    memcpy(&id.lo, view->ids + (size_t)i * ID + 8, 8);
    return (struct id){le64toh(id.hi), le64toh(id.lo)};
}

void batch_start(struct batch_cursor *c, const struct batch_view *view)
{
    *c = (struct batch_cursor){*view, 0, view->lengths, view->events};
}

bool batch_next_raw(struct batch_cursor *c, struct str *encoded)
{
    struct reader r = reader_of(c->lengths);
    size_t length;

    if (c->i == c->view.count)
        return false;
    length = reader_varint(&r);
    if (r.bad || length > c->events.n)
        return false;
    c->lengths = (struct str){(const char *)r.p, reader_left(&r)};
    *encoded = str_head(c->events, length);
    c->events = str_from(c->events, length);
    c->i++;
    return true;
}

/* Any [[time, meta], body] whose time is not the usual ext. */
static void decode(struct str in, struct event *ev)
{
    struct str pair, rest;
    struct value time = {0};
    size_t used;

    if (msgpack_members(in, &rest) != 2 || msgpack_members(rest, &pair) != 2)
        return;
    used = msgpack_read(pair, &time);
    msgpack_read_time(&time, &ev->time);
    pair = str_from(pair, used);
    used = msgpack_read(pair, &ev->meta);
    if (used)
        ev->body = value_raw(str_from(pair, used));
}

bool batch_next(struct batch_cursor *c, struct event *ev)
{
    static const char head[4] = {(char)0x92, (char)0x92, (char)0xd7, 0};
    uint32_t i = c->i;
    struct str in;
    size_t meta = 1;

    if (!batch_next_raw(c, &in))
        return false;
    ev->tag = c->view.tag;
    ev->id = batch_id(&c->view, i);
    ev->time = 0;
    ev->meta = ev->body = value_raw(STR("\x80"));
    if (in.n < TIMED || memcmp(in.p, head, sizeof head) != 0) {
        decode(in, ev);
        return true;
    }
    ev->time = (int64_t)load_be32(in.p + 4) * 1000000000 + load_be32(in.p + 8);
    if ((uint8_t)in.p[TIMED - 1] != 0x80) {
        meta = msgpack_skip(str_from(in, TIMED - 1));
        ev->meta = value_raw(str_head(str_from(in, TIMED - 1), meta));
    }
    ev->body = value_raw(str_from(in, TIMED - 1 + meta)); /* to the end: not looked at */
    return true;
}
