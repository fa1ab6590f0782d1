/* SPDX-License-Identifier: Apache-2.0 */
/* A directory for one test, and a process that is killed in the middle of it. */
#pragma once
#include "fake_machine.h"
#include "base/cleanup.h"
#include "base/io.h"
#include "net/compress.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

extern const struct plugin output_file;
#define SEC INT64_C(1000000000)
#define T0 (INT64_C(1700000000) * SEC) /* 2023-11-14T22:13:20Z */

struct play {
    char base[64], root[80], state_dir[80], props[512];
    struct fake f;
};

static inline int remove_entry(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)st, (void)flag, (void)ftw;
    return remove(path);
}

static inline void play_begin(struct play *p)
{
    /* In memory where that is possible: nothing here depends on what a disk does. */
    *p = (struct play){.base = "/dev/shm/weir-file-XXXXXX"};
    if (access("/dev/shm", W_OK))
        strcpy(p->base, "/tmp/weir-file-XXXXXX");
    CHECK(mkdtemp(p->base) != NULL);
    snprintf(p->root, sizeof(p->root), "%s/root", p->base);
    snprintf(p->state_dir, sizeof(p->state_dir), "%s/state", p->base);
    mkdir(p->root, 0755);
    mkdir(p->state_dir, 0755);
    fake_env.state_dir = p->state_dir;
}

static inline void play_end(struct play *p)
{
    if (p->f.arena)
        fake_free(&p->f);
    nftw(p->base, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    fake_env.state_dir = NULL;
}

/* props: without path. */
static inline bool play_start(struct play *p, const char *props, struct err *e)
{
    char text[700];
    if (props)
        snprintf(p->props, sizeof(p->props), "%s", props);
    snprintf(text, sizeof(text), "path %s\n%s", p->root, p->props);
    return fake_start(&p->f, &output_file, text, e);
}

static inline void play_stop(struct play *p)
{
    fake_free(&p->f);
}

static inline struct str slurp(struct play *p, const char *dir, const char *name, struct buf *out)
{
    CLEANUP(buf_free) struct buf path = {0};
    int fd;
    ssize_t n;
    (void)p;
    buf_clear(out);
    buf_fmt(&path, "%s/%s", dir, name);
    fd = open(buf_text(&path), O_RDONLY);
    if (fd < 0)
        return STR("(no file)");
    while ((n = read(fd, buf_room(out, 65536), 65536)) > 0)
        out->n += (size_t)n;
    close(fd);
    return buf_view(out);
}
#define CHECK_FILE(p, name, want)                           \
    do {                                                    \
        struct buf file_ = {0};                             \
        CHECK_STR(slurp(p, (p)->root, name, &file_), want); \
        buf_free(&file_);                                   \
    } while (0)

static inline void spit(struct play *p, const char *name, const char *text)
{
    char path[1024];
    FILE *f;
    snprintf(path, sizeof(path), "%s/%s", p->root, name);
    f = fopen(path, "w");
    fputs(text, f);
    fclose(f);
}

/* The machine's side of a checkpoint: the description becomes durable in a file of the test's. */
static inline bool play_checkpoint(struct play *p, bool settled)
{
    CLEANUP(buf_free) struct buf state = {0};
    char path[128];
    struct err e = {""};
    int fd;
    if (!output_file.output->checkpoint(p->f.instance, &state, &e)) {
        fprintf(stderr, "checkpoint: %s\n", e.text);
        return false;
    }
    snprintf(path, sizeof(path), "%s/checkpoint", p->base);
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    CHECK(write(fd, state.p, state.n) == (ssize_t)state.n);
    close(fd);
    if (settled)
        output_file.output->settled(p->f.instance);
    return true;
}

static inline bool play_restore(struct play *p, struct err *e)
{
    CLEANUP(buf_free) struct buf state = {0};
    struct str s = slurp(p, p->base, "checkpoint", &state);
    return output_file.output->restore(p->f.instance, state.p || state.n ? s : STR(""), e);
}

/* Start and restore, as the machine does. */
static inline void play_again(struct play *p)
{
    struct err e = {""};
    bool ok = play_start(p, NULL, &e) && play_restore(p, &e);
    CHECK(ok);
    if (!ok)
        fprintf(stderr, "%s\n", e.text);
}

/* body runs in a process of its own that is killed at its end; the files are as that left them. */
static inline void play_crash(struct play *p, void (*body)(struct play *p))
{
    unsigned before = test_failures;
    int status = 0;
    pid_t child;
    fflush(NULL);
    child = fork();
    if (!child) {
        body(p);
        if (test_failures != before)
            _exit(3);
        kill(getpid(), SIGKILL);
    }
    CHECK(waitpid(child, &status, 0) == child && WIFSIGNALED(status));
}

static inline enum verdict put(struct play *p, const char *tag, int64_t time, const char *json)
{
    struct fake_event ev = {tag, time, json, NULL};
    struct err e = {""};
    enum verdict v = fake_write(&p->f, &ev, 1, &e);
    if (v != DONE)
        fprintf(stderr, "(%s)\n", e.text);
    return v;
}

/* The names below a directory, sorted, one a line; hidden ones too. */
static inline void list_into(const char *dir, const char *rel, struct buf *out)
{
    CLEANUP(buf_free) struct buf path = {0}, inner = {0};
    struct dirent **names;
    int n;
    buf_fmt(&path, "%s/%s", dir, rel);
    n = scandir(buf_text(&path), &names, NULL, alphasort);
    for (int i = 0; i < n; i++) {
        if (strcmp(names[i]->d_name, ".") && strcmp(names[i]->d_name, "..")) {
            buf_clear(&inner);
            buf_fmt(&inner, "%s%s%s", rel, *rel ? "/" : "", names[i]->d_name);
            if (names[i]->d_type == DT_DIR)
                list_into(dir, buf_text(&inner), out);
            else
                buf_fmt(out, "%s\n", buf_text(&inner));
        }
        free(names[i]);
    }
    if (n >= 0)
        free(names);
}

/* The one finished file whose name begins so: its name, and its bytes. */
static inline bool finished(struct play *p, const char *prefix, char name[512], struct buf *bytes)
{
    CLEANUP(buf_free) struct buf all = {0};
    struct str rest;
    unsigned n = 0;
    list_into(p->root, "", &all);
    rest = buf_view(&all);
    while (rest.n) {
        struct str line = str_cut(&rest, '\n');
        if (!str_starts(line, str_of(prefix)))
            continue;
        snprintf(name, 512, STR_FMT, STR_ARG(line));
        n++;
    }
    if (n != 1) {
        fprintf(stderr, "%u files begin with %s:\n" STR_FMT, n, prefix, STR_ARG(all));
        return false;
    }
    slurp(p, p->root, name, bytes);
    return true;
}
