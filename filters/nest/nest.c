/* SPDX-License-Identifier: Apache-2.0 */
#include "plugin.h"

enum operation { NEST, LIFT };

struct nest {
    struct instance instance;
    int operation;
    struct strs wildcard;
    struct str nest_under, nested_under, add_prefix, remove_prefix;
};

static const char *const operation_names[] = {"nest", "lift", NULL};
static const struct option options[] = {
    OPT(struct nest, OPT_ENUM, operation, NULL, "Put fields into a map, or take a map's fields out of it.",
        .names = operation_names, .required = true),
    OPT(struct nest, OPT_MULTI, wildcard, NULL, "nest: which fields; a * at the end matches any rest."),
    OPT(struct nest, OPT_STR, nest_under, NULL, "nest: the key of the new map."),
    OPT(struct nest, OPT_STR, nested_under, NULL, "lift: the key of the map."),
    OPT(struct nest, OPT_STR, add_prefix, NULL, "Put this in front of the keys that are moved."),
    OPT(struct nest, OPT_STR, remove_prefix, NULL, "Take this from the front of the keys that are moved."),
    OPT_END};

static bool nest_start(void *self, struct err *e)
{
    const struct nest *n = self;

    if (n->add_prefix.n && n->remove_prefix.n)
        return instance_err(&n->instance, "add_prefix", e, "add_prefix and remove_prefix exclude each other");
    if (n->operation == NEST && !n->wildcard.n)
        return instance_err(&n->instance, "operation", e,
                            "nest needs `wildcard`: the keys of the fields to put into the map");
    if (n->operation == NEST && !n->nest_under.n && !n->nested_under.n)
        return instance_err(&n->instance, "operation", e, "nest needs `nest_under`: the key of the new map");
    if (n->operation == LIFT && !n->nest_under.n && !n->nested_under.n)
        return instance_err(&n->instance, "operation", e, "lift needs `nested_under`: the key of the map");
    if (n->operation == LIFT && n->wildcard.n)
        return instance_err(&n->instance, "wildcard", e,
                            "has a meaning only for `operation nest`: lift takes out every field");
    return true;
}

/* Either spelling is taken for both operations, as Fluent Bit does. */
static struct str map_key(const struct nest *n)
{
    bool second = n->operation == NEST ? !n->nest_under.n : n->nested_under.n > 0;

    return second ? n->nested_under : n->nest_under;
}

static bool selected(const struct nest *n, const struct value *k)
{
    struct str key;

    if (!value_as_str(k, &key))
        return false;
    for (size_t i = 0; i < n->wildcard.n; i++) {
        struct str w = n->wildcard.items[i];
        if (w.n && w.p[w.n - 1] == '*' ? str_starts(key, str_head(w, w.n - 1)) : str_eq(key, w))
            return true;
    }
    return false;
}

static struct value moved_key(const struct nest *n, struct value k, struct arena *a)
{
    struct str key;

    if (!value_as_str(&k, &key))
        return k;
    if (n->add_prefix.n) {
        char *p = arena_alloc(a, n->add_prefix.n + key.n);
        memcpy(p, n->add_prefix.p, n->add_prefix.n);
        memcpy(p + n->add_prefix.n, key.p, key.n);
        return value_str((struct str){p, n->add_prefix.n + key.n});
    }
    return str_starts(key, n->remove_prefix) ? value_str(str_from(key, n->remove_prefix.n)) : k;
}

/* A key that is there already is replaced: a map never has one twice. */
static void put(struct value *map, struct value key, struct value val, struct arena *a)
{
    struct str text;

    if (value_as_str(&key, &text)) {
        map_value_set(map, text, val, a);
        return;
    }
    map_value_add(map, STR(""), val, a);
    map->fields[map->n - 1].key = key;
}

static void nest(const struct nest *n, struct event *ev)
{
    struct value *body = &ev->body, inner = value_map(ev->arena);
    uint32_t kept = 0;

    value_open(body, ev->arena);
    for (uint32_t i = 0; i < body->n; i++) {
        struct field f = body->fields[i];
        if (selected(n, &f.key))
            put(&inner, moved_key(n, f.key, ev->arena), f.val, ev->arena);
        else
            body->fields[kept++] = f;
    }
    if (kept == body->n)
        return;
    body->n = kept;
    map_value_del(body, map_key(n), ev->arena);
    map_value_add(body, map_key(n), inner, ev->arena);
}

static void lift(const struct nest *n, struct event *ev)
{
    struct value *body = &ev->body, *at = event_get(ev, map_key(n)), inner;

    if (!at || at->type != V_MAP)
        return;
    inner = *at;
    event_del(ev, map_key(n));
    value_open(&inner, ev->arena);
    for (uint32_t i = 0; i < inner.n; i++)
        put(body, moved_key(n, inner.fields[i].key, ev->arena), inner.fields[i].val, ev->arena);
}

static enum pass nest_apply(void *self, struct event *ev, struct emit *out)
{
    const struct nest *n = self;

    (void)out;
    if (n->operation == NEST)
        nest(n, ev);
    else
        lift(n, ev);
    return KEEP;
}

static const struct filter filter = {.start = nest_start, .apply = nest_apply};
const struct plugin filter_nest = {.name = "nest",
                                   .summary = "Puts fields into a map, or takes them out of one.",
                                   .options = options,
                                   .size = sizeof(struct nest),
                                   .filter = &filter};
