/* SPDX-License-Identifier: Apache-2.0 */
#include "lua/pattern.h"

#include <lauxlib.h>

static inline bool in(unsigned c, unsigned low, unsigned high)
{
    return c - low <= high - low;
}

enum { UPPER = 1, LOWER = 2, DIGIT = 4, PUNCT = 8, SPACE = 16, CONTROL = 32, HEX = 64, ZERO = 128 };

static const uint8_t kinds[256] = {[0] = CONTROL | ZERO,        [1 ... 8] = CONTROL,   [9 ... 13] = CONTROL | SPACE,
                                   [14 ... 31] = CONTROL,       [' '] = SPACE,         ['!' ... '/'] = PUNCT,
                                   ['0' ... '9'] = DIGIT | HEX, [':' ... '@'] = PUNCT, ['A' ... 'F'] = UPPER | HEX,
                                   ['G' ... 'Z'] = UPPER,       ['[' ... '`'] = PUNCT, ['a' ... 'f'] = LOWER | HEX,
                                   ['g' ... 'z'] = LOWER,       ['{' ... '~'] = PUNCT, [127] = CONTROL};

/* By class letter from a on; 0: such a letter stands for itself. */
static const uint8_t classes[32] = {['a' - 'a'] = UPPER | LOWER,
                                    ['c' - 'a'] = CONTROL,
                                    ['d' - 'a'] = DIGIT,
                                    ['g' - 'a'] = UPPER | LOWER | DIGIT | PUNCT,
                                    ['l' - 'a'] = LOWER,
                                    ['p' - 'a'] = PUNCT,
                                    ['s' - 'a'] = SPACE,
                                    ['u' - 'a'] = UPPER,
                                    ['w' - 'a'] = UPPER | LOWER | DIGIT,
                                    ['x' - 'a'] = HEX,
                                    ['z' - 'a'] = ZERO};

static inline bool is_class(unsigned c, unsigned class)
{
    unsigned mask = in(class | 32, 'a', 'z') ? classes[(class | 32) - 'a'] : 0;

    if (!mask)
        return c == class;
    return ((kinds[c] & mask) != 0) == ((class & 32) != 0);
}

static inline void work(struct pattern *m)
{
    if (++m->steps >= 1024) {
        fence_work(m->fence, m->L, m->steps);
        m->steps = 0;
    }
}

/* The end of the single-character item at p. */
static inline const char *item_end(struct pattern *m, const char *p)
{
    if (*p == '%') {
        if (p + 1 >= m->end)
            luaL_error(m->L, "malformed pattern (ends with '%%')");
        return p + 2;
    }
    if (*p != '[')
        return p + 1;
    p++;
    if (p < m->end && *p == '^')
        p++;
    do { /* a ] in front is one of the set */
        if (p >= m->end)
            luaL_error(m->L, "malformed pattern (missing ']')");
        if (*p++ == '%' && p < m->end)
            p++;
    } while (p >= m->end || *p != ']');
    return p + 1;
}

/* p at [, last at its ]. */
static bool in_set(unsigned c, const char *p, const char *last)
{
    bool yes = true;

    if (*++p == '^') {
        yes = false;
        p++;
    }
    for (; p < last; p++) {
        if (*p == '%' && p + 1 < last) {
            if (is_class(c, (uint8_t) * ++p))
                return yes;
        } else if (p + 2 < last && p[1] == '-') {
            if (in(c, (uint8_t)p[0], (uint8_t)p[2]) && (uint8_t)p[0] <= (uint8_t)p[2])
                return yes;
            p += 2;
        } else if ((uint8_t)*p == c) {
            return yes;
        }
    }
    return !yes;
}

static inline bool item_matches(unsigned c, const char *p, const char *item_last)
{
    switch (*p) {
    case '.':
        return true;
    case '%':
        return is_class(c, (uint8_t)p[1]);
    case '[':
        return in_set(c, p, item_last - 1);
    default:
        return (uint8_t)*p == c;
    }
}

static inline bool here(struct pattern *m, const char *s, const char *p, const char *item_last)
{
    work(m);
    return s < m->subject_end && item_matches((uint8_t)*s, p, item_last);
}

static const char *balanced(struct pattern *m, const char *s, const char *p)
{
    size_t open = 1;

    if (p + 1 >= m->end)
        luaL_error(m->L, "unbalanced pattern");
    if (s >= m->subject_end || *s != p[0])
        return NULL;
    while (++s < m->subject_end) {
        work(m);
        if (*s == p[1]) {
            if (--open == 0)
                return s + 1;
        } else if (*s == p[0]) {
            open++;
        }
    }
    return NULL;
}

static const char *greedy(struct pattern *m, const char *s, const char *p, const char *next)
{
    ptrdiff_t n = 0, most = m->subject_end - s;

    while (n < most && item_matches((uint8_t)s[n], p, next))
        n++;
    m->steps += (uint64_t)n;
    work(m);
    if (next + 1 == m->end)
        return s + n;
    if (next[1] == '$' && next + 2 == m->end) /* fewer than all of them cannot reach the end either */
        return n == most ? s + n : NULL;
    for (; n >= 0; n--) {
        const char *r = pattern_match(m, s + n, next + 1);
        if (r)
            return r;
    }
    return NULL;
}

static const char *frugal(struct pattern *m, const char *s, const char *p, const char *next)
{
    for (;; s++) {
        const char *r = pattern_match(m, s, next + 1);
        if (r)
            return r;
        if (!here(m, s, p, next))
            return NULL;
    }
}

