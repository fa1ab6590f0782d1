/* SPDX-License-Identifier: Apache-2.0 */
/* Reading: a turn reads one file for a bounded while and ends with a commit of its lines and its position. */
#include "tail_line.h"

#include "base/alloc.h"
#include "base/io.h"

#include <errno.h>

struct rounds {
    struct letter letter;
    struct tail *t; /* NULL: it has stopped; whoever opens the letter frees it */
    bool posted;
};

/* Where a unit begins. */
struct start {
    uint64_t offset, generation;
    bool skipping;
};

struct unit {
    struct commit commit;
    struct link link; /* t->units */
    struct tail *t;   /* NULL: it has stopped */
    struct file *f;   /* NULL: only positions of new files */
    struct start start;
    size_t bytes;
};

static const int64_t backoff_min = 100 * MILLISECOND, backoff_max = 5 * SECOND;

static void open_round(struct letter *m);

bool read_prepare(struct tail *t, struct err *e)
{
    if (t->parser_name.n && !(t->parser = instance_parser(&t->base, "parser", t->parser_name, e)))
        return false;
    line_prepare(t);
    t->rounds = alloc_new(sizeof *t->rounds);
    t->rounds->t = t;
    t->rounds->letter.open = open_round;
    return true;
}

void read_stop(struct tail *t)
{
    if (t->rounds && t->rounds->posted)
        t->rounds->t = NULL;
    else
        free(t->rounds);
    t->rounds = NULL;
    list_each (it, &t->units) {
        list_remove(it);
        container_of(it, struct unit, link)->t = NULL;
    }
    parser_free(t->parser);
    t->parser = NULL;
}

void read_wake(struct tail *t)
{
    if (t->rounds->posted || t->paused || t->stopped || list_empty(&t->ready) || t->flight >= TOTAL_FLIGHT)
        return;
    t->rounds->posted = true;
    loop_post(t->loop, &t->rounds->letter);
}

void read_schedule(struct tail *t, struct file *f)
{
    if (list_empty(&f->ready))
        list_append(&t->ready, &f->ready);
    f->at_eof = false;
    read_wake(t);
}

/* ---- commits ---- */

/* Nothing of the unit is in the log.  The file goes back to where the unit began, when the others behind it are told.
 */
static void unit_failed(struct tail *t, struct file *f, const struct unit *u)
{
    metric_add(t->base.errors, 1);
    log_error("tail: what was read could not be stored; it will be read again", "input", t->base.name, "path",
              f ? f->path : "");
    t->backoff = t->backoff ? t->backoff * 2 : backoff_min;
    if (t->backoff > backoff_max)
        t->backoff = backoff_max;
    loop_timer(t->loop, &t->retry, t->backoff);
    if (!f) {
        t->unsaved = true;
        list_each (it, &t->files) {
            struct file *each = container_of(it, struct file, link);
            each->saved = false;
        }
    } else if (u->start.generation != f->generation) {
        metric_add(t->lost, (int64_t)u->bytes);
        log_error("tail: bytes were truncated away before they were stored", "input", t->base.name, "path", f->path,
                  "bytes", log_num((long long)u->bytes));
    } else if (!f->failed) {
        f->failed = true;
        f->rewind = u->start.offset;
        f->rewind_skipping = u->start.skipping;
    }
}

static void unit_done(struct commit *c, bool durable)
{
    struct unit *u = container_of(c, struct unit, commit);
    struct tail *t = u->t;
    struct file *f = u->f;

    if (!t) {
        free(u);
        return;
    }
    list_remove(&u->link);
    t->flight -= u->bytes;
    if (f) {
        f->flight -= u->bytes;
        f->units--;
    }
    if (durable)
        t->backoff = 0;
    else
        unit_failed(t, f, u);
    free(u);
    if (f && f->failed && !f->units) {
        f->offset = f->rewind;
        f->skipping = f->rewind_skipping;
        f->ended = f->at_eof = false;
        buf_free(&f->rest);
    } else if (f && f->ended && !f->units && f->rotated) {
        rotate_done(f);
    }
    tail_settle(t);
    read_wake(t);
}

static struct start start_of(const struct file *f)
{
    return (struct start){f->offset, f->generation, f->skipping};
}

/* The machine may tell at once: the file may be gone after this. */
static void commit(struct tail *t, struct file *f, struct start from, size_t bytes)
{
    struct unit *u = alloc_new(sizeof *u);

    *u = (struct unit){.commit.done = unit_done, .t = t, .f = f, .start = from, .bytes = bytes};
    list_append(&t->units, &u->link);
    t->flight += bytes;
    if (f) {
        f->flight += bytes;
        f->units++;
    }
    feed_commit(t->feed, &u->commit);
}

static void put_position(struct file *f)
{
    struct tail *t = f->t;
    struct position p;

    file_position(f, &p);
    buf_clear(&t->text);
    position_write(&t->text, &p);
    feed_position(t->feed, str_of(f->key), buf_view(&t->text));
    f->saved = true;
}

void read_save(struct tail *t)
{
    t->unsaved = false;
    list_each (it, &t->files) {
        struct file *f = container_of(it, struct file, link);
        if (!f->saved && !f->units && !f->failed)
            put_position(f);
    }
    commit(t, NULL, (struct start){0}, 0);
}

