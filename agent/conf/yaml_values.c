/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/yaml.h"

#include "base/cleanup.h"

#include <stdarg.h>
#include <stdio.h>

enum { VISITED_MAX = 1000000 };

struct place yaml_place(const struct yaml *y, const yaml_node_t *node)
{
    return (struct place){y->file, (unsigned)node->start_mark.line + 1, (unsigned)node->start_mark.column + 1};
}

bool yaml_err(struct yaml *y, const yaml_node_t *node, const char *fmt, ...)
{
    struct place at = yaml_place(y, node);
    char text[400];
    va_list args;

    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    return place_err(&at, y->e, "%s", text);
}

yaml_node_t *yaml_at(struct yaml *y, int index)
{
    yaml_node_t *node = yaml_document_get_node(&y->doc, index);

    if (++y->visited <= VISITED_MAX)
        return node;
    yaml_err(y, node, "more than %d values", VISITED_MAX);
    return NULL;
}

struct str yaml_text(const yaml_node_t *node)
{
    return (struct str){(const char *)node->data.scalar.value, node->data.scalar.length};
}

bool yaml_scalar(struct yaml *y, struct str key, const yaml_node_t *node, struct str *out)
{
    struct place at = yaml_place(y, node);
    struct str text = yaml_text(node);

    if (!text.n && node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE)
        return place_err(&at, y->e, "the key `%.*s` has no value", SHOWN(key));
    if (text.n && memchr(text.p, 0, text.n))
        return place_err(&at, y->e, "the value of `%.*s` has a NUL byte in it", SHOWN(key));
    return expand(y->t, &at, text, out, y->e);
}

/* readFromHead and read-from-head to read_from_head; what has an underscore or a capital in front is left alone. */
static struct str snake(struct arena *a, struct str key)
{
    CLEANUP(buf_free) struct buf b = {0};

    if (!key.n || key.p[0] < 'a' || key.p[0] > 'z' || str_find_char(key, '_') != SIZE_MAX)
        return key;
    for (size_t i = 0; i < key.n; i++) {
        char c = key.p[i];
        if (c >= 'A' && c <= 'Z') {
            buf_char(&b, '_');
            c = (char)(c + 32);
        }
        buf_char(&b, c == '-' ? '_' : c);
    }
    return arena_str(a, buf_view(&b));
}

/* `- {state: a, regex: b, next_state: c}` of a multiline parser, as classic files write it. */
static bool add_rule(struct yaml *y, struct section *s, const yaml_node_t *item)
{
    static const char *const parts[] = {"state", "regex", "next_state"};
    struct place at = yaml_place(y, item);
    struct section *map = section_loose(y->t, STR("rule"), &at, y->e);
    CLEANUP(buf_free) struct buf text = {0};
    struct prop *p;

    if (item->type != YAML_MAPPING_NODE)
        return yaml_err(y, item, "a rule has `state`, `regex` and `next_state`");
    if (!map || !yaml_fill(y, map, item, false, 1))
        return false;
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        const struct prop *part = section_prop(map, parts[i]);
        if (!part)
            return yaml_err(y, item, "this rule has no `%s`", parts[i]);
        buf_fmt(&text, "%s\"", i ? " " : "");
        for (size_t c = 0; c < part->value.n; c++)
            buf_fmt(&text, "%s%c", part->value.p[c] == '"' ? "\\" : "", part->value.p[c]);
        buf_char(&text, '"');
    }
    p = section_add(y->t, s, STR("rule"), buf_view(&text), &at, y->e);
    if (p)
        p->map = map;
    return p != NULL;
}

static bool add_items(struct yaml *y, struct prop *p, const yaml_node_t *list)
{
    size_t n = (size_t)(list->data.sequence.items.top - list->data.sequence.items.start);
    CLEANUP(buf_free) struct buf joined = {0};

    p->items.items = arena_alloc(y->t->arena, n * sizeof *p->items.items + 1);
    for (size_t i = 0; i < n; i++) {
        yaml_node_t *item = yaml_at(y, list->data.sequence.items.start[i]);
        struct str value = {0};
        if (!item)
            return false;
        if (item->type != YAML_SCALAR_NODE)
            return yaml_err(y, item, "the list `%.*s` holds single values and others; it must be one or the other",
                            SHOWN(p->name));
        if (!yaml_scalar(y, p->name, item, &value))
            return false;
        value = arena_str(y->t->arena, value);
        p->items.items[p->items.n++] = value;
        buf_fmt(&joined, "%s", i ? ", " : "");
        buf_str(&joined, value);
    }
    p->value = arena_str(y->t->arena, buf_view(&joined));
    return true;
}

