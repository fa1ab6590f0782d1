/* SPDX-License-Identifier: Apache-2.0 */
#include "plugin.h"

#include "base/cleanup.h"
#include "base/io.h"
#include "event/json.h"
#include "event/msgpack.h"
#include "net/loop.h"

enum { BURST = 20000 }; /* ticks made up for at a time, so that the loop's other inputs have their turn */

struct dummy {
    struct instance instance;
    struct str text, metadata;
    int64_t samples, rate, interval_sec, interval_nsec, copies, start_time_sec, start_time_nsec;
    bool fixed_timestamp, flush_on_startup;

    struct feed *feed;
    struct loop *loop;
    struct timer timer;
    struct buf body, meta;
    int64_t interval, due; /* ns; due: of the next tick, monotonic */
    int64_t made;          /* ticks so far */
    int64_t start, base;   /* the time that was asked for, and ours when the first event was made */
    bool has_start, has_base, paused;
};

static const struct range positive = {1, INT64_C(1000000000)}, count = {0, INT64_MAX / 2},
                          any_time = {-1, INT64_C(9000000000)}, nanoseconds = {-1, 999999999},
                          seconds = {0, INT64_C(1000000000)};

static const struct option options[] = {
    OPT_AS(struct dummy, OPT_STR, "dummy", text, "{\"message\":\"dummy\"}", "The record, a JSON object."),
    OPT(struct dummy, OPT_STR, metadata, "{}", "Its metadata, a JSON object."),
    OPT(struct dummy, OPT_INT, samples, "0", "How many times it is made; 0: until the agent ends.", .range = &count),
    OPT(struct dummy, OPT_INT, rate, "1", "How many times a second.", .range = &positive),
    OPT(struct dummy, OPT_INT, interval_sec, "0", "Seconds from one to the next; set, it wins over `rate`.",
        .range = &seconds),
    OPT(struct dummy, OPT_INT, interval_nsec, "0", "Nanoseconds on top of it.", .range = &seconds),
    OPT(struct dummy, OPT_INT, copies, "1", "How many records are made each time.", .range = &positive),
    OPT(struct dummy, OPT_INT, start_time_sec, "-1", "The first record's time, in seconds since 1970; -1: now.",
        .range = &any_time),
    OPT(struct dummy, OPT_INT, start_time_nsec, "-1", "Nanoseconds on top of it.", .range = &nanoseconds),
    OPT(struct dummy, OPT_BOOL, fixed_timestamp, "off", "Every record has the time of the first."),
    OPT(struct dummy, OPT_BOOL, flush_on_startup, "false", "The first is made at once, not after an interval."),
    OPT_NONE("test_hang_on_exit"),
    OPT_END,
};

static int64_t event_time(struct dummy *d)
{
    int64_t now = io->wall();

    if (!d->has_base) {
        d->has_base = true;
        d->base = now;
        if (!d->has_start)
            d->start = now;
    }
    return d->fixed_timestamp ? d->start : d->start + (now - d->base);
}

static void make(struct dummy *d)
{
    for (int64_t i = 0; i < d->copies; i++) {
        struct event ev = {.time = event_time(d),
                           .body = value_raw(buf_view(&d->body)),
                           .meta = value_raw(buf_view(&d->meta)),
                           .arena = feed_arena(d->feed)};
        feed_push(d->feed, &ev, false);
    }
    d->made++;
}

static bool done(const struct dummy *d)
{
    return d->samples && d->made >= d->samples;
}

static void schedule(struct dummy *d)
{
    int64_t wait = d->due - io->monotonic();

    if (done(d) || d->paused)
        loop_cancel(d->loop, &d->timer);
    else
        loop_timer(d->loop, &d->timer, wait > 0 ? wait : 0);
}

/* The loop's timers are of milliseconds: a tick makes all that have come due. */
static void on_tick(struct timer *t)
{
    struct dummy *d = container_of(t, struct dummy, timer);
    int64_t now = io->monotonic(), before = d->made;

    for (int i = 0; i < BURST && d->due <= now && !done(d); i++) {
        make(d);
        d->due += d->interval;
    }
    if (d->made > before)
        feed_commit(d->feed, NULL);
    if (now - d->due > SECOND) /* the machine is slower than the rate: no debt is carried along */
        d->due = now + d->interval;
    schedule(d);
}

static bool read_object(struct dummy *d, const char *option, struct str text, struct buf *out, struct err *e)
{
    struct err why;
    struct value v;

    if (!json_read_whole(text, &json_limits_default, out, &why))
        return instance_err(&d->instance, option, e, "%s is not JSON: %s", option, why.text);
    msgpack_read(buf_view(out), &v);
    return v.type == V_MAP ||
           instance_err(&d->instance, option, e, "%s must be a JSON object, such as {\"message\":\"dummy\"}", option);
}

static bool read_objects(struct dummy *d, struct err *e)
{
    if (read_object(d, "dummy", d->text, &d->body, e) && read_object(d, "metadata", d->metadata, &d->meta, e))
        return true;
    buf_free(&d->body);
    buf_free(&d->meta);
    return false;
}

static bool dummy_check(void *self, struct err *e)
{
    struct dummy *d = self;
    bool ok = read_objects(d, e);

    buf_free(&d->body);
    buf_free(&d->meta);
    return ok;
}

static bool dummy_start(void *self, struct feed *f, struct err *e)
{
    struct dummy *d = self;

    if (!read_objects(d, e))
        return false;
    d->feed = f;
    d->loop = feed_loop(f);
    d->timer.fire = on_tick;
    d->interval = d->interval_sec * SECOND + d->interval_nsec;
    if (!d->interval)
        d->interval = SECOND / d->rate;
    d->has_start = d->start_time_sec >= 0 || d->start_time_nsec >= 0;
    if (d->has_start)
        d->start = (d->start_time_sec > 0 ? d->start_time_sec : 0) * SECOND +
                   (d->start_time_nsec > 0 ? d->start_time_nsec : 0);
    d->due = io->monotonic() + (d->flush_on_startup ? 0 : d->interval);
    schedule(d);
    return true;
}

static void dummy_stop(void *self)
{
    struct dummy *d = self;

    if (d->loop)
        loop_cancel(d->loop, &d->timer);
    d->loop = NULL;
    buf_free(&d->body);
    buf_free(&d->meta);
}

static void dummy_pause(void *self, bool on)
{
    struct dummy *d = self;

    d->paused = on;
    if (!on)
        d->due = io->monotonic() + d->interval;
    schedule(d);
}

static const struct input input = {
    .check = dummy_check, .start = dummy_start, .stop = dummy_stop, .pause = dummy_pause};

const struct plugin input_dummy = {
    .name = "dummy",
    .summary = "Makes the same record again and again, for trials and measurements.",
    .options = options,
    .size = sizeof(struct dummy),
    .input = &input,
};
