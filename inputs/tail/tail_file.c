/* SPDX-License-Identifier: Apache-2.0 */
#include "tail_file.h"

#include "base/alloc.h"
#include "base/crc32c.h"
#include "base/io.h"
#include "event/msgpack.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/sysmacros.h>

enum { OPEN_FLAGS = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC };

bool file_stat(int dir, const char *path, bool follow, struct seen *out)
{
    struct statx s;
    int flags = (*path ? 0 : AT_EMPTY_PATH) | (follow ? 0 : AT_SYMLINK_NOFOLLOW);

    if (io->statx(dir, path, flags, STATX_BASIC_STATS | STATX_BTIME, &s))
        return false;
    *out = (struct seen){
        .device = makedev(s.stx_dev_major, s.stx_dev_minor),
        .inode = s.stx_ino,
        .size = s.stx_size,
        .mtime = s.stx_mtime.tv_sec * SECOND + s.stx_mtime.tv_nsec,
        .mode = s.stx_mode,
        .links = s.stx_nlink,
        .owner = s.stx_uid,
    };
    if (s.stx_mask & STATX_BTIME)
        out->birth = s.stx_btime.tv_sec * SECOND + s.stx_btime.tv_nsec;
    return true;
}

static const char *kind_of(mode_t mode)
{
    return S_ISDIR(mode)    ? "a directory"
           : S_ISFIFO(mode) ? "a pipe"
           : S_ISSOCK(mode) ? "a socket"
           : S_ISLNK(mode)  ? "a symbolic link"
                            : "a device";
}

/* A second name of somebody else's file, put into a directory whose owner could not read it himself. */
static bool foreign_link(const char *path, const struct seen *s)
{
    const char *slash = strrchr(path, '/');
    struct seen dir;
    char *name;
    bool foreign;

    if (s->links < 2)
        return false;
    name = slash ? alloc_text(path, slash == path ? 1 : (size_t)(slash - path)) : alloc_text(".", 1);
    foreign = file_stat(AT_FDCWD, name, true, &dir) && dir.owner && dir.owner != s->owner;
    free(name);
    return foreign;
}

int file_open_path(struct tail *t, const char *path, struct seen *out, struct buf *target, struct err *e)
{
    char *real = NULL;
    int fd;

    if (!file_stat(AT_FDCWD, path, true, out)) {
        err_errno(e, "%s", path);
        return -1;
    }
    if (!S_ISREG(out->mode)) {
        err_set(e, "%s is %s, not a regular file", path, kind_of(out->mode));
        return -1;
    }
    real = io->realpath(path);
    if (!real || !scan_allows(t, path, real)) {
        err_set(e, "%s is a symbolic link that leaves the directories of `path` (see symlink_dirs)", path);
        free(real);
        return -1;
    }
    fd = io->open_resolved(real, OPEN_FLAGS);
    if (target && strcmp(real, path))
        buf_add(target, real, strlen(real));
    free(real);
    if (fd < 0) {
        err_errno(e, "cannot open %s", path);
        return -1;
    }
    if (!file_stat(fd, "", true, out) || !S_ISREG(out->mode) || foreign_link(path, out)) {
        err_set(e, "%s is not a regular file, or a hard link to a file of another owner", path);
        io->close(fd);
        return -1;
    }
    return fd;
}

/* Events of one generation share a key, of which and the offset the id is made: the same at every reading. */
static void derive_ids(struct file *f)
{
    struct id host = env_host_id(f->t->base.env);
    uint64_t device, inode;
    char raw[24];

    position_parse_key(str_of(f->key), &device, &inode);
    memcpy(raw, &device, 8);
    memcpy(raw + 8, &inode, 8);
    memcpy(raw + 16, &f->generation, 8);
    f->id_key = hash_128((struct str){raw, sizeof raw}, &host);
}

static void encode_extra(struct file *f)
{
    if (!f->t->path_key.n)
        return;
    msgpack_str(&f->extra, f->t->path_key);
    msgpack_str(&f->extra, str_of(f->path));
}

static void place_key(const struct file *f, char out[40], struct str *key)
{
    *key = (struct str){out, position_key(out, f->device, f->inode)};
}

struct file *file_new(struct tail *t, const char *path, const char *real, int fd, const struct seen *s)
{
    struct file *f = alloc_new(sizeof *f);
    char place[40];
    struct str key;

    f->t = t;
    f->fd = fd;
    f->device = s->device;
    f->inode = s->inode;
    f->birth = s->birth;
    f->seen = io->wall();
    f->generation = (uint64_t)(s->birth ? s->birth : f->seen);
    f->path = alloc_text(path, strlen(path));
    f->real = alloc_text(real, strlen(real));
    position_key(f->key, s->device, s->inode);
    list_init(&f->ready);
    list_append(&t->files, &f->link);
    list_append(&t->opened, &f->opened);
    t->nfiles++;
    t->nopened++;
    metric_add(t->files_open, 1);
    place_key(f, place, &key);
    map_set(&t->by_key, key, f);
    derive_ids(f);
    encode_extra(f);
    if (t->tag.n && !tag_expand(t->tag, t->tag_regex, str_of(path), &f->tag)) {
        log_warn("tail: tag_regex does not match this path; the file is not read", "input", t->base.name, "path", path);
        file_free(f);
        return NULL;
    }
    return f;
}

