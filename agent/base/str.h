/* SPDX-License-Identifier: Apache-2.0 */
/* A borrowed, counted string: never owns memory, never assumes a NUL. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct str {
    const char *p;
    size_t n;
};

/* A list of borrowed strings; who filled it owns `items`. */
struct strs {
    struct str *items;
    size_t n;
};

#define STR(lit) ((struct str){(lit), sizeof(lit) - 1})
#define STR_FMT "%.*s"
#define STR_ARG(s) (int)(s).n, (s).p

static inline struct str str_of(const char *z)
{
    return (struct str){z, z ? strlen(z) : 0};
}

static inline bool str_eq(struct str a, struct str b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static inline struct str str_from(struct str s, size_t start)
{
    return start >= s.n ? (struct str){s.p + s.n, 0} : (struct str){s.p + start, s.n - start};
}

static inline struct str str_head(struct str s, size_t n)
{
    return (struct str){s.p, n < s.n ? n : s.n};
}

bool str_eq_fold(struct str a, struct str b); /* ASCII case folded */
bool str_starts(struct str s, struct str prefix);
bool str_ends(struct str s, struct str suffix);
int str_cmp(struct str a, struct str b); /* bytes, then length */
struct str str_trim(struct str s);       /* spaces, tabs, CR and LF at both ends */

/* The part before the first `sep`; *rest becomes what follows it (empty, p NULL at the end). */
struct str str_cut(struct str *rest, char sep);
/* The next word separated by spaces or tabs; empty when none is left. */
struct str str_word(struct str *rest);
/* Offset of the first occurrence, or SIZE_MAX. */
size_t str_find(struct str s, struct str needle);
size_t str_find_char(struct str s, char c);

/* The whole of s as a decimal number; false: not a number, or out of range. */
bool str_i64(struct str s, int64_t *out);
bool str_u64(struct str s, uint64_t *out);
bool str_double(struct str s, double *out);

/* Edit distance, for "did you mean"; stops counting at `limit`. */
size_t str_distance(struct str a, struct str b, size_t limit);
/* Shell-style pattern with '*' only, as Fluent Bit's match. */
bool str_match(struct str pattern, struct str s);
