/* SPDX-License-Identifier: Apache-2.0 */
/* Stands in for the machine in tests of one filter or output: what plugin.h promises to plugins is defined here, over
 * events given as JSON text.  Include it once, in the test's only file.
 *
 *     extern const struct plugin filter_grep;
 *     TEST(regex) { filter_case(&filter_grep, "regex log error", "{\"log\":\"an error\"}", "{\"log\":\"an error\"}"); }
 *
 * Properties are written one a line, `key value`.  `on_error drop` is the machine's own and understood too. */
#pragma once
#include "plugin.h"
#include "base/alloc.h"
#include "base/buf.h"
#include "event/json.h"
#include "event/msgpack.h"
#include "test.h"

#define FAKE __attribute__((unused)) static

/* ---- env and instance ---- */

enum { FAKE_VARIABLES = 8, FAKE_PROPS = 64 };
struct env {
    struct id host;
    const char *config_dir, *state_dir;
    const char *names[FAKE_VARIABLES], *values[FAKE_VARIABLES]; /* NULL name ends it */
};
FAKE struct env fake_env = {.host = {1, 2}, .config_dir = "/etc/weir"};
FAKE unsigned fake_checkpoints_wanted;

/* An instance and all it borrows. */
struct fake {
    struct arena *arena;
    struct section section;
    struct prop props[FAKE_PROPS];
    struct instance *instance; /* NULL: it could not be loaded */
    bool started;
    enum pass on_error;
};

struct id env_host_id(const struct env *env)
{
    return env->host;
}

const char *env_config_dir(const struct env *env)
{
    return env->config_dir;
}

const char *env_state_dir(const struct env *env)
{
    return env->state_dir;
}

const char *env_variable(const struct env *env, const char *name)
{
    for (unsigned i = 0; i < FAKE_VARIABLES && env->names[i]; i++)
        if (!strcmp(env->names[i], name))
            return env->values[i];
    return NULL;
}

void env_variables(const struct env *env, void (*each)(void *arg, const char *name, const char *value), void *arg)
{
    for (unsigned i = 0; i < FAKE_VARIABLES && env->names[i]; i++)
        each(arg, env->names[i], env->values[i]);
}

bool instance_err(const struct instance *i, const char *option, struct err *e, const char *fmt, ...)
{
    char text[sizeof(e->text)];
    va_list args;

    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    return place_err(options_place(i->section, option), e, "%s: %s: %s", i->plugin->name, option, text);
}

/* A test that needs parsers defines FAKE_PARSERS before the include and fills this list; NULL ends it. */
#ifdef FAKE_PARSERS
FAKE const struct parser_def *fake_parsers[8];
#endif

struct parser *instance_parser(const struct instance *i, const char *option, struct str name, struct err *e)
{
#ifdef FAKE_PARSERS
    for (unsigned k = 0; k < 8 && fake_parsers[k]; k++)
        if (str_eq(fake_parsers[k]->name, name))
            return parser_new(fake_parsers[k], e);
#endif
    instance_err(i, option, e, "no parser is called `" STR_FMT "`", STR_ARG(name));
    return NULL;
}

FAKE void fake_props(struct fake *f, const char *properties)
{
    struct str text = arena_str(f->arena, str_of(properties));
    unsigned line = 0;

    f->section = (struct section){.kind = STR("test"), .props = f->props, .place = {"test", 1, 1}};
    while (text.p) {
        struct str rest = str_trim(str_cut(&text, '\n'));
        struct str key = str_word(&rest);
        line++;
        if (!key.n || f->section.n == FAKE_PROPS)
            continue;
        rest = str_trim(rest);
        if (str_eq_fold(key, STR("on_error")))
            f->on_error = str_eq_fold(rest, STR("drop")) ? DISCARD : QUARANTINE;
        else
            f->props[f->section.n++] = (struct prop){
                .name = arena_str(f->arena, key), .value = arena_str(f->arena, rest), .place = {"test", line, 1}};
    }
}

/* Options only, no start(): false with e set, and fake_free is due either way. */
FAKE bool fake_load(struct fake *f, const struct plugin *p, const char *properties, struct err *e)
{
    const struct option *tables[] = {p->options, NULL};

    *f = (struct fake){.arena = arena_new(), .on_error = QUARANTINE};
    fake_props(f, properties);
    f->instance = alloc_new(p->size);
    f->instance->name = p->name;
    f->instance->plugin = p;
    f->instance->section = &f->section;
    f->instance->env = &fake_env;
    f->instance->records = metric_new(METRIC_COUNTER, "fake_records", "of the test", "");
    f->instance->bytes = metric_new(METRIC_COUNTER, "fake_bytes", "of the test", "");
    f->instance->errors = metric_new(METRIC_COUNTER, "fake_errors", "of the test", "");
    return options_load(tables, (void *[]){f->instance}, &f->section, e);
}

