/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/config.h"

#include "base/alloc.h"
#include "base/cleanup.h"
#include "conf/config_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void say(struct strs *list, const char *fmt, va_list args)
{
    char text[600];
    size_t n;

    vsnprintf(text, sizeof text, fmt, args);
    n = strlen(text);
    list->items = alloc_resize(list->items, (list->n + 1) * sizeof *list->items);
    list->items[list->n++] = (struct str){alloc_text(text, n), n};
}

void config_warn(struct config *c, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    say(&c->warnings, fmt, args);
    va_end(args);
}

void config_note(struct config *c, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    say(&c->notices, fmt, args);
    va_end(args);
}

static void said_free(struct strs *list)
{
    for (size_t i = 0; i < list->n; i++)
        free((char *)list->items[i].p);
    free(list->items);
}

const struct parser_def *config_parser(const struct config *c, struct str name)
{
    return map_get(&c->parsers, name);
}

/* The sections that a configuration may have, as classic files call them. */
static const char *const kinds[] = {"SERVICE", "INPUT",    "FILTER", "OUTPUT", "PARSER",      "MULTILINE_PARSER",
                                    "PLUGINS", "UPSTREAM", "NODE",   "CUSTOM", "STREAM_TASK", NULL};

static const char *nth_kind(void *arg, size_t i)
{
    (void)arg;
    return kinds[i];
}

static bool unknown_kind(const struct section *s, struct err *e)
{
    const char *near = suggest(s->kind, nth_kind, NULL);

    if (near)
        return place_err(&s->place, e, "unknown section [%.*s]; did you mean [%s]?", SHOWN(s->kind), near);
    return place_err(&s->place, e,
                     "unknown section [%.*s]; there are SERVICE, INPUT, FILTER, OUTPUT, PARSER, MULTILINE_PARSER, "
                     "UPSTREAM and PLUGINS",
                     SHOWN(s->kind));
}

static void note_section(struct config *c, const struct section *s, const char *text)
{
    config_note(c, "%s:%u:%u: [" STR_FMT "] %s", s->place.file, s->place.line, s->place.column, STR_ARG(s->kind), text);
}

static bool needs_name(const struct section *s, struct err *e)
{
    const struct prop *name = section_prop(s, "name");

    return (name && name->value.n) || place_err(&s->place, e, "this [" STR_FMT "] has no `name`", STR_ARG(s->kind));
}

static bool sort_section(struct config *c, const struct section *s, struct err *e)
{
    struct str kind = s->kind;

    if (str_eq(kind, STR("service")) || str_eq(kind, STR("env")))
        return true;
    if (str_eq(kind, STR("input")))
        return needs_name(s, e) && (c->inputs[c->ninputs++] = s);
    if (str_eq(kind, STR("filter")))
        return needs_name(s, e) && (c->filters[c->nfilters++] = s);
    if (str_eq(kind, STR("output")))
        return needs_name(s, e) && (c->outputs[c->noutputs++] = s);
    if (str_eq(kind, STR("parser")))
        return parser_load(c, s, e);
    if (str_eq(kind, STR("multiline_parser")))
        return multiline_check(c, s, e);
    if (str_eq(kind, STR("upstream")))
        return needs_name(s, e) && upstream_check(s, e);
    if (str_eq(kind, STR("stream_task")))
        return place_err(&s->place, e, "stream processing is not supported; write the task as a Lua filter");
    if (str_eq(kind, STR("plugins"))) {
        if (s->n)
            note_section(c, s, "is not used: modules made for Fluent Bit cannot be loaded");
        return true;
    }
    if (str_eq(kind, STR("custom")) || str_eq(kind, STR("extension"))) {
        note_section(c, s, "has no meaning here");
        return true;
    }
    return unknown_kind(s, e);
}

/* The directory of the main file, absolute. */
static void set_dir(struct config *c)
{
    const struct build *b = build_of(c->tree);
    const char *root = b->root ? b->root : ".";
    CLEANUP(cleanup_free) char *real = realpath(root, NULL);

    c->dir = real ? arena_str(c->tree->arena, str_of(real)).p : root;
}

static bool fill(struct config *c, struct err *e)
{
    struct tree *t = c->tree;

    set_dir(c);
    if (!service_files(c, e) || !service_load(c, e))
        return false;
    c->inputs = alloc_array(t->n + 1, sizeof *c->inputs);
    c->filters = alloc_array(t->n + 1, sizeof *c->filters);
    c->outputs = alloc_array(t->n + 1, sizeof *c->outputs);
    for (size_t i = 0; i < t->n; i++)
        if (!sort_section(c, &t->sections[i], e))
            return false;
    for (size_t i = 0; i < t->n; i++) {
        struct str kind = t->sections[i].kind;
        if ((str_eq(kind, STR("input")) || str_eq(kind, STR("filter")) || str_eq(kind, STR("multiline_parser"))) &&
            !parsers_check(c, &t->sections[i], e))
            return false;
    }
    for (size_t i = 0; i < t->nwarnings; i++)
        config_warn(c, STR_FMT, STR_ARG(t->warnings[i]));
    for (size_t i = 0; i < build_of(t)->nnotices; i++)
        config_note(c, STR_FMT, STR_ARG(build_of(t)->notices[i]));
    return true;
}

struct config *config_new(struct tree *tree, struct err *e)
{
    struct config *c = alloc_new(sizeof *c);

    c->tree = tree;
    if (fill(c, e))
        return c;
    config_free(c);
    return NULL;
}

void config_free(struct config *c)
{
    if (!c)
        return;
    service_free(c);
    parsers_free(c);
    free(c->inputs);
    free(c->filters);
    free(c->outputs);
    said_free(&c->notices);
    said_free(&c->warnings);
    tree_free(c->tree);
    free(c);
}
