/* SPDX-License-Identifier: Apache-2.0 */
/* Files whose name went away: they are read to their end, in order, and only then let go.  Where several rotations
 * happened between two looks, or while the agent was stopped, the files in between are found among the siblings of the
 * path: `path` followed by anything, not compressed. */
#include "tail_file.h"

#include "base/alloc.h"
#include "base/crc32c.h"
#include "base/io.h"

#include <fcntl.h>

enum { SLACK_MS = 20 }; /* birth times come from the kernel's coarse clock */
static const int64_t retired_keep = 3600 * SECOND;

static void rotate_away(struct tail *t, struct file *f)
{
    if (map_get(&t->by_path, str_of(f->real)) == f)
        map_del(&t->by_path, str_of(f->real));
    f->rotated = true;
    f->at_eof = false;
    f->eof_at = 0;
    map_set(&t->last, str_of(f->path), f);
    map_set(&t->checks, str_of(f->path), f);
    log_info("tail: rotated", "input", t->base.name, "path", f->path);
    read_schedule(t, f);
}

static void check_rotated(struct tail *t, struct file *f, int64_t now)
{
    struct seen s;

    if (f->fd < 0 || !list_empty(&f->ready) || f->failed || !file_stat(f->fd, "", true, &s))
        return;
    if (s.size != f->size || s.mtime != f->mtime || !f->at_eof) {
        f->eof_at = 0;
        read_schedule(t, f);
    } else if (f->ended) {
        if (!f->units)
            rotate_done(f);
    } else if (f->at_eof && f->eof_at && now - f->eof_at >= t->rotate_wait) {
        read_end(f);
    }
}

void rotate_check(struct tail *t, struct file *f, int64_t now)
{
    int64_t seen = io->wall(); /* before the look: what takes the name after it is born later */
    struct seen s;

    if (f->rotated) {
        check_rotated(t, f, now);
        return;
    }
    if (!file_stat(AT_FDCWD, f->real, true, &s) || s.device != f->device || s.inode != f->inode) {
        rotate_away(t, f);
        return;
    }
    f->seen = seen;
    if (s.size > f->largest)
        f->largest = s.size;
    if (s.size != f->size || s.mtime != f->mtime || !f->at_eof)
        read_schedule(t, f);
}

void rotate_done(struct file *f)
{
    struct tail *t = f->t;
    struct position p;
    struct seen s;
    bool gone = f->fd < 0 || !file_stat(f->fd, "", true, &s) || !s.links;

    if (!gone && (s.size != f->size || s.mtime != f->mtime)) {
        f->ended = false;
        read_schedule(t, f);
        return;
    }
    if (gone) {
        feed_position(t->feed, str_of(f->key), STR(""));
        feed_commit(t->feed, NULL);
    } else {
        file_position(f, &p);
        known_add(t, str_of(f->key), &p, io->monotonic() + retired_keep);
    }
    log_debug("tail: read to its end", "input", t->base.name, "path", f->path);
    file_free(f);
    read_wake(t);
}

/* ---- siblings ---- */

struct sibling {
    char *path, *real;
    struct seen seen;
    bool known;
};

struct search {
    struct tail *t;
    struct str dir; /* with its slash */
    struct sibling *found;
    size_t n, cap;
};

static bool compressed(struct str name)
{
    static const char *const ends[] = {".gz", ".zst", ".bz2", ".xz", ".lz4", ".zip", ".Z"};

    for (size_t i = 0; i < ARRAY_LEN(ends); i++)
        if (str_ends(name, str_of(ends[i])))
            return true;
    return false;
}

/* A file that we had to close for want of descriptors was renamed before we read its rest. */
static void reopen(struct file *f, const char *real)
{
    if (!f->rotated || f->fd >= 0)
        return;
    free(f->real);
    f->real = alloc_text(real, strlen(real));
    if (file_open(f))
        read_schedule(f->t, f);
}

static bool wanted(struct tail *t, struct str path, const struct seen *s, const struct known *k)
{
    const struct file *last = map_get(&t->last, path);
    const int64_t *old = map_get(&t->old_paths, path);

    if (k)
        return s->size != k->position.offset || (s->birth && k->position.birth && s->birth != k->position.birth);
    return (last || old) && (s->birth ? s->birth : s->mtime) > (last ? last->seen : *old) - SLACK_MS * MILLISECOND;
}

static void consider(struct search *x, struct str path, struct str real)
{
    struct tail *t = x->t;
    CLEANUP(cleanup_free) char *z = alloc_text(real.p, real.n);
    char key[40];
    struct str place = {key, 0};
    struct known *k;
    struct seen s;
    struct file *f;

    if (map_get(&t->by_path, real) || compressed(real) || !file_stat(AT_FDCWD, z, false, &s) || !S_ISREG(s.mode))
        return;
    place.n = position_key(key, s.device, s.inode);
    f = map_get(&t->by_key, place);
    if (f) {
        reopen(f, z);
        return;
    }
    k = known_find(t, &s, -1);
    if (!wanted(t, path, &s, k))
        return;
    x->found = alloc_grow(x->found, x->n, &x->cap, sizeof *x->found);
    x->found[x->n++] = (struct sibling){alloc_text(path.p, path.n), TAKE(z), s, k};
}

