/* SPDX-License-Identifier: Apache-2.0 */
#include "plugin.h"

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/map.h"
#include "event/path.h"

enum { WALK = 4096 }; /* comparisons of keys that are cheaper than a hash table */

struct parser_filter {
    struct instance instance;
    struct str key_name;
    struct strs parser_names;
    bool preserve_key, reserve_data;

    struct path *path;
    struct parser **parsers;
    size_t nparsers;
    struct buf map;
};

static const struct option options[] = {
    OPT(struct parser_filter, OPT_STR, key_name, NULL, "The field that is parsed; a record accessor.",
        .required = true),
    OPT_AS(struct parser_filter, OPT_MULTI, "parser", parser_names, NULL,
           "The parsers, tried in this order until one matches.", .required = true),
    OPT(struct parser_filter, OPT_BOOL, preserve_key, "false", "The parsed field stays in the record."),
    OPT(struct parser_filter, OPT_BOOL, reserve_data, "false", "The other fields stay in the record."),
    OPT_NONE("unescape_key"),
    OPT_END,
};

static bool build(struct parser_filter *f, struct err *e)
{
    struct err why;

    f->path = path_compile(f->key_name, &why);
    if (!f->path)
        return instance_err(&f->instance, "key_name", e, "%s", why.text);
    f->parsers = alloc_array(f->parser_names.n + 1, sizeof(*f->parsers));
    for (; f->nparsers < f->parser_names.n; f->nparsers++) {
        struct str name = str_trim(f->parser_names.items[f->nparsers]);
        f->parsers[f->nparsers] = instance_parser(&f->instance, "parser", name, e);
        if (!f->parsers[f->nparsers])
            return false;
    }
    return true;
}

static void parser_stop(void *self)
{
    struct parser_filter *f = self;

    for (size_t i = 0; i < f->nparsers; i++)
        parser_free(f->parsers[i]);
    free(f->parsers);
    f->parsers = NULL;
    f->nparsers = 0;
    path_free(f->path);
    f->path = NULL;
    buf_free(&f->map);
}

static bool parser_start(void *self, struct err *e)
{
    if (build(self, e))
        return true;
    parser_stop(self);
    return false;
}

/* Which of the parsed fields has this key: small maps are walked, for large ones `index` is filled first. */
static bool has_key(const struct value *parsed, uint32_t own, const struct map *index, struct str key)
{
    if (index->n)
        return map_get(index, key) != NULL;
    for (uint32_t i = 0; i < own; i++)
        if (parsed->fields[i].key.type == V_STR && str_eq(value_bytes(&parsed->fields[i].key), key))
            return true;
    return false;
}

/* The parsed fields go in front of what is kept, as in Fluent Bit; of equal keys the parsed one stays. */
static struct value merge(struct value parsed, const struct value *kept, struct arena *a)
{
    CLEANUP(map_free) struct map index = {0};

    value_open(&parsed, a);
    uint32_t own = parsed.n;
    for (uint32_t i = 0; i < own && (uint64_t)own * kept->n > WALK; i++)
        if (parsed.fields[i].key.type == V_STR)
            map_set(&index, value_bytes(&parsed.fields[i].key), &index);
    for (uint32_t i = 0; i < kept->n; i++) {
        const struct field *field = &kept->fields[i];
        struct str key = {0};
        if (value_as_str(&field->key, &key) && has_key(&parsed, own, &index, key))
            continue;
        map_value_add(&parsed, key, field->val, a);
        parsed.fields[parsed.n - 1].key = field->key;
    }
    return parsed;
}

static enum pass parser_apply(void *self, struct event *ev, struct emit *out)
{
    struct parser_filter *f = self;
    struct value *field = path_find(f->path, ev), was;
    int64_t time = ev->time;
    bool found = false;
    struct str text;

    (void)out;
    if (!field || (field->type != V_STR && field->type != V_BIN))
        return KEEP;
    text = value_bytes(field);
    buf_clear(&f->map);
    for (size_t i = 0; i < f->nparsers && !found; i++)
        found = parser_run(f->parsers[i], text, ev->time, &f->map, &time, NULL);
    if (!found)
        return KEEP;
    was = *field;
    struct value parsed = value_raw(arena_str(ev->arena, buf_view(&f->map)));
    if (f->reserve_data) {
        if (!f->preserve_key)
            path_delete(f->path, ev);
        parsed = merge(parsed, &ev->body, ev->arena);
    } else if (f->preserve_key && !map_value_get(&parsed, path_key(f->path), ev->arena)) {
        struct value *top = event_get(ev, path_key(f->path));
        map_value_add(&parsed, path_key(f->path), path_simple(f->path) || !top ? was : *top, ev->arena);
    }
    ev->body = parsed;
    ev->time = time;
    return KEEP;
}

static const struct filter filter = {.start = parser_start, .stop = parser_stop, .apply = parser_apply};

const struct plugin filter_parser = {
    .name = "parser",
    .summary = "Parses one field of a record into fields of its own.",
    .options = options,
    .size = sizeof(struct parser_filter),
    .filter = &filter,
};
