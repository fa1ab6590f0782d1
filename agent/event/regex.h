/* SPDX-License-Identifier: Apache-2.0 */
/* Regular expressions as Fluent Bit's files write them: Ruby's (Onigmo), translated to PCRE2.  `^` and `$` are line
 * anchors, `(?m)` is dotall, `\h` is a hex digit, `(?<name>...)` captures.  Matching is bounded by step and depth
 * limits: a pattern that runs away is a "no match" and is counted. */
#pragma once
#include "base/err.h"
#include "base/str.h"

struct regex; /* one thread at a time: it owns its match data */

/* `/pattern/imx` or a bare pattern. */
struct regex *regex_new(struct str pattern, struct err *e);
void regex_free(struct regex *r);
bool regex_match(struct regex *r, struct str text);
/* Captures 0..9 of the last match; empty where the group took no part. */
struct str regex_capture(const struct regex *r, unsigned i);
size_t regex_capture_count(const struct regex *r); /* of the last match, the whole included */
/* Calls each(arg, name, value) for every named group that took part in the last match. */
void regex_named(const struct regex *r, void (*each)(void *arg, struct str name, struct str value), void *arg);
size_t regex_named_count(const struct regex *r); /* of the pattern */
uint64_t regex_limit_hits(const struct regex *r);