/* Every beginning of the name may be a path that was asked for. */
static void look(void *arg, const char *name)
{
    struct search *x = arg;
    struct buf *b = &x->t->text;
    struct str whole = str_of(name);

    buf_clear(b);
    buf_str(b, x->dir);
    buf_str(b, whole);
    for (size_t n = b->n - 1; n > x->dir.n; n--) {
        struct str path = {b->p, n};
        if (map_get(&x->t->checks, path)) {
            consider(x, path, buf_view(b));
            return;
        }
    }
}

static int older(const void *a, const void *b)
{
    const struct sibling *x = a, *y = b;
    int64_t p = x->seen.birth ? x->seen.birth : x->seen.mtime, q = y->seen.birth ? y->seen.birth : y->seen.mtime;

    if (p == q) { /* born in one tick of the kernel's clock */
        p = x->seen.mtime;
        q = y->seen.mtime;
    }
    return p < q ? -1 : p > q;
}

/* What has the name now, when `found` comes before it; it may have lost the name meanwhile, to a younger one even. */
static struct file *successor(struct tail *t, const struct sibling *found)
{
    struct file *now = map_get(&t->by_path, str_of(found->path));

    if (!now || !now->birth || now->birth > found->seen.birth)
        return now;
    rotate_check(t, now, io->monotonic());
    return map_get(&t->by_path, str_of(found->path));
}

/* Puts a rotated file into the order of birth of those that had its path. */
static void line_up(struct file *f, struct file *now)
{
    struct tail *t = f->t;
    struct file *after = now, *before = map_get(&t->last, str_of(f->path));

    if (!before || before->birth <= f->birth)
        map_set(&t->last, str_of(f->path), f);
    while (before && before->birth > f->birth) {
        after = before;
        before = before->waits_for;
    }
    file_waits_for(f, before);
    if (after)
        file_waits_for(after, f);
}

/* Somebody copied the file before it went away. */
static bool is_copy(const struct file *before, int fd)
{
    char bytes[HEAD_BYTES];

    return before && before->head.n == HEAD_BYTES && io_pread_all(fd, bytes, HEAD_BYTES, 0) == HEAD_BYTES &&
           crc32c(0, bytes, HEAD_BYTES) == before->head.crc;
}

static void follow(struct tail *t, const struct sibling *found)
{
    struct file *f, *now = successor(t, found);
    struct known *k;
    struct seen s;
    struct err e;
    int fd = file_open_path(t, found->real, &s, NULL, &e);

    if (fd < 0) {
        log_warn("tail: rotated file is not read", "input", t->base.name, "why", e.text);
        return;
    }
    if (s.device != found->seen.device || s.inode != found->seen.inode) { /* renamed once more: its event follows */
        io->close(fd);
        map_set(&t->checks, str_of(found->path), t);
        return;
    }
    k = known_find(t, &s, fd);
    if (!k && is_copy(map_get(&t->last, str_of(found->path)), fd)) {
        io->close(fd);
        return;
    }
    f = file_new(t, found->path, found->real, fd, &s);
    if (!f)
        return;
    f->rotated = true;
    f->seen = k ? k->position.seen : s.birth ? s.birth : s.mtime;
    if (k) {
        memcpy(f->key, k->key, sizeof f->key);
        file_adopt(f, &k->position, &s);
        known_drop(t, k);
    } else {
        file_head(f);
    }
    t->unsaved |= !f->saved;
    line_up(f, now);
    log_info("tail: following a rotated file", "input", t->base.name, "path", found->real, "offset",
             log_num((long long)f->offset));
    read_schedule(t, f);
}

static struct str dir_of(struct str path)
{
    while (path.n && path.p[path.n - 1] != '/')
        path.n--;
    return path;
}

static void search_dir(struct search *x)
{
    CLEANUP(cleanup_free) char *z = x->dir.n ? alloc_text(x->dir.p, x->dir.n) : alloc_text(".", 1);
    int fd = io->openat(AT_FDCWD, z, O_RDONLY | O_DIRECTORY, 0);

    if (fd < 0)
        return;
    io->list(fd, look, x);
    io->close(fd);
}

/* Nobody knows where a file without a descriptor went. */
static void give_up(struct tail *t)
{
    list_each (it, &t->files) {
        struct file *f = container_of(it, struct file, link);
        if (f->rotated && f->fd < 0 && !f->units && !f->ended) {
            log_warn("tail: file is gone and cannot be opened any more", "input", t->base.name, "path", f->path);
            f->ended = true;
            rotate_done(f);
        }
    }
}

void rotate_siblings(struct tail *t)
{
    struct map checks = t->checks, dirs = {0};
    struct search x = {.t = t};

    if (!checks.live)
        return;
    for (struct map_entry *m = NULL; (m = map_next(&checks, m));)
        map_set(&dirs, dir_of(m->key), t);
    for (struct map_entry *m = NULL; (m = map_next(&dirs, m));) {
        x.dir = m->key;
        search_dir(&x);
    }
    t->checks = (struct map){0};
    map_free(&checks);
    map_free(&dirs);
    if (x.n)
        qsort(x.found, x.n, sizeof *x.found, older);
    for (size_t i = 0; i < x.n; i++) {
        follow(t, &x.found[i]);
        free(x.found[i].path);
        free(x.found[i].real);
    }
    free(x.found);
    give_up(t);
    if (t->unsaved)
        read_save(t);
}
