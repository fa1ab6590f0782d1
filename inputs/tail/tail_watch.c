/* SPDX-License-Identifier: Apache-2.0 */
/* inotify tells early; what it forgets, the sweep finds. */
#include "tail_file.h"

#include "base/alloc.h"
#include "base/io.h"

#include <errno.h>
#include <stdio.h>
#include <sys/inotify.h>

enum { MASK = IN_MODIFY | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ONLYDIR };
static const int64_t rescan_delay = 100 * MILLISECOND; /* a new directory is mostly filled right after */

struct dir {
    char *path; /* with its slash; "" for the working directory */
    int wd;
};

struct dirs {
    struct watch watch;
    struct tail *t;
    struct dir *items; /* ordered as they came; looked up by wd in by_wd */
    size_t n, cap;
    struct map by_path; /* -> struct dir index + 1 */
    struct buf name;
    bool full; /* the system gives no more watches */
};

static struct dir *find(struct dirs *d, int wd)
{
    /* Watch descriptors are given out in ascending order, so the newest stand last; few directories are watched. */
    for (size_t i = d->n; i--;)
        if (d->items[i].wd == wd)
            return &d->items[i];
    return NULL;
}

static void forget(struct dirs *d, struct dir *gone)
{
    size_t i = (size_t)(gone - d->items);

    map_del(&d->by_path, str_of(gone->path));
    free(gone->path);
    *gone = d->items[--d->n];
    if (i < d->n)
        map_set(&d->by_path, str_of(d->items[i].path), (void *)(uintptr_t)(i + 1));
}

/* Something happened to a name that we do not follow: perhaps a rotated file is still written to. */
static void wake_rotated(struct tail *t, struct str dir)
{
    for (struct map_entry *m = NULL; (m = map_next(&t->last, m));) {
        struct file *f = m->value;
        if (str_starts(m->key, dir))
            rotate_check(t, f, io->monotonic());
    }
}

static void changed(struct dirs *d, struct dir *dir, const struct inotify_event *ev)
{
    struct tail *t = d->t;
    struct str path;
    struct file *f;

    buf_clear(&d->name);
    buf_add(&d->name, dir->path, strlen(dir->path));
    buf_add(&d->name, ev->name, strlen(ev->name));
    buf_char(&d->name, 0);
    path = (struct str){d->name.p, d->name.n - 1};
    f = map_get(&t->by_path, path);
    if (!f && t->by_target.live && (f = map_get(&t->by_target, path)) && !(ev->mask & IN_MODIFY)) {
        rotate_check(t, f, io->monotonic());
        return;
    }
    if (ev->mask & IN_MODIFY) {
        if (f)
            read_schedule(t, f);
        else if (t->last.live)
            wake_rotated(t, str_of(dir->path));
    } else if (f) {
        scan_path(t, path.p);
    } else if (ev->mask & IN_ISDIR) {
        if (ev->mask & (IN_CREATE | IN_MOVED_TO))
            loop_timer(t->loop, &t->refresh, rescan_delay);
    } else if (ev->mask & (IN_CREATE | IN_MOVED_TO) && scan_matches(t, path)) {
        scan_path(t, path.p);
    }
}

static void overflow(struct tail *t)
{
    log_warn("tail: the kernel's queue of file events overflowed; looking at everything", "input", t->base.name);
    t->sweep_at = t->files.next;
    loop_timer(t->loop, &t->sweep, 0);
    loop_timer(t->loop, &t->refresh, 0);
}

static void ready(struct watch *w, unsigned events)
{
    struct dirs *d = container_of(w, struct dirs, watch);
    struct tail *t = d->t;
    char room[64 << 10] __attribute__((aligned(8)));
    ssize_t n = io->read(w->fd, room, sizeof room); /* what is left is announced again */

    (void)events;
    for (char *p = room; n > 0 && p < room + n;) {
        const struct inotify_event *ev = (const void *)p;
        struct dir *dir = find(d, ev->wd);
        p += sizeof *ev + ev->len;
        if (ev->mask & IN_Q_OVERFLOW)
            overflow(t);
        else if (dir && ev->mask & IN_IGNORED)
            forget(d, dir);
        else if (dir && ev->len)
            changed(d, dir, ev);
    }
    rotate_siblings(t);
    if (t->unsaved)
        read_save(t);
}

void watch_dir(struct tail *t, struct str path)
{
    struct dirs *d = t->dirs;
    char *z;
    int wd;

    if (!d || d->full || map_get(&d->by_path, path))
        return;
    z = path.n ? alloc_text(path.p, path.n) : alloc_text("./", 2);
    wd = inotify_add_watch(d->watch.fd, z, MASK);
    if (wd < 0 && errno == ENOSPC) {
        d->full = true;
        log_warn("tail: no more inotify watches (fs.inotify.max_user_watches); new lines are found by looking", "input",
                 t->base.name);
    }
    if (!path.n)
        *z = 0;
    if (wd < 0 || find(d, wd)) { /* not there, or the same directory under another name */
        free(z);
        return;
    }
    d->items = alloc_grow(d->items, d->n, &d->cap, sizeof *d->items);
    d->items[d->n++] = (struct dir){z, wd};
    map_set(&d->by_path, path, (void *)(uintptr_t)d->n);
}

bool watch_works(const struct tail *t)
{
    return t->dirs && !t->dirs->full;
}

void watch_start(struct tail *t)
{
    struct dirs *d;
    struct err e;
    int fd;

    if (!t->inotify_watcher)
        return;
    fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (fd < 0) {
        log_warn("tail: no inotify; new lines are found by looking", "input", t->base.name, "why", strerror(errno));
        return;
    }
    d = alloc_new(sizeof *d);
    d->t = t;
    d->watch = (struct watch){.fd = fd, .ready = ready};
    t->dirs = d;
    if (!loop_watch(t->loop, &d->watch, LOOP_READ, &e)) {
        log_warn("tail: no inotify; new lines are found by looking", "input", t->base.name, "why", e.text);
        watch_stop(t);
    }
}

void watch_stop(struct tail *t)
{
    struct dirs *d = t->dirs;

    if (!d)
        return;
    loop_unwatch(t->loop, &d->watch);
    io->close(d->watch.fd);
    for (size_t i = 0; i < d->n; i++)
        free(d->items[i].path);
    free(d->items);
    map_free(&d->by_path);
    buf_free(&d->name);
    free(d);
    t->dirs = NULL;
}