void read_retry(struct tail *t)
{
    list_each (it, &t->files) {
        struct file *f = container_of(it, struct file, link);
        if (f->failed && !f->units) {
            f->failed = false;
            read_schedule(t, f);
        }
    }
    if (t->unsaved)
        read_save(t);
    read_wake(t);
}

/* ---- turns ---- */

static void lost(struct file *f, uint64_t bytes)
{
    metric_add(f->t->lost, (int64_t)bytes);
    log_error("tail: truncated before it was read", "input", f->t->base.name, "path", f->path, "bytes",
              log_num((long long)bytes));
}

/* The old content is gone: what of it is here goes out, and the file begins anew. */
static void truncated(struct file *f, const char *p, size_t n, uint64_t now)
{
    struct start from = start_of(f);
    size_t bytes;

    if (n)
        line_push(f, p, n, true);
    else if (f->rest.n)
        line_push(f, f->rest.p, f->rest.n, true);
    if (f->largest > f->offset && f->largest > now)
        lost(f, f->largest - f->offset);
    log_info("tail: truncated", "input", f->t->base.name, "path", f->path);
    bytes = (size_t)(f->offset - from.offset);
    file_restart(f);
    put_position(f);
    read_schedule(f->t, f);
    commit(f->t, f, from, bytes);
}

/* Puts what is behind the offset into t->data: usually one read; more only for a line that is longer than that. */
static ssize_t fill(struct file *f)
{
    struct tail *t = f->t;
    ssize_t n, more;

    buf_clear(&t->data);
    buf_room(&t->data, READ_BYTES);
    do
        n = io->pread(f->fd, t->data.p, READ_BYTES, (off_t)f->offset);
    while (n < 0 && errno == EINTR);
    if (n == READ_BYTES && t->buffer_max_size + 2 > READ_BYTES && !memchr(t->data.p, '\n', (size_t)n)) {
        size_t want = (size_t)t->buffer_max_size + 2 - READ_BYTES;
        t->data.n = (size_t)n;
        more = io_pread_all(f->fd, buf_room(&t->data, want), want, (off_t)f->offset + n);
        n += more > 0 ? more : 0;
    }
    return n;
}

/* At the end of what is there: the unterminated line is kept, and a rotated file's clock starts. */
static void reached_end(struct file *f, const char *rest, size_t n)
{
    f->at_eof = true;
    buf_clear(&f->rest);
    if (n)
        buf_add(&f->rest, rest, n);
    else
        buf_free(&f->rest);
    if (f->rotated && !f->eof_at)
        f->eof_at = io->monotonic();
    if (f->successor)
        file_waits_for(f->successor, NULL);
}

static size_t turn(struct file *f)
{
    struct tail *t = f->t;
    struct start from = start_of(f);
    enum head_state head;
    struct seen s;
    size_t n, rest;
    ssize_t got;

    if (!file_open(f))
        return 0; /* the sweep finds out where it went */
    file_touch(f);
    got = fill(f);
    if (got < 0 || !file_stat(f->fd, "", true, &s)) {
        log_error("tail: cannot read", "input", t->base.name, "path", f->path, "why", strerror(errno));
        metric_add(t->base.errors, 1);
        return 0;
    }
    n = (size_t)got;
    head = file_head(f);
    if (s.size < f->offset + n || head == HEAD_CHANGED) { /* larger, and yet another head: n bytes of something new */
        truncated(f, t->data.p, s.size < f->offset + n ? n : 0, s.size);
        return n;
    }
    rest = line_push(f, t->data.p, n, false);
    f->size = s.size;
    f->mtime = s.mtime;
    if (s.size > f->largest)
        f->largest = s.size;
    if (from.offset + n >= s.size) {
        reached_end(f, t->data.p + n - rest, rest);
    } else {
        buf_clear(&f->rest);
        read_schedule(t, f);
    }
    if (f->offset != from.offset || !f->saved) {
        put_position(f);
        commit(t, f, from, (size_t)(f->offset - from.offset));
    }
    return n;
}

void read_end(struct file *f)
{
    struct start from = start_of(f);

    f->ended = true;
    if (f->rest.n)
        line_push(f, f->rest.p, f->rest.n, true);
    buf_free(&f->rest);
    if (f->offset != from.offset) {
        put_position(f);
        commit(f->t, f, from, (size_t)(f->offset - from.offset));
    } else if (!f->units && f->rotated) {
        rotate_done(f);
    }
}

static bool blocked(const struct file *f)
{
    return f->failed || f->flight >= FILE_FLIGHT || f->waits_for;
}

static void open_round(struct letter *m)
{
    struct rounds *r = container_of(m, struct rounds, letter);
    struct tail *t = r->t;
    size_t bytes = 0;
    struct link still;
    bool more;

    if (!t) {
        free(r);
        return;
    }
    r->posted = false;
    t->now = io->wall();
    list_init(&still);
    while (!list_empty(&t->ready) && bytes < ROUND_BYTES && !t->paused && t->flight < TOTAL_FLIGHT) {
        struct file *f = container_of(t->ready.next, struct file, ready);
        list_remove(&f->ready);
        if (blocked(f))
            list_append(&still, &f->ready);
        else
            bytes += turn(f) + 4096; /* a turn costs something even when there is nothing to read */
    }
    more = !list_empty(&t->ready);
    list_each (it, &still) {
        more |= !blocked(container_of(it, struct file, ready));
        list_remove(it);
        list_append(&t->ready, it);
    }
    if (more)
        read_wake(t);
    tail_settle(t);
}
