/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/option.h"

#include "base/alloc.h"
#include "base/cleanup.h"
#include "conf/build.h"
#include "conf/options_internal.h"

bool options_walk(const struct option *table, void *base, option_visit *each, void *arg)
{
    for (const struct option *o = table; o && o->name; o++) {
        char *field = base ? (char *)base + o->offset : NULL;
        if (o->group ? !options_walk(o->group, field, each, arg) : !each(arg, (struct option_at){o, field}))
            return false;
    }
    return true;
}

bool option_known(const struct option *o, struct str name)
{
    struct str own = str_of(o->name);

    return o->prefix ? name.n >= own.n && str_eq_fold(str_head(name, own.n), own) : str_eq_fold(name, own);
}

void option_clear(struct option_at at)
{
    switch (at.option->type) {
    case OPT_PATH: {
        struct str *path = (void *)at.field;
        free((char *)path->p);
        *path = (struct str){NULL, 0};
        break;
    }
    case OPT_LIST:
    case OPT_MULTI: {
        struct strs *list = (void *)at.field;
        free(list->items);
        *list = (struct strs){NULL, 0};
        break;
    }
    case OPT_RULE: {
        struct rules *rules = (void *)at.field;
        for (size_t i = 0; i < rules->n; i++)
            if (rules->items[i].option->prefix)
                free((char *)rules->items[i].name.p);
        free(rules->items);
        *rules = (struct rules){NULL, 0};
        break;
    }
    default:
        break;
    }
}

struct load {
    const struct section *section;
    struct arena *arena; /* scratch */
    struct err *e;
    const struct prop *prop;
    bool known, exact; /* an option of that very name goes before a prefix */
};

static bool set_initial(void *arg, struct option_at at)
{
    struct load *l = arg;

    if (!at.option->initial)
        return true;
    return option_set(at, str_of(at.option->initial), path_dir(l->arena, l->section->place.file), l->e) ||
           place_err(&l->section->place, l->e, "the default of `%s` is not one", at.option->name);
}

static void add_rule(struct option_at at, const struct prop *p, struct str value)
{
    struct rules *rules = (void *)at.field;
    struct rule rule = {.option = at.option, .name = str_of(at.option->name), .value = value, .place = &p->place};

    if (at.option->prefix) {
        char *name = alloc_text(p->name.p, p->name.n);
        for (size_t i = 0; i < p->name.n; i++)
            if (name[i] >= 'A' && name[i] <= 'Z')
                name[i] = (char)(name[i] + 32);
        rule.name = (struct str){name, p->name.n};
    }
    rules->items = alloc_resize(rules->items, (rules->n + 1) * sizeof rule);
    rules->items[rules->n++] = rule;
}

/* Whether an earlier property of the same name has replaced the default of a list already. */
static bool first_of_name(const struct section *s, const struct prop *p)
{
    for (const struct prop *q = s->props; q < p; q++)
        if (str_eq_fold(q->name, p->name))
            return false;
    return true;
}

static bool set_list(struct load *l, struct option_at at)
{
    const struct prop *p = l->prop;
    bool rule = at.option->type == OPT_RULE;

    if (!rule && first_of_name(l->section, p))
        option_clear(at);
    for (size_t i = 0; i < p->items.n; i++)
        if (rule)
            add_rule(at, p, p->items.items[i]);
        else
            strs_add((struct strs *)(void *)at.field, p->items.items[i]);
    if (p->items.n)
        return true;
    if (rule)
        add_rule(at, p, p->value);
    return rule || option_set(at, p->value, "", l->e);
}

static bool set_value(struct load *l, struct option_at at)
{
    const struct prop *p = l->prop;
    enum option_type type = at.option->type;
    struct err why = {0};

    if (type == OPT_IGNORED)
        return true;
    if (type == OPT_MAP) {
        if (!p->map)
            return place_err(&p->place, l->e, "`%s` takes a mapping: keys and values of its own below it",
                             at.option->name);
        *(struct section **)(void *)at.field = p->map;
        return true;
    }
    if (p->map)
        return place_err(&p->place, l->e, "`%s` takes %s, not a mapping", at.option->name,
                         type == OPT_LIST || type == OPT_MULTI ? "a list" : "one value");
    if (type == OPT_LIST || type == OPT_MULTI || type == OPT_RULE)
        return set_list(l, at);
    if (p->items.n > 1)
        return place_err(&p->place, l->e, "`%s` takes one value, not a list", at.option->name);
    return option_set(at, p->value, path_dir(l->arena, p->place.line ? p->place.file : ""), &why) ||
           place_err(&p->place, l->e, "%s", why.text);
}