static const char *capture_begin(struct pattern *m, const char *s, const char *p, ptrdiff_t what)
{
    const char *r;

    if (m->level >= PATTERN_CAPTURES)
        luaL_error(m->L, "too many captures");
    m->capture[m->level].p = s;
    m->capture[m->level++].n = what;
    r = pattern_match(m, s, p);
    if (!r)
        m->level--;
    return r;
}

static const char *capture_end(struct pattern *m, const char *s, const char *p)
{
    unsigned i = m->level;
    const char *r;

    while (i > 0 && m->capture[i - 1].n != CAPTURE_OPEN)
        i--;
    if (!i)
        luaL_error(m->L, "invalid pattern capture");
    m->capture[i - 1].n = s - m->capture[i - 1].p;
    r = pattern_match(m, s, p);
    if (!r)
        m->capture[i - 1].n = CAPTURE_OPEN;
    return r;
}

static const char *back_reference(struct pattern *m, const char *s, unsigned digit)
{
    unsigned i = digit - '1';
    size_t n;

    if (i >= m->level || m->capture[i].n == CAPTURE_OPEN)
        luaL_error(m->L, "invalid capture index");
    if (m->capture[i].n == CAPTURE_POSITION)
        return NULL; /* as in Lua: a place is no text that could come again */
    n = (size_t)m->capture[i].n;
    m->steps += n / 16;
    work(m);
    return (size_t)(m->subject_end - s) >= n && memcmp(m->capture[i].p, s, n) == 0 ? s + n : NULL;
}

/* %f[set]: between a character outside the set and one inside. */
static bool frontier(struct pattern *m, const char *s, const char *p, const char *next)
{
    unsigned before = s == m->subject ? 0 : (uint8_t)s[-1], after = s < m->subject_end ? (uint8_t)*s : 0;

    return !in_set(before, p, next - 1) && in_set(after, p, next - 1);
}

/* An item that begins with % and is no class; *p moves behind it, *s behind the match.  0: no, 1: yes, -1: not such. */
static int special(struct pattern *m, const char **s, const char **p)
{
    const char *next;
    unsigned c = *p + 1 < m->end ? (uint8_t)(*p)[1] : 0;

    if (c == 'b') {
        *s = balanced(m, *s, *p + 2);
        *p += 4;
        return *s != NULL;
    }
    if (c == 'f') {
        *p += 2;
        if (*p >= m->end || **p != '[')
            luaL_error(m->L, "missing '[' after '%%f' in pattern");
        next = item_end(m, *p);
        if (!frontier(m, *s, *p, next))
            return 0;
        *p = next;
        return 1;
    }
    if (in(c, '0', '9')) {
        *s = back_reference(m, *s, c);
        *p += 2;
        return *s != NULL;
    }
    return -1;
}

static const char *match_from(struct pattern *m, const char *s, const char *p)
{
    while (p < m->end) {
        const char *next, *r;
        int taken;

        work(m);
        if (*p == '(')
            return p + 1 < m->end && p[1] == ')' ? capture_begin(m, s, p + 2, CAPTURE_POSITION)
                                                 : capture_begin(m, s, p + 1, CAPTURE_OPEN);
        if (*p == ')')
            return capture_end(m, s, p + 1);
        if (*p == '$' && p + 1 == m->end)
            return s == m->subject_end ? s : NULL;
        taken = *p == '%' ? special(m, &s, &p) : -1;
        if (taken == 0)
            return NULL;
        if (taken > 0)
            continue;
        next = item_end(m, p);
        switch (next < m->end ? *next : 0) {
        case '?':
            if (here(m, s, p, next) && (r = pattern_match(m, s + 1, next + 1)))
                return r;
            p = next + 1;
            break;
        case '*':
            return greedy(m, s, p, next);
        case '+':
            return here(m, s, p, next) ? greedy(m, s + 1, p, next) : NULL;
        case '-':
            return frugal(m, s, p, next);
        default:
            if (!here(m, s, p, next))
                return NULL;
            s++;
            p = next;
        }
    }
    return s;
}

const char *pattern_match(struct pattern *m, const char *s, const char *p)
{
    const char *r;

    if (++m->depth > PATTERN_DEPTH)
        luaL_error(m->L, "pattern too complex");
    r = match_from(m, s, p);
    m->depth--;
    return r;
}

void pattern_first(struct pattern *m, const char *p)
{
    const char *next;

    m->first = NULL;
    if (p >= m->end || *p == '(' || *p == ')' || (*p == '$' && p + 1 == m->end) ||
        (*p == '%' && p + 1 < m->end && (p[1] == 'b' || p[1] == 'f' || in((uint8_t)p[1], '0', '9'))))
        return;
    next = item_end(m, p);
    if (next < m->end && (*next == '*' || *next == '?' || *next == '-'))
        return;
    m->first = p;
    m->first_end = next;
}

const char *pattern_next(struct pattern *m, const char **s, const char *p)
{
    if (m->first) { /* where no match can begin without the first item, the places that lack it are passed over */
        const char *at = *s;
        while (at < m->subject_end && !item_matches((uint8_t)*at, m->first, m->first_end))
            at++;
        m->steps += (uint64_t)(at - *s) + 1;
        *s = at;
        if (m->first_end == m->end) { /* it is the whole pattern */
            m->level = 0;
            return at < m->subject_end ? at + 1 : NULL;
        }
    }
    m->level = 0;
    m->depth = 0;
    return pattern_match(m, *s, p);
}
