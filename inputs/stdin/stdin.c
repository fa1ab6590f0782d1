/* SPDX-License-Identifier: Apache-2.0 */
#include "stdin.h"

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/io.h"

#include <errno.h>
#include <fcntl.h>

enum {
    FLIGHT_MAX = 4 * 1024 * 1024, /* bytes that wait for the log; then reading stops */
    REJECT_BYTES = 4096           /* of a line that is too long: enough to recognise it */
};

static const struct range size_range = {1, 64 * 1024 * 1024};

static const struct option options[] = {
    OPT_AS(struct stdin_input, OPT_STR, "parser", parser_name, NULL, "The parser of each line; else lines are JSON."),
    OPT(struct stdin_input, OPT_SIZE, buffer_size, "16000", "How much is read at a time.", .range = &size_range),
    OPT(struct stdin_input, OPT_SIZE, buffer_max_size, "1M",
        "The longest line; the beginning of a longer one is quarantined and the rest left out.", .range = &size_range),
    OPT_END,
};

static void arm(struct stdin_input *in);

static void unit_free(struct unit *u)
{
    list_remove(&u->link);
    buf_free(&u->lines);
    free(u);
}

static void finish_when_done(struct stdin_input *in)
{
    if (!in->ended || in->finished || !list_empty(&in->flight) || !list_empty(&in->failed))
        return;
    in->finished = true;
    feed_finish(in->feed);
}

static void unit_done(struct commit *c, bool durable)
{
    struct unit *u = container_of(c, struct unit, commit);
    struct stdin_input *in = u->in;

    if (in)
        in->flight_bytes -= u->lines.n;
    if (!in || durable) {
        unit_free(u);
    } else {
        list_remove(&u->link);
        list_append(&in->failed, &u->link);
        loop_timer(in->loop, &in->retry, SECOND);
    }
    if (in) {
        finish_when_done(in);
        arm(in);
    }
}

static void unit_send(struct unit *u)
{
    struct stdin_input *in = u->in;

    list_append(&in->flight, &u->link);
    in->flight_bytes += u->lines.n;
    u->commit = (struct commit){.done = unit_done};
    unit_push(u);
    feed_commit(in->feed, &u->commit);
}

static void on_retry(struct timer *t)
{
    struct stdin_input *in = container_of(t, struct stdin_input, retry);

    if (in->paused)
        return; /* pause(off) sets the timer again */
    struct link failed;
    list_init(&failed);
    list_each (it, &in->failed) {
        list_remove(it);
        list_append(&failed, it);
    }
    list_each (it, &failed) {
        list_remove(it);
        unit_send(container_of(it, struct unit, link));
    }
    arm(in);
}

static struct unit *unit_new(struct stdin_input *in)
{
    struct unit *u = alloc_new(sizeof *u);

    u->in = in;
    u->now = io->wall();
    list_init(&u->link);
    return u;
}

/* The line in hand is too long: its head is quarantined, and what is still to come of it is skipped. */
static void cut_long(struct stdin_input *in)
{
    struct unit *u;

    if ((int64_t)in->rest.n <= in->buffer_max_size)
        return;
    u = unit_new(in);
    u->too_long = true;
    buf_str(&u->lines, str_head(buf_view(&in->rest), REJECT_BYTES));
    buf_clear(&in->rest);
    in->skipping = true;
    unit_send(u);
}

/* `from`: where in `rest` the new bytes begin. */
static void take_lines(struct stdin_input *in, size_t from)
{
    if (in->skipping) {
        size_t end = str_find_char(buf_view(&in->rest), '\n');
        struct str left = str_from(buf_view(&in->rest), end == SIZE_MAX ? SIZE_MAX : end + 1);
        in->skipping = end == SIZE_MAX;
        memmove(in->rest.p, left.p, left.n);
        in->rest.n = left.n;
        from = 0;
    }
    const char *last = in->rest.n > from ? memrchr(in->rest.p + from, '\n', in->rest.n - from) : NULL;
    if (last || (in->ended && in->rest.n)) {
        size_t n = in->ended ? in->rest.n : (size_t)(last + 1 - in->rest.p);
        struct unit *u = unit_new(in);
        struct str left = str_from(buf_view(&in->rest), n);
        u->lines = in->rest;
        u->lines.n = n;
        in->rest = (struct buf){0};
        buf_str(&in->rest, left);
        unit_send(u);
    }
    cut_long(in);
}

