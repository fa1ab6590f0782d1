/* SPDX-License-Identifier: Apache-2.0 */
/* Fluent Bit's classic format.  Lines: `[SECTION]`, `@INCLUDE path` and `@SET name=value` begin in the first column;
 * the first indented line below a section fixes the indent of its keys; twice the indent belongs to the `[group]`
 * above. */
#include "conf/build.h"

struct classic {
    struct tree *t;
    struct err *e;
    struct place at;
    size_t section;    /* index, since sections move; SIZE_MAX: none yet */
    bool has_keys;     /* of the section */
    bool node;         /* the section is a [NODE] of the upstream at `section` */
    struct str indent; /* of the section's keys; p NULL: not fixed yet */
    struct section *group;
};

static struct section *now(struct classic *c)
{
    struct section *s = &c->t->sections[c->section];

    return c->node ? &s->children[s->nchildren - 1] : s;
}

static bool blank(char c)
{
    return c == ' ' || c == '\t';
}

static void end_section(struct classic *c)
{
    if (c->section != SIZE_MAX && !c->has_keys) {
        const struct section *s = now(c);
        tree_warn(c->t, &s->place, "the section [" STR_FMT "] has no keys", STR_ARG(s->kind));
    }
}

/* `[NAME]`, perhaps with a comment behind it. */
static bool header(struct classic *c, struct str line, struct str *name)
{
    size_t end = str_find_char(line, ']');
    struct str rest;

    if (end == SIZE_MAX)
        return place_err(&c->at, c->e, "`%.*s` has no closing bracket; write [INPUT]", SHOWN(line));
    *name = str_trim((struct str){line.p + 1, end - 1});
    rest = str_trim(str_from(line, end + 1));
    if (!name->n)
        return place_err(&c->at, c->e, "a section without a name; write [INPUT], [FILTER] or [OUTPUT]");
    if (rest.n && rest.p[0] != '#')
        return place_err(&c->at, c->e, "`%.*s` follows [%.*s]; keys stand on lines of their own, indented", SHOWN(rest),
                         SHOWN(*name));
    return true;
}

static bool section_line(struct classic *c, struct str line)
{
    struct str name = {0};

    if (!header(c, line, &name))
        return false;
    end_section(c);
    c->node = str_eq_fold(name, STR("node"));
    c->has_keys = false;
    c->indent = (struct str){NULL, 0};
    c->group = NULL;
    if (c->node) {
        if (c->section == SIZE_MAX || !str_eq(c->t->sections[c->section].kind, STR("upstream")))
            return place_err(&c->at, c->e, "[NODE] belongs below an [UPSTREAM]");
        return section_child(c->t, &c->t->sections[c->section], name, &c->at, c->e) != NULL;
    }
    c->section = tree_begin(c->t, name, &c->at, c->e);
    return c->section != SIZE_MAX;
}

static bool set_line(struct classic *c, struct str rest)
{
    struct str name, value;

    if (str_find_char(rest, '=') == SIZE_MAX)
        return place_err(&c->at, c->e, "@SET needs NAME=value, e.g. @SET region=eu");
    value = rest;
    name = str_trim(str_cut(&value, '='));
    value = str_trim(value);
    return expand(c->t, &c->at, value, &value, c->e) && variable_set(c->t, name, value, &c->at, c->e);
}

static bool command_line(struct classic *c, struct str line)
{
    struct str rest = line, word = str_word(&rest);

    rest = str_trim(rest);
    if (str_eq_fold(word, STR("@include"))) {
        if (!rest.n)
            return place_err(&c->at, c->e, "@INCLUDE needs a path, e.g. @INCLUDE conf.d/*.conf");
        return expand(c->t, &c->at, rest, &rest, c->e) && include(c->t, rest, &c->at, c->e);
    }
    if (str_eq_fold(word, STR("@set")))
        return set_line(c, rest);
    return place_err(&c->at, c->e, "unknown command `%.*s`; there are @INCLUDE and @SET", SHOWN(word));
}

