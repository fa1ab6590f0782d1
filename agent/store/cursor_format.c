/* SPDX-License-Identifier: Apache-2.0 */
#include "store/cursor_format.h"

#include "base/crc32c.h"
#include "base/reader.h"

#include <endian.h>

static const char magic[8] = "WEIRCUR\n";
enum { CURSOR_VERSION = 1 };

static void put(struct buf *b, const struct buf *s)
{
    buf_le32(b, (uint32_t)s->n);
    buf_str(b, buf_view(s));
}

void cursor_encode(struct buf *slot, uint64_t generation, struct str output, const struct cursor_state *state)
{
    size_t start = slot->n;
    uint32_t length, crc;

    buf_add(slot, magic, sizeof magic);
    buf_le64(slot, generation);
    buf_le64(slot, 0);
    buf_char(slot, CURSOR_VERSION);
    buf_le64(slot, state->lsn);
    buf_le64(slot, state->consumed);
    buf_le64(slot, state->delivered);
    buf_le64(slot, state->quarantined);
    buf_le64(slot, state->dropped);
    buf_char(slot, state->plan.open);
    buf_le64(slot, state->plan.id.hi);
    buf_le64(slot, state->plan.id.lo);
    buf_le64(slot, state->plan.from);
    buf_le64(slot, state->plan.to);
    buf_le32(slot, state->plan.starts);
    put(slot, &state->plan.done);
    put(slot, &state->output);
    buf_le16(slot, (uint16_t)output.n);
    buf_str(slot, output);
    length = htole32((uint32_t)(slot->n - start - CURSOR_HEADER));
    memcpy(slot->p + start + 16, &length, 4);
    crc = crc32c(0, slot->p + start + 8, 12);
    crc = htole32(crc32c(crc, slot->p + start + CURSOR_HEADER, slot->n - start - CURSOR_HEADER));
    memcpy(slot->p + start + 20, &crc, 4);
}

static bool decode_payload(struct str payload, struct str *output, struct cursor_state *out)
{
    struct reader r = reader_of(payload);
    struct cursor_state s = {0};
    struct str done, described;
    bool known = reader_u8(&r) == CURSOR_VERSION;

    s.lsn = reader_le64(&r);
    s.consumed = reader_le64(&r);
    s.delivered = reader_le64(&r);
    s.quarantined = reader_le64(&r);
    s.dropped = reader_le64(&r);
    s.plan.open = reader_u8(&r) != 0;
    s.plan.id.hi = reader_le64(&r);
    s.plan.id.lo = reader_le64(&r);
    s.plan.from = reader_le64(&r);
    s.plan.to = reader_le64(&r);
    s.plan.starts = reader_le32(&r);
    done = reader_bytes(&r, reader_le32(&r));
    described = reader_bytes(&r, reader_le32(&r));
    *output = reader_bytes(&r, reader_le16(&r));
    if (!known || r.bad)
        return false;
    if (!out)
        return true;
    cursor_state_free(out);
    *out = s;
    buf_str(&out->plan.done, done);
    buf_str(&out->output, described);
    return true;
}

bool cursor_decode(struct str slot, uint64_t *generation, struct str *output, struct cursor_state *state)
{
    struct reader r = reader_of(slot);
    struct str payload, start;
    uint32_t length, crc;

    if (slot.n < CURSOR_HEADER || memcmp(reader_bytes(&r, sizeof magic).p, magic, sizeof magic))
        return false;
    start = (struct str){(const char *)r.p, 12};
    *generation = reader_le64(&r);
    length = reader_le32(&r);
    crc = reader_le32(&r);
    payload = reader_bytes(&r, length);
    if (r.bad || crc32c(crc32c(0, start.p, start.n), payload.p, payload.n) != crc)
        return false;
    return decode_payload(payload, output, state);
}
