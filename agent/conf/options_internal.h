/* SPDX-License-Identifier: Apache-2.0 */
/* Between the files that implement option.h. */
#pragma once
#include "conf/option.h"

/* Walks the tables with their groups: calls each() until it returns false; false then.  `base` is where a table's
 * struct is (may be NULL where only the tables matter). */
struct option_at {
    const struct option *option;
    char *field; /* base + offset, or NULL */
};
typedef bool option_visit(void *arg, struct option_at at);
bool options_walk(const struct option *table, void *base, option_visit *each, void *arg);

/* Parses one value into the field; e has no place. `dir`: what OPT_PATH is relative to.  For lists: appends. */
bool option_set(struct option_at at, struct str value, const char *dir, struct err *e);
void option_clear(struct option_at at); /* frees what the field owns and zeroes it */
void strs_add(struct strs *list, struct str item);

bool option_known(const struct option *o, struct str name); /* the name, or .prefix */
/* The first spelling of an enum's name: up to '|'. */
struct str enum_name(const char *names);

void option_bound(const struct option *o, int64_t n, char *out, size_t room); /* in the unit of the option */
void size_text(int64_t bytes, char *out, size_t n);                           /* 10M */
void duration_text(int64_t ns, char *out, size_t n);                          /* 5m */
bool size_parse(struct str text, int64_t *out);
bool duration_parse(struct str text, int64_t *out);
bool bool_parse(struct str text, bool *out);
