/* SPDX-License-Identifier: Apache-2.0 */
/* A fake machine for the tests of inputs: include it in one test file (it defines feed_*, env_*, instance_*).
 *
 *   struct feed *feed = fake_feed(loop_new());             NULL loop: commits are told at once, inside feed_commit
 *   struct tail *t = fake_instance(&input_tail, "path", "/tmp/x", NULL);     NULL: fake_err has the reason
 *   input_tail.input->start(t, feed, &e);
 *   ... fake_run(feed, 50) ...                              the loop, for that many milliseconds at most
 *   CHECK_STR(fake_body(feed, 0), "{\"log\":\"a\"}");       the first event that was taken
 *
 * By default every commit becomes durable in the loop's next round.  With feed->manual the test calls
 * fake_settle(feed, n, durable) for the n oldest ones.  A unit that fails takes its events and positions with it. */
#pragma once
#include "test.h"

#include "base/alloc.h"
#include "base/arena.h"
#include "base/cleanup.h"
#include "base/io.h"
#include "base/map.h"
#include "event/json.h"
#include "event/msgpack.h"
#include "net/loop.h"
#include "plugin.h"

#include <stdarg.h>

enum fake_state { FAKE_OPEN, FAKE_WAITING, FAKE_DURABLE, FAKE_FAILED };

struct fake_unit {
    struct commit *commit;
    enum fake_state state;
};

struct fake_event {
    struct str tag, body, meta; /* body and meta: msgpack; all owned by the feed */
    int64_t time;
    struct id id;
    bool client_id, reject; /* reject: of feed_reject; body is the raw bytes, tag the code, meta the text */
    size_t unit;
};

struct fake_position {
    char *key, *value;
    size_t nkey, nvalue, unit;
};

struct feed {
    struct loop *loop;
    struct arena *arena;
    struct fake_event *events;
    size_t nevents, events_cap;
    struct fake_unit *units; /* the last one is open */
    size_t nunits, units_cap, settled;
    struct fake_position *pending; /* of units that are not settled */
    size_t npending, pending_cap;
    struct map positions; /* durable: key -> struct fake_position * */
    struct timer soon, limit;
    bool armed, manual;
    bool fail;         /* not manual: what becomes of the next commits */
    unsigned finished; /* how often feed_finish was called */
    enum room room;
    int retry_after;
    const char *reason; /* for feed_reason */
    /* The verdict on an event; NULL: ACCEPTED.  Only accepted ones are kept. */
    enum outcome (*judge)(struct feed *f, struct event *ev);
    size_t judged[OUTCOMES];
    void (*pushed)(struct feed *f); /* after each event, for tests that stop the loop */
    struct arena *texts;            /* of fake_body */
};

/* What the machine lends. */
struct env {
    struct id host;
    const char *config_dir, *state_dir;
    const struct parser_def *parsers; /* name.p NULL ends them */
    const char *const *variables;     /* name, value, ..., NULL */
};
static struct env fake_env = {.host = {0x0123456789abcdef, 0xfedcba9876543210}, .config_dir = "."};
static struct err fake_err;

/* ---- the test's side ---- */

__attribute__((unused)) static struct feed *fake_feed(struct loop *loop)
{
    struct feed *f = alloc_new(sizeof *f);

    f->loop = loop;
    f->arena = arena_new();
    f->texts = arena_new();
    f->units = alloc_grow(f->units, f->nunits, &f->units_cap, sizeof *f->units);
    f->units[f->nunits++] = (struct fake_unit){0};
    return f;
}

static void fake_forget(struct fake_position *p)
{
    free(p->key);
    free(p->value);
}

/* Frees the loop too. */
__attribute__((unused)) static void fake_feed_free(struct feed *f)
{
    for (size_t i = 0; i < f->nevents; i++)
        free((char *)f->events[i].tag.p);
    for (size_t i = 0; i < f->npending; i++)
        fake_forget(&f->pending[i]);
    for (struct map_entry *m = NULL; (m = map_next(&f->positions, m));) {
        fake_forget(m->value);
        free(m->value);
    }
    map_free(&f->positions);
    if (f->loop) {
        loop_cancel(f->loop, &f->soon);
        loop_cancel(f->loop, &f->limit);
        loop_free(f->loop);
    }
    arena_free(f->arena);
    arena_free(f->texts);
    free(f->events);
    free(f->units);
    free(f->pending);
    free(f);
}

