/* SPDX-License-Identifier: Apache-2.0 */
#include "plugin.h"
#include "base/io.h"
#include "breaker.h"
#include "lua/host.h"

struct lua {
    struct instance instance;
    struct str script, code, call;
    struct strs type_int_key, type_array_key, allow_env;
    bool protected_mode, time_as_table, enable_flb_null, sandbox;
    int jit, lazy;
    int64_t memory_limit, string_limit, time_limit;
    struct host *host;
    struct breaker breaker;
};

enum { JIT_AUTO, JIT_ON };
static const char *const jit_names[] = {"auto", "on|true", "off|false", NULL};
static const char *const lazy_names[] = {"auto", "on|true", "off|false", NULL};
static const struct range memory_range = {1 << 20, INT64_C(1) << 36};
static const struct range string_range = {1 << 10, 1 << 30};
static const struct range time_range = {MILLISECOND, 60 * SECOND};

static const struct option options[] = {
    OPT(struct lua, OPT_STR, script, NULL, "Path of the script: as given, then below the configuration's directory."),
    OPT(struct lua, OPT_STR, code, NULL, "The script itself; wins over `script`."),
    OPT(struct lua, OPT_STR, call, NULL, "The global function that is called with every event.", .required = true),
    OPT(struct lua, OPT_LIST, type_int_key, NULL, "Keys whose numbers become integers, at any depth.", .spaces = true),
    OPT(struct lua, OPT_LIST, type_array_key, NULL, "Keys whose tables become arrays, empty ones too.", .spaces = true),
    OPT(struct lua, OPT_BOOL, protected_mode, "true",
        "Accepted for Fluent Bit's sake: an error never ends the agent here."),
    OPT(struct lua, OPT_BOOL, time_as_table, "false", "The time is a table {sec, nsec} instead of a number."),
    OPT(struct lua, OPT_BOOL, enable_flb_null, "false", "Nulls are the value flb_null instead of being absent."),
    OPT(struct lua, OPT_BOOL, sandbox, "on", "The fence around the rule; off: all of Lua's libraries and no caps."),
    OPT(struct lua, OPT_ENUM, jit, "auto",
        "The JIT compiler; auto: only without the sandbox, because compiled code does not see time_limit.",
        .names = jit_names),
    OPT(struct lua, OPT_ENUM, lazy, "auto",
        "Fields arrive when first touched; auto: unless the rule touches nearly all of them.", .names = lazy_names),
    OPT(struct lua, OPT_SIZE, memory_limit, "64M", "What the rule's Lua state may use, in the sandbox.",
        .range = &memory_range),
    OPT(struct lua, OPT_SIZE, string_limit, "4M", "The longest string that string functions make, in the sandbox.",
        .range = &string_range),
    OPT(struct lua, OPT_DURATION, time_limit, "100ms", "What one call may take, in the sandbox.", .range = &time_range),
    OPT(struct lua, OPT_LIST, allow_env, NULL, "Environment variables that os.getenv shows in the sandbox.",
        .spaces = true),
    OPT_END};

static void add_variable(void *arg, const char *name, const char *value)
{
    host_variable(arg, name, value);
}

static void say_notices(const struct lua *l)
{
    if (!l->protected_mode)
        log_warn("protected_mode false is not followed: an error in a rule never ends the agent", "filter",
                 l->instance.name);
    if (!l->sandbox)
        log_warn("this rule runs without the sandbox", "filter", l->instance.name);
    else if (l->jit == JIT_ON)
        log_warn("jit on: time_limit does not hold in compiled code", "filter", l->instance.name);
}

static bool start(void *self, struct err *e)
{
    struct lua *l = self;
    struct err why;
    struct buf call = {0};
    bool ok;

    if (!l->code.n && !l->script.n)
        return instance_err(&l->instance, "name", e, "either `script` or `code` is needed");
    buf_str(&call, l->call);
    l->host = host_new(&(struct host_options){.name = l->instance.name,
                                              .script = l->script,
                                              .code = l->code,
                                              .dir = env_config_dir(l->instance.env),
                                              .key_dir = env_state_dir(l->instance.env),
                                              .call = buf_text(&call),
                                              .int_keys = l->type_int_key,
                                              .array_keys = l->type_array_key,
                                              .allow_env = l->allow_env,
                                              .time_as_table = l->time_as_table,
                                              .flb_null = l->enable_flb_null,
                                              .sandbox = l->sandbox,
                                              .jit = l->jit == JIT_AUTO ? !l->sandbox : l->jit == JIT_ON,
                                              .lazy = l->lazy,
                                              .memory_limit = l->memory_limit,
                                              .string_limit = l->string_limit,
                                              .time_limit = l->time_limit},
                       &why);
    if (l->host)
        env_variables(l->instance.env, add_variable, l->host);
    ok = l->host && host_load(l->host, &why);
    buf_free(&call);
    if (!ok) {
        host_free(l->host);
        l->host = NULL;
        return instance_err(&l->instance, l->code.n ? "code" : "script", e, "%s", why.text);
    }
    say_notices(l);
    return true;
}

static void stop(void *self)
{
    struct lua *l = self;

    host_free(l->host);
    l->host = NULL;
}

/* What the breaker counts by: the event's type where it has one, and its tag. */
static uint64_t type_of(struct event *ev)
{
    struct value *v = event_get(ev, STR("event_type"));
    struct str s;

    return hash_bytes(v && value_as_str(v, &s) ? s : ev->tag);
}

static uint64_t tag_of(const struct event *ev)
{
    return ~hash_bytes(ev->tag);
}

static bool refused(struct lua *l, struct event *ev)
{
    int64_t now = io->monotonic();

    return breaker_open(&l->breaker, type_of(ev), now) || breaker_open(&l->breaker, tag_of(ev), now);
}

static enum pass fail(struct lua *l, struct event *ev, struct host_result *r, struct emit *out)
{
    int64_t now = io->monotonic();

    if (!r->capped)
        return filter_fail(out, r->code, r->text);
    log_warn("a rule hit its limits", "filter", l->instance.name, "code", r->code, "why", r->text);
    if (breaker_trip(&l->breaker, type_of(ev), BREAKER_TRIPS, now))
        log_error("a rule keeps hitting its limits: events of this type go to quarantine for 30 seconds", "filter",
                  l->instance.name);
    if (breaker_trip(&l->breaker, tag_of(ev), BREAKER_ALL_TRIPS, now))
        log_error("a rule keeps hitting its limits: events of this tag go to quarantine for 30 seconds", "filter",
                  l->instance.name);
    return filter_fail(out, r->code, r->text);
}

static enum pass apply(void *self, struct event *ev, struct emit *out)
{
    struct lua *l = self;
    struct host_result r;

    if (l->breaker.live && refused(l, ev))
        return filter_fail(out, "Rule-Circuit-Open", "the rule kept hitting its limits on events of this type");
    switch (host_run(l->host, ev, &r)) {
    case HOST_SAME:
        return KEEP;
    case HOST_DROP:
        return DROP;
    case HOST_FAIL:
        return fail(l, ev, &r, out);
    default:
        break;
    }
    ev->time = r.events[0].time;
    ev->body = r.events[0].body;
    ev->meta = r.events[0].meta;
    for (size_t i = 1; i < r.n; i++)
        filter_emit(out, &r.events[i]);
    return KEEP;
}

static const struct filter filter = {.start = start, .stop = stop, .apply = apply};

const struct plugin filter_lua = {.name = "lua",
                                  .summary = "Runs a Lua function over every event.",
                                  .options = options,
                                  .size = sizeof(struct lua),
                                  .filter = &filter};
