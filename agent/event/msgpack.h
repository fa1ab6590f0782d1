/* SPDX-License-Identifier: Apache-2.0 */
/* MessagePack (https://github.com/msgpack/msgpack/blob/master/spec.md): writing, and reading as a cursor over bytes.
 * Lengths are checked against what is left before anything is allocated; depth is limited. */
#pragma once
#include "base/err.h"
#include "event/value.h"

enum { MSGPACK_DEPTH = 64 };

/* Smallest encoding of each. */
void msgpack_nil(struct buf *out);
void msgpack_bool(struct buf *out, bool b);
void msgpack_int(struct buf *out, int64_t i);
void msgpack_uint(struct buf *out, uint64_t u);
void msgpack_float(struct buf *out, double f);
void msgpack_str(struct buf *out, struct str s);
void msgpack_bin(struct buf *out, struct str s);
void msgpack_ext(struct buf *out, int8_t type, struct str s);
void msgpack_array(struct buf *out, uint32_t n); /* the header; n values follow */
void msgpack_map(struct buf *out, uint32_t n);   /* the header; n pairs follow */
/* Fluent's EventTime: ext type 0, seconds and nanoseconds; outside 1970 to 2106 whole seconds as an integer. */
void msgpack_time(struct buf *out, int64_t ns);
void msgpack_value(struct buf *out, const struct value *v); /* raw containers verbatim */

/* Checks one value from the front of `in`: well formed, within depth, strings UTF-8 unless `any_bytes`.
 * Returns its length in bytes, or 0 with e set. */
size_t msgpack_check(struct str in, bool any_bytes, struct err *e);

/* The length of the value at the front of bytes that were checked before (0: none left). */
size_t msgpack_skip(struct str in);
/* Reads the value at the front of checked bytes; containers stay raw.  Returns its length. */
size_t msgpack_read(struct str in, struct value *out);
/* Of a checked container: its number of members, and *body set to where they begin. */
uint32_t msgpack_members(struct str container, struct str *body);
/* EventTime ext, integer or float seconds -> ns; false: none of these. */
bool msgpack_read_time(const struct value *v, int64_t *ns);
