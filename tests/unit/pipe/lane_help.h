/* SPDX-License-Identifier: Apache-2.0 */
/* A lane over a store in memory, with an input, filters and outputs made by hand.  The test's thread is the lane's,
 * unless the test starts it.
 *
 *     struct rig r;
 *     rig_open(&r, "f", "out");      a filter f and an output out, both of tags a*; names separated by spaces
 *     push(&r, "a", "{\"n\":1}", 0);  0: no id of the client's
 *     commit(&r, &told); rig_settle(&r);
 *     CHECK_LOG_IS(&r, "a:{\"n\":1}");
 *
 * A filter looks at the field that has its own name: "drop", "discard", "quarantine", "fail", "edit", "emit",
 * "emit-drop", "retag" say what it does with the event. */
#pragma once
#include "pipe/chain.h"
#include "pipe/ingest.h"

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/io.h"
#include "event/json.h"
#include "event/msgpack.h"
#include "test.h"

#include <errno.h>
#include <unistd.h>

#define HELP __attribute__((unused)) static

struct fake_plugin { /* of every kind */
    struct instance instance;
    bool refuse; /* its start fails */
    int started, stopped, pauses, resumes;
    struct feed *feed;
};

static struct metric help_metrics[3];

/* ---- the plugins ---- */

static bool fake_input_start(void *self, struct feed *f, struct err *e)
{
    struct fake_plugin *p = self;

    if (p->refuse)
        return err_set(e, "the input refuses");
    p->feed = f;
    p->started++;
    return true;
}

static void fake_stop(void *self)
{
    ((struct fake_plugin *)self)->stopped++;
}

static void fake_pause(void *self, bool on)
{
    struct fake_plugin *p = self;

    p->pauses += on;
    p->resumes += !on;
}

static bool fake_filter_start(void *self, struct err *e)
{
    struct fake_plugin *p = self;

    if (p->refuse)
        return err_set(e, "the filter refuses");
    p->started++;
    return true;
}

static void fake_emit(struct emit *out, const struct event *ev, int k, const char *tag)
{
    struct event child = *ev;

    child.body = value_map(ev->arena);
    event_set(&child, STR("child"), value_int(k));
    if (tag)
        child.tag = str_of(tag);
    filter_emit(out, &child);
}

static enum pass fake_apply(void *self, struct event *ev, struct emit *out)
{
    struct fake_plugin *p = self;
    struct value *order = event_get(ev, str_of(p->instance.name));
    struct str what;

    if (!order || !value_as_str(order, &what))
        return KEEP;
    if (str_eq(what, STR("drop")))
        return DROP;
    if (str_eq(what, STR("discard")))
        return DISCARD;
    if (str_eq(what, STR("quarantine")))
        return QUARANTINE;
    event_set(ev, STR("by"), value_str(str_of(p->instance.name)));
    if (str_eq(what, STR("fail")))
        return filter_fail(out, "Rule-Bad", "it was meant to");
    if (str_starts(what, STR("emit"))) {
        fake_emit(out, ev, 1, NULL);
        fake_emit(out, ev, 2, NULL);
    }
    if (str_eq(what, STR("emit-fail")))
        return filter_fail(out, "Rule-Bad", "it was meant to");
    if (str_eq(what, STR("retag")))
        fake_emit(out, ev, 1, "b");
    return str_eq(what, STR("emit-drop")) ? DROP : KEEP;
}

static enum verdict fake_write(void *self, struct delivery *d, struct err *e)
{
    (void)self, (void)d, (void)e;
    return DONE;
}

static const struct option no_options[] = {OPT_END};
static const struct input fake_input = {
    .start = fake_input_start, .stop = fake_stop, .pause = fake_pause, .ends_run = true};
static const struct filter fake_filter = {.start = fake_filter_start, .stop = fake_stop, .apply = fake_apply};
static const struct output fake_output = {.write = fake_write};

#define FAKE_PLUGIN(kind)                                                                                   \
    {                                                                                                       \
        .name = "fake", .summary = "For tests.", .options = no_options, .size = sizeof(struct fake_plugin), \
        .kind = &fake_##kind                                                                                \
    }
static const struct plugin plugin_input = FAKE_PLUGIN(input), plugin_filter = FAKE_PLUGIN(filter),
                           plugin_output = FAKE_PLUGIN(output);

/* "name" or "name=match"; freed by unit_free. */
HELP struct unit *fake_unit(const struct plugin *plugin, struct str spec)
{
    struct unit *u = alloc_new(sizeof *u);
    struct fake_plugin *self = alloc_new(sizeof *self);
    struct str name = str_cut(&spec, '=');

    u->kind = plugin->input ? PLUGIN_INPUT : plugin->filter ? PLUGIN_FILTER : PLUGIN_OUTPUT;
    u->plugin = plugin;
    u->name = alloc_text(name.p, name.n);
    u->common.match = spec.n ? spec : STR("a*");
    u->self = self;
    self->instance = (struct instance){.name = u->name,
                                       .plugin = plugin,
                                       .records = &help_metrics[0],
                                       .bytes = &help_metrics[1],
                                       .errors = &help_metrics[2]};
    return u;
}

HELP struct fake_plugin *fake_of(const struct unit *u)
{
    return u->self;
}

/* ---- a disk that refuses ---- */

static _Atomic int writes_fail;
static struct io help_io;

static ssize_t refusing_pwritev(int fd, const struct iovec *v, int n, off_t at)
{
    if (!atomic_load(&writes_fail))
        return io_system.pwritev(fd, v, n, at);
    errno = EIO;
    return -1;
}

HELP void disk_refuses(bool on)
{
    atomic_store(&writes_fail, on);
}