static bool add_maps(struct yaml *y, struct section *s, struct str kind, const yaml_node_t *list, int depth)
{
    for (yaml_node_item_t *i = list->data.sequence.items.start; i < list->data.sequence.items.top; i++) {
        yaml_node_t *item = yaml_at(y, *i);
        struct place at;
        struct section *child;
        if (!item)
            return false;
        if (item->type != YAML_MAPPING_NODE)
            return yaml_err(y, item, "every item of `%.*s` must be a mapping", SHOWN(kind));
        at = yaml_place(y, item);
        child = section_child(y->t, s, kind, &at, y->e);
        if (!child || !yaml_fill(y, child, item, true, depth + 1))
            return false;
    }
    return true;
}

static bool of_maps(struct yaml *y, const yaml_node_t *list)
{
    const yaml_node_item_t *first = list->data.sequence.items.start;

    return first < list->data.sequence.items.top && yaml_document_get_node(&y->doc, *first)->type == YAML_MAPPING_NODE;
}

static bool add_rules(struct yaml *y, struct section *s, const yaml_node_t *list)
{
    for (yaml_node_item_t *i = list->data.sequence.items.start; i < list->data.sequence.items.top; i++) {
        yaml_node_t *item = yaml_at(y, *i);
        if (!item || !add_rule(y, s, item))
            return false;
    }
    return true;
}

static bool add_value(struct yaml *y, struct section *s, struct str name, const struct place *at,
                      const yaml_node_t *value, int depth)
{
    struct str text = {"", 0};
    struct section *map = NULL;
    struct prop *p;

    if (value->type == YAML_SEQUENCE_NODE && str_eq(s->kind, STR("multiline_parser")) && str_eq(name, STR("rules")))
        return add_rules(y, s, value);
    if (value->type == YAML_SEQUENCE_NODE && str_eq(s->kind, STR("upstream")) && str_eq(name, STR("nodes")))
        return add_maps(y, s, STR("node"), value, depth);
    if (value->type == YAML_SCALAR_NODE && !yaml_scalar(y, name, value, &text))
        return false;
    if (value->type == YAML_MAPPING_NODE || (value->type == YAML_SEQUENCE_NODE && of_maps(y, value))) {
        if (!(map = section_loose(y->t, name, at, y->e)))
            return false;
    }
    if (!(p = section_add(y->t, s, name, text, at, y->e)))
        return false;
    p->map = map;
    if (value->type == YAML_MAPPING_NODE)
        return yaml_fill(y, map, value, false, depth + 1);
    if (map)
        return add_maps(y, map, name, value, depth);
    return value->type == YAML_SCALAR_NODE || add_items(y, p, value);
}

bool yaml_fill(struct yaml *y, struct section *s, const yaml_node_t *map, bool plugin, int depth)
{
    if (depth > NESTING_MAX)
        return yaml_err(y, map, "nested deeper than %d", NESTING_MAX);
    for (yaml_node_pair_t *pair = map->data.mapping.pairs.start; pair < map->data.mapping.pairs.top; pair++) {
        yaml_node_t *key = yaml_at(y, pair->key), *value = yaml_at(y, pair->value);
        struct place at;
        struct str name;
        if (!key || !value)
            return false;
        if (key->type != YAML_SCALAR_NODE || !key->data.scalar.length)
            return yaml_err(y, key, "a key must be a single word");
        name = yaml_text(key);
        if (memchr(name.p, 0, name.n))
            return yaml_err(y, key, "a key has a NUL byte in it");
        if (str_eq(name, STR("<<")))
            return yaml_err(y, key, "merge keys (<<) are not supported; repeat the keys");
        at = yaml_place(y, key);
        if (!add_value(y, s, plugin ? snake(y->t->arena, name) : name, &at, value, depth))
            return false;
    }
    return true;
}
