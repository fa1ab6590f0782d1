/* SPDX-License-Identifier: Apache-2.0 */
/* A directory of files, a tail on it, and the fake machine. */
#pragma once
#include "fake_feed.h"
#include "tail_file.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <unistd.h>

extern const struct plugin input_tail;

struct scene {
    char dir[64];
    struct feed *feed;
    struct tail *tail;
};

static char scene_names[8][256];
static unsigned scene_name_at;

/* The path of a file of the scene; eight at a time. */
__attribute__((unused)) static const char *in(const struct scene *s, const char *name)
{
    char *p = scene_names[scene_name_at++ % 8];

    snprintf(p, 256, "%s/%s", s->dir, name);
    return p;
}

__attribute__((unused)) static void append(const struct scene *s, const char *name, const char *text)
{
    FILE *f = fopen(in(s, name), "a");

    fputs(text, f);
    fclose(f);
}

__attribute__((unused)) static void append_bytes(const struct scene *s, const char *name, const void *p, size_t n)
{
    FILE *f = fopen(in(s, name), "a");

    fwrite(p, 1, n, f);
    fclose(f);
}

__attribute__((unused)) static void move(const struct scene *s, const char *from, const char *to)
{
    if (rename(in(s, from), in(s, to)))
        perror("rename");
}

__attribute__((unused)) static struct scene scene_new(void)
{
    struct scene s = {.dir = "/tmp/weir-tail-XXXXXX"};

    if (!mkdtemp(s.dir))
        abort();
    s.feed = fake_feed(loop_new());
    return s;
}

/* Starts a tail; options follow as for fake_instance. */
#define SCENE_START(s, ...)                                        \
    do {                                                           \
        (s)->tail = fake_instance(&input_tail, __VA_ARGS__, NULL); \
        if (!(s)->tail)                                            \
            fprintf(stderr, "%s\n", fake_err.text);                \
        CHECK((s)->tail &&scene_begin(s));                         \
    } while (0)

__attribute__((unused)) static bool scene_begin(struct scene *s)
{
    struct err e = {{0}};
    bool ok = input_tail.input->start(s->tail, s->feed, &e);

    if (!ok)
        fprintf(stderr, "%s\n", e.text);
    return ok;
}

__attribute__((unused)) static void scene_stop(struct scene *s)
{
    if (!s->tail)
        return;
    input_tail.input->stop(s->tail);
    fake_run(s->feed, 20); /* letters and commits that are on their way */
    fake_instance_free(s->tail);
    s->tail = NULL;
}

/* Stops as a crash would: what is not durable is lost. */
__attribute__((unused)) static void scene_crash(struct scene *s)
{
    s->feed->manual = true;
    scene_stop(s);
    fake_settle(s->feed, SIZE_MAX, false);
    s->feed->manual = false;
}

static int scene_remove(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
    (void)st;
    (void)kind;
    (void)ftw;
    return remove(path);
}

__attribute__((unused)) static void scene_end(struct scene *s)
{
    scene_stop(s);
    fake_feed_free(s->feed);
    nftw(s->dir, scene_remove, 16, FTW_DEPTH | FTW_PHYS);
}

/* Waits for n durable events, then a little longer: there must be no more. */
#define WANT(s, n)                                 \
    do {                                           \
        CHECK(fake_wait((s)->feed, n, 3000));      \
        fake_run((s)->feed, 30);                   \
        CHECK_INT(fake_count((s)->feed, true), n); \
    } while (0)

__attribute__((unused)) static void check_line(const char *file, int line, struct scene *s, size_t i, const char *text)
{
    char want[512];

    snprintf(want, sizeof want, "{\"log\":\"%s\"}", text);
    check_str(file, line, "event", fake_body(s->feed, i), want);
}
#define WANT_LINE(s, i, text) check_line(__FILE__, __LINE__, s, i, text)
