/* SPDX-License-Identifier: Apache-2.0 */
#include "event/regex_internal.h"
#include "base/alloc.h"
#include "base/cleanup.h"

enum { GROUP_DEPTH = 100 };

/* An open group: `(?i)` holds to its end, alternatives included, so that it opens groups of its own there. */
struct group {
    unsigned extra;
    bool extended; /* as it was outside */
    size_t start;  /* where it begins in the translation */
    size_t atom;   /* where its last atom begins there: what a quantifier repeats */
};

static int hex(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
}

static char peek(const struct regex_source *r, size_t ahead)
{
    return r->at + ahead < r->s.n ? r->s.p[r->at + ahead] : 0;
}

/* \xHH above 7f is a byte of UTF-8 in Ruby, a code point in PCRE2. */
static bool escape_hex(struct regex_source *r, struct buf *out)
{
    if (peek(r, 2) == '{') {
        size_t n = str_find_char(str_from(r->s, r->at), '}');
        if (n == SIZE_MAX)
            return err_set(r->e, "`\\x{` has no `}`");
        buf_str(out, str_head(str_from(r->s, r->at), n + 1));
        r->at += n + 1;
        return true;
    }
    int high = hex(peek(r, 2)), low = high < 0 ? -1 : hex(peek(r, 3)), v = low < 0 ? high : high * 16 + low;
    if (high < 0)
        return err_set(r->e, "`\\x` needs hexadecimal digits");
    r->at += low < 0 ? 3 : 4;
    if (v >= 0x80)
        buf_char(out, (char)v);
    else
        buf_fmt(out, "\\x%02x", (unsigned)v);
    return true;
}

/* Names of Onigmo that PCRE2 knows by others. */
static void escape_property(struct regex_source *r, struct buf *out)
{
    static const char *const names[][2] = {{"digit", "Nd"}, {"alnum", "Xan"}, {"space", "Xsp"},
                                           {"word", "Xwd"}, {"punct", "P"},   {"cntrl", "Cc"},
                                           {"alpha", "L"},  {"upper", "Lu"},  {"lower", "Ll"}};
    struct str rest = str_from(r->s, r->at + 3);
    size_t n = peek(r, 2) == '{' ? str_find_char(rest, '}') : SIZE_MAX;
    bool not = rest.n && rest.p[0] == '^';

    for (size_t i = 0; n != SIZE_MAX && i < ARRAY_LEN(names); i++)
        if (str_eq_fold(str_from(str_head(rest, n), not ), str_of(names[i][0]))) {
            buf_fmt(out, "\\%c{%s%s}", peek(r, 1), not ? "^" : "", names[i][1]);
            r->at += 3 + n + 1;
            return;
        }
    buf_add(out, r->s.p + r->at, 2);
    r->at += 2;
}

bool regex_escape(struct regex_source *r, struct buf *out, bool in_class)
{
    char c = peek(r, 1);

    if (r->at + 1 >= r->s.n)
        return err_set(r->e, "the pattern ends with a single backslash");
    if (c == 'x')
        return escape_hex(r, out);
    if (c == 'p' || c == 'P') {
        escape_property(r, out);
        return true;
    }
    if (c == 'u') {
        for (size_t i = 2; i < 6; i++)
            if (hex(peek(r, i)) < 0)
                return err_set(r->e, "`\\u` needs four hexadecimal digits");
        buf_fmt(out, "\\x{%.4s}", r->s.p + r->at + 2);
        r->at += 6;
        return true;
    }
    r->at += 2;
    if (c == 'h')
        buf_str(out, in_class ? STR("0-9a-fA-F") : STR("[0-9a-fA-F]"));
    else if (c == 'H')
        buf_str(out, in_class ? STR("\\x00-/:-@G-`g-\\x7f\\P{ASCII}") : STR("[^0-9a-fA-F]"));
    else if (c == 'v')
        buf_str(out, STR("\\x0b"));
    else if (((c | 32) >= 'a' && (c | 32) <= 'z') && !strchr(in_class ? "bdDsSwWntrfae" : "AzZbBdDsSwWGKRXntrfae", c))
        buf_char(out, c); /* Ruby: a letter without a meaning is itself */
    else
        buf_fmt(out, "\\%c", c);
    return true;
}

/* The number under which PCRE2 knows a group's name. */
static bool name_number(struct regex_source *r, struct str name, size_t *number)
{
    struct regex_text *t = r->out;

    if (!name.n)
        return err_set(r->e, "a group has an empty name");
    for (size_t i = 0; i < t->n; i++)
        if (str_eq(t->names[i], name)) {
            *number = i;
            return true;
        }
    if (t->n == REGEX_NAMES)
        return err_set(r->e, "the pattern has more than %d named groups", REGEX_NAMES);
    t->names[t->n] = name;
    *number = t->n++;
    return true;
}