static bool look_exact(void *arg, struct option_at at)
{
    struct load *l = arg;

    l->exact |= !at.option->prefix && option_known(at.option, l->prop->name);
    return true;
}

static bool set_known(void *arg, struct option_at at)
{
    struct load *l = arg;

    if (!option_known(at.option, l->prop->name) || (at.option->prefix && l->exact))
        return true;
    l->known = true;
    return set_value(l, at);
}

static bool check_required(void *arg, struct option_at at)
{
    struct load *l = arg;

    if (!at.option->required || section_prop(l->section, at.option->name))
        return true;
    return place_err(&l->section->place, l->e, "`%s` is missing: %s", at.option->name, at.option->help);
}

struct names { /* the i-th name of all tables, for suggest() */
    const struct option *const *tables;
    size_t left;
    const char *found;
};

static bool count_down(void *arg, struct option_at at)
{
    struct names *n = arg;

    if (n->left--)
        return true;
    n->found = at.option->name;
    return false;
}

static const char *nth_option(void *arg, size_t i)
{
    struct names *n = arg;

    n->left = i;
    n->found = NULL;
    for (size_t t = 0; n->tables[t] && !n->found; t++)
        options_walk(n->tables[t], NULL, count_down, n);
    return n->found;
}

static bool unknown(const struct option *const *tables, const struct load *l)
{
    struct names names = {.tables = tables};
    const struct prop *p = l->prop, *name = section_prop(l->section, "name");
    const char *near = suggest(p->name, nth_option, &names);
    char kind[32] = {0};
    struct str plugin = name ? name->value : (struct str){"", 0};

    for (size_t i = 0; i < l->section->kind.n && i < sizeof kind - 1; i++) {
        char c = l->section->kind.p[i];
        kind[i] = c >= 'a' && c <= 'z' ? (char)(c - 32) : c;
    }
    if (near)
        return place_err(&p->place, l->e, "unknown key `%.*s` in [%s]%s%.*s; did you mean `%s`?", SHOWN(p->name), kind,
                         name ? " " : "", SHOWN(plugin), near);
    return place_err(&p->place, l->e, "unknown key `%.*s` in [%s]%s%.*s", SHOWN(p->name), kind, name ? " " : "",
                     SHOWN(plugin));
}

static bool load_prop(const struct option *const *tables, void *const *into, struct load *l)
{
    l->known = l->exact = false;
    for (size_t t = 0; tables[t]; t++)
        options_walk(tables[t], NULL, look_exact, l);
    for (size_t t = 0; tables[t]; t++)
        if (!options_walk(tables[t], into[t], set_known, l))
            return false;
    return l->known || str_eq_fold(l->prop->name, STR("name")) || unknown(tables, l);
}

static void arena_release(struct arena **a)
{
    arena_free(*a);
}

bool options_load(const struct option *const *tables, void *const *into, const struct section *s, struct err *e)
{
    CLEANUP(arena_release) struct arena *scratch = arena_new();
    struct load l = {.section = s, .arena = scratch, .e = e};

    for (size_t t = 0; tables[t]; t++)
        if (!options_walk(tables[t], into[t], set_initial, &l))
            return false;
    for (size_t i = 0; i < s->n; i++) {
        l.prop = &s->props[i];
        if (!load_prop(tables, into, &l))
            return false;
    }
    if (s->nchildren)
        return place_err(&s->children[0].place, e, "[" STR_FMT "] does not belong here", STR_ARG(s->children[0].kind));
    for (size_t t = 0; tables[t]; t++)
        if (!options_walk(tables[t], into[t], check_required, &l))
            return false;
    return true;
}

static bool free_one(void *arg, struct option_at at)
{
    (void)arg;
    option_clear(at);
    return true;
}

void options_free(const struct option *table, void *from)
{
    options_walk(table, from, free_one, NULL);
}

const struct place *options_place(const struct section *s, const char *name)
{
    const struct prop *p = section_prop(s, name);

    return p ? &p->place : &s->place;
}

static bool report_ignored(void *arg, struct option_at at)
{
    struct load *l = arg;

    if (option_known(at.option, l->prop->name))
        l->exact = at.option->type != OPT_IGNORED || l->exact, l->known = true;
    return true;
}

void options_ignored(const struct option *const *tables, const struct section *s,
                     void (*each)(void *arg, const struct prop *p), void *arg)
{
    struct load l = {.section = s};

    for (size_t i = 0; i < s->n; i++) {
        l.prop = &s->props[i];
        l.known = l.exact = false;
        for (size_t t = 0; tables[t]; t++)
            options_walk(tables[t], NULL, report_ignored, &l);
        if (l.known && !l.exact)
            each(arg, l.prop);
    }
}
