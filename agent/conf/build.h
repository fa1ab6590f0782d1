/* SPDX-License-Identifier: Apache-2.0 */
/* What the readers of configuration files share: the tree while it grows.  Internal to conf/. */
#pragma once
#include "base/arena.h"
#include "base/buf.h"
#include "conf/tree.h"

#include <sys/types.h>

/* A hand-written configuration comes nowhere near these; they stop generated or hostile ones early. */
enum {
    FILE_MAX = 32 * 1024 * 1024,
    FILES_MAX = 1000,
    INCLUDE_DEPTH = 16,
    SECTIONS_MAX = 10000,
    PROPS_MAX = 200000,
    NAME_MAX_BYTES = 1024,
    NESTING_MAX = 16,               /* of ${} in ${} and of YAML below a plugin */
    SECRET_MAX = 1024 * 1024,       /* of a ${file:} */
    VARIABLE_MAX = 256 * 1024,      /* of one variable: more than the kernel lets an environment hold */
    EXPANDED_MAX = 64 * 1024 * 1024 /* of all expansions together */
};

struct reading { /* a file on the stack of includes */
    dev_t dev;
    ino_t ino;
};

struct build { /* the tree that tree_new returns lies in here */
    struct tree tree;
    const char *root; /* the directory of the first file, or NULL */
    size_t nprops, nsections, nfiles, expanded;
    struct reading stack[INCLUDE_DEPTH];
    size_t depth;
    struct str *notices; /* as tree.warnings, for what is merely said */
    size_t nnotices;
    bool confined; /* no other file may be read: text from memory, under fuzz */
};

static inline struct build *build_of(struct tree *t)
{
    return (struct build *)(void *)t;
}

enum tree_format { TREE_CLASSIC, TREE_YAML };
/* A configuration from memory; it may include nothing. */
struct tree *tree_load_text(enum tree_format format, const char *name, struct str text, struct err *e);

/* Index into t->sections; SIZE_MAX: too many. */
size_t tree_begin(struct tree *t, struct str kind, const struct place *at, struct err *e);
/* The properties of @SET and env: live in one section of kind env. */
struct section *tree_env(struct tree *t);
/* All return NULL at a limit.  Names and values are copied, values are taken as they are. */
struct prop *section_add(struct tree *t, struct section *s, struct str name, struct str value, const struct place *at,
                         struct err *e);
struct section *section_child(struct tree *t, struct section *s, struct str kind, const struct place *at,
                              struct err *e);
struct section *section_loose(struct tree *t, struct str kind, const struct place *at, struct err *e);
void tree_warn(struct tree *t, const struct place *at, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void tree_note(struct tree *t, const struct place *at, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* ${NAME}, ${NAME:-default}, ${file:PATH}: `out` lives in the tree, or is `text` where nothing was to be expanded. */
bool expand(struct tree *t, const struct place *at, struct str text, struct str *out, struct err *e);
/* The content of a file without the newline at its end, appended to `out`. */
bool secret_read(struct tree *t, const struct place *at, struct str path, struct buf *out, struct err *e);
bool variable_set(struct tree *t, struct str name, struct str value, const struct place *at, struct err *e);

/* Reads what `pattern` (a path, perhaps with * ? [ in it) names, relative to the file in `at`. */
bool include(struct tree *t, struct str pattern, const struct place *at, struct err *e);
/* `at` NULL: the path was given on the command line. */
bool file_read(struct tree *t, const char *path, const struct place *at, struct err *e);

bool classic_read(struct tree *t, const char *file, struct str text, struct err *e);
bool yaml_read(struct tree *t, const char *file, struct str text, struct err *e);

/* The directory part of a path: "." where there is none.  Allocated in the arena. */
const char *path_dir(struct arena *a, const char *file);

/* Values in messages: cut to a bearable length. */
#define SHOWN(s) (int)((s).n < 80 ? (s).n : 80), (s).p
