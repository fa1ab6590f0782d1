/* SPDX-License-Identifier: Apache-2.0 */
/* A tailed file's durable position.  Its key is the file's identity, "device:inode" in hex; its value
 *
 *   u8 version 1 | u8 flags | varint generation, offset, birth, seen, head length | u32 head CRC-32C | path
 *
 * integers little endian, times in ns since the epoch. */
#pragma once
#include "base/buf.h"

enum { HEAD_BYTES = 1024 };

struct head { /* fingerprint of a file's first bytes */
    uint32_t n, crc;
};

struct position {
    uint64_t generation; /* begins as the file's birth (else its discovery) and moves by one with each truncation */
    uint64_t offset;
    int64_t birth; /* 0: the file system does not say */
    int64_t seen;  /* when the path was last seen to lead to this file */
    struct head head;
    bool skipping; /* the offset is inside of a line whose rest is not wanted */
    struct str path;
};

void position_write(struct buf *out, const struct position *p);
bool position_read(struct str in, struct position *out); /* borrows the path; false: of another version, or damaged */
size_t position_key(char out[40], uint64_t device, uint64_t inode);
bool position_parse_key(struct str key, uint64_t *device, uint64_t *inode);
