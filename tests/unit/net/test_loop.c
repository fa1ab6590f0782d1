/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "base/cleanup.h"
#include "base/io.h"
#include "net/loop.h"

#include <pthread.h>
#include <unistd.h>

static struct loop *loop;

static void stop(struct timer *t)
{
    (void)t;
    loop_stop(loop);
}

/* ---- letters ---- */

enum { THREADS = 4, LETTERS = 20000 };

struct note {
    struct letter letter;
    int thread, n;
};
static int seen[THREADS], disorder, total;

static void open_note(struct letter *m)
{
    struct note *note = container_of(m, struct note, letter);

    disorder += note->n != seen[note->thread];
    seen[note->thread]++;
    if (++total == THREADS * LETTERS)
        loop_stop(loop);
}

static void *post_all(void *arg)
{
    struct note *notes = arg;

    for (int i = 0; i < LETTERS; i++)
        loop_post(loop, &notes[i].letter);
    return NULL;
}

TEST(letters_arrive_once_and_in_order)
{
    struct note *notes = calloc(THREADS * LETTERS, sizeof *notes);
    pthread_t threads[THREADS];

    loop = loop_new();
    for (int t = 0; t < THREADS; t++) {
        for (int i = 0; i < LETTERS; i++)
            notes[t * LETTERS + i] = (struct note){{open_note, NULL}, t, i};
        pthread_create(&threads[t], NULL, post_all, notes + (long)t * LETTERS);
    }
    loop_run(loop);
    for (int t = 0; t < THREADS; t++)
        pthread_join(threads[t], NULL);
    CHECK_INT(total, THREADS * LETTERS);
    CHECK_INT(disorder, 0);
    loop_free(loop);
    free(notes);
}

/* ---- timers ---- */

struct tick {
    struct timer timer;
    int n;
};

static void tick(struct timer *t)
{
    struct tick *k = container_of(t, struct tick, timer);

    if (++k->n < 3)
        loop_timer(loop, t, MILLISECOND);
}

static void free_me(struct timer *t)
{
    free(container_of(t, struct tick, timer));
}

TEST(timers_fire_move_and_cancel)
{
    struct tick again = {{tick, NULL}, 0}, never = {{tick, NULL}, 0};
    struct tick *gone = calloc(1, sizeof *gone);
    struct timer end = {stop, NULL};

    loop = loop_new();
    gone->timer.fire = free_me;
    loop_timer(loop, &gone->timer, MILLISECOND);
    loop_timer(loop, &again.timer, MILLISECOND);
    loop_timer(loop, &never.timer, MILLISECOND);
    loop_cancel(loop, &never.timer);
    loop_cancel(loop, &never.timer);
    loop_timer(loop, &end, 5 * SECOND);
    loop_timer(loop, &end, 30 * MILLISECOND);
    loop_run(loop);
    CHECK_INT(again.n, 3);
    CHECK_INT(never.n, 0);
    loop_timer(loop, &never.timer, SECOND); /* still running when the loop is freed */
    loop_free(loop);
    CHECK(never.timer.handle == NULL);
}

/* ---- watches and hooks ---- */

struct pipe_end {
    struct watch watch;
    char got[16];
    size_t n;
};
static int rounds, rounds_at_end;

static void readable(struct watch *w, unsigned events)
{
    struct pipe_end *p = container_of(w, struct pipe_end, watch);
    ssize_t n = read(w->fd, p->got + p->n, sizeof p->got - p->n);

    CHECK(events & LOOP_READ);
    if (n > 0) {
        p->n += (size_t)n;
        return;
    }
    loop_unwatch(loop, w);
    close(w->fd);
    loop_stop(loop);
}

static void round_done(struct hook *h)
{
    (void)h;
    rounds++;
}

static void write_and_close(struct timer *t);
static int write_fd;
static struct timer writer = {write_and_close, NULL};

static void write_and_close(struct timer *t)
{
    static int n;

    if (n++ < 3) {
        CHECK_INT(write(write_fd, "abc", 3), 3);
        loop_timer(loop, t, 2 * MILLISECOND);
        return;
    }
    rounds_at_end = rounds;
    close(write_fd);
}

TEST(watch_and_hooks)
{
    int fds[2];
    struct pipe_end end = {0};
    struct hook hook = {round_done, NULL};
    struct err e;

    CHECK_INT(pipe(fds), 0);
    loop = loop_new();
    end.watch = (struct watch){fds[0], readable, NULL};
    write_fd = fds[1];
    CHECK(loop_watch(loop, &end.watch, LOOP_READ, &e));
    CHECK(loop_watch(loop, &end.watch, LOOP_READ, &e));
    CHECK(loop_watch(loop, &end.watch, 0, &e));
    CHECK(loop_watch(loop, &end.watch, LOOP_READ, &e));
    loop_after_round(loop, &hook);
    loop_timer(loop, &writer, 0);
    loop_run(loop);
    CHECK_STR(((struct str){end.got, end.n}), "abcabcabc");
    CHECK(rounds >= 4 && rounds_at_end >= 4);
    loop_unwatch(loop, &end.watch);
    loop_free(loop);
}

TEST(watch_refuses_what_cannot_be_watched)
{
    struct pipe_end file = {0};
    struct err e = {0};
    char name[] = "/tmp/loop-test-XXXXXX";

    loop = loop_new();
    file.watch = (struct watch){mkstemp(name), readable, NULL};
    unlink(name);
    CHECK(!loop_watch(loop, &file.watch, LOOP_READ, &e));
    CHECK(strstr(e.text, "cannot watch") != NULL);
    close(file.watch.fd);
    loop_free(loop);
}

TEST(stop_before_run)
{
    loop = loop_new();
    loop_stop(loop);
    loop_run(loop);
    CHECK(loop_uv(loop) != NULL);
    loop_free(loop);
}
