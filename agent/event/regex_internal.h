/* SPDX-License-Identifier: Apache-2.0 */
/* From Ruby's syntax to PCRE2's: https://github.com/k-takata/Onigmo/blob/master/doc/RE and pcre2pattern(3). */
#pragma once
#include "base/buf.h"
#include "base/err.h"

enum { REGEX_NAMES = 200 }; /* named groups of one pattern */

struct regex_text {
    struct buf pattern; /* for PCRE2; Ruby's group names may hold what PCRE2's may not, so they are g0, g1 ... there */
    struct str names[REGEX_NAMES]; /* borrowed from the source */
    size_t n;
    bool named;                  /* groups without a name do not capture then */
    bool dotall, fold, extended; /* flags behind the closing slash */
};

/* The result's buffer is the caller's to free, also on failure. */
bool regex_translate(struct str source, struct regex_text *out, struct err *e);

struct regex_source {
    struct str s;
    size_t at;
    struct regex_text *out;
    struct err *e;
    bool extended;
};
/* At the `[` of a character class: appends its translation to `out` and moves behind it.  Ruby nests classes and has
 * `&&`; what PCRE2 has no class for becomes alternatives and look-aheads. */
bool regex_class(struct regex_source *r, struct buf *out, unsigned depth);
/* At a backslash, in a class or not: what both share. */
bool regex_escape(struct regex_source *r, struct buf *out, bool in_class);
