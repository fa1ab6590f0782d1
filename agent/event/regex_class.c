/* SPDX-License-Identifier: Apache-2.0 */
#include "event/regex_internal.h"
#include "base/cleanup.h"

enum { CLASS_DEPTH = 8 }; /* classes in classes: people write two */

/* In Ruby the bracket names know Unicode, the backslash classes do not. */
static const struct {
    const char *name, *means, *not_means;
} brackets[] = {
    {"alpha", "\\p{L}\\p{M}", NULL},
    {"digit", "\\p{Nd}", "\\P{Nd}"},
    {"alnum", "\\p{L}\\p{M}\\p{Nd}", NULL},
    {"upper", "\\p{Lu}", "\\P{Lu}"},
    {"lower", "\\p{Ll}", "\\P{Ll}"},
    {"space", "\\s\\x{85}\\p{Z}", NULL},
    {"punct", "\\p{P}$+<=>^`|~", NULL},
    {"word", "\\p{L}\\p{M}\\p{N}\\p{Pc}", NULL},
    {"cntrl", "\\p{Cc}", "\\P{Cc}"},
    {"blank", " \\t", NULL},
    {"xdigit", "0-9a-fA-F", NULL},
    {"graph", "!-~\\p{L}\\p{M}\\p{N}\\p{P}\\p{S}", NULL},
    {"print", " -~\\p{L}\\p{M}\\p{N}\\p{P}\\p{S}\\p{Zs}", NULL},
    {"ascii", "\\x00-\\x7f", NULL},
};

struct operand {
    struct buf flat; /* what fits between one pair of brackets */
    struct buf more; /* alternatives beside it, joined by | */
};

static void operand_free(struct operand *o)
{
    buf_free(&o->flat);
    buf_free(&o->more);
}

static void alternative(struct operand *o, struct str text)
{
    if (o->more.n)
        buf_char(&o->more, '|');
    buf_str(&o->more, text);
}

static void operand_write(const struct operand *o, struct buf *out)
{
    buf_str(out, STR("(?:"));
    if (o->flat.n)
        buf_fmt(out, "[%.*s]", (int)o->flat.n, o->flat.p);
    if (o->flat.n && o->more.n)
        buf_char(out, '|');
    buf_str(out, buf_view(&o->more));
    if (!o->flat.n && !o->more.n)
        buf_str(out, STR("(?!)"));
    buf_char(out, ')');
}

static bool bracket_name(struct regex_source *r, struct operand *o)
{
    struct str rest = str_from(r->s, r->at + 2);
    size_t n = str_find(rest, STR(":]"));
    bool not = rest.n && rest.p[0] == '^';
    struct str name = str_from(str_head(rest, n), not );

    for (size_t i = 0; n != SIZE_MAX && i < ARRAY_LEN(brackets); i++) {
        if (!str_eq(name, str_of(brackets[i].name)))
            continue;
        CLEANUP(buf_free) struct buf other = {0};
        if (!not )
            buf_str(&o->flat, str_of(brackets[i].means));
        else if (brackets[i].not_means)
            buf_str(&o->flat, str_of(brackets[i].not_means));
        else
            buf_fmt(&other, "[^%s]", brackets[i].means);
        if (other.n)
            alternative(o, buf_view(&other));
        r->at += 2 + n + 2;
        return true;
    }
    return false;
}

static bool nested(struct regex_source *r, struct operand *o, unsigned depth)
{
    CLEANUP(buf_free) struct buf inner = {0};

    if (!regex_class(r, &inner, depth + 1))
        return false;
    if (inner.n > 2 && inner.p[0] == '[' && inner.p[1] != '^')
        buf_add(&o->flat, inner.p + 1, inner.n - 2);
    else
        alternative(o, buf_view(&inner));
    return true;
}

/* One member of a class that is not its end; r->at moves behind it. */
static bool member(struct regex_source *r, struct operand *o, unsigned depth)
{
    char c = r->s.p[r->at];

    if (c == '\\')
        return regex_escape(r, &o->flat, true);
    if (c == '[') {
        if (str_starts(str_from(r->s, r->at), STR("[:")) && bracket_name(r, o))
            return true;
        return nested(r, o, depth);
    }
    if (c == ']') /* the first one */
        buf_char(&o->flat, '\\');
    else if (c == '^' && !o->flat.n) /* behind && or as the first of what was flattened */
        buf_char(&o->flat, '\\');
    buf_char(&o->flat, c);
    r->at++;
    return true;
}

static void class_write(struct operand *o, struct buf *ahead, bool not, struct buf *out)
{
    if (!ahead->n && !o->more.n && o->flat.n) {
        buf_fmt(out, "[%s%.*s]", not ? "^" : "", (int)o->flat.n, o->flat.p);
        return;
    }
    buf_str(out, not ? STR("(?:(?!") : STR("(?:"));
    buf_str(out, buf_view(ahead));
    operand_write(o, out);
    buf_str(out, not ? STR(")(?s:.))") : STR(")"));
}

bool regex_class(struct regex_source *r, struct buf *out, unsigned depth)
{
    CLEANUP(operand_free) struct operand o = {0};
    CLEANUP(buf_free) struct buf ahead = {0};
    bool not = false;
    size_t open = r->at++;

    if (depth > CLASS_DEPTH)
        return err_set(r->e, "character classes are nested deeper than %d", CLASS_DEPTH);
    if (r->at < r->s.n && r->s.p[r->at] == '^') {
        not = true;
        r->at++;
    }
    for (size_t first = r->at; r->at < r->s.n;) {
        if (r->s.p[r->at] == ']' && r->at > first) {
            r->at++;
            class_write(&o, &ahead, not, out);
            return true;
        }
        if (str_starts(str_from(r->s, r->at), STR("&&"))) {
            buf_str(&ahead, STR("(?="));
            operand_write(&o, &ahead);
            buf_char(&ahead, ')');
            buf_clear(&o.flat);
            buf_clear(&o.more);
            r->at += 2;
        } else if (!member(r, &o, depth)) {
            return false;
        }
    }
    return err_set(r->e, "the character class that begins at character %zu has no `]`", open + 1);
}
