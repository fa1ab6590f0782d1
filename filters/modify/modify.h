/* SPDX-License-Identifier: Apache-2.0 */
/* The conditions and operations of the modify filter. */
#pragma once
#include "event/event.h"
#include "event/path.h"
#include "event/regex.h"
#include "plugin.h"

struct condition {
    int kind;
    struct path *path;   /* where the first word is a key */
    struct regex *key;   /* where it is a pattern for keys */
    struct regex *value; /* where the second word is a pattern */
    struct str text;     /* the second word; borrowed */
};

bool condition_compile(struct condition *c, const struct rule *rule, struct arena *a, struct err *e);
void condition_free(struct condition *c);
bool condition_holds(const struct condition *c, struct event *ev);
uint64_t condition_limit_hits(const struct condition *c);

struct operation {
    int kind;
    struct str a, b;     /* borrowed */
    struct regex *regex; /* remove_regex */
};

bool operation_compile(struct operation *o, const struct rule *rule, struct arena *a, struct err *e);
void operation_free(struct operation *o);
void operation_apply(const struct operation *o, struct event *ev);

/* The words of a rule: separated by blanks, or in quotes (a backslash keeps a quote).  The number found, at most `max`;
 * max + 1: there are more. */
size_t words_split(struct str text, struct str *words, size_t max, struct arena *a);
