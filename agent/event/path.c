/* SPDX-License-Identifier: Apache-2.0 */
#include "event/path.h"
#include "base/alloc.h"
#include "base/cleanup.h"

enum {
    PATH_STEPS = 32,        /* a record's depth is limited to 64 */
    PATH_LENGTH = 64 * 1024 /* of a key */
};

struct step {
    struct str key;
    uint32_t index;
    bool is_index;
};

struct path {
    size_t n;
    struct step *steps; /* the first is a key */
    char *text;         /* owns the keys' bytes, unescaped */
};

struct scan {
    struct str s;
    size_t at;
    char *to; /* where the next key's bytes go */
    struct err *e;
};

static void skip_blanks(struct scan *c)
{
    while (c->at < c->s.n && (c->s.p[c->at] == ' ' || c->s.p[c->at] == '\t'))
        c->at++;
}

/* 'key' or "key"; a backslash or a doubled quote makes the quote part of the key. */
static bool scan_quoted(struct scan *c, struct str *key)
{
    size_t open = c->at;
    char quote = c->s.p[c->at++], *start = c->to;

    while (c->at < c->s.n) {
        char ch = c->s.p[c->at++];
        bool more = c->at < c->s.n;
        if (ch == quote && !(more && c->s.p[c->at] == quote)) {
            *key = (struct str){start, (size_t)(c->to - start)};
            return true;
        }
        if (ch == quote || (ch == '\\' && more && (c->s.p[c->at] == quote || c->s.p[c->at] == '\\')))
            ch = c->s.p[c->at++];
        *c->to++ = ch;
    }
    return err_set(c->e, "character %zu: the quote has no end", open + 1);
}

static bool scan_index(struct scan *c, uint32_t *index)
{
    size_t n = c->at;
    uint64_t v;

    while (n < c->s.n && c->s.p[n] >= '0' && c->s.p[n] <= '9')
        n++;
    struct str digits = {c->s.p + c->at, n - c->at};
    if (!digits.n)
        return err_set(c->e, "character %zu: write a key in quotes, ['key'], or a number, [0]", c->at + 1);
    if (!str_u64(digits, &v) || v > UINT32_MAX)
        return err_set(c->e, "character %zu: the index is too large", c->at + 1);
    *index = (uint32_t)v;
    c->at = n;
    return true;
}

static bool scan_brackets(struct scan *c, struct step *step)
{
    c->at++;
    skip_blanks(c);
    char quote = c->at < c->s.n ? c->s.p[c->at] : 0;
    step->is_index = quote != '\'' && quote != '"';
    if (step->is_index ? !scan_index(c, &step->index) : !scan_quoted(c, &step->key))
        return false;
    skip_blanks(c);
    if (c->at == c->s.n || c->s.p[c->at] != ']')
        return err_set(c->e, "character %zu: `]` is missing", c->at + 1);
    c->at++;
    return true;
}

static bool scan_path(struct scan *c, struct path *p)
{
    char *start = c->to;

    if (!c->s.n)
        return err_set(c->e, "the key is empty");
    if (c->s.p[0] != '$') {
        memcpy(c->to, c->s.p, c->s.n);
        p->steps[p->n++] = (struct step){.key = {c->to, c->s.n}};
        return true;
    }
    for (c->at = 1; c->at < c->s.n && c->s.p[c->at] != '['; c->at++)
        *c->to++ = c->s.p[c->at];
    struct str key = str_trim((struct str){start, (size_t)(c->to - start)});
    if (key.n)
        p->steps[p->n++] = (struct step){.key = key};
    while (c->at < c->s.n) {
        if (c->s.p[c->at] != '[')
            return err_set(c->e, "character %zu: `[` must follow, not `%c`", c->at + 1, c->s.p[c->at]);
        if (p->n == PATH_STEPS)
            return err_set(c->e, "it has more than %d steps", PATH_STEPS);
        if (!scan_brackets(c, &p->steps[p->n++]))
            return false;
        skip_blanks(c);
    }
    if (!p->n || p->steps[0].is_index)
        return err_set(c->e, "character 2: a key must follow the `$`");
    return true;
}

struct path *path_compile(struct str text, struct err *e)
{
    struct path *p = alloc_new(sizeof *p);
    struct str trimmed = str_trim(text);

    p->text = alloc_raw(trimmed.n + 1);
    p->steps = alloc_array(PATH_STEPS, sizeof *p->steps);
    struct scan c = {.s = trimmed, .to = p->text, .e = e};
    bool ok = trimmed.n > PATH_LENGTH ? err_set(e, "it is longer than %d bytes", PATH_LENGTH) : scan_path(&c, p);
    if (ok) {
        p->steps = alloc_resize(p->steps, p->n * sizeof *p->steps);
        return p;
    }
    err_wrap(e, "the key `" STR_FMT "`", STR_ARG(str_head(text, 80)));
    path_free(p);
    return NULL;
}

void path_free(struct path *p)
{
    if (!p)
        return;
    free(p->steps);
    free(p->text);
    free(p);
}

static struct value *enter(struct value *v, const struct step *s, struct arena *a)
{
    if (!s->is_index)
        return map_value_get(v, s->key, a);
    if (v->type != V_ARRAY)
        return NULL;
    value_open(v, a);
    return s->index < v->n ? &v->items[s->index] : NULL;
}

static struct value *walk(const struct path *p, struct event *ev, size_t steps)
{
    struct value *v = &ev->body;

    for (size_t i = 0; v && i < steps; i++)
        v = enter(v, &p->steps[i], ev->arena);
    return v;
}

struct value *path_find(const struct path *p, struct event *ev)
{
    return walk(p, ev, p->n);
}

bool path_set(const struct path *p, struct event *ev, struct value v)
{
    struct value *at = &ev->body;

    for (size_t i = 0; i + 1 < p->n; i++) {
        struct value *next = enter(at, &p->steps[i], ev->arena);
        if (!next) {
            if (p->steps[i].is_index || p->steps[i + 1].is_index || at->type != V_MAP)
                return false;
            map_value_set(at, p->steps[i].key, value_map(ev->arena), ev->arena);
            next = enter(at, &p->steps[i], ev->arena);
        }
        at = next;
    }
    const struct step *last = &p->steps[p->n - 1];
    struct value *there = enter(at, last, ev->arena);
    if (there)
        *there = v;
    else if (!last->is_index && at->type == V_MAP)
        map_value_set(at, last->key, v, ev->arena);
    else if (last->is_index && at->type == V_ARRAY && last->index == at->n)
        array_value_add(at, v, ev->arena);
    else
        return false;
    return true;
}

bool path_delete(const struct path *p, struct event *ev)
{
    struct value *at = walk(p, ev, p->n - 1);
    const struct step *last = &p->steps[p->n - 1];

    if (!at)
        return false;
    if (!last->is_index)
        return map_value_del(at, last->key, ev->arena);
    if (!enter(at, last, ev->arena))
        return false;
    memmove(&at->items[last->index], &at->items[last->index + 1], (at->n - last->index - 1) * sizeof *at->items);
    at->n--;
    return true;
}

struct str path_key(const struct path *p)
{
    return p->steps[0].key;
}

bool path_simple(const struct path *p)
{
    return p->n == 1;
}