/* The text between r->at + skip and `close`; r->at moves behind it. */
static bool quoted(struct regex_source *r, size_t skip, char close, struct str *out)
{
    struct str rest = str_from(r->s, r->at + skip);
    size_t n = str_find_char(rest, close);

    if (n == SIZE_MAX)
        return err_set(r->e, "the name that begins at character %zu has no `%c`", r->at + 1, close);
    *out = str_head(rest, n);
    r->at += skip + n + 1;
    return true;
}

/* \k<name>, \k<1>: the text of a group again; \g<name>, \g<1>: the group's pattern again. */
static bool reference(struct regex_source *r)
{
    char kind = peek(r, 1);
    struct str name = {0};
    size_t number = 0;

    if (!quoted(r, 3, peek(r, 2) == '<' ? '>' : '\'', &name))
        return false;
    if (name.n && (hex(name.p[0]) < 10 && hex(name.p[0]) >= 0 ? true : name.p[0] == '-' || name.p[0] == '+')) {
        buf_fmt(&r->out->pattern, kind == 'k' ? "\\g{" STR_FMT "}" : "(?" STR_FMT ")", STR_ARG(name));
        return true;
    }
    if (!name_number(r, name, &number))
        return false;
    buf_fmt(&r->out->pattern, kind == 'k' ? "\\k{g%zu}" : "(?&g%zu)", number);
    return true;
}

static bool open_named(struct regex_source *r, size_t skip, char close)
{
    struct str name;
    size_t number;

    if (!quoted(r, skip, close, &name) || !name_number(r, name, &number))
        return false;
    r->out->named = true;
    buf_fmt(&r->out->pattern, "(?<g%zu>", number);
    return true;
}

/* (?imx-imx) or (?imx-imx:...); in Ruby m is what PCRE2 calls s.  Sets *opens where a group goes on. */
static bool open_flags(struct regex_source *r, struct group *enclosing, bool *opens)
{
    struct buf *out = &r->out->pattern;
    bool off = false, extended = r->extended;
    size_t i = 2;

    buf_str(out, STR("(?"));
    for (; strchr("imxadu-", peek(r, i)) && peek(r, i); i++) {
        char c = peek(r, i);
        off |= c == '-';
        if (c == 'x')
            extended = !off;
        if (c != 'a' && c != 'd' && c != 'u') /* which characters \w means: ASCII here as in Ruby */
            buf_char(out, c == 'm' ? 's' : c);
    }
    if (peek(r, i) != ':' && peek(r, i) != ')')
        return err_set(r->e, "character %zu: `(?%c` is no group that Ruby knows", r->at + 1, peek(r, 2));
    *opens = peek(r, i) == ':';
    if (!*opens)
        enclosing->extra++;
    buf_char(out, ':');
    r->extended = extended;
    r->at += i + 1;
    return true;
}

static bool condition(struct regex_source *r)
{
    struct str name;
    size_t number;

    if (peek(r, 3) != '<' && peek(r, 3) != '\'') {
        buf_str(&r->out->pattern, STR("(?("));
        r->at += 3;
        return true; /* its digits and parenthesis follow as they are */
    }
    if (!quoted(r, 4, peek(r, 3) == '<' ? '>' : '\'', &name) || !name_number(r, name, &number))
        return false;
    buf_fmt(&r->out->pattern, "(?(<g%zu>)", number);
    r->at++;
    return true;
}

/* At `(`.  Sets *opens where a group begins that a `)` will end. */
static bool open_group(struct regex_source *r, struct group *enclosing, bool *opens)
{
    struct buf *out = &r->out->pattern;
    char a = peek(r, 2), b = peek(r, 3);

    *opens = true;
    if (peek(r, 1) == '*')
        return err_set(r->e, "character %zu: `*` has nothing to repeat", r->at + 2);
    if (peek(r, 1) != '?') {
        buf_char(out, '(');
        r->at++;
        return true;
    }
    if (a == '#') {
        size_t n = str_find_char(str_from(r->s, r->at), ')');
        r->at = n == SIZE_MAX ? r->s.n : r->at + n + 1;
        *opens = false;
        return n != SIZE_MAX || err_set(r->e, "a comment `(?#` has no `)`");
    }
    if (a == '<' && b != '=' && b != '!')
        return open_named(r, 3, '>');
    if (a == '\'')
        return open_named(r, 3, '\'');
    if (a == 'P' && b == '<')
        return open_named(r, 4, '>');
    if (a == '(')
        return condition(r);
    if (a == '~')
        return err_set(r->e, "character %zu: `(?~` is not supported; write `(?:(?!...).)*`", r->at + 1);
    if (a && strchr(":=!><", a)) {
        size_t n = a == '<' ? 4 : 3;
        buf_add(out, r->s.p + r->at, n);
        r->at += n;
        return true;
    }
    return open_flags(r, enclosing, opens);
}

