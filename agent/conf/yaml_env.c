/* SPDX-License-Identifier: Apache-2.0 */
/* The env: section
 * (https://docs.fluentbit.io/manual/administration/configuring-fluent-bit/yaml/environment-variables-section). */
#include "base/cleanup.h"
#include "conf/option.h"
#include "conf/yaml.h"

struct variable {
    struct str name, value, uri;
};

static const struct option options[] = {
    OPT(struct variable, OPT_STR, name, NULL, "The variable.", .required = true),
    OPT(struct variable, OPT_STR, value, NULL, "Its value."),
    OPT(struct variable, OPT_STR, uri, NULL, "file:// and a path: the file's content is the value."),
    OPT_NONE("refresh_interval"),
    OPT_END,
};

static bool from_uri(struct yaml *y, const struct place *at, struct str uri, struct buf *out)
{
    if (!str_starts(uri, STR("file://")))
        return place_err(at, y->e, "`uri` is `%.*s`; it must be file:// and a path", SHOWN(uri));
    return secret_read(y->t, at, str_from(uri, 7), out, y->e);
}

static bool set(struct yaml *y, const struct section *s, const struct variable *v)
{
    const struct prop *value = section_prop(s, "value"), *uri = section_prop(s, "uri"),
                      *refresh = section_prop(s, "refresh_interval");
    CLEANUP(buf_free) struct buf content = {0};
    struct str text = v->value;

    if (!value == !uri)
        return place_err(&s->place, y->e, "the variable `%.*s` needs `value` or `uri`, one of them", SHOWN(v->name));
    if (uri) {
        if (!from_uri(y, &uri->place, v->uri, &content))
            return false;
        text = buf_view(&content);
    }
    if (refresh)
        tree_note(y->t, &refresh->place, "`refresh_interval` has no meaning here: the file is read again on reload");
    return variable_set(y->t, v->name, text, options_place(s, "name"), y->e);
}

static bool list_item(struct yaml *y, const yaml_node_t *item)
{
    struct place at = yaml_place(y, item);
    struct section *s = section_loose(y->t, STR("env"), &at, y->e);
    struct variable v = {0};
    bool ok;

    if (!s)
        return false;
    if (item->type != YAML_MAPPING_NODE)
        return yaml_err(y, item, "a variable in a list has `name` and `value` or `uri`");
    ok = yaml_fill(y, s, item, false, 0) &&
         options_load((const struct option *const[]){options, NULL}, (void *const[]){&v}, s, y->e) && set(y, s, &v);
    options_free(options, &v);
    return ok;
}

static bool pair_of(struct yaml *y, const yaml_node_pair_t *pair)
{
    yaml_node_t *key = yaml_at(y, pair->key), *node = yaml_at(y, pair->value);
    struct place at;
    struct str value;

    if (!key || !node)
        return false;
    if (key->type != YAML_SCALAR_NODE || node->type != YAML_SCALAR_NODE)
        return yaml_err(y, node, "a variable has one value");
    at = yaml_place(y, key);
    return yaml_scalar(y, yaml_text(key), node, &value) && variable_set(y->t, yaml_text(key), value, &at, y->e);
}

bool yaml_env(struct yaml *y, const yaml_node_t *node)
{
    if (node->type == YAML_MAPPING_NODE) {
        for (yaml_node_pair_t *pair = node->data.mapping.pairs.start; pair < node->data.mapping.pairs.top; pair++)
            if (!pair_of(y, pair))
                return false;
        return true;
    }
    if (node->type != YAML_SEQUENCE_NODE)
        return yaml_err(y, node, "`env` is a mapping of names to values, or a list of names with values");
    for (yaml_node_item_t *i = node->data.sequence.items.start; i < node->data.sequence.items.top; i++) {
        yaml_node_t *item = yaml_at(y, *i);
        if (!item || !list_item(y, item))
            return false;
    }
    return true;
}
