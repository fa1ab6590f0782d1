/* SPDX-License-Identifier: Apache-2.0 */
#include "lua/scrub.h"
#include "base/cleanup.h"

#include <ctype.h>

/* %n a name in the script's source (field, local, function), %w words, %d digits; * : whatever follows is cut off. */
static const char *const forms[] = {
    "attempt to %w %w '%n' (a %w value)",
    "attempt to perform arithmetic on %w '%n' (a %w value)",
    "attempt to perform arithmetic on a %w value",
    "attempt to get length of %w '%n' (a %w value)",
    "attempt to get length of a %w value",
    "attempt to %w a %w value",
    "attempt to compare two %w values",
    "attempt to compare %w with %w",
    "bad argument #%d to '%n' (%w)",
    "bad argument #%d to '%n'*",
    "calling '%n' on bad self*",
    "not enough memory",
    "stack overflow*",
    "C stack overflow",
    "error in error handling",
    "table index is nil",
    "table index is NaN",
    "invalid key to 'next'",
    "'for' %w must be a number",
    "malformed pattern*",
    "unbalanced pattern",
    "missing '[' after '%f' in pattern",
    "invalid pattern capture",
    "invalid capture index",
    "unfinished capture",
    "too many captures",
    "pattern too complex",
    "string slice too long",
    "invalid replacement value (a %w)",
    "table.sort: more than %d members",
    "invalid order function for sorting",
    "table overflow",
    "string length overflow",
    "too many results to unpack",
    "cannot resume %w",
    "attempt to yield across C-call boundary",
    "cannot change a protected metatable",
    "invalid option*",
    "weir.clean knows keep, drop, hash, address, url and tables of fields",
    "bad module name",
    "module '%n' is not below the rule directory",
    "cannot read '%n' below the rule directory",
};

static bool is_name(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '?' || c == '.' || c == '-' || c == '/';
}

static bool is_word(char c)
{
    return isalpha((unsigned char)c) || c == ' ' || c == ',' || c == '-';
}

static bool fits(const char *form, struct str s, size_t *used)
{
    size_t at = 0;

    for (; *form; form++) {
        size_t start = at;
        if (*form == '*')
            return *used = at, true;
        if (*form != '%' || form[1] == 'f') {
            if (at >= s.n || s.p[at] != *form)
                return false;
            at++;
            continue;
        }
        form++;
        while (at < s.n && at - start < 40 &&
               (*form == 'n'   ? is_name(s.p[at])
                : *form == 'd' ? isdigit((unsigned char)s.p[at]) != 0
                               : is_word(s.p[at]) && !(form[1] == ' ' && s.p[at] == ' ')))
            at++;
        if (at == start)
            return false;
    }
    *used = at;
    return at == s.n;
}

/* Of a place in front: "rules.lua:12: ". */
static size_t place_length(struct str s)
{
    size_t i = 0, digits = 0;

    while (i < s.n && i < 100 && (is_name(s.p[i]) || s.p[i] == ' '))
        i++;
    if (i < 4 || memcmp(s.p + i - 4, ".lua", 4) != 0 || i >= s.n || s.p[i] != ':')
        return 0;
    for (i++; i < s.n && isdigit((unsigned char)s.p[i]); i++)
        digits++;
    return digits && digits < 8 && i + 1 < s.n && s.p[i] == ':' && s.p[i + 1] == ' ' ? i + 2 : 0;
}

void scrub_message(struct str message, struct buf *out)
{
    size_t place = place_length(message), used;
    struct str rest = str_from(message, place);

    buf_add(out, message.p, place);
    for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
        if (fits(forms[i], rest, &used)) {
            buf_add(out, rest.p, used);
            return;
        }
    }
    buf_str(out, STR("error raised by the rule"));
}
