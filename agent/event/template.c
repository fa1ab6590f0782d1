/* SPDX-License-Identifier: Apache-2.0 */
#include "event/template.h"
#include "event/time.h"
#include "base/alloc.h"
#include "base/cleanup.h"

enum { TEMPLATE_PARTS = 100, TEMPLATE_LENGTH = 64 * 1024 };

enum part_kind { PART_TEXT, PART_TIME, PART_TAG, PART_TAG_PIECE, PART_CAPTURE, PART_KEY };

struct part {
    enum part_kind kind;
    uint32_t index;  /* of a capture or a piece of the tag */
    struct str text; /* as it was written */
    struct path *path;
};

struct template
{
    char *text; /* owns the parts' bytes */
    size_t n;
    struct part parts[TEMPLATE_PARTS];
};

struct scan {
    struct template *t;
    struct str s;
    size_t at;
    unsigned flags;
    struct err *e;
};

static bool add(struct scan *c, struct part part)
{
    if (c->t->n == TEMPLATE_PARTS)
        return err_set(c->e, "it has more than %d parts", TEMPLATE_PARTS);
    c->t->parts[c->t->n++] = part;
    return true;
}

static bool add_text(struct scan *c, size_t from, size_t to)
{
    struct str text = {c->s.p + from, to - from};
    bool time = (c->flags & TEMPLATE_TIME) && str_find_char(text, '%') != SIZE_MAX;

    return !text.n || add(c, (struct part){.kind = time ? PART_TIME : PART_TEXT, .text = text});
}

static bool key_char(char c)
{
    return (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z') || c == '_' || c == '-' || c == '@' ||
           (unsigned char)c >= 0x80;
}

/* Behind `$TAG`: a piece of it where [n] follows. */
static bool add_tag(struct scan *c, size_t from)
{
    struct str rest = str_from(c->s, c->at);
    size_t n = rest.n && rest.p[0] == '[' ? str_find_char(rest, ']') : SIZE_MAX;
    struct part part = {.kind = PART_TAG};
    uint64_t index;

    if (!(c->flags & TEMPLATE_TAG))
        return err_set(c->e, "`$TAG` cannot be used here");
    if (rest.n && rest.p[0] == '[') {
        if (n == SIZE_MAX || !str_u64((struct str){rest.p + 1, n - 1}, &index) || index > UINT32_MAX)
            return err_set(c->e, "a part of the tag is written `$TAG[0]`");
        part.kind = PART_TAG_PIECE;
        part.index = (uint32_t)index;
        c->at += n + 1;
    }
    part.text = (struct str){c->s.p + from, c->at - from};
    return add(c, part);
}

/* Moves behind ['key'] or [0]; brackets in quotes do not count. */
static bool skip_brackets(struct scan *c)
{
    char quote = 0;
    size_t open = c->at;

    for (; c->at < c->s.n; c->at++) {
        char ch = c->s.p[c->at];
        if (quote) {
            if (ch == '\\' && c->at + 1 < c->s.n)
                c->at++;
            else if (ch == quote)
                quote = 0;
        } else if (ch == '\'' || ch == '"') {
            quote = ch;
        } else if (ch == ']') {
            c->at++;
            return true;
        }
    }
    return err_set(c->e, "character %zu: `[` has no `]`", open + 1);
}

static bool add_variable(struct scan *c, size_t from)
{
    while (c->at < c->s.n && key_char(c->s.p[c->at]))
        c->at++;
    while (c->s.p[c->at - 1] == '-' && c->at > from + 2) /* `$key-%Y`: a dash is only inside of a key */
        c->at--;
    if (str_eq((struct str){c->s.p + from, c->at - from}, STR("$TAG")))
        return add_tag(c, from);
    while (c->at < c->s.n && c->s.p[c->at] == '[')
        if (!skip_brackets(c))
            return false;
    struct part part = {.kind = PART_KEY, .text = {c->s.p + from, c->at - from}};
    part.path = path_compile(part.text, c->e);
    if (!part.path)
        return false;
    if (add(c, part))
        return true;
    path_free(part.path);
    return false;
}

static bool scan_template(struct scan *c)
{
    size_t text = 0;

    while (c->at < c->s.n) {
        size_t from = c->at++;
        char next = c->at < c->s.n ? c->s.p[c->at] : 0;
        if (c->s.p[from] != '$' || !(key_char(next) || next == '[' || next == '$'))
            continue;
        if (!add_text(c, text, next == '$' ? from + 1 : from))
            return false;
        if (next == '$') {
            c->at++;
        } else if (next >= '0' && next <= '9') {
            c->at++;
            if (!add(c, (struct part){PART_CAPTURE, (uint32_t)(next - '0'), {c->s.p + from, 2}, NULL}))
                return false;
        } else if (!add_variable(c, from)) {
            return false;
        }
        text = c->at;
    }
    return add_text(c, text, c->s.n);
}

struct template *template_compile(struct str text, unsigned flags, struct err *e)
{
    struct template *t = alloc_new(sizeof *t);

    t->text = alloc_text(text.p, text.n);
    struct scan c = {.t = t, .s = {t->text, text.n}, .flags = flags, .e = e};
    if (text.n > TEMPLATE_LENGTH ? err_set(e, "it is longer than %d bytes", TEMPLATE_LENGTH) : scan_template(&c))
        return t;
    err_wrap(e, "the template `" STR_FMT "`", STR_ARG(str_head(text, 80)));
    template_free(t);
    return NULL;
}

void template_free(struct template *t)
{
    if (!t)
        return;
    for (size_t i = 0; i < t->n; i++)
        path_free(t->parts[i].path);
    free(t->text);
    free(t);
}

bool template_fixed(const struct template *t)
{
    for (size_t i = 0; i < t->n; i++)
        if (t->parts[i].kind != PART_TEXT)
            return false;
    return true;
}

static bool tag_piece(struct str tag, uint32_t index, struct str *out)
{
    do {
        *out = str_cut(&tag, '.');
        if (!index--)
            return true;
    } while (tag.p);
    return false;
}

static bool part_data(const struct part *p, struct event *ev, const struct strs *captures, struct str *out)
{
    if (p->kind == PART_TAG)
        *out = ev->tag;
    else if (p->kind == PART_TAG_PIECE)
        return tag_piece(ev->tag, p->index, out);
    else if (p->kind == PART_CAPTURE && (!captures || p->index >= captures->n))
        return false;
    else if (p->kind == PART_CAPTURE)
        *out = captures->items[p->index];
    else {
        struct value *v = path_find(p->path, ev);
        if (!v)
            return false;
        *out = value_text(v, ev->arena);
    }
    return true;
}

bool template_render(const struct template *t, struct event *ev, const struct strs *captures,
                     void (*each)(struct buf *out, struct str data), struct buf *out, struct str *missing)
{
    size_t before = out->n;

    for (size_t i = 0; i < t->n; i++) {
        const struct part *p = &t->parts[i];
        struct str data;
        if (p->kind == PART_TEXT) {
            buf_str(out, p->text);
        } else if (p->kind == PART_TIME) {
            time_write(out, ev->time, p->text);
        } else if (part_data(p, ev, captures, &data)) {
            if (each)
                each(out, data);
            else
                buf_str(out, data);
        } else {
            out->n = before;
            if (missing)
                *missing = p->text;
            return false;
        }
    }
    return true;
}
