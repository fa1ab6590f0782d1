/* SPDX-License-Identifier: Apache-2.0 */
/* SipHash-2-4 (Aumasson and Bernstein, https://www.aumasson.jp/siphash/): a keyed hash that an attacker who chooses
 * the input cannot collide without the key. */
#pragma once
#include "base/str.h"

/* A 128-bit identity: of an event, a file, a plan. */
struct id {
    uint64_t hi, lo;
};

static inline bool id_eq(struct id a, struct id b)
{
    return a.hi == b.hi && a.lo == b.lo;
}

static inline bool id_none(struct id a)
{
    return !(a.hi | a.lo);
}

uint64_t hash_64(struct str s, const struct id *key);
struct id hash_128(struct str s, const struct id *key); /* never the all-zero id */
uint64_t hash_bytes(struct str s);                      /* hash_64 under a key drawn at process start: for tables */

/* 32 lower-case hex digits and a NUL. */
void id_text(struct id id, char out[33]);
bool id_parse(struct str text, struct id *out);
