/* SPDX-License-Identifier: Apache-2.0 */
#include "pipe/instance.h"

#include "base/alloc.h"
#include "base/cleanup.h"
#include "event/regex.h"

#include <stdio.h>

static const char *const on_error_names[] = {"quarantine", "drop", "pass", NULL};
enum { ALIAS_MAX = 80 };
static const struct range limit_range = {0, INT64_MAX};
static const char *const from_names[] = {"now", "oldest", NULL};

#define COMMON_KEYS                                                                                            \
    OPT(struct common, OPT_STR, name, NULL, "The plugin.", .required = true),                                  \
        OPT(struct common, OPT_STR, alias, NULL, "The name of this instance in logs, metrics and the store."), \
        OPT_NONE("log_level"), OPT_NONE("log_suppress_interval")

/* Whatever they say, they matter only with `tls on`, which check_common refuses. */
#define TLS_KEYS                                                                                                     \
    OPT(struct common, OPT_BOOL, tls, "off", "This version has none: on is refused."), OPT_NONE("tls.verify"),       \
        OPT_NONE("tls.verify_hostname"), OPT_NONE("tls.verify_client_cert"), OPT_NONE("tls.debug"),                  \
        OPT_NONE("tls.ca_file"), OPT_NONE("tls.ca_path"), OPT_NONE("tls.crt_file"), OPT_NONE("tls.key_file"),        \
        OPT_NONE("tls.key_passwd"), OPT_NONE("tls.vhost"), OPT_NONE("tls.min_version"), OPT_NONE("tls.max_version"), \
        OPT_NONE("tls.ciphers"), OPT_NONE("tls.windows.certstore_name"), OPT_NONE("tls.windows.use_enterprise_store")

static const struct option input_common[] = {
    COMMON_KEYS,
    OPT(struct common, OPT_STR, tag, NULL, "The tag of its events; the instance's name where none is given."),
    TLS_KEYS,
    OPT_NONE("routable"),
    OPT_NONE("mem_buf_limit"),
    OPT_NONE("storage.type"),
    OPT_NONE("storage.pause_on_chunks_overlimit"),
    OPT_NONE("threaded"),
    OPT_NONE("thread.ring_buffer.capacity"),
    OPT_NONE("thread.ring_buffer.window"),
    OPT_NONE("net.share_port"),
    OPT_NONE("net.backlog"),
    OPT_NONE("net.io_timeout"),
    OPT_NONE("net.accept_timeout"),
    OPT_NONE("net.accept_timeout_log_error"),
    OPT_NONE("net.keepalive"),
    OPT_END,
};

static const struct option filter_common[] = {
    COMMON_KEYS,
    OPT(struct common, OPT_STR, match, NULL, "The tags it works on; * stands for anything."),
    OPT(struct common, OPT_STR, match_regex, NULL, "The same as a regular expression."),
    OPT(struct common, OPT_ENUM, on_error, "quarantine",
        "What becomes of an event on which it fails; pass lets it through unredacted and is said at every start.",
        .names = on_error_names),
    OPT_END,
};

static const struct option output_common[] = {
    COMMON_KEYS,
    OPT(struct common, OPT_STR, match, NULL, "The tags it takes; * stands for anything."),
    OPT(struct common, OPT_STR, match_regex, NULL, "The same as a regular expression."),
    OPT(struct common, OPT_STR, retry_limit, NULL,
        "Retries before the events go to quarantine; no_limits, false or unset: for ever."),
    OPT(struct common, OPT_ENUM, from, "now", "Where an output that is new to the store begins.", .names = from_names),
    OPT_AS(
        struct common, OPT_SIZE, "storage.total_limit_size", total_limit_size, "0",
        "The backlog in the log at which the inputs that feed this output are refused, until it is below 80 % of it; "
        "nothing is dropped. 0 or off: only the log as a whole is limited.",
        .range = &limit_range),
    TLS_KEYS,
    OPT_NONE("workers"),
    OPT_END,
};

const struct option *common_options(enum plugin_kind kind)
{
    return kind == PLUGIN_INPUT ? input_common : kind == PLUGIN_FILTER ? filter_common : output_common;
}

static const char *const kind_names[] = {"input", "filter", "output"};

static const struct plugin *plugin_of(enum plugin_kind kind, const struct section *s, struct err *e)
{
    const struct prop *name = section_prop(s, "name");
    const struct plugin *plugin;
    const char *near;

    if (!name) {
        place_err(&s->place, e, "this %s has no `name`", kind_names[kind]);
        return NULL;
    }
    if ((plugin = plugin_find(kind, name->value)))
        return plugin;
    near = plugin_suggest(kind, name->value);
    if (near)
        place_err(&name->place, e, "unknown %s `" STR_FMT "`; did you mean `%s`?", kind_names[kind],
                  STR_ARG(name->value), near);
    else
        place_err(&name->place, e, "unknown %s `" STR_FMT "`; `weir plugins` lists those there are", kind_names[kind],
                  STR_ARG(name->value));
    return NULL;
}

