/* SPDX-License-Identifier: Apache-2.0 */
/* The files that [SERVICE] names: parsers, and plugins. */
#include "conf/config_internal.h"

static bool allowed(struct config *c, size_t from, const char *const *kinds, const char *what, struct err *e)
{
    for (size_t i = from; i < c->tree->n; i++) {
        const struct section *s = &c->tree->sections[i];
        bool ok = str_eq(s->kind, STR("env"));
        for (size_t k = 0; kinds[k] && !ok; k++)
            ok = str_eq(s->kind, str_of(kinds[k]));
        if (!ok)
            return place_err(&s->place, e, "[%.*s] does not belong in a %s", SHOWN(s->kind), what);
    }
    return true;
}

struct named_file {
    struct str path;
    struct place at;
    bool plugins;
};

static bool read_one(struct config *c, const struct named_file *f, struct err *e)
{
    static const char *const parsers[] = {"parser", "multiline_parser", NULL}, *const plugins[] = {"plugins", NULL};
    size_t from = c->tree->n;

    if (!include(c->tree, f->path, &f->at, e))
        return false;
    return f->plugins ? allowed(c, from, plugins, "plugins file", e) : allowed(c, from, parsers, "parsers file", e);
}

static bool add_file(struct config *c, const struct prop *p, struct str path, struct named_file **files, size_t *n,
                     struct err *e)
{
    if (!path.n)
        return place_err(&p->place, e, "`%.*s` has no value", SHOWN(p->name));
    *files = arena_extend(c->tree->arena, *files, *n * sizeof **files, (*n + 1) * sizeof **files);
    (*files)[(*n)++] = (struct named_file){path, p->place, str_eq_fold(p->name, STR("plugins_file"))};
    return true;
}

static bool collect(struct config *c, const struct section *s, struct named_file **files, size_t *n, struct err *e)
{
    for (size_t i = 0; i < s->n; i++) {
        const struct prop *p = &s->props[i];
        if (str_eq_fold(p->name, STR("streams_file")))
            return place_err(&p->place, e, "stream processing is not supported; write the task as a Lua filter");
        if (!str_eq_fold(p->name, STR("parsers_file")) && !str_eq_fold(p->name, STR("plugins_file")))
            continue;
        if (p->map)
            return place_err(&p->place, e, "`%.*s` is a path or a list of paths", SHOWN(p->name));
        if (!p->items.n && !add_file(c, p, p->value, files, n, e))
            return false;
        for (size_t k = 0; k < p->items.n; k++)
            if (!add_file(c, p, p->items.items[k], files, n, e))
                return false;
    }
    return true;
}

bool service_files(struct config *c, struct err *e)
{
    struct named_file *files = NULL;
    size_t n = 0;

    for (size_t i = 0; i < c->tree->n; i++)
        if (str_eq(c->tree->sections[i].kind, STR("service")) && !collect(c, &c->tree->sections[i], &files, &n, e))
            return false;
    for (size_t i = 0; i < n; i++)
        if (!read_one(c, &files[i], e))
            return false;
    return true;
}
