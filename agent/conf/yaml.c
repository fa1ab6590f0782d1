/* SPDX-License-Identifier: Apache-2.0 */
/* Fluent Bit's YAML format: which sections a file has.  Within a file, env: is read first, then includes:, then the
 * rest, wherever they stand. */
#include "conf/yaml.h"

#include "base/cleanup.h"
#include "conf/option.h"

/* What a top-level key holds; `kind` is that of each section made of it. */
enum shape { ENV, INCLUDES, MAP, LIST, PATHS, PIPELINE };
struct outline {
    const char *name, *kind;
    enum shape shape;
};

static const struct outline top[] = {
    {"env", "env", ENV},
    {"includes", NULL, INCLUDES},
    {"service", "service", MAP},
    {"parsers", "parser", LIST},
    {"multiline_parsers", "multiline_parser", LIST},
    {"stream_processor", "stream_task", LIST},
    {"plugins", "plugins", PATHS},
    {"upstream_servers", "upstream", LIST},
    {"customs", "custom", LIST},
    {"extensions", "extension", LIST},
    {"pipeline", NULL, PIPELINE},
};
static const struct outline below_pipeline[] = {
    {"inputs", "input", LIST}, {"filters", "filter", LIST}, {"outputs", "output", LIST}};

struct choice {
    const struct outline *items;
    size_t n;
};

static const char *nth_outline(void *arg, size_t i)
{
    const struct choice *c = arg;

    return i < c->n ? c->items[i].name : NULL;
}

static const struct outline *outline_of(struct yaml *y, const yaml_node_t *key, struct choice c, const char *where)
{
    struct str name = key->type == YAML_SCALAR_NODE ? yaml_text(key) : STR("?");
    struct choice pipeline = {below_pipeline, ARRAY_LEN(below_pipeline)};
    const char *near;

    for (size_t i = 0; i < c.n; i++)
        if (str_eq_fold(name, str_of(c.items[i].name)))
            return &c.items[i];
    for (size_t i = 0; i < pipeline.n; i++)
        if (str_eq_fold(name, str_of(pipeline.items[i].name))) {
            yaml_err(y, key, "`%.*s` belongs below `pipeline:`", SHOWN(name));
            return NULL;
        }
    near = suggest(name, nth_outline, &c);
    if (near)
        yaml_err(y, key, "unknown section `%.*s` %s; did you mean `%s`?", SHOWN(name), where, near);
    else
        yaml_err(y, key, "unknown section `%.*s` %s", SHOWN(name), where);
    return NULL;
}

static bool each_item(struct yaml *y, const char *name, const yaml_node_t *list,
                      bool (*each)(struct yaml *y, const yaml_node_t *item, const char *kind), const char *kind)
{
    if (list->type == YAML_SCALAR_NODE && !list->data.scalar.length) /* `filters:` with nothing below */
        return true;
    if (list->type != YAML_SEQUENCE_NODE)
        return yaml_err(y, list, "`%s` is a list: begin each item with `- `", name);
    for (yaml_node_item_t *i = list->data.sequence.items.start; i < list->data.sequence.items.top; i++) {
        yaml_node_t *item = yaml_at(y, *i);
        if (!item || !each(y, item, kind))
            return false;
    }
    return true;
}

static bool read_include(struct yaml *y, const yaml_node_t *item, const char *kind)
{
    struct place at = yaml_place(y, item);
    struct str pattern;

    (void)kind;
    if (item->type != YAML_SCALAR_NODE)
        return yaml_err(y, item, "an include is a path");
    return yaml_scalar(y, STR("includes"), item, &pattern) && include(y->t, pattern, &at, y->e);
}

static bool read_section(struct yaml *y, const yaml_node_t *item, const char *kind)
{
    struct place at = yaml_place(y, item);
    size_t i;

    if (item->type != YAML_MAPPING_NODE)
        return yaml_err(y, item, "this %s must be a mapping, e.g. `- name: ...`", kind);
    i = tree_begin(y->t, str_of(kind), &at, y->e);
    return i != SIZE_MAX && yaml_fill(y, &y->t->sections[i], item, true, 0);
}

static bool read_path(struct yaml *y, const yaml_node_t *item, const char *kind)
{
    struct place at = yaml_place(y, item);
    struct str path;
    size_t i;

    if (item->type == YAML_MAPPING_NODE)
        return read_section(y, item, kind);
    if (item->type != YAML_SCALAR_NODE)
        return yaml_err(y, item, "a plugin is a path");
    if (!yaml_scalar(y, STR("plugins"), item, &path) || (i = tree_begin(y->t, str_of(kind), &at, y->e)) == SIZE_MAX)
        return false;
    return section_add(y->t, &y->t->sections[i], STR("path"), path, &at, y->e) != NULL;
}

