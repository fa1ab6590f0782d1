/* SPDX-License-Identifier: Apache-2.0 */
#include "store/segment.h"

#include "base/crc32c.h"

#include <endian.h>
#include <inttypes.h>
#include <stdio.h>

static const char segment_magic[8] = "WEIRSEG\n";
enum { FRAME_MAGIC = 0x4d524657, HEADER_USED = 80, HEADER_COPY = 2048 }; /* "WFRM" */

static void put16(char *p, uint16_t v)
{
    v = htole16(v);
    memcpy(p, &v, sizeof v);
}

static void put32(char *p, uint32_t v)
{
    v = htole32(v);
    memcpy(p, &v, sizeof v);
}

static void put64(char *p, uint64_t v)
{
    v = htole64(v);
    memcpy(p, &v, sizeof v);
}

static uint16_t get16(const char *p)
{
    uint16_t v;
    memcpy(&v, p, sizeof v);
    return le16toh(v);
}

static uint32_t get32(const char *p)
{
    uint32_t v;
    memcpy(&v, p, sizeof v);
    return le32toh(v);
}

static uint64_t get64(const char *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof v);
    return le64toh(v);
}

void segment_header_write(const struct segment_header *h, char out[SEGMENT_HEADER])
{
    memset(out, 0, SEGMENT_HEADER);
    memcpy(out, segment_magic, sizeof segment_magic);
    put32(out + 8, SEGMENT_VERSION);
    put64(out + 16, h->store.hi);
    put64(out + 24, h->store.lo);
    put64(out + 32, h->generation);
    put64(out + 40, h->base);
    put64(out + 48, h->first);
    put64(out + 56, h->previous);
    put64(out + 64, (uint64_t)h->created);
    put32(out + 76, crc32c(0, out, 76));
    memcpy(out + HEADER_COPY, out, HEADER_USED);
}

static enum segment_check read_copy(const char *in, struct segment_header *out)
{
    if (memcmp(in, segment_magic, sizeof segment_magic) || get32(in + 76) != crc32c(0, in, 76))
        return SEGMENT_DAMAGED;
    if (get32(in + 8) != SEGMENT_VERSION)
        return SEGMENT_NEWER;
    out->store = (struct id){get64(in + 16), get64(in + 24)};
    out->generation = get64(in + 32);
    out->base = get64(in + 40);
    out->first = get64(in + 48);
    out->previous = get64(in + 56);
    out->created = (int64_t)get64(in + 64);
    return out->first >= out->base ? SEGMENT_OK : SEGMENT_DAMAGED;
}

enum segment_check segment_header_read(const char in[SEGMENT_HEADER], struct segment_header *out)
{
    enum segment_check first = read_copy(in, out);

    return first == SEGMENT_DAMAGED ? read_copy(in + HEADER_COPY, out) : first;
}

static uint32_t header_crc(const char *frame, uint64_t generation)
{
    char seed[8];

    put64(seed, generation);
    return crc32c(crc32c(0, seed, sizeof seed), frame, FRAME_HEADER - 4);
}

void frame_header_write(char out[FRAME_HEADER], struct frame_header *h, uint64_t generation)
{
    put32(out, FRAME_MAGIC);
    put16(out + 4, h->type);
    put16(out + 6, h->flags);
    put32(out + 8, h->payload_len);
    put32(out + 12, h->payload_len);
    put64(out + 16, h->first_lsn);
    put32(out + 24, h->records);
    put32(out + 28, 0);
    put32(out + 32, h->payload_crc);
    h->crc = header_crc(out, generation);
    put32(out + 36, h->crc);
}

bool frame_header_read(const char in[FRAME_HEADER], uint64_t generation, struct frame_header *out)
{
    if (get32(in) != FRAME_MAGIC || get32(in + 36) != header_crc(in, generation))
        return false;
    frame_header_peek(in, out);
    return true;
}

void frame_header_peek(const char in[FRAME_HEADER], struct frame_header *out)
{
    out->type = get16(in + 4);
    out->flags = get16(in + 6);
    out->payload_len = get32(in + 8);
    out->first_lsn = get64(in + 16);
    out->records = get32(in + 24);
    out->payload_crc = get32(in + 32);
    out->crc = get32(in + 36);
}

void segment_name(uint64_t base, char out[SEGMENT_NAME])
{
    snprintf(out, SEGMENT_NAME, "%016" PRIx64 ".seg", base);
}

bool segment_name_parse(const char *name, const char *suffix, uint64_t *base)
{
    *base = 0;
    for (int i = 0; i < 16; i++) {
        char c = name[i];
        if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'f'))
            return false;
        *base = *base << 4 | (uint64_t)(c <= '9' ? c - '0' : c - 'a' + 10);
    }
    return !strcmp(name + 16, suffix);
}
