/* SPDX-License-Identifier: Apache-2.0 */
/* A writer that rotates all the while: every line once, in order. */
#include "tail_test.h"

#include <pthread.h>

struct writer {
    struct scene *s;
    unsigned lines, rotate_us, keep, turn; /* keep 0: every file, under a name of its own */
    pthread_t thread;
};

static void rotate(struct writer *w)
{
    char from[128], to[128];

    if (!w->keep) { /* names that never move again */
        snprintf(from, sizeof from, "%s/a.log", w->s->dir);
        snprintf(to, sizeof to, "%s/a.log-%06u", w->s->dir, ++w->turn);
        rename(from, to);
    }
    for (unsigned i = w->keep; i > 0; i--) {
        snprintf(from, sizeof from, i > 1 ? "%s/a.log.%u" : "%s/a.log", w->s->dir, i - 1);
        snprintf(to, sizeof to, "%s/a.log.%u", w->s->dir, i);
        rename(from, to);
    }
}

static void *write_lines(void *arg)
{
    struct writer *w = arg;
    char path[128];
    int64_t turn = io->monotonic();
    FILE *f;

    snprintf(path, sizeof path, "%s/a.log", w->s->dir);
    f = fopen(path, "a");
    for (unsigned i = 0; i < w->lines; i++) {
        fprintf(f, "%u\n", i);
        if (i % 64 == 0)
            fflush(f);
        if (i % 500 == 0)
            usleep(1000);
        if (io->monotonic() - turn > w->rotate_us * INT64_C(1000)) {
            fclose(f);
            rotate(w);
            f = fopen(path, "a");
            turn = io->monotonic();
        }
    }
    fclose(f);
    return NULL;
}

static void check_sequence(struct scene *s, unsigned lines)
{
    unsigned wrong = 0, next = 0;

    for (size_t i = 0; i < s->feed->nevents; i++) {
        struct fake_event *ev = &s->feed->events[i];
        char want[32];
        int n = snprintf(want, sizeof want, "%u", next);
        if (s->feed->units[ev->unit].state != FAKE_DURABLE)
            continue;
        wrong += ev->body.n != (size_t)n + 6 || memcmp(ev->body.p + 6, want, (size_t)n) != 0;
        next++;
    }
    CHECK_INT(next, lines);
    CHECK_INT(wrong, 0);
}

static void run_writer(struct writer *w, struct scene *s)
{
    w->s = s;
    CHECK_INT(pthread_create(&w->thread, NULL, write_lines, w), 0);
}

TEST(rotation_every_50_ms)
{
    struct scene s = scene_new();
    struct writer w = {.lines = 100000, .rotate_us = 50000, .keep = 3};

    SCENE_START(&s, "path", in(&s, "a.log"), "rotate_wait", "200ms", "progress_check_interval", "50ms");
    run_writer(&w, &s);
    fake_wait(s.feed, w.lines, 20000);
    pthread_join(w.thread, NULL);
    fake_run(s.feed, 100);
    check_sequence(&s, w.lines);
    fake_run(s.feed, 500);
    CHECK_INT(s.tail->nfiles, 1);
    scene_end(&s);
}

TEST(rotation_every_5_ms)
{
    struct scene s = scene_new();
    struct writer w = {.lines = 100000, .rotate_us = 5000};

    SCENE_START(&s, "path", in(&s, "a.log"), "rotate_wait", "200ms", "progress_check_interval", "50ms");
    run_writer(&w, &s);
    fake_wait(s.feed, w.lines, 20000);
    pthread_join(w.thread, NULL);
    fake_run(s.feed, 100);
    check_sequence(&s, w.lines);
    scene_end(&s);
}

TEST(rotation_within_the_pattern)
{
    struct scene s = scene_new();
    /* A file lives for half a second: on a busy machine a shorter life may end before anybody could look. */
    struct writer w = {.lines = 50000, .rotate_us = 20000, .keep = 25};

    SCENE_START(&s, "path", in(&s, "a.log*"), "rotate_wait", "200ms", "progress_check_interval", "50ms");
    run_writer(&w, &s);
    fake_wait(s.feed, w.lines, 20000);
    pthread_join(w.thread, NULL);
    fake_run(s.feed, 100);
    check_sequence(&s, w.lines);
    fake_run(s.feed, 500);
    CHECK(s.tail->nfiles <= 26);
    scene_end(&s);
}

TEST(rotation_with_crashes_and_failing_commits)
{
    struct scene s = scene_new();
    struct writer w = {.lines = 100000, .rotate_us = 20000};
    unsigned round = 0;

    SCENE_START(&s, "path", in(&s, "a.log"));
    run_writer(&w, &s);
    while (fake_count(s.feed, true) < w.lines && round < 400) {
        round++;
        fake_run(s.feed, 20);
        s.feed->fail = round % 7 == 0;
        if (round % 10 == 0) {
            scene_crash(&s);
            SCENE_START(&s, "path", in(&s, "a.log"));
        }
    }
    s.feed->fail = false;
    pthread_join(w.thread, NULL);
    fake_run(s.feed, 300);
    check_sequence(&s, w.lines);
    scene_end(&s);
}

TEST(latency_from_write_to_push)
{
    struct scene s = scene_new();
    int64_t worst = 0;

    append(&s, "a.log", "0\n");
    SCENE_START(&s, "path", in(&s, "a.log"), "read_from_head", "on");
    CHECK(fake_wait(s.feed, 1, 1000));
    for (unsigned i = 1; i < 20; i++) {
        int64_t start = io->monotonic(), took;
        append(&s, "a.log", "x\n");
        while (fake_count(s.feed, false) <= i && io->monotonic() - start < SECOND)
            fake_run(s.feed, 1);
        took = io->monotonic() - start;
        worst = took > worst ? took : worst;
    }
    fprintf(stderr, "write to push: at most %.2f ms\n", (double)worst / 1e6);
    CHECK(worst < 50 * MILLISECOND);
    scene_end(&s);
}
