/* SPDX-License-Identifier: Apache-2.0 */
/* From the patterns of `path` to the files that are followed. */
#include "tail_file.h"

#include "base/alloc.h"
#include "base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdio.h>

static size_t wild_at(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (strchr("*?[", s.p[i]))
            return i;
    return SIZE_MAX;
}

static bool matches(struct str pattern, const char *path)
{
    char *z = alloc_text(pattern.p, pattern.n);
    bool yes = fnmatch(z, path, FNM_PATHNAME | FNM_PERIOD) == 0;

    free(z);
    return yes;
}

static bool excluded(const struct tail *t, const char *path)
{
    for (size_t i = 0; i < t->exclude_path.n; i++)
        if (matches(t->exclude_path.items[i], path))
            return true;
    return false;
}

bool scan_matches(const struct tail *t, struct str path)
{
    CLEANUP(cleanup_free) char *z = alloc_text(path.p, path.n);

    for (size_t i = 0; i < t->path.n; i++)
        if (matches(t->path.items[i], z))
            return !excluded(t, z);
    return false;
}

/* The directory that a pattern names: up to the last slash in front of the first wildcard. */
static char *root_of(struct str pattern)
{
    size_t n = wild_at(pattern);

    n = n == SIZE_MAX ? pattern.n : n;
    while (n && pattern.p[n - 1] != '/')
        n--;
    if (!n)
        return alloc_text(".", 1);
    return alloc_text(pattern.p, n > 1 ? n - 1 : n);
}

static bool below(const char *dir, const char *real)
{
    CLEANUP(cleanup_free) char *root = io->realpath(dir);
    size_t n = root ? strlen(root) : 0;

    return n && !strncmp(real, root, n) && (real[n] == '/' || root[n - 1] == '/');
}

bool scan_allows(const struct tail *t, const char *path, const char *real)
{
    if (!strcmp(path, real))
        return true;
    for (size_t i = 0; i < t->path.n; i++) {
        CLEANUP(cleanup_free) char *root = root_of(t->path.items[i]);
        if (below(root, real))
            return true;
    }
    for (size_t i = 0; i < t->symlink_dirs.n; i++) {
        CLEANUP(cleanup_free) char *root = alloc_text(t->symlink_dirs.items[i].p, t->symlink_dirs.items[i].n);
        if (below(root, real))
            return true;
    }
    return false;
}

static bool too_old(const struct tail *t, const struct seen *s)
{
    return t->ignore_older && s->mtime < io->wall() - t->ignore_older;
}

/* Where to begin in a file that is seen for the first time. */
static void begin(struct tail *t, struct file *f, const struct seen *s, struct known *k)
{
    struct file *before = map_get(&t->last, str_of(f->path));

    if (before) {
        file_waits_for(f, before);
        map_set(&t->checks, str_of(f->path), f);
    }
    if (k) {
        memcpy(f->key, k->key, sizeof f->key);
        file_adopt(f, &k->position, s);
        known_drop(t, k);
    } else if (!before && !map_get(&t->old_paths, str_of(f->path)) &&
               !(t->scanned ? t->read_new_from_head : t->read_from_head)) {
        file_seek_end(f);
    } else {
        file_head(f);
    }
    t->unsaved |= !f->saved;
}

/* Behind a symbolic link the writes happen in another directory. */
static void watch_target(struct tail *t, struct file *f, struct str target)
{
    struct str dir = target;

    while (dir.n && dir.p[dir.n - 1] != '/')
        dir.n--;
    f->target = alloc_text(target.p, target.n);
    map_set(&t->by_target, target, f);
    watch_dir(t, dir);
}

static void start_file(struct tail *t, const char *path)
{
    struct seen s;
    struct err e;
    struct known *k;
    struct file *f;
    CLEANUP(buf_free) struct buf target = {0};
    int64_t seen = io->wall(); /* before the look: what takes the name after it is born later */
    int fd;

    if (t->nfiles >= FILES_MAX) {
        log_warn("tail: too many files; more are not followed", "input", t->base.name, "path", path);
        return;
    }
    fd = file_open_path(t, path, &s, &target, &e);
    if (fd < 0) {
        if (errno != ENOENT)
            log_warn("tail: file is not followed", "input", t->base.name, "why", e.text);
        metric_add(t->base.errors, 1);
        return;
    }
    k = known_find(t, &s, fd);
    f = file_new(t, k && k->position.path.n ? k->path : path, path, fd, &s);
    if (!f)
        return;
    f->seen = seen;
    map_set(&t->by_path, str_of(path), f);
    if (target.n)
        watch_target(t, f, buf_view(&target));
    begin(t, f, &s, k);
    log_info("tail: following", "input", t->base.name, "path", path, "offset", log_num((long long)f->offset));
    read_schedule(t, f);
}