FAKE bool fake_start(struct fake *f, const struct plugin *p, const char *properties, struct err *e)
{
    if (!fake_load(f, p, properties, e))
        return false;
    f->started = p->filter   ? !p->filter->start || p->filter->start(f->instance, e)
                 : p->output ? !p->output->start || p->output->start(f->instance, e)
                             : err_set(e, "the fake machine starts filters and outputs");
    return f->started;
}

FAKE void fake_free(struct fake *f)
{
    const struct plugin *p = f->instance ? f->instance->plugin : NULL;

    if (p && f->started && p->filter && p->filter->stop)
        p->filter->stop(f->instance);
    if (p && f->started && p->output && p->output->stop)
        p->output->stop(f->instance);
    if (p)
        options_free(p->options, f->instance);
    free(f->instance);
    arena_free(f->arena);
    *f = (struct fake){0};
}

/* The start must fail and say `part`. */
FAKE void fake_bad_at(const char *file, int line, const struct plugin *p, const char *properties, const char *part)
{
    struct fake f;
    struct err e = {""};

    if (fake_start(&f, p, properties, &e)) {
        test_failures++;
        fprintf(stderr, "%s:%d: started with:\n%s\n", file, line, properties);
    } else if (!strstr(e.text, part)) {
        test_failures++;
        fprintf(stderr, "%s:%d: the error is\n  \"%s\", without\n  \"%s\"\n", file, line, e.text, part);
    }
    fake_free(&f);
}
#define filter_bad(p, properties, part) fake_bad_at(__FILE__, __LINE__, p, properties, part)
#define output_bad(p, properties, part) fake_bad_at(__FILE__, __LINE__, p, properties, part)

/* ---- filters ---- */

enum { FAKE_TIME = 1700000000 }; /* seconds: the time of events where a test says none */

struct emit {
    enum pass on_error;
    struct buf events; /* "tag {json}\n" each */
    unsigned count;
    char code[64], text[256]; /* of filter_fail */
};

FAKE void fake_json(struct buf *msgpack, const char *json)
{
    struct err e;
    if (!json_read_whole(str_of(json), &json_limits_default, msgpack, &e)) {
        test_failures++;
        fprintf(stderr, "the test's own JSON: %s: %s\n", e.text, json);
        msgpack_map(msgpack, 0);
    }
}

void filter_emit(struct emit *out, const struct event *ev)
{
    buf_str(&out->events, ev->tag);
    buf_char(&out->events, ' ');
    json_write(&out->events, &ev->body);
    buf_char(&out->events, '\n');
    out->count++;
}

enum pass filter_fail(struct emit *out, const char *code, const char *text)
{
    snprintf(out->code, sizeof(out->code), "%s", code);
    snprintf(out->text, sizeof(out->text), "%s", text);
    return out->on_error;
}

struct filter_result {
    enum pass pass;
    int64_t time;
    struct buf tag, body, json, meta; /* body: msgpack; json and meta: as JSON text */
    struct emit emit;
};

FAKE void filter_result_free(struct filter_result *r)
{
    buf_free(&r->tag);
    buf_free(&r->body);
    buf_free(&r->json);
    buf_free(&r->meta);
    buf_free(&r->emit.events);
}

/* Runs one event with a raw body through a started filter. */
FAKE void filter_run_bytes(struct fake *f, const char *tag, int64_t time, struct str body, struct filter_result *r)
{
    struct arena *a = arena_new();
    struct event ev = {.time = time,
                       .tag = arena_str(a, str_of(tag)),
                       .body = value_raw(arena_str(a, body)),
                       .meta = value_raw(STR("\x80")),
                       .id = {7, 7},
                       .arena = a};

    *r = (struct filter_result){.emit = {.on_error = f->on_error}};
    r->pass = f->instance->plugin->filter->apply(f->instance, &ev, &r->emit);
    r->time = ev.time;
    buf_str(&r->tag, ev.tag);
    msgpack_value(&r->body, &ev.body);
    json_write(&r->json, &ev.body);
    json_write(&r->meta, &ev.meta);
    arena_free(a);
}

FAKE void filter_run(struct fake *f, const char *json, struct filter_result *r)
{
    struct buf body = {0};
    fake_json(&body, json);
    filter_run_bytes(f, "test", FAKE_TIME * INT64_C(1000000000), buf_view(&body), r);
    buf_free(&body);
}

