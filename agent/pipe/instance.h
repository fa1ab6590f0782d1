/* SPDX-License-Identifier: Apache-2.0 */
/* From a section of the configuration to a plugin's filled struct: its own options, those common to its kind, its name
 * and counters. */
#pragma once
#include "conf/config.h"
#include "pipe/registry.h"

enum on_error { ON_ERROR_QUARANTINE, ON_ERROR_DROP, ON_ERROR_PASS };
enum from { FROM_NOW, FROM_OLDEST };

/* The keys that every plugin of a kind understands. */
struct common {
    struct str name, tag, alias, match, match_regex, retry_limit;
    bool tls;
    int on_error; /* enum on_error */
    int from;     /* enum from */
    int64_t total_limit_size;
};

struct unit {
    enum plugin_kind kind;
    const struct plugin *plugin;
    struct common common;
    struct regex *regex; /* match_regex */
    void *self;          /* begins with struct instance */
    char *name;
    int64_t seen; /* filters: events since the last flush, for the metrics */
    bool over;    /* outputs: their backlog has reached their limit; the lane's */
};

/* `index`: among the sections of its kind.  NULL: e begins with file:line:column. */
struct unit *unit_new(enum plugin_kind kind, const struct section *s, size_t index, const struct env *env,
                      struct err *e);
void unit_free(struct unit *u);
struct instance *unit_instance(const struct unit *u);
bool unit_retry_limit(const struct unit *u, int64_t *out); /* -1: none; false: not understood */
/* Keys that were written for Fluent Bit and have no meaning here. */
void unit_ignored(const struct unit *u, void (*each)(void *arg, const struct prop *p), void *arg);
bool unit_matches(struct unit *u, struct str tag);

/* The table of the common keys, for documentation. */
const struct option *common_options(enum plugin_kind kind);
