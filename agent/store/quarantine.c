/* SPDX-License-Identifier: Apache-2.0 */
/* The bytes of an entry: u8 version | id hi lo | event id hi lo | i64 time | u32 attempts | u8 payload kind | u8
 * sealed, then stage, plugin, input, tag, code, text, listing and payload, each a varint length and bytes. */
#include "store/quarantine.h"

#include "base/reader.h"

enum { ENTRY_VERSION = 1 };

static void put(struct buf *b, struct str s)
{
    buf_varint(b, s.n);
    buf_str(b, s);
}

static struct str get(struct reader *r)
{
    uint64_t n = reader_varint(r);

    if (n > reader_left(r)) {
        r->bad = true;
        return STR("");
    }
    return reader_bytes(r, (size_t)n);
}

static void put_id(struct buf *b, struct id id)
{
    buf_le64(b, id.hi);
    buf_le64(b, id.lo);
}

static struct id get_id(struct reader *r)
{
    struct id id;

    id.hi = reader_le64(r);
    id.lo = reader_le64(r);
    return id;
}

void quarantine_write(struct buf *b, const struct quarantine_entry *e)
{
    buf_char(b, ENTRY_VERSION);
    put_id(b, e->id);
    put_id(b, e->event_id);
    buf_le64(b, (uint64_t)e->time);
    buf_le32(b, e->attempts);
    buf_char(b, (char)e->kind);
    buf_char(b, e->sealed);
    put(b, e->stage);
    put(b, e->plugin);
    put(b, e->input);
    put(b, e->tag);
    put(b, e->code);
    put(b, e->text);
    put(b, e->listing);
    put(b, e->payload);
}

bool quarantine_read(struct str payload, struct quarantine_entry *out)
{
    struct reader r = reader_of(payload);
    uint8_t version = reader_u8(&r), kind, sealed;

    out->id = get_id(&r);
    out->event_id = get_id(&r);
    out->time = (int64_t)reader_le64(&r);
    out->attempts = reader_le32(&r);
    kind = reader_u8(&r);
    sealed = reader_u8(&r);
    out->kind = (enum quarantine_payload)kind;
    out->sealed = sealed == 1;
    out->stage = get(&r);
    out->plugin = get(&r);
    out->input = get(&r);
    out->tag = get(&r);
    out->code = get(&r);
    out->text = get(&r);
    out->listing = get(&r);
    out->payload = get(&r);
    return version == ENTRY_VERSION && kind <= QUARANTINE_BYTES && sealed <= 1 && !r.bad && !reader_left(&r);
}