static void fake_apply(struct feed *f, struct fake_position *p)
{
    struct str key = {p->key, p->nkey};
    struct fake_position *old = p->nvalue ? map_get(&f->positions, key) : map_del(&f->positions, key);

    if (old) {
        fake_forget(old);
        if (p->nvalue)
            *old = *p;
        else
            free(old);
    } else if (p->nvalue) {
        old = alloc_new(sizeof *old);
        *old = *p;
        map_set(&f->positions, key, old);
    }
    if (!p->nvalue)
        fake_forget(p);
}

/* Settles the n oldest waiting commits; returns how many there were. */
__attribute__((unused)) static size_t fake_settle(struct feed *f, size_t n, bool durable)
{
    size_t done = 0;

    while (done < n && f->settled + 1 < f->nunits) {
        size_t unit = f->settled++, kept = 0;
        struct commit *c = f->units[unit].commit;
        f->units[unit].state = durable ? FAKE_DURABLE : FAKE_FAILED;
        for (size_t i = 0; i < f->npending; i++) {
            if (f->pending[i].unit != unit)
                f->pending[kept++] = f->pending[i];
            else if (durable)
                fake_apply(f, &f->pending[i]);
            else
                fake_forget(&f->pending[i]);
        }
        f->npending = kept;
        done++;
        if (c)
            c->done(c, durable);
    }
    return done;
}

/* The events of units that did not fail, in order; `rejects` picks feed_reject's instead.  NULL: fewer than i + 1. */
static struct fake_event *fake_nth(struct feed *f, size_t i, bool rejects)
{
    for (size_t k = 0; k < f->nevents; k++)
        if (f->events[k].reject == rejects && f->units[f->events[k].unit].state != FAKE_FAILED && i-- == 0)
            return &f->events[k];
    return NULL;
}

__attribute__((unused)) static struct fake_event *fake_event(struct feed *f, size_t i)
{
    return fake_nth(f, i, false);
}

__attribute__((unused)) static struct fake_event *fake_reject(struct feed *f, size_t i)
{
    return fake_nth(f, i, true);
}

/* How many events were taken; `durable` counts only those whose commit was told durable. */
__attribute__((unused)) static size_t fake_count(struct feed *f, bool durable)
{
    size_t n = 0;

    for (size_t k = 0; k < f->nevents; k++) {
        enum fake_state s = f->units[f->events[k].unit].state;
        n += !f->events[k].reject && (durable ? s == FAKE_DURABLE : s != FAKE_FAILED);
    }
    return n;
}

/* msgpack as JSON; valid until fake_feed_free. */
__attribute__((unused)) static struct str fake_json(struct feed *f, struct str msgpack)
{
    struct buf out = {0};
    struct value v;
    struct str s = STR("(not msgpack)");

    if (msgpack_check(msgpack, true, NULL) == msgpack.n && msgpack_read(msgpack, &v)) {
        json_write(&out, &v);
        s = arena_str(f->texts, buf_view(&out));
        buf_free(&out);
    }
    return s;
}

/* The body of the ith taken event as JSON; "(none)" where there is none. */
__attribute__((unused)) static struct str fake_body(struct feed *f, size_t i)
{
    struct fake_event *ev = fake_event(f, i);

    return ev ? fake_json(f, ev->body) : STR("(none)");
}

__attribute__((unused)) static struct str fake_tag(struct feed *f, size_t i)
{
    struct fake_event *ev = fake_event(f, i);

    return ev ? ev->tag : STR("(none)");
}

/* Forgets the events seen so far (positions and waiting commits stay). */
__attribute__((unused)) static void fake_clear(struct feed *f)
{
    for (size_t i = 0; i < f->nevents; i++)
        free((char *)f->events[i].tag.p);
    f->nevents = 0;
}

static void fake_limit(struct timer *t)
{
    loop_stop(container_of(t, struct feed, limit)->loop);
}