/* A file that is followed already has this name too, or now. */
static void renamed(struct tail *t, struct file *f, const char *path)
{
    struct seen s;

    if (!f->rotated) {
        if (!strcmp(f->real, path) ||
            (file_stat(AT_FDCWD, f->real, true, &s) && s.device == f->device && s.inode == f->inode))
            return; /* a second name: one is enough */
        map_del(&t->by_path, str_of(f->real));
    }
    f->rotated = f->ended = false;
    free(f->real);
    f->real = alloc_text(path, strlen(path));
    map_set(&t->by_path, str_of(path), f);
}

void scan_path(struct tail *t, const char *path)
{
    struct file *f = map_get(&t->by_path, str_of(path));
    char key[40];
    struct seen s;
    size_t n;

    if (f) {
        rotate_check(t, f, io->monotonic());
        if (map_get(&t->by_path, str_of(path)))
            return;
    }
    if (excluded(t, path) || !file_stat(AT_FDCWD, path, true, &s))
        return;
    if (S_ISDIR(s.mode))
        return;
    n = position_key(key, s.device, s.inode);
    f = map_get(&t->by_key, (struct str){key, n});
    if (f)
        renamed(t, f, path);
    else if (!too_old(t, &s))
        start_file(t, path);
}

/* ---- patterns: one component at a time, without recursion ---- */

struct expansion {
    struct tail *t;
    struct buf work;    /* directories to look into, each followed by NUL and what is left of the pattern, and NUL */
    struct str pattern; /* of this component */
    struct str rest;    /* behind it */
    struct str dir;     /* with its slash; NUL terminated */
};

static void expand_push(struct expansion *x, const char *name)
{
    buf_str(&x->work, x->dir);
    buf_add(&x->work, name, strlen(name));
    if (x->rest.n)
        buf_char(&x->work, '/');
    buf_char(&x->work, 0);
    buf_str(&x->work, x->rest);
    buf_char(&x->work, 0);
}

static void expand_name(void *arg, const char *name)
{
    struct expansion *x = arg;

    if (matches(x->pattern, name))
        expand_push(x, name);
}

static void expand_step(struct expansion *x)
{
    struct tail *t = x->t;
    const char *dir = x->dir.p;
    struct str left = x->rest;
    int fd;

    if (!left.n) { /* a whole path */
        scan_path(t, dir);
        return;
    }
    x->pattern = str_cut(&left, '/');
    while (left.n && left.p[0] == '/')
        left = str_from(left, 1);
    x->rest = left;
    if (wild_at(x->pattern) == SIZE_MAX) {
        CLEANUP(cleanup_free) char *name = alloc_text(x->pattern.p, x->pattern.n);
        if (!left.n)
            watch_dir(t, str_of(dir));
        expand_push(x, name);
        return;
    }
    watch_dir(t, str_of(dir)); /* before it is listed: what comes between is not missed */
    fd = io->openat(AT_FDCWD, *dir ? dir : ".", O_RDONLY | O_DIRECTORY, 0);
    if (fd < 0)
        return;
    io->list(fd, expand_name, x);
    io->close(fd);
}

static void expand(struct tail *t, struct str pattern)
{
    struct expansion x = {.t = t};
    size_t slash = 0;

    while (slash < pattern.n && pattern.p[slash] == '/')
        slash++;
    buf_add(&x.work, "/", slash ? 1 : 0);
    buf_char(&x.work, 0);
    buf_str(&x.work, str_from(pattern, slash));
    buf_char(&x.work, 0);
    while (x.work.n) { /* the last one first: depth first, so that the work stays small */
        size_t end = x.work.n - 1, middle, start;
        for (middle = end; middle && x.work.p[middle - 1]; middle--)
            continue;
        for (start = middle - 1; start && x.work.p[start - 1]; start--)
            continue;
        CLEANUP(cleanup_free) char *copy = alloc_raw(x.work.n - start);
        memcpy(copy, x.work.p + start, x.work.n - start);
        x.dir = (struct str){copy, middle - 1 - start};
        x.rest = (struct str){copy + (middle - start), end - middle};
        x.work.n = start;
        expand_step(&x);
    }
    buf_free(&x.work);
}

void scan_all(struct tail *t)
{
    for (size_t i = 0; i < t->path.n; i++)
        expand(t, t->path.items[i]);
    rotate_siblings(t);
    if (t->unsaved)
        read_save(t);
}
