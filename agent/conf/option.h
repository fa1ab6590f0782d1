/* SPDX-License-Identifier: Apache-2.0 */
/* One table per plugin parses, checks, explains and documents its options. */
#pragma once
#include "base/buf.h"
#include "conf/tree.h"

#include <stddef.h>

enum option_type {
    OPT_STR,      /* struct str */
    OPT_SECRET,   /* struct str; never shown */
    OPT_PATH,     /* struct str: relative to the directory of the file that names it, made absolute on loading */
    OPT_BOOL,     /* bool: true on yes 1, false off no 0 */
    OPT_INT,      /* int64_t, within .range where given */
    OPT_FLOAT,    /* double */
    OPT_SIZE,     /* int64_t bytes: 10k 5M 1G, decimal as in Fluent Bit, kib mib gib binary */
    OPT_DURATION, /* int64_t ns: 5 (seconds), 1.5, 200ms, 5s 2m 1h 1d */
    OPT_ENUM,     /* int: index into .names */
    OPT_LIST,     /* struct strs: separated by commas (or spaces with .spaces), a YAML list, or the key repeated */
    OPT_MULTI,    /* struct strs: the key may be repeated, each value kept whole */
    OPT_RULE,     /* struct rules: several keys share one field; every occurrence, in file order */
    OPT_MAP,      /* struct section *: a YAML mapping as it stands, or NULL */
    OPT_IGNORED   /* accepted for Fluent Bit's sake and without a meaning here; said once */
};

struct rule {
    const struct option *option;
    struct str name; /* as in the table; for .prefix the whole key as written, lower case */
    struct str value;
    const struct place *place;
};
struct rules {
    struct rule *items;
    size_t n;
};

struct range {
    int64_t min, max;
};

struct option {
    const char *name; /* lower case, as in Fluent Bit; NULL ends the table */
    enum option_type type;
    bool required, prefix, spaces; /* prefix: any key that begins so (OPT_RULE only) */
    size_t offset;                 /* of the field in the plugin's struct */
    const char *initial;           /* written as in a file; NULL: unset (zero) */
    const char *help;              /* one sentence */
    const char *const *names;      /* OPT_ENUM; NULL ends it.  "a|b" gives a second spelling */
    const struct range *range;     /* OPT_INT, OPT_SIZE, OPT_DURATION (ns) */
    const struct option *group;    /* a shared table spliced in here; offset is of the embedded struct */
};

/* OPT(struct tail, OPT_SIZE, buffer_max_size, "32k", "The longest line.", .range = &line_range) */
#define OPT(struct_, type_, field_, initial_, help_, ...)                                                        \
    {                                                                                                            \
        .name = #field_, .type = type_, .offset = offsetof(struct_, field_), .initial = initial_, .help = help_, \
        ##__VA_ARGS__                                                                                            \
    }
/* The same for a key that is no C name: OPT_AS(struct http, OPT_DURATION, "net.io_timeout", io_timeout, "0s", "...") */
#define OPT_AS(struct_, type_, name_, field_, initial_, help_, ...)                                            \
    {                                                                                                          \
        .name = name_, .type = type_, .offset = offsetof(struct_, field_), .initial = initial_, .help = help_, \
        ##__VA_ARGS__                                                                                          \
    }
#define OPT_NONE(name_)                                                              \
    {                                                                                \
        .name = name_, .type = OPT_IGNORED, .help = "Accepted; has no meaning here." \
    }
#define OPT_USE(struct_, field_, table_)                                 \
    {                                                                    \
        .name = "", .offset = offsetof(struct_, field_), .group = table_ \
    }
#define OPT_END \
    {           \
        0       \
    }

/* Fills `into` (zeroed before) from the section.  Several tables may share a section: keys that none of them knows are
 * an error with a suggestion ("unknown key `pahts`; did you mean `path`?").  `tables` ends with NULL; table i fills
 * into[i].  False: e begins with file:line:column. */
bool options_load(const struct option *const *tables, void *const *into, const struct section *s, struct err *e);
void options_free(const struct option *table, void *from);
/* Where a key was written (the section's own place where it was not), for errors found later. */
const struct place *options_place(const struct section *s, const char *name);

/* Calls each() for every key of the section that is accepted but has no meaning here (OPT_IGNORED in every table that
 * knows it). */
void options_ignored(const struct option *const *tables, const struct section *s,
                     void (*each)(void *arg, const struct prop *p), void *arg);

/* What was set, secrets as "***": for logs and `weir check -v`. */
void options_show(const struct option *table, const void *from, struct buf *out);
/* Documentation of one table: kind is OPTIONS_TEXT, OPTIONS_MARKDOWN (rows of a table) or OPTIONS_SCHEMA (JSON). */
enum options_form { OPTIONS_TEXT, OPTIONS_MARKDOWN, OPTIONS_SCHEMA };
void options_document(const struct option *table, enum options_form form, struct buf *out);

/* The candidate nearest to `word` (edit distance at most a third of it), or NULL. */
const char *suggest(struct str word, const char *(*candidate)(void *arg, size_t i), void *arg);
