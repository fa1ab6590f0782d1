/* SPDX-License-Identifier: Apache-2.0 */
/* Which file an event goes to: a fixed one, one per tag, or one made of the event. */
#pragma once
#include "format.h"
#include "grow.h"
#include "plugin.h"

struct names_options {
    struct str path, file, path_template, fallback_path, fallback_file;
    bool enable_strftime;
    int on_missing_field, on_limit_reached; /* 1: fallback */
};

struct names;

/* `suffix` and `codec`: of finished files, where `rolled`. */
struct names *names_new(const struct names_options *o, const struct instance *i, const char *suffix, int codec,
                        bool rolled, struct err *e);
void names_free(struct names *n);
struct str names_root(const struct names *n);    /* absolute */
const char *names_suffix(const struct names *n); /* ".jsonl.gz" */
/* Below the root; borrowed until the next call.  False: the event has no place. */
bool names_make(struct names *n, struct event *ev, struct str *name, struct err *e);
bool names_limit_fallback(struct names *n, struct str *name);

/* The file of the event before, where this one has the same name for sure. */
struct grow *names_cached(struct names *n, const struct event *ev);
void names_cache(struct names *n, const struct event *ev, struct grow *g);
void names_forget(struct names *n);