static void read_some(struct stdin_input *in)
{
    size_t before = in->rest.n;
    ssize_t n = io->read(STDIN_FILENO, buf_room(&in->rest, (size_t)in->buffer_size), (size_t)in->buffer_size);

    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
        return;
    if (n < 0)
        log_error("reading standard input failed; it ends here", "input", in->instance.name, "error", strerror(errno));
    if (n <= 0)
        in->ended = true;
    else
        in->rest.n += (size_t)n;
    take_lines(in, before);
}

static void on_readable(struct watch *w, unsigned events)
{
    struct stdin_input *in = container_of(w, struct stdin_input, watch);

    (void)events;
    read_some(in);
    finish_when_done(in);
    arm(in);
}

static void on_turn(struct timer *t)
{
    struct stdin_input *in = container_of(t, struct stdin_input, turn);

    read_some(in);
    finish_when_done(in);
    arm(in);
}

/* Reads on, or not: the one place that decides it. */
static void arm(struct stdin_input *in)
{
    bool read = in->started && !in->paused && !in->ended && in->flight_bytes < FLIGHT_MAX && list_empty(&in->failed);

    if (!in->watched) {
        if (read)
            loop_timer(in->loop, &in->turn, 0);
        else
            loop_cancel(in->loop, &in->turn);
    } else if (read) {
        loop_watch(in->loop, &in->watch, LOOP_READ, NULL);
    } else {
        loop_unwatch(in->loop, &in->watch);
    }
}

static bool stdin_check(void *self, struct err *e)
{
    struct stdin_input *in = self;
    struct parser *p = in->parser_name.n ? instance_parser(&in->instance, "parser", in->parser_name, e) : NULL;

    parser_free(p);
    return p || !in->parser_name.n;
}

static bool stdin_start(void *self, struct feed *f, struct err *e)
{
    struct stdin_input *in = self;
    struct stat st;

    list_init(&in->flight);
    list_init(&in->failed);
    if (io->fstat(STDIN_FILENO, &st))
        return instance_err(&in->instance, "name", e, "standard input cannot be read: %s", strerror(errno));
    if (S_ISDIR(st.st_mode))
        return instance_err(&in->instance, "name", e, "standard input is a directory");
    if (in->parser_name.n && !(in->parser = instance_parser(&in->instance, "parser", in->parser_name, e)))
        return false;
    in->feed = f;
    in->loop = feed_loop(f);
    in->watch = (struct watch){.fd = STDIN_FILENO, .ready = on_readable};
    in->turn.fire = on_turn;
    in->retry.fire = on_retry;
    in->flags = fcntl(STDIN_FILENO, F_GETFL);
    /* Files and /dev/null are always ready and cannot be watched. */
    in->watched = !S_ISREG(st.st_mode) && loop_watch(in->loop, &in->watch, LOOP_READ, S_ISCHR(st.st_mode) ? NULL : e);
    in->started = in->watched || S_ISREG(st.st_mode) || S_ISCHR(st.st_mode);
    if (!in->started) {
        parser_free(in->parser);
        in->parser = NULL;
        in->loop = NULL;
        return false;
    }
    arm(in);
    return true;
}

static void stdin_stop(void *self)
{
    struct stdin_input *in = self;
    size_t lost = in->rest.n;

    if (in->loop) {
        in->started = false;
        arm(in);
        loop_cancel(in->loop, &in->retry);
        if (in->flags >= 0)
            fcntl(STDIN_FILENO, F_SETFL, in->flags); /* watching made it non-blocking, for others too */
        list_each (it, &in->flight) {
            container_of(it, struct unit, link)->in = NULL;
            list_remove(it);
        }
        list_each (it, &in->failed) {
            struct unit *u = container_of(it, struct unit, link);
            lost += u->lines.n;
            unit_free(u);
        }
        if (lost)
            log_warn("standard input was read further than what could be stored", "input", in->instance.name, "bytes",
                     log_num((long long)lost));
    }
    parser_free(in->parser);
    in->parser = NULL;
    in->loop = NULL;
    buf_free(&in->rest);
    buf_free(&in->map);
}

static void stdin_pause(void *self, bool on)
{
    struct stdin_input *in = self;

    in->paused = on;
    if (!on && !list_empty(&in->failed))
        loop_timer(in->loop, &in->retry, 0);
    arm(in);
}

static const struct input input = {
    .check = stdin_check, .start = stdin_start, .stop = stdin_stop, .pause = stdin_pause, .ends_run = true};

const struct plugin input_stdin = {
    .name = "stdin",
    .summary = "Reads records, one a line, from standard input and ends the agent with it.",
    .options = options,
    .size = sizeof(struct stdin_input),
    .input = &input,
};