static void close_extra(struct regex_source *r, struct group *g)
{
    while (g->extra) {
        buf_char(&r->out->pattern, ')');
        g->extra--;
    }
    r->extended = g->extended;
}

/* At a `{`.  {,n} is Ruby's {0,n}.  In Ruby a{2}+ is (?:a{2})+ and a{2}? is (?:a{2})?; in PCRE2 the + would make it
 * possessive and the ? lazy. */
static void interval(struct regex_source *r, size_t atom)
{
    struct buf *out = &r->out->pattern;
    size_t low = 1, high;

    while (peek(r, low) >= '0' && peek(r, low) <= '9')
        low++;
    bool comma = peek(r, low) == ',';
    for (high = low + comma; peek(r, high) >= '0' && peek(r, high) <= '9';)
        high++;
    if (peek(r, high) != '}' || high == 1 || (comma && high == 2)) { /* a brace as it stands */
        buf_char(out, '{');
        r->at++;
        return;
    }
    bool wrap = peek(r, high + 1) == '+' || (peek(r, high + 1) == '?' && !comma);
    if (wrap) {
        buf_room(out, 3);
        memmove(out->p + atom + 3, out->p + atom, out->n - atom);
        memcpy(out->p + atom, "(?:", 3);
        out->n += 3;
    }
    buf_str(out, low == 1 ? STR("{0") : STR("{"));
    buf_add(out, r->s.p + r->at + 1, high);
    if (wrap)
        buf_char(out, ')');
    r->at += high + 1;
}

static bool is_atom(const struct regex_source *r, char c)
{
    bool blank = c == ' ' || (c >= '\t' && c <= '\r'), inner = ((unsigned char)c & 0xc0) == 0x80;

    return !strchr("*+?{|)", c) && !inner && !(r->extended && (blank || c == '#'));
}

static bool one(struct regex_source *r, struct group *groups, size_t *depth)
{
    struct buf *out = &r->out->pattern;
    char c = peek(r, 0), next = peek(r, 1);
    bool opens, extended = r->extended;
    size_t start = out->n;

    if (!c || is_atom(r, c))
        groups[*depth].atom = start;
    if (c == '\\' && (next == 'k' || next == 'g') && (peek(r, 2) == '<' || peek(r, 2) == '\''))
        return reference(r);
    if (c == '\\')
        return regex_escape(r, out, false);
    if (c == '[')
        return regex_class(r, out, 0);
    if (c == '(') {
        if (!open_group(r, &groups[*depth], &opens))
            return false;
        if (opens && ++*depth == GROUP_DEPTH)
            return err_set(r->e, "groups are nested deeper than %d", GROUP_DEPTH);
        if (opens)
            groups[*depth] = (struct group){.extended = extended, .start = start, .atom = start};
        return true;
    }
    if (c == ')') {
        if (!*depth)
            return err_set(r->e, "character %zu: `)` closes no group", r->at + 1);
        close_extra(r, &groups[*depth]);
        --*depth;
        groups[*depth].atom = groups[*depth + 1].start;
    }
    if (c == '#' && r->extended) {
        while (r->at < r->s.n && peek(r, 0) != '\n')
            r->at++;
        return true;
    }
    if (c == '{') {
        interval(r, groups[*depth].atom);
        return true;
    }
    buf_char(out, c);
    r->at++;
    return true;
}

/* /pattern/imx; without a closing slash the slash belongs to the pattern. */
static bool strip_slashes(struct str *s, struct regex_text *out, struct err *e)
{
    size_t end = s->n;

    if (s->n < 2 || s->p[0] != '/')
        return true;
    while (end > 1 && (s->p[end - 1] | 32) >= 'a' && (s->p[end - 1] | 32) <= 'z')
        end--;
    if (end < 2 || s->p[end - 1] != '/')
        return true;
    for (size_t i = end; i < s->n; i++) {
        out->fold |= s->p[i] == 'i';
        out->dotall |= s->p[i] == 'm';
        out->extended |= s->p[i] == 'x';
        if (!strchr("imxo", s->p[i]))
            return err_set(e, "`%c` is no flag of a regular expression: i, m and x are", s->p[i]);
    }
    *s = (struct str){s->p + 1, end - 2};
    return true;
}

bool regex_translate(struct str source, struct regex_text *out, struct err *e)
{
    struct group groups[GROUP_DEPTH + 1] = {0};
    size_t depth = 0;

    *out = (struct regex_text){0};
    if (!strip_slashes(&source, out, e))
        return false;
    struct regex_source r = {.s = source, .out = out, .e = e, .extended = out->extended};
    while (r.at < source.n)
        if (!one(&r, groups, &depth))
            return false;
    if (depth)
        return err_set(e, "a group has no `)`");
    close_extra(&r, &groups[0]);
    return true;
}
