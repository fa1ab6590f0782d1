/* SPDX-License-Identifier: Apache-2.0 */
/* Between yaml.c (the outline of a file) and yaml_values.c (what stands below a key).  Internal to conf/. */
#pragma once
#include "conf/build.h"

#include <yaml.h>

struct yaml {
    struct tree *t;
    struct err *e;
    const char *file;
    yaml_document_t doc;
    size_t visited; /* nodes, aliases counted each time: so that aliases of aliases end */
};

struct place yaml_place(const struct yaml *y, const yaml_node_t *node);
bool yaml_err(struct yaml *y, const yaml_node_t *node, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* NULL: e is set (too many). */
yaml_node_t *yaml_at(struct yaml *y, int index);
struct str yaml_text(const yaml_node_t *node);

/* The value of `key` with its variables expanded; an empty plain scalar is an error, "" is not. */
bool yaml_scalar(struct yaml *y, struct str key, const yaml_node_t *node, struct str *out);
/* Adds the members of a mapping to s.  `plugin`: keys may be camelCase or have dashes. */
bool yaml_fill(struct yaml *y, struct section *s, const yaml_node_t *map, bool plugin, int depth);
/* env: a mapping of names to values, or a list of {name, value | uri}. */
bool yaml_env(struct yaml *y, const yaml_node_t *node);
