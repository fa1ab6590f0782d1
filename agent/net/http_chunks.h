/* SPDX-License-Identifier: Apache-2.0 */
/* The chunked transfer coding of requests (RFC 9112 section 7.1), to the letter: a bare LF, a space, a sign or an
 * extension without end is an error.  llhttp accepts some of these. */
#pragma once
#include <stddef.h>
#include <stdint.h>

enum { CHUNK_EXTENSIONS_MAX = 4096, CHUNK_TRAILER_MAX = 4096 }; /* bytes of all of them in one body */

struct chunks { /* zero at the start of a body */
    uint64_t left, total;
    uint32_t extensions, trailer;
    uint8_t state, digits;
};

enum chunk_result { CHUNKS_MORE, CHUNKS_DONE, CHUNKS_BAD, CHUNKS_TOO_LARGE };

/* Decodes p[*read..n) in place: data is moved to p + *write, which moves on.  MORE: everything was read.  DONE: *read
 * stands behind the body. */
enum chunk_result chunks_decode(struct chunks *c, char *p, size_t n, size_t *read, size_t *write, uint64_t max);
