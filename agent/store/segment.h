/* SPDX-License-Identifier: Apache-2.0 */
/* The bytes of a segment file; all integers little endian.
 *
 * 4096 bytes of header, with the same 80 bytes at 0 and at 2048, so that one damaged sector does not cost the segment:
 *   u8[8] magic | u32 version | u32 0 | u64 store.hi | u64 store.lo | u64 generation | u64 base | u64 first |
 *   u64 previous | i64 created | u32 0 | u32 crc32c of the 76 bytes before
 * base: every LSN from here on is in this segment or a later one, whatever an earlier file says.  first: the LSN of its
 * first frame (more than base where transactions failed).  previous: the base of the segment before.
 *
 * Then frames, 8-byte aligned, padded with zeros:
 *   u32 magic | u16 type | u16 flags | u32 payload length | u32 raw length | u64 first LSN | u32 records | u32 0 |
 *   u32 crc32c of the payload | u32 crc32c of the 36 bytes before, seeded with the generation
 * The header's checksum makes the length trustworthy: a damaged payload costs one frame.  The generation is random:
 * what an earlier use of the file left behind is not taken for a frame. */
#pragma once
#include "base/hash.h"
#include "store/log.h"

enum { SEGMENT_HEADER = 4096, SEGMENT_VERSION = 1, SEGMENT_SECTOR = 512, FRAME_HEADER = 40, FRAME_ALIGN = 8 };

/* More frame flags.  FRAME_GROUP: the first frame of one commit, written only when every commit before it was durable.
 * So damage in front of such a frame is damage, and damage with none behind it is a torn tail. */
enum { FRAME_GROUP = 4 };

struct segment_header {
    struct id store;
    uint64_t generation, base, first, previous;
    int64_t created;
};

enum segment_check { SEGMENT_OK, SEGMENT_DAMAGED, SEGMENT_NEWER };

void segment_header_write(const struct segment_header *h, char out[SEGMENT_HEADER]);
enum segment_check segment_header_read(const char in[SEGMENT_HEADER], struct segment_header *out);

struct frame_header {
    uint16_t type, flags;
    uint32_t payload_len, records;
    uint64_t first_lsn;
    uint32_t payload_crc;
    uint32_t crc; /* of the header: set by both functions */
};

void frame_header_write(char out[FRAME_HEADER], struct frame_header *h, uint64_t generation);
bool frame_header_read(const char in[FRAME_HEADER], uint64_t generation, struct frame_header *out);

/* A quick look at the magic. */
static inline bool frame_header_likely(const char *in)
{
    return in[0] == 'W' && in[1] == 'F' && in[2] == 'R' && in[3] == 'M';
}

static inline uint64_t frame_size(uint64_t payload_len)
{
    return (FRAME_HEADER + payload_len + FRAME_ALIGN - 1) & ~(uint64_t)(FRAME_ALIGN - 1);
}

enum { SEGMENT_NAME = 21 }; /* "%016x.seg" and a NUL */
void segment_name(uint64_t base, char out[SEGMENT_NAME]);
bool segment_name_parse(const char *name, const char *suffix, uint64_t *base);

/* Of our own bytes in memory: nothing is checked. */
void frame_header_peek(const char in[FRAME_HEADER], struct frame_header *out);