void file_free(struct file *f)
{
    struct tail *t = f->t;
    char place[40];
    struct str key;

    file_close(f);
    place_key(f, place, &key);
    if (map_get(&t->by_key, key) == f)
        map_del(&t->by_key, key);
    if (map_get(&t->by_path, str_of(f->real)) == f)
        map_del(&t->by_path, str_of(f->real));
    if (map_get(&t->last, str_of(f->path)) == f)
        map_del(&t->last, str_of(f->path));
    if (f->target && map_get(&t->by_target, str_of(f->target)) == f)
        map_del(&t->by_target, str_of(f->target));
    file_waits_for(f, NULL);
    if (f->successor)
        f->successor->waits_for = NULL;
    if (t->sweep_at == &f->link)
        t->sweep_at = f->link.next;
    list_remove(&f->ready);
    list_remove(&f->link);
    t->nfiles--;
    buf_free(&f->tag);
    buf_free(&f->extra);
    buf_free(&f->rest);
    free(f->path);
    free(f->real);
    free(f->target);
    free(f);
}

void file_waits_for(struct file *f, struct file *before)
{
    if (f->waits_for)
        f->waits_for->successor = NULL;
    if (before && before->successor)
        before->successor->waits_for = NULL;
    f->waits_for = before;
    if (before)
        before->successor = f;
}

void file_close(struct file *f)
{
    if (f->fd < 0)
        return;
    io->close(f->fd);
    f->fd = -1;
    list_remove(&f->opened);
    f->t->nopened--;
    metric_add(f->t->files_open, -1);
}

/* The file that was idle for longest gives its descriptor back; one with a rest to read, or whose name is gone, never.
 */
static void make_room(struct tail *t)
{
    if (t->nopened < t->fd_budget)
        return;
    list_each (it, &t->opened) {
        struct file *f = container_of(it, struct file, opened);
        if (f->at_eof && !f->units && !f->rotated && !f->failed) {
            file_close(f);
            return;
        }
    }
}

bool file_open(struct file *f)
{
    struct tail *t = f->t;
    struct seen s;
    struct err e;

    if (f->fd >= 0)
        return true;
    make_room(t);
    f->fd = file_open_path(t, f->real, &s, NULL, &e);
    if (f->fd < 0) {
        log_debug("tail: cannot open again", "input", t->base.name, "why", e.text);
        return false;
    }
    if (s.device != f->device || s.inode != f->inode) { /* another file has taken the name */
        io->close(f->fd);
        f->fd = -1;
        return false;
    }
    list_append(&t->opened, &f->opened);
    t->nopened++;
    metric_add(t->files_open, 1);
    if (s.birth && f->birth && s.birth != f->birth) { /* another file has taken the inode */
        f->birth = s.birth;
        file_restart(f);
    }
    return true;
}

void file_touch(struct file *f)
{
    if (f->fd < 0)
        return;
    list_remove(&f->opened);
    list_append(&f->t->opened, &f->opened);
}

enum head_state file_head(struct file *f)
{
    char bytes[HEAD_BYTES];
    ssize_t got = io_pread_all(f->fd, bytes, sizeof bytes, 0);

    if (got < 0)
        return HEAD_UNKNOWN;
    if ((size_t)got < f->head.n || crc32c(0, bytes, f->head.n) != f->head.crc)
        return HEAD_CHANGED;
    f->head.crc = crc32c(f->head.crc, bytes + f->head.n, (size_t)got - f->head.n);
    f->head.n = (uint32_t)got;
    return HEAD_SAME;
}

void file_restart(struct file *f)
{
    f->generation++;
    f->offset = f->size = f->largest = 0;
    f->skipping = f->at_eof = f->failed = false;
    f->head = (struct head){0};
    buf_free(&f->rest);
    derive_ids(f);
}

void file_seek_end(struct file *f)
{
    enum { LOOK_BACK = 64 << 10 };
    struct seen s;
    size_t n;
    const char *nl;

    if (!file_stat(f->fd, "", true, &s))
        return;
    n = s.size < LOOK_BACK ? (size_t)s.size : LOOK_BACK;
    buf_clear(&f->t->data);
    f->offset = s.size;
    f->size = s.size;
    f->mtime = s.mtime;
    if (io_pread_all(f->fd, buf_room(&f->t->data, n), n, (off_t)(s.size - n)) != (ssize_t)n)
        return;
    nl = n ? memrchr(f->t->data.p, '\n', n) : NULL;
    if (nl)
        f->offset = s.size - n + (size_t)(nl + 1 - f->t->data.p);
    else if (n == s.size)
        f->offset = 0;
    else
        f->skipping = true;
    file_head(f);
}

void file_adopt(struct file *f, const struct position *p, const struct seen *s)
{
    f->head = p->head;
    f->generation = p->generation;
    f->offset = p->offset;
    f->size = p->offset;
    f->skipping = p->skipping;
    f->saved = true;
    derive_ids(f);
    if ((p->birth && s->birth && p->birth != s->birth) || s->size < p->offset || file_head(f) == HEAD_CHANGED) {
        log_info("tail: file was truncated or replaced while it was not watched", "input", f->t->base.name, "path",
                 f->path);
        file_restart(f);
        f->saved = false;
    }
}

void file_position(const struct file *f, struct position *out)
{
    *out = (struct position){.generation = f->generation,
                             .offset = f->offset,
                             .birth = f->birth,
                             .seen = f->seen,
                             .head = f->head,
                             .skipping = f->skipping,
                             .path = str_of(f->path)};
}
