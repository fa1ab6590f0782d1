/* SPDX-License-Identifier: Apache-2.0 */
/* gzip, zlib deflate and zstd; outputs of compressors are the same for the same input (no times, fixed levels). */
#pragma once
#include "base/buf.h"
#include "base/err.h"

enum codec { CODEC_NONE, CODEC_GZIP, CODEC_ZSTD, CODEC_DEFLATE };
extern const char *const codec_names[]; /* none gzip zstd deflate, for OPT_ENUM */

/* Appends one whole gzip member or zstd frame.  level 0: the codec's default. */
bool codec_compress(enum codec c, int level, struct str in, struct buf *out, struct err *e);

enum inflate_result { INFLATE_OK, INFLATE_BAD, INFLATE_TOO_LARGE };
/* Appends what `in` holds (several members or frames too).  Stops at `max` bytes of output or at a ratio above
 * `ratio_max` (0: none) beyond the first 64 KiB: TOO_LARGE.  zstd windows above 8 MiB are refused.  Trailing bytes
 * that are no member: BAD. */
enum inflate_result codec_decompress(enum codec c, struct str in, size_t max, unsigned ratio_max, struct buf *out,
                                     struct err *e);
