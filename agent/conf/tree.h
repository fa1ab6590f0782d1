/* SPDX-License-Identifier: Apache-2.0 */
/* What both configuration formats become: sections with properties, each with the place where it was written.  The
 * tree owns every string in it. */
#pragma once
#include "base/err.h"
#include "base/str.h"

struct place {
    const char *file; /* owned by the tree; "command line" for -p */
    unsigned line, column;
};

struct prop {
    struct str name;     /* as written; compared case-insensitively */
    struct str value;    /* variables expanded; for a YAML list: the items joined with the list's own `items` kept */
    struct strs items;   /* a YAML sequence's items, else empty */
    struct section *map; /* a YAML mapping as a value (routes, processors ...), else NULL */
    struct place place;
};

struct section {
    struct str kind; /* lower case: service input filter output parser multiline_parser plugins env upstream ... */
    struct prop *props;
    size_t n;
    struct place place;
    struct section *children; /* nested groups, e.g. processors */
    size_t nchildren;
};

struct tree {
    struct section *sections;
    size_t n;
    struct str *warnings; /* "file:line:column: text": unset variables and the like */
    size_t nwarnings;
    struct arena *arena; /* owns it all */
};

/* Reads a file and what it includes; the format follows the name (.yaml, .yml: YAML; else classic).  NULL: e begins
 * with file:line:column. */
struct tree *tree_load(const char *path, struct err *e);
struct tree *tree_new(void); /* empty: for a pipeline given on the command line */
bool tree_load_into(struct tree *t, const char *path, struct err *e); /* -R: parsers, further files */
struct section *tree_add(struct tree *t, const char *kind);           /* pointers into t->sections move */
bool tree_set(struct tree *t, struct section *s, struct str name, struct str value, struct err *e); /* -p NAME=VALUE */
void tree_free(struct tree *t);

/* Variables of @SET and env: (not the process environment); HOSTNAME among them. */
const char *tree_variable(const struct tree *t, const char *name); /* NULL: not set */
void tree_variables(const struct tree *t, void (*each)(void *arg, const char *name, const char *value), void *arg);

struct prop *section_prop(const struct section *s, const char *name); /* the last of that name, or NULL */
/* "file:line:column: " in front of the message; always false. */
bool place_err(const struct place *p, struct err *e, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
