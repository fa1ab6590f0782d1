/* SPDX-License-Identifier: Apache-2.0 */
/* JSON (RFC 8259) to msgpack and back, in linear time and without recursion into anything an attacker chooses. */
#pragma once
#include "base/err.h"
#include "event/value.h"

struct json_limits {
    uint32_t depth;   /* nesting, at most 64 */
    uint32_t members; /* of one object or array */
    uint32_t key_bytes;
    bool refuse_bad_utf8;   /* else each bad sequence becomes U+FFFD and is counted */
    bool refuse_duplicates; /* else the last of several equal keys wins */
};
extern const struct json_limits json_limits_default; /* 64, 1M, 64 KiB, false, false */

struct json_result {
    size_t used;       /* bytes of the text that the value took, white space in front included */
    uint32_t replaced; /* bad UTF-8 sequences that became U+FFFD */
};

/* Reads one value from the front of `text` and appends it to `out` as msgpack.  Integers that fit 64 bits stay
 * integers; other numbers, and -0, become doubles; a number that overflows a double is refused.  A byte order mark in
 * front is passed over.  Of equal keys the last pair stays, at its own place.  At most 512 MiB of text.  False: `out`
 * is as it was and e says what is wrong at which byte ("at byte 17: ..."). */
bool json_read(struct str text, const struct json_limits *limits, struct buf *out, struct json_result *result,
               struct err *e);
/* The same, and nothing but white space may follow the value. */
bool json_read_whole(struct str text, const struct json_limits *limits, struct buf *out, struct err *e);

/* Doubles: the shortest digits that read back the same; NaN and infinities are null.  Invalid UTF-8 becomes U+FFFD.
 * bin and ext are written as strings of escaped bytes; a key that is no string as its text, a container as a key as its
 * escaped bytes. */
void json_write(struct buf *out, const struct value *v);
void json_write_str(struct buf *out, struct str s); /* with its quotes */
void json_write_double(struct buf *out, double f);