static void name_metrics(struct unit *u)
{
    struct instance *i = unit_instance(u);

    if (u->kind == PLUGIN_INPUT) {
        i->records =
            metric_named(METRIC_COUNTER, "fluentbit_input_records_total", "Events an input brought.", "name", u->name);
        i->bytes = metric_named(METRIC_COUNTER, "fluentbit_input_bytes_total", "Bytes of them.", "name", u->name);
        i->errors = metric_named(METRIC_COUNTER, "weir_input_errors_total", "Failures of an input.", "name", u->name);
    } else if (u->kind == PLUGIN_FILTER) {
        i->records =
            metric_named(METRIC_COUNTER, "fluentbit_filter_records_total", "Events a filter saw.", "name", u->name);
        i->bytes = metric_named(METRIC_COUNTER, "fluentbit_filter_drop_records_total", "Events a filter dropped.",
                                "name", u->name);
        i->errors =
            metric_named(METRIC_COUNTER, "weir_filter_errors_total", "Events a filter failed on.", "name", u->name);
    } else {
        i->records = metric_named(METRIC_COUNTER, "fluentbit_output_proc_records_total", "Events an output delivered.",
                                  "name", u->name);
        i->bytes = metric_named(METRIC_COUNTER, "fluentbit_output_proc_bytes_total", "Bytes of them.", "name", u->name);
        i->errors =
            metric_named(METRIC_COUNTER, "fluentbit_output_errors_total", "Failures of an output.", "name", u->name);
    }
}

static const char *limit_words[] = {"no_limits", "false", "off", "no_retries", NULL};

bool unit_retry_limit(const struct unit *u, int64_t *out)
{
    struct str text = u->common.retry_limit;

    *out = -1;
    if (!text.n)
        return true;
    for (size_t i = 0; limit_words[i]; i++)
        if (str_eq_fold(text, str_of(limit_words[i]))) {
            *out = strcmp(limit_words[i], "no_retries") ? -1 : 0;
            return true;
        }
    return str_i64(text, out) && *out >= 0;
}

/* It becomes a file's name (three bytes for one at worst), a label and a key; `!` is for the agent's own. */
static bool good_name(struct str alias)
{
    for (size_t i = 0; i < alias.n; i++)
        if ((unsigned char)alias.p[i] < 0x20 || alias.p[i] == 0x7f)
            return false;
    return alias.n <= ALIAS_MAX && !(alias.n && alias.p[0] == '!');
}

/* Of Fluent Bit's YAML; silence would drop what somebody counts on. */
static bool check_later(const struct section *s, struct err *e)
{
    static const char *const later[] = {"processors", "routes"};

    for (size_t i = 0; i < ARRAY_LEN(later); i++) {
        const struct prop *p = section_prop(s, later[i]);
        if (p)
            return place_err(&p->place, e, "`%s` comes with a later version; until then write %s", later[i],
                             i ? "a `match` in the outputs" : "filters");
    }
    return true;
}

static bool check_common(struct unit *u, struct err *e)
{
    struct instance *i = unit_instance(u);
    int64_t limit;

    if (u->common.tls)
        return instance_err(i, "tls", e,
                            u->kind == PLUGIN_INPUT
                                ? "this version has no TLS listeners; put a TLS proxy in front and listen on loopback"
                                : "this version has no TLS; send to a TLS proxy on loopback");
    if (!good_name(u->common.alias))
        return instance_err(i, "alias", e, "at most %d bytes, no control characters, and no `!` at the beginning",
                            ALIAS_MAX);
    if (!unit_retry_limit(u, &limit))
        return instance_err(i, "retry_limit", e, "a number from 0 on, no_limits or no_retries; not `" STR_FMT "`",
                            STR_ARG(u->common.retry_limit));
    if (u->common.match_regex.n) {
        struct err why = {0};
        if (!(u->regex = regex_new(u->common.match_regex, &why)))
            return instance_err(i, "match_regex", e, "%s", why.text);
    }
    return true;
}

struct unit *unit_new(enum plugin_kind kind, const struct section *s, size_t index, const struct env *env,
                      struct err *e)
{
    const struct plugin *plugin = plugin_of(kind, s, e);
    struct unit *u;
    struct instance *i;
    char name[128];

    if (!plugin)
        return NULL;
    u = alloc_new(sizeof *u);
    u->kind = kind;
    u->plugin = plugin;
    u->self = alloc_new(plugin->size);
    i = u->self;
    i->plugin = plugin;
    i->section = s;
    i->env = env;
    if (!check_later(s, e) || !options_load((const struct option *const[]){common_options(kind), plugin->options, NULL},
                                            (void *const[]){&u->common, u->self}, s, e)) {
        unit_free(u);
        return NULL;
    }
    snprintf(name, sizeof name, "%s.%zu", plugin->name, index);
    u->name = u->common.alias.n ? alloc_text(u->common.alias.p, u->common.alias.n) : alloc_text(name, strlen(name));
    i->name = u->name;
    name_metrics(u);
    if (!check_common(u, e)) {
        unit_free(u);
        return NULL;
    }
    return u;
}

void unit_ignored(const struct unit *u, void (*each)(void *arg, const struct prop *p), void *arg)
{
    options_ignored((const struct option *const[]){common_options(u->kind), u->plugin->options, NULL},
                    unit_instance(u)->section, each, arg);
}

void unit_free(struct unit *u)
{
    if (!u)
        return;
    options_free(u->plugin->options, u->self);
    options_free(common_options(u->kind), &u->common);
    regex_free(u->regex);
    free(u->self);
    free(u->name);
    free(u);
}

struct instance *unit_instance(const struct unit *u)
{
    return u->self;
}

bool unit_matches(struct unit *u, struct str tag)
{
    if (u->regex)
        return regex_match(u->regex, tag);
    return u->common.match.n && str_match(u->common.match, tag);
}