static bool read_pipeline(struct yaml *y, const yaml_node_t *map)
{
    struct choice c = {below_pipeline, ARRAY_LEN(below_pipeline)};

    if (map->type != YAML_MAPPING_NODE)
        return yaml_err(y, map, "`pipeline` has `inputs`, `filters` and `outputs` below it");
    for (yaml_node_pair_t *pair = map->data.mapping.pairs.start; pair < map->data.mapping.pairs.top; pair++) {
        yaml_node_t *key = yaml_at(y, pair->key), *value = yaml_at(y, pair->value);
        const struct outline *o;
        if (!key || !value)
            return false;
        if (!(o = outline_of(y, key, c, "below `pipeline`")) || !each_item(y, o->name, value, read_section, o->kind))
            return false;
    }
    return true;
}

static bool read_top(struct yaml *y, const struct outline *o, const yaml_node_t *value)
{
    switch (o->shape) {
    case ENV:
        return yaml_env(y, value);
    case INCLUDES:
        return each_item(y, o->name, value, read_include, NULL);
    case MAP:
        return read_section(y, value, o->kind);
    case LIST:
        return each_item(y, o->name, value, read_section, o->kind);
    case PATHS:
        return each_item(y, o->name, value, read_path, o->kind);
    case PIPELINE:
        return read_pipeline(y, value);
    }
    return true;
}

static bool read_document(struct yaml *y)
{
    yaml_node_t *root = yaml_document_get_root_node(&y->doc);
    struct choice c = {top, ARRAY_LEN(top)};

    if (!root || (root->type == YAML_SCALAR_NODE && !root->data.scalar.length))
        return true;
    if (root->type != YAML_MAPPING_NODE)
        return yaml_err(y, root, "a configuration is a mapping: `service:`, `pipeline:` and others");
    for (int pass = 0; pass < 3; pass++)
        for (yaml_node_pair_t *pair = root->data.mapping.pairs.start; pair < root->data.mapping.pairs.top; pair++) {
            yaml_node_t *key = yaml_at(y, pair->key), *value = yaml_at(y, pair->value);
            const struct outline *o;
            if (!key || !value || !(o = outline_of(y, key, c, "at the top of the file")))
                return false;
            if (pass == (o->shape == ENV ? 0 : o->shape == INCLUDES ? 1 : 2) && !read_top(y, o, value))
                return false;
        }
    return true;
}

/* libyaml's reader errors carry an offset and no line. */
static bool syntax_err(struct yaml *y, const yaml_parser_t *p, struct str text)
{
    struct place at = {y->file, (unsigned)p->problem_mark.line + 1, (unsigned)p->problem_mark.column + 1};
    size_t offset = p->problem_mark.index;
    const char *hint = "";

    if (p->error == YAML_MEMORY_ERROR)
        return place_err(&at, y->e, "YAML: out of memory");
    if (p->error == YAML_READER_ERROR) {
        at.line = at.column = 1;
        for (size_t i = 0; i < p->problem_offset && i < text.n; i++)
            if (text.p[i] == '\n')
                at.line++;
        return place_err(&at, y->e, "YAML: %s; the file must be UTF-8", p->problem);
    }
    if (offset < text.n && text.p[offset] == '\t')
        hint = "; indent by spaces, not by tabs";
    else if (offset < text.n && memchr("%@`", text.p[offset], 3))
        hint = "; put quotes around the value";
    return place_err(&at, y->e, "YAML: %s%s%s%s", p->context ? p->context : "", p->context ? ", " : "", p->problem,
                     hint);
}

static bool nothing_behind(struct yaml *y, yaml_parser_t *p, struct str text)
{
    yaml_document_t second;
    yaml_node_t *root;
    bool ok = true;

    if (!yaml_parser_load(p, &second))
        return syntax_err(y, p, text);
    if ((root = yaml_document_get_root_node(&second)))
        ok = yaml_err(y, root, "a second document (---); one file holds one configuration");
    yaml_document_delete(&second);
    return ok;
}

bool yaml_read(struct tree *t, const char *file, struct str text, struct err *e)
{
    struct yaml y = {.t = t, .e = e, .file = file};
    yaml_parser_t parser;
    bool ok;

    if (!yaml_parser_initialize(&parser))
        return err_set(e, "%s:1:1: YAML: out of memory", file);
    yaml_parser_set_input_string(&parser, (const unsigned char *)(text.p ? text.p : ""), text.n);
    if (yaml_parser_load(&parser, &y.doc)) {
        ok = read_document(&y) && (!yaml_document_get_root_node(&y.doc) || nothing_behind(&y, &parser, text));
        yaml_document_delete(&y.doc);
    } else {
        ok = syntax_err(&y, &parser, text);
    }
    yaml_parser_delete(&parser);
    return ok;
}