/* Before there is a log thread, which reads `io`. */
static void make_help_io(void)
{
    help_io = io_system;
    help_io.pwritev = refusing_pwritev;
    io = &help_io;
    disk_refuses(false);
}

/* ---- the rig ---- */

struct rig {
    struct store *store;
    struct build build;
    struct lane *lane;
    struct feed *feed;
    struct timer poll;
    int rounds;
};

struct told {
    struct commit commit;
    int times, order;
    bool durable;
};

static int told_order;

static void tell(struct commit *c, bool durable)
{
    struct told *t = container_of(c, struct told, commit);

    t->times++;
    t->durable = durable;
    t->order = ++told_order;
}

static void fake_units(const struct plugin *plugin, const char *specs, struct unit ***out, size_t *n)
{
    struct str rest = str_of(specs);

    *out = alloc_array(16, sizeof **out);
    while (rest.n)
        (*out)[(*n)++] = fake_unit(plugin, str_cut(&rest, ' '));
}

HELP void rig_open(struct rig *r, const char *filters, const char *outputs, struct quarantine_key *key)
{
    struct err e = {0};

    *r = (struct rig){0};
    make_help_io();
    r->store = store_open(
        &(struct store_options){
            .limit = INT64_C(1) << 30, .segment_size = 8 << 20, .dedup_window = 600 * SECOND, .dedup_ids = 1000},
        &e);
    CHECK(r->store != NULL);
    fake_units(&plugin_input, "in", &r->build.inputs, &r->build.ninputs);
    fake_units(&plugin_filter, filters, &r->build.filters, &r->build.nfilters);
    fake_units(&plugin_output, outputs, &r->build.outputs, &r->build.noutputs);
    r->lane = ingest_new(&r->build, r->store, key);
    r->lane->durability = "memory";
    r->feed = &r->lane->feeds[0];
}

static void rig_look(struct timer *t)
{
    struct rig *r = container_of(t, struct rig, poll);

    if (!r->lane->in_flight && r->rounds++ > 1)
        loop_stop(r->lane->loop);
    else
        loop_timer(r->lane->loop, t, MILLISECOND / 4);
}

/* Runs the lane's loop until the log has answered everything. */
HELP void rig_settle(struct rig *r)
{
    r->rounds = 0;
    r->poll.fire = rig_look;
    loop_timer(r->lane->loop, &r->poll, 0);
    loop_run(r->lane->loop);
    loop_cancel(r->lane->loop, &r->poll);
}

HELP void rig_close(struct rig *r)
{
    loop_cancel(r->lane->loop, &r->lane->retry);
    ingest_free(r->lane);
    build_free(&r->build);
    store_close(r->store);
}

HELP enum outcome push(struct rig *r, const char *tag, const char *json, uint64_t id)
{
    struct event ev = {.time = 7, .tag = str_of(tag), .id = {id ? 9 : 0, id}, .arena = feed_arena(r->feed)};
    struct buf body = {0};
    struct err e = {0};
    enum outcome o;

    CHECK(json_read_whole(str_of(json), &json_limits_default, &body, &e));
    ev.body = value_raw(buf_view(&body));
    o = feed_push(r->feed, &ev, id != 0);
    buf_free(&body);
    return o;
}

HELP void commit(struct rig *r, struct told *t)
{
    *t = (struct told){.commit.done = tell};
    feed_commit(r->feed, &t->commit);
}

/* ---- looking ---- */

static void show_events(struct str payload, struct buf *out)
{
    struct batch_view view;
    struct batch_cursor c;
    struct event ev;

    CHECK(batch_view(payload, &view));
    batch_start(&c, &view);
    while (batch_next(&c, &ev)) {
        buf_fmt(out, "%s" STR_FMT ":", out->n ? " " : "", STR_ARG(ev.tag));
        json_write(out, &ev.body);
    }
}

static void show_quarantine(struct str payload, struct buf *out)
{
    struct quarantine_entry q;

    CHECK(quarantine_read(payload, &q));
    buf_fmt(out, "%sQ(" STR_FMT "/" STR_FMT " " STR_FMT ")", out->n ? " " : "", STR_ARG(q.stage), STR_ARG(q.plugin),
            STR_ARG(q.code));
}

/* Events as tag:json, quarantine as Q(stage/plugin code), a route set as R. */
HELP void rig_log(struct rig *r, struct buf *out)
{
    struct log_reader *reader = log_reader_new(store_log(r->store), 0);
    struct frame f;
    struct err e = {0};

    while (log_reader_next(reader, &f, &e) == READ_FRAME) {
        if (f.type == FRAME_EVENTS)
            show_events(f.payload, out);
        else if (f.type == FRAME_QUARANTINE)
            show_quarantine(f.payload, out);
        else if (f.type == FRAME_ROUTES)
            buf_fmt(out, "%sR", out->n ? " " : "");
    }
    log_reader_free(reader);
}

#define CHECK_LOG_IS(rig, want)           \
    do {                                  \
        struct buf out_ = {0};            \
        rig_log(rig, &out_);              \
        CHECK_STR(buf_view(&out_), want); \
        buf_free(&out_);                  \
    } while (0)

struct counter_look {
    const char *name;
    uint64_t n;
};

static void look_at_counter(void *arg, const struct image *image)
{
    struct counter_look *c = arg;

    c->n = image_counter(image, str_of(c->name));
}

HELP int64_t counted(struct rig *r, const char *name)
{
    struct counter_look c = {name, 0};

    store_image(r->store, look_at_counter, &c);
    return (int64_t)c.n;
}

/* Until the log has found out that it can write again. */
HELP void wait_for_room(struct rig *r)
{
    for (int i = 0; store_room(r->store) != STORE_ROOM && i < 5000; i++)
        usleep(1000);
    CHECK(store_room(r->store) == STORE_ROOM);
}