/* Runs the loop until somebody calls loop_stop, at most this long. */
__attribute__((unused)) static void fake_run(struct feed *f, int milliseconds)
{
    f->limit.fire = fake_limit;
    loop_timer(f->loop, &f->limit, milliseconds * MILLISECOND);
    loop_run(f->loop);
    loop_cancel(f->loop, &f->limit);
}

/* Runs the loop until that many events are durable; false: not within the time. */
__attribute__((unused)) static bool fake_wait(struct feed *f, size_t events, int milliseconds)
{
    int64_t end = io->monotonic() + milliseconds * MILLISECOND;

    while (fake_count(f, true) < events && io->monotonic() < end)
        fake_run(f, 5);
    return fake_count(f, true) >= events;
}

struct fake_common {
    struct str tag, alias, name, threaded, log_level, mem_buf_limit, storage_type;
};
static const struct option fake_common_options[] = {
    OPT(struct fake_common, OPT_STR, tag, NULL, "Tag."),
    OPT(struct fake_common, OPT_STR, alias, NULL, "Alias."),
    OPT(struct fake_common, OPT_STR, name, NULL, "Plugin."),
    OPT(struct fake_common, OPT_STR, threaded, NULL, "Threaded."),
    OPT(struct fake_common, OPT_STR, log_level, NULL, "Log level."),
    OPT(struct fake_common, OPT_STR, mem_buf_limit, NULL, "Limit."),
    OPT_AS(struct fake_common, OPT_STR, "storage.type", storage_type, NULL, "Type."),
    OPT_END,
};

/* An instance of an input with its options (name, value, ..., NULL); NULL: fake_err says why.  Freed by
 * fake_instance_free; what start() made is freed by the plugin's own stop(). */
__attribute__((unused, sentinel)) static void *fake_instance(const struct plugin *p, ...)
{
    struct tree *tree = tree_new();
    struct section *s = tree_add(tree, "input");
    void **owner = alloc_new(16 + p->size); /* the tree stands in front of what is returned */
    struct instance *i = (void *)((char *)owner + 16);
    struct fake_common *common = alloc_new(sizeof *common);
    const struct option *tables[] = {p->options, fake_common_options, NULL};
    void *into[] = {i, common};
    const char *name;
    bool ok = true;
    va_list args;

    va_start(args, p);
    while (ok && (name = va_arg(args, const char *)))
        ok = tree_set(tree, s, str_of(name), str_of(va_arg(args, const char *)), &fake_err);
    va_end(args);
    ok = ok && options_load(tables, into, s, &fake_err);
    free(common);
    if (!ok) {
        tree_free(tree);
        free(owner);
        return NULL;
    }
    *owner = tree;
    i->name = "fake.0";
    i->plugin = p;
    i->section = s;
    i->env = &fake_env;
    i->records = metric_new(METRIC_COUNTER, "fake_records", "Fake.", "");
    i->bytes = metric_new(METRIC_COUNTER, "fake_bytes", "Fake.", "");
    i->errors = metric_new(METRIC_COUNTER, "fake_errors", "Fake.", "");
    return i;
}

__attribute__((unused)) static void fake_instance_free(void *self)
{
    struct instance *i = self;
    void **owner = (void *)((char *)self - 16);

    options_free(i->plugin->options, self);
    tree_free(*owner);
    free(owner);
}

/* ---- the machine's side ---- */

static void fake_soon(struct timer *t)
{
    struct feed *f = container_of(t, struct feed, soon);

    f->armed = false;
    fake_settle(f, f->nunits, !f->fail);
}

static struct fake_event *fake_add(struct feed *f, struct str tag, struct str body, struct str meta)
{
    struct fake_event *e;
    char *p = alloc_raw(tag.n + body.n + meta.n + 1);

    f->events = alloc_grow(f->events, f->nevents, &f->events_cap, sizeof *f->events);
    e = &f->events[f->nevents++];
    if (tag.n)
        memcpy(p, tag.p, tag.n);
    if (body.n)
        memcpy(p + tag.n, body.p, body.n);
    if (meta.n)
        memcpy(p + tag.n + body.n, meta.p, meta.n);
    *e = (struct fake_event){.tag = {p, tag.n}, .body = {p + tag.n, body.n}, .meta = {p + tag.n + body.n, meta.n}};
    e->unit = f->nunits - 1;
    return e;
}

