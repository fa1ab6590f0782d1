/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "conf/build.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static const char command_line[] = "command line";

struct tree *tree_new(void)
{
    struct build *b = alloc_new(sizeof *b);

    b->tree.arena = arena_new();
    return &b->tree;
}

void tree_free(struct tree *t)
{
    if (!t)
        return;
    arena_free(t->arena);
    free(build_of(t));
}

/* Room for one more item: the arrays double when their count is a power of two, so that no capacity is kept. */
static void *grow(struct arena *a, void *items, size_t n, size_t size)
{
    if (n & (n - 1))
        return items;
    return arena_extend(a, items, n * size, (n ? 2 * n : 1) * size);
}

static struct str lower(struct arena *a, struct str s)
{
    struct str copy = arena_str(a, s);
    char *p = (char *)copy.p;

    for (size_t i = 0; i < s.n; i++)
        if (p[i] >= 'A' && p[i] <= 'Z')
            p[i] = (char)(p[i] + 32);
    return copy;
}

static bool count_section(struct build *b, const struct place *at, struct err *e)
{
    return ++b->nsections <= SECTIONS_MAX || place_err(at, e, "more than %d sections", SECTIONS_MAX);
}

size_t tree_begin(struct tree *t, struct str kind, const struct place *at, struct err *e)
{
    if (!count_section(build_of(t), at, e))
        return SIZE_MAX;
    t->sections = grow(t->arena, t->sections, t->n, sizeof *t->sections);
    t->sections[t->n] = (struct section){.kind = lower(t->arena, kind), .place = *at};
    return t->n++;
}

struct section *tree_env(struct tree *t)
{
    static const struct place nowhere = {command_line, 0, 0};
    size_t i;

    for (i = 0; i < t->n; i++)
        if (str_eq(t->sections[i].kind, STR("env")))
            return &t->sections[i];
    i = tree_begin(t, STR("env"), &nowhere, NULL);
    return i == SIZE_MAX ? NULL : &t->sections[i];
}

struct section *tree_add(struct tree *t, const char *kind)
{
    static const struct place at = {command_line, 0, 0};
    size_t i = tree_begin(t, str_of(kind), &at, NULL);

    if (i == SIZE_MAX) /* only a command line longer than the kernel allows gets here */
        abort();
    return &t->sections[i];
}

struct prop *section_add(struct tree *t, struct section *s, struct str name, struct str value, const struct place *at,
                         struct err *e)
{
    struct build *b = build_of(t);

    if (++b->nprops > PROPS_MAX) {
        place_err(at, e, "more than %d keys", PROPS_MAX);
        return NULL;
    }
    if (name.n > NAME_MAX_BYTES) {
        place_err(at, e, "a key of %zu bytes; at most %d are allowed", name.n, NAME_MAX_BYTES);
        return NULL;
    }
    s->props = grow(t->arena, s->props, s->n, sizeof *s->props);
    s->props[s->n] =
        (struct prop){.name = arena_str(t->arena, name), .value = arena_str(t->arena, value), .place = *at};
    return &s->props[s->n++];
}

struct section *section_child(struct tree *t, struct section *s, struct str kind, const struct place *at, struct err *e)
{
    if (!count_section(build_of(t), at, e))
        return NULL;
    s->children = grow(t->arena, s->children, s->nchildren, sizeof *s->children);
    s->children[s->nchildren] = (struct section){.kind = lower(t->arena, kind), .place = *at};
    return &s->children[s->nchildren++];
}

struct section *section_loose(struct tree *t, struct str kind, const struct place *at, struct err *e)
{
    struct section *s;

    if (!count_section(build_of(t), at, e))
        return NULL;
    s = arena_zero(t->arena, sizeof *s);
    s->kind = lower(t->arena, kind);
    s->place = *at;
    return s;
}

bool tree_set(struct tree *t, struct section *s, struct str name, struct str value, struct err *e)
{
    static const struct place at = {command_line, 0, 0};
    struct str expanded;

    name = str_trim(name);
    value = str_trim(value);
    if (!name.n || !value.n)
        return place_err(&at, e, "a property is written NAME=VALUE, e.g. -p path=/var/log/app.log");
    return expand(t, &at, value, &expanded, e) && section_add(t, s, name, expanded, &at, e);
}

struct prop *section_prop(const struct section *s, const char *name)
{
    struct str wanted = str_of(name);

    for (size_t i = s->n; i-- > 0;)
        if (str_eq_fold(s->props[i].name, wanted))
            return &s->props[i];
    return NULL;
}

static int place_text(const struct place *p, char *out, size_t n)
{
    if (!p->line)
        return snprintf(out, n, "%s", p->file);
    return snprintf(out, n, "%s:%u:%u", p->file, p->line, p->column ? p->column : 1);
}

bool place_err(const struct place *p, struct err *e, const char *fmt, ...)
{
    char text[sizeof e->text], where[320];
    va_list args;

    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    place_text(p, where, sizeof where);
    return err_set(e, "%s: %s", where, text);
}

static struct str placed(struct tree *t, const struct place *at, const char *fmt, va_list args)
{
    char text[512], where[320];

    vsnprintf(text, sizeof text, fmt, args);
    place_text(at, where, sizeof where);
    return arena_fmt(t->arena, "%s: %s", where, text);
}

void tree_warn(struct tree *t, const struct place *at, const char *fmt, ...)
{
    va_list args;

    t->warnings = grow(t->arena, t->warnings, t->nwarnings, sizeof *t->warnings);
    va_start(args, fmt);
    t->warnings[t->nwarnings++] = placed(t, at, fmt, args);
    va_end(args);
}

void tree_note(struct tree *t, const struct place *at, const char *fmt, ...)
{
    struct build *b = build_of(t);
    va_list args;

    b->notices = grow(t->arena, b->notices, b->nnotices, sizeof *b->notices);
    va_start(args, fmt);
    b->notices[b->nnotices++] = placed(t, at, fmt, args);
    va_end(args);
}