/* The section or group that a line with this indent writes into. */
static struct section *target(struct classic *c, struct str indent)
{
    struct str rest;

    if (!c->indent.p)
        c->indent = indent;
    if (str_eq(indent, c->indent)) {
        c->group = NULL;
        return now(c);
    }
    rest = str_from(indent, c->indent.n);
    if (str_starts(indent, c->indent) && str_eq(rest, c->indent) && c->group)
        return c->group;
    if (str_starts(indent, c->indent))
        place_err(&c->at, c->e,
                  "invalid indentation level: deeper than the section's first key, and no [group] is open");
    else
        place_err(&c->at, c->e,
                  "invalid indentation level: this section's first key is indented by %zu %s; do the same here",
                  c->indent.n, c->indent.p[0] == '\t' ? "tab(s)" : "space(s)");
    return NULL;
}

static bool group_line(struct classic *c, struct str body, struct section *into)
{
    struct str name = {0};
    struct prop *p;

    if (into == c->group)
        return place_err(&c->at, c->e, "a [group] inside a [group]");
    if (!header(c, body, &name))
        return false;
    c->group = section_loose(c->t, name, &c->at, c->e);
    if (!c->group || !(p = section_add(c->t, into, name, STR(""), &c->at, c->e)))
        return false;
    p->map = c->group;
    c->has_keys = true;
    return true;
}

static bool key_line(struct classic *c, struct str indent, struct str body)
{
    size_t end = 0;
    struct str key, value;
    struct section *into;

    c->at.column = (unsigned)indent.n + 1;
    if (c->section == SIZE_MAX)
        return place_err(&c->at, c->e, "`%.*s` stands before any section; begin with [INPUT] or another", SHOWN(body));
    if (!(into = target(c, indent)))
        return false;
    if (body.p[0] == '[')
        return group_line(c, body, into);
    if (body.p[0] == '@')
        return place_err(&c->at, c->e, "`%.*s` must begin in the first column", SHOWN(body));
    while (end < body.n && !blank(body.p[end]))
        end++;
    key = str_head(body, end);
    value = str_trim(str_from(body, end));
    if (!value.n)
        return place_err(&c->at, c->e, "the key `%.*s` has no value", SHOWN(key));
    if (body.p[end] == '\t')
        return place_err(&c->at, c->e, "undefined value: a tab follows the key `%.*s`; put a space there", SHOWN(key));
    c->has_keys = true;
    return expand(c->t, &c->at, value, &value, c->e) && section_add(c->t, into, key, value, &c->at, c->e);
}

static bool one_line(struct classic *c, struct str line)
{
    size_t n = 0;
    struct str body;

    c->at.column = 1;
    while (n < line.n && blank(line.p[n]))
        n++;
    body = str_trim(str_from(line, n));
    if (!body.n || body.p[0] == '#')
        return true;
    if (memchr(body.p, 0, body.n))
        return place_err(&c->at, c->e, "a NUL byte; this is no text file");
    if (n)
        return key_line(c, str_head(line, n), body);
    if (body.p[0] == '[')
        return section_line(c, body);
    if (body.p[0] == '@')
        return command_line(c, body);
    return place_err(&c->at, c->e, "`%.*s` is not indented; keys stand indented below their [SECTION]", SHOWN(body));
}

bool classic_read(struct tree *t, const char *file, struct str text, struct err *e)
{
    struct classic c = {.t = t, .e = e, .at = {file, 0, 1}, .section = SIZE_MAX};

    if (str_starts(text, STR("\xef\xbb\xbf")))
        text = str_from(text, 3);
    while (text.n) {
        struct str line = str_cut(&text, '\n');
        c.at.line++;
        if (!one_line(&c, line))
            return false;
    }
    end_section(&c);
    return true;
}
