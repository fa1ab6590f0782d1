/* SPDX-License-Identifier: Apache-2.0 */
/* Lua 5.1 patterns with a budget: every step is counted, because no hook fires inside C. */
#pragma once
#include "lua/sandbox.h"

enum {
    PATTERN_CAPTURES = 32,
    PATTERN_DEPTH = 200, /* of the matcher's recursion, as in Lua */
};

struct pattern {
    struct fence *fence;
    lua_State *L;
    const char *subject, *subject_end, *end; /* end: of the pattern */
    const char *first, *first_end;           /* its first item, where searches may look for it */
    unsigned level, depth;
    uint64_t steps;
    struct {
        const char *p;
        ptrdiff_t n; /* or one of the two below */
    } capture[PATTERN_CAPTURES];
};
enum { CAPTURE_OPEN = -1, CAPTURE_POSITION = -2 };

/* Matches the pattern at p against the subject at s; returns the end of the match or NULL.  Raises on a malformed
 * pattern and when the budget is used up. */
const char *pattern_match(struct pattern *m, const char *s, const char *p);
/* For searches: notes what p begins with, ... */
void pattern_first(struct pattern *m, const char *p);
/* ... and matches at the first place at or behind *s where that stands; *s becomes that place, the subject's end where
 * there is none.  Without pattern_first (m->first NULL) it is tried at *s only. */
const char *pattern_next(struct pattern *m, const char **s, const char *p);