/* expected NULL: the event must be dropped; else it must be kept and look like this. */
FAKE void filter_case_at(const char *file, int line, const struct plugin *p, const char *properties, const char *json,
                         const char *expected)
{
    static const char *const passes[] = {"kept", "dropped", "quarantined", "discarded"};
    struct fake f;
    struct err e = {""};
    struct filter_result r = {0};
    struct buf want = {0}, text = {0};

    if (!fake_start(&f, p, properties, &e)) {
        test_failures++;
        fprintf(stderr, "%s:%d: does not start: %s\n", file, line, e.text);
        fake_free(&f);
        return;
    }
    filter_run(&f, json, &r);
    if (r.pass != (expected ? KEEP : DROP)) {
        test_failures++;
        fprintf(stderr, "%s:%d: %s is %s, not %s (%s: %s)\n", file, line, json, passes[r.pass],
                expected ? "kept" : "dropped", r.emit.code, r.emit.text);
    } else if (expected) {
        fake_json(&want, expected);
        json_write(&text, &(struct value){.type = V_MAP, .raw = true, .n = (uint32_t)want.n, .p = want.p});
        check_str(file, line, json, buf_view(&r.json), buf_text(&text));
    }
    buf_free(&want);
    buf_free(&text);
    filter_result_free(&r);
    fake_free(&f);
}
#define filter_case(p, properties, json, expected) filter_case_at(__FILE__, __LINE__, p, properties, json, expected)

/* ---- outputs ---- */

struct fake_event {
    const char *tag;
    int64_t time; /* ns */
    const char *json, *meta;
};

enum { FAKE_FAILS = 64 };
struct delivery {
    struct fake_event *events;
    struct buf *bodies, *metas;
    uint32_t count, next;
    char id[33];
    struct arena *arena;
    bool stopping;
    int64_t retry_after;
    struct {
        uint32_t index;
        enum verdict verdict;
        char why[256];
    } fails[FAKE_FAILS];
    unsigned nfails;
};

FAKE void fake_delivery_init(struct delivery *d, const struct fake_event *events, size_t n)
{
    *d = (struct delivery){.count = (uint32_t)n, .arena = arena_new()};
    d->events = alloc_array(n + 1, sizeof(*events));
    d->bodies = alloc_array(n + 1, sizeof(struct buf));
    d->metas = alloc_array(n + 1, sizeof(struct buf));
    if (n)
        memcpy(d->events, events, n * sizeof(*events));
    for (size_t i = 0; i < n; i++) {
        fake_json(&d->bodies[i], events[i].json);
        fake_json(&d->metas[i], events[i].meta ? events[i].meta : "{}");
    }
    strcpy(d->id, "0123456789abcdef0123456789abcdef");
}

FAKE void fake_delivery_free(struct delivery *d)
{
    for (uint32_t i = 0; i < d->count; i++) {
        buf_free(&d->bodies[i]);
        buf_free(&d->metas[i]);
    }
    free(d->bodies);
    free(d->metas);
    free(d->events);
    arena_free(d->arena);
}

bool delivery_next(struct delivery *d, struct event *ev)
{
    uint32_t i = d->next;

    arena_reset(d->arena);
    if (i == d->count)
        return false;
    *ev = (struct event){.time = d->events[i].time,
                         .tag = str_of(d->events[i].tag),
                         .body = value_raw(buf_view(&d->bodies[i])),
                         .meta = value_raw(buf_view(&d->metas[i])),
                         .id = {42, i + 1},
                         .arena = d->arena};
    d->next++;
    return true;
}

void delivery_rewind(struct delivery *d)
{
    d->next = 0;
}

const char *delivery_id(const struct delivery *d)
{
    return d->id;
}

uint32_t delivery_count(const struct delivery *d)
{
    return d->count;
}

struct str delivery_tag(const struct delivery *d)
{
    return d->count ? str_of(d->events[0].tag) : STR("");
}

void delivery_fail(struct delivery *d, uint32_t index, enum verdict v, const char *why)
{
    if (d->nfails == FAKE_FAILS)
        return;
    d->fails[d->nfails].index = index;
    d->fails[d->nfails].verdict = v;
    snprintf(d->fails[d->nfails++].why, sizeof(d->fails[0].why), "%s", why);
}

void delivery_retry_after(struct delivery *d, int64_t ns)
{
    d->retry_after = ns;
}

bool delivery_stopping(const struct delivery *d)
{
    return d->stopping;
}

void output_wants_checkpoint(const struct instance *i)
{
    (void)i;
    fake_checkpoints_wanted++;
}

/* One delivery of n events to a started output. */
FAKE enum verdict fake_write(struct fake *f, const struct fake_event *events, size_t n, struct err *e)
{
    struct delivery d;
    enum verdict v;

    fake_delivery_init(&d, events, n);
    v = f->instance->plugin->output->write(f->instance, &d, e);
    fake_delivery_free(&d);
    return v;
}