static struct str fake_encoded(const struct value *v, struct buf *out)
{
    if (v->raw)
        return value_bytes(v);
    msgpack_value(out, v);
    return buf_view(out);
}

struct loop *feed_loop(const struct feed *f)
{
    return f->loop;
}

struct arena *feed_arena(const struct feed *f)
{
    return f->arena;
}

enum outcome feed_push(struct feed *f, struct event *ev, bool client_id)
{
    enum outcome o = f->judge ? f->judge(f, ev) : ACCEPTED;

    f->judged[o]++;
    if (o == ACCEPTED) {
        struct buf body = {0}, meta = {0};
        struct fake_event *e = fake_add(f, ev->tag, fake_encoded(&ev->body, &body), fake_encoded(&ev->meta, &meta));
        e->time = ev->time;
        e->id = ev->id;
        e->client_id = client_id;
        buf_free(&body);
        buf_free(&meta);
    }
    arena_reset(f->arena);
    if (f->pushed)
        f->pushed(f);
    return o;
}

void feed_reject(struct feed *f, struct str raw, const char *code, const char *text)
{
    fake_add(f, str_of(code), raw, str_of(text))->reject = true;
}

struct str feed_reason(const struct feed *f)
{
    return str_of(f->reason ? f->reason : "Fake: no reason");
}

void feed_position(struct feed *f, struct str key, struct str value)
{
    struct fake_position *p;

    f->pending = alloc_grow(f->pending, f->npending, &f->pending_cap, sizeof *f->pending);
    p = &f->pending[f->npending++];
    *p = (struct fake_position){alloc_text(key.p, key.n), alloc_text(value.p, value.n), key.n, value.n, f->nunits - 1};
}

void feed_positions(struct feed *f, void (*each)(void *arg, struct str key, struct str value), void *arg)
{
    for (struct map_entry *m = NULL; (m = map_next(&f->positions, m));) {
        struct fake_position *p = m->value;
        each(arg, m->key, (struct str){p->value, p->nvalue});
    }
}

void feed_commit(struct feed *f, struct commit *c)
{
    f->units[f->nunits - 1] = (struct fake_unit){c, FAKE_WAITING};
    f->units = alloc_grow(f->units, f->nunits, &f->units_cap, sizeof *f->units);
    f->units[f->nunits++] = (struct fake_unit){0};
    if (f->manual)
        return;
    if (!f->loop) {
        fake_settle(f, f->nunits, !f->fail);
    } else if (!f->armed) {
        f->armed = true;
        f->soon.fire = fake_soon;
        loop_timer(f->loop, &f->soon, 0);
    }
}

const char *feed_durability(const struct feed *f)
{
    (void)f;
    return "disk";
}

enum room feed_room(const struct feed *f, int *retry_after_seconds)
{
    if (retry_after_seconds)
        *retry_after_seconds = f->retry_after;
    return f->room;
}

void feed_finish(struct feed *f)
{
    f->finished++;
}

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
    for (size_t i = 0; env->variables && env->variables[i]; i += 2)
        if (!strcmp(env->variables[i], name))
            return env->variables[i + 1];
    return NULL;
}

void env_variables(const struct env *env, void (*each)(void *arg, const char *name, const char *value), void *arg)
{
    for (size_t i = 0; env->variables && env->variables[i]; i += 2)
        each(arg, env->variables[i], env->variables[i + 1]);
}

bool instance_err(const struct instance *i, const char *option, struct err *e, const char *fmt, ...)
{
    struct err text;
    va_list args;

    va_start(args, fmt);
    vsnprintf(text.text, sizeof text.text, fmt, args);
    va_end(args);
    return place_err(options_place(i->section, option), e, "%s", text.text);
}

struct parser *instance_parser(const struct instance *i, const char *option, struct str name, struct err *e)
{
    for (const struct parser_def *d = i->env->parsers; d && d->name.p; d++)
        if (str_eq(d->name, name))
            return parser_new(d, e);
    instance_err(i, option, e, "no parser `" STR_FMT "`", STR_ARG(name));
    return NULL;
}
