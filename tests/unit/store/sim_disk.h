/* SPDX-License-Identifier: Apache-2.0 */
/* A disk in memory for the io table.  Every file has what programs see (the page cache) and what is on the medium;
 * every directory has its entries and the operations since its last fsync.  A power cut keeps, for each 512-byte sector
 * written since the last sync, the old bytes, the new ones or garbage; the old or the new size; and of a directory's
 * operations any prefix.  A failed sync marks the pages clean without writing them, as Linux does.  After a cut every
 * call fails, as far as the dying process can tell. */
#pragma once
#include "base/alloc.h"
#include "base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SIM_SECTOR = 512, SIM_FDS = 256, SIM_FD_BASE = 100000 };

struct sim_file {
    bool dir;
    char *seen, *kept;          /* page cache, medium */
    size_t seen_n, kept_n, cap; /* cap: of both, a multiple of the sector */
    bool *dirty;                /* per sector */
    bool size_dirty;
    struct sim_entry *entries, *kept_entries;
    size_t n, kept_count;
    struct sim_op *ops;
    size_t nops;
};

struct sim_entry {
    char name[64];
    struct sim_file *file;
};

struct sim_op { /* a directory operation: unlink `name` (file NULL), link, or rename from `from` */
    char name[64], from[64];
    struct sim_file *file;
};

static struct sim {
    pthread_mutex_t lock;
    struct sim_file *root;
    struct sim_file *fds[SIM_FDS];
    size_t at[SIM_FDS];
    struct sim_file **all;
    size_t nall, all_cap;
    uint64_t rng;
    int64_t clock;
    int cut_in;   /* mutating calls until the power goes; 0: never */
    bool cut;     /* it went */
    bool power;   /* a power cut; else a kill: the page cache lives on */
    int fail_in;  /* mutating calls until one fails */
    int fail_for; /* and how many fail then */
    int fail_errno;
    unsigned syncs; /* that succeeded */
    bool locked;
    struct sim_file *locked_file;
} sim = {.lock = PTHREAD_MUTEX_INITIALIZER};

static uint64_t sim_random(void)
{
    uint64_t z = sim.rng += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static unsigned sim_pick(unsigned n)
{
    return (unsigned)(sim_random() % n);
}

static struct sim_file *sim_new_file(bool dir)
{
    struct sim_file *f = alloc_new(sizeof *f);

    f->dir = dir;
    sim.all = alloc_grow(sim.all, sim.nall, &sim.all_cap, sizeof *sim.all);
    sim.all[sim.nall++] = f;
    return f;
}

static void sim_reset(uint64_t seed)
{
    for (size_t i = 0; i < sim.nall; i++) {
        struct sim_file *f = sim.all[i];
        free(f->seen);
        free(f->kept);
        free(f->dirty);
        free(f->entries);
        free(f->kept_entries);
        free(f->ops);
        free(f);
    }
    sim.nall = 0;
    memset(sim.fds, 0, sizeof sim.fds);
    sim.rng = seed;
    sim.cut_in = sim.fail_in = sim.fail_for = 0;
    sim.cut = sim.locked = false;
    sim.root = sim_new_file(true);
}

static void sim_room(struct sim_file *f, size_t n)
{
    size_t cap = (n + SIM_SECTOR - 1) / SIM_SECTOR * SIM_SECTOR;

    if (cap <= f->cap)
        return;
    f->seen = alloc_resize(f->seen, cap);
    f->kept = alloc_resize(f->kept, cap);
    f->dirty = alloc_resize(f->dirty, cap / SIM_SECTOR);
    memset(f->seen + f->cap, 0, cap - f->cap);
    memset(f->kept + f->cap, 0, cap - f->cap);
    memset(f->dirty + f->cap / SIM_SECTOR, 0, (cap - f->cap) / SIM_SECTOR);
    f->cap = cap;
}

static void sim_entry_set(struct sim_entry **list, size_t *n, const char *name, struct sim_file *file)
{
    size_t i = 0;

    while (i < *n && strcmp((*list)[i].name, name))
        i++;
    if (!file) {
        if (i < *n)
            (*list)[i] = (*list)[--*n];
        return;
    }
    if (i == *n) {
        *list = alloc_resize(*list, (*n + 1) * sizeof **list);
        snprintf((*list)[i].name, sizeof(*list)[i].name, "%s", name);
        ++*n;
    }
    (*list)[i].file = file;
}

static struct sim_file *sim_find(const struct sim_file *dir, const char *name)
{
    for (size_t i = 0; i < dir->n; i++)
        if (!strcmp(dir->entries[i].name, name))
            return dir->entries[i].file;
    return NULL;
}

static void sim_apply(struct sim_entry **list, size_t *n, const struct sim_op *op)
{
    if (op->from[0])
        sim_entry_set(list, n, op->from, NULL);
    sim_entry_set(list, n, op->name, op->file);
}

static void sim_dir_op(struct sim_file *dir, const char *name, const char *from, struct sim_file *file)
{
    struct sim_op op = {.file = file};

    snprintf(op.name, sizeof op.name, "%s", name);
    snprintf(op.from, sizeof op.from, "%s", from);
    sim_apply(&dir->entries, &dir->n, &op);
    dir->ops = alloc_resize(dir->ops, (dir->nops + 1) * sizeof op);
    dir->ops[dir->nops++] = op;
}

static void sim_keep_all(struct sim_file *f)
{
    if (f->dir) {
        for (size_t i = 0; i < f->nops; i++)
            sim_apply(&f->kept_entries, &f->kept_count, &f->ops[i]);
        f->nops = 0;
        return;
    }
    for (size_t s = 0; s < f->cap / SIM_SECTOR; s++) {
        if (f->dirty[s]) /* what a failed sync marked clean is not written any more */
            memcpy(f->kept + s * SIM_SECTOR, f->seen + s * SIM_SECTOR, SIM_SECTOR);
        f->dirty[s] = false;
    }
    f->kept_n = f->seen_n;
    f->size_dirty = false;
}

/* What the medium holds once the power is gone. */
static void sim_lose_power(struct sim_file *f)
{
    if (f->dir) {
        size_t some = sim_pick((unsigned)f->nops + 1);
        for (size_t i = 0; i < some; i++)
            sim_apply(&f->kept_entries, &f->kept_count, &f->ops[i]);
        f->nops = 0;
    }
    for (size_t s = 0; s < f->cap / SIM_SECTOR; s++) {
        char *kept = f->kept + s * SIM_SECTOR;
        unsigned how = f->dirty[s] ? sim_pick(8) : 0;
        if (how >= 4)
            memcpy(kept, f->seen + s * SIM_SECTOR, SIM_SECTOR);
        else if (how == 3)
            for (int i = 0; i < SIM_SECTOR; i++)
                kept[i] = (char)sim_pick(256);
    }
    if (f->size_dirty && sim_pick(2))
        f->kept_n = f->seen_n;
}

/* The machine comes up again: what is on the medium is what is seen. */
static void sim_restart(void)
{
    if (!sim.cut)
        for (size_t i = 0; i < sim.nall; i++)
            sim.power ? sim_lose_power(sim.all[i]) : (void)0;
    for (size_t i = 0; i < sim.nall; i++) {
        struct sim_file *f = sim.all[i];
        if (!sim.power)
            continue;
        if (f->dir) {
            f->entries = alloc_resize(f->entries, (f->kept_count + 1) * sizeof *f->entries);
            if (f->kept_count)
                memcpy(f->entries, f->kept_entries, f->kept_count * sizeof *f->entries);
            f->n = f->kept_count;
            f->nops = 0;
            continue;
        }
        if (f->cap) {
            memset(f->kept + f->kept_n, 0, f->cap - f->kept_n);
            memcpy(f->seen, f->kept, f->cap);
            memset(f->dirty, 0, f->cap / SIM_SECTOR);
        }
        f->seen_n = f->kept_n;
        f->size_dirty = false;
    }
    memset(sim.fds, 0, sizeof sim.fds);
    sim.cut = sim.locked = false;
    sim.cut_in = sim.fail_in = sim.fail_for = 0;
}

/* Counts a mutating call.  True: it fails with errno. */
static bool sim_fault(void)
{
    if (sim.cut) {
        errno = EIO;
        return true;
    }
    if (sim.fail_in && !--sim.fail_in) {
        if (--sim.fail_for > 0)
            sim.fail_in = 1;
        errno = sim.fail_errno;
        return true;
    }
    return false;
}

/* Behind a mutating call: is this where the process or the machine dies? */
static void sim_cut_here(void)
{
    if (sim.cut || !sim.cut_in || --sim.cut_in)
        return;
    sim.cut = true;
    for (size_t i = 0; sim.power && i < sim.nall; i++)
        sim_lose_power(sim.all[i]);
}

static struct sim_file *sim_of(int fd)
{
    return fd >= SIM_FD_BASE && fd < SIM_FD_BASE + SIM_FDS ? sim.fds[fd - SIM_FD_BASE] : NULL;
}

#define SIM_CALL(type, body)                  \
    do {                                      \
        type result_ = -1;                    \
        pthread_mutex_lock(&sim.lock);        \
        body pthread_mutex_unlock(&sim.lock); \
        return result_;                       \
    } while (0)

static int sim_new_fd(struct sim_file *f)
{
    for (int i = 0; i < SIM_FDS; i++)
        if (!sim.fds[i]) {
            sim.fds[i] = f;
            sim.at[i] = 0;
            return SIM_FD_BASE + i;
        }
    errno = EMFILE;
    return -1;
}

static int sim_openat_locked(int dirfd, const char *path, int flags)
{
    struct sim_file *dir = dirfd == AT_FDCWD ? NULL : sim_of(dirfd), *f;

    if (dirfd == AT_FDCWD)
        return sim_new_fd(sim.root);
    if (!dir) {
        errno = EBADF;
        return -1;
    }
    f = sim_find(dir, path);
    if (f && (flags & O_CREAT) && (flags & O_EXCL)) {
        errno = EEXIST;
        return -1;
    }
    if (!f && !(flags & O_CREAT)) {
        errno = ENOENT;
        return -1;
    }
    if (!f || (flags & O_TRUNC)) {
        if (sim_fault())
            return -1;
        if (!f) {
            f = sim_new_file(false);
            sim_dir_op(dir, path, "", f);
        } else {
            f->seen_n = 0;
            if (f->cap)
                memset(f->seen, 0, f->cap);
            f->size_dirty = true;
        }
        sim_cut_here();
    }
    return sim_new_fd(f);
}

static int sim_openat(int dirfd, const char *path, int flags, mode_t mode)
{
    (void)mode;
    SIM_CALL(int, result_ = sim_openat_locked(dirfd, path, flags););
}

static int sim_close(int fd)
{
    SIM_CALL(int, {
        struct sim_file *f = sim_of(fd);
        if (!f)
            abort(); /* closed twice */
        if (sim.locked && sim.locked_file == f)
            sim.locked = false;
        sim.fds[fd - SIM_FD_BASE] = NULL;
        result_ = 0;
    });
}

static ssize_t sim_pread(int fd, void *p, size_t n, off_t at)
{
    SIM_CALL(ssize_t, {
        struct sim_file *f = sim_of(fd);
        if (sim.cut) {
            errno = EIO;
        } else {
            size_t have = (size_t)at < f->seen_n ? f->seen_n - (size_t)at : 0;
            result_ = (ssize_t)(n < have ? n : have);
            if (result_)
                memcpy(p, f->seen + at, (size_t)result_);
        }
    });
}

static void sim_store(struct sim_file *f, const void *p, size_t n, size_t at)
{
    sim_room(f, at + n);
    if (n)
        memcpy(f->seen + at, p, n);
    for (size_t s = at / SIM_SECTOR; n && s <= (at + n - 1) / SIM_SECTOR; s++)
        f->dirty[s] = true;
    if (at + n > f->seen_n) {
        f->seen_n = at + n;
        f->size_dirty = true;
    }
}

static ssize_t sim_pwritev(int fd, const struct iovec *v, int n, off_t at)
{
    SIM_CALL(ssize_t, {
        struct sim_file *f = sim_of(fd);
        if (!sim_fault()) {
            result_ = 0;
            for (int i = 0; i < n; i++) {
                sim_store(f, v[i].iov_base, v[i].iov_len, (size_t)at + (size_t)result_);
                result_ += (ssize_t)v[i].iov_len;
            }
            sim_cut_here();
            if (sim.cut) {
                errno = EIO;
                result_ = -1;
            }
        }
    });
}

static ssize_t sim_write(int fd, const void *p, size_t n)
{
    SIM_CALL(ssize_t, {
        struct sim_file *f = sim_of(fd);
        if (!sim_fault()) {
            sim_store(f, p, n, sim.at[fd - SIM_FD_BASE]);
            sim.at[fd - SIM_FD_BASE] += n;
            result_ = (ssize_t)n;
            sim_cut_here();
        }
    });
}

static int sim_sync(int fd)
{
    SIM_CALL(int, {
        struct sim_file *f = sim_of(fd);
        sim_cut_here(); /* before it does anything; the call before covers "after" */
        if (!sim_fault()) {
            sim_keep_all(f);
            sim.syncs++;
            result_ = 0;
        } else if (!sim.cut && f->cap) {
            memset(f->dirty, 0, f->cap / SIM_SECTOR);
        }
    });
}

static int sim_fadvise(int fd, off_t at, off_t n, int advice)
{
    (void)at, (void)n;
    SIM_CALL(int, {
        struct sim_file *f = sim_of(fd);
        for (size_t s = 0; advice == POSIX_FADV_DONTNEED && s < f->cap / SIM_SECTOR; s++)
            if (!f->dirty[s])
                memcpy(f->seen + s * SIM_SECTOR, f->kept + s * SIM_SECTOR, SIM_SECTOR);
        result_ = 0;
    });
}

static int sim_resize(int fd, off_t n, bool grow_only)
{
    SIM_CALL(int, {
        struct sim_file *f = sim_of(fd);
        if (!sim_fault()) {
            sim_room(f, (size_t)n);
            if ((size_t)n < f->seen_n && !grow_only) {
                memset(f->seen + n, 0, f->seen_n - (size_t)n);
                for (size_t s = (size_t)n / SIM_SECTOR; s * SIM_SECTOR < f->seen_n; s++)
                    f->dirty[s] = true;
            }
            if (!grow_only || (size_t)n > f->seen_n)
                f->seen_n = (size_t)n;
            f->size_dirty = true;
            result_ = 0;
            sim_cut_here();
        }
    });
}

static int sim_ftruncate(int fd, off_t n)
{
    return sim_resize(fd, n, false);
}

static int sim_fallocate(int fd, int mode, off_t at, off_t n)
{
    (void)mode;
    return sim_resize(fd, at + n, true);
}

static int sim_renameat(int from_dir, const char *from, int to_dir, const char *to)
{
    (void)to_dir;
    SIM_CALL(int, {
        struct sim_file *dir = sim_of(from_dir);
        struct sim_file *f = sim_find(dir, from);
        if (!f) {
            errno = ENOENT;
        } else if (!sim_fault()) {
            sim_dir_op(dir, to, from, f);
            result_ = 0;
            sim_cut_here();
        }
    });
}

static int sim_unlinkat(int dirfd, const char *path, int flags)
{
    (void)flags;
    SIM_CALL(int, {
        struct sim_file *dir = sim_of(dirfd);
        if (!sim_find(dir, path)) {
            errno = ENOENT;
        } else if (!sim_fault()) {
            sim_dir_op(dir, path, "", NULL);
            result_ = 0;
            sim_cut_here();
        }
    });
}

static int sim_mkdirat(int dirfd, const char *path, mode_t mode)
{
    (void)mode;
    SIM_CALL(int, {
        struct sim_file *dir = dirfd == AT_FDCWD ? NULL : sim_of(dirfd);
        if (!dir || sim_find(dir, path)) {
            errno = EEXIST;
        } else if (!sim_fault()) {
            sim_dir_op(dir, path, "", sim_new_file(true));
            result_ = 0;
            sim_cut_here();
        }
    });
}

static int sim_fstat(int fd, struct stat *st)
{
    SIM_CALL(int, {
        struct sim_file *f = sim_of(fd);
        memset(st, 0, sizeof *st);
        st->st_size = (off_t)f->seen_n;
        st->st_uid = geteuid();
        st->st_mode = f->dir ? S_IFDIR | 0700 : S_IFREG | 0600;
        result_ = 0;
    });
}

static int sim_flock(int fd, int operation)
{
    (void)operation;
    SIM_CALL(int, {
        if (sim.locked) {
            errno = EWOULDBLOCK;
        } else {
            sim.locked = true;
            sim.locked_file = sim_of(fd);
            result_ = 0;
        }
    });
}

static int sim_list(int dirfd, void (*each)(void *arg, const char *name), void *arg)
{
    SIM_CALL(int, {
        struct sim_file *dir = sim_of(dirfd);
        for (size_t i = 0; i < dir->n; i++)
            each(arg, dir->entries[i].name);
        result_ = 0;
    });
}

static int64_t sim_clock(void)
{
    return __atomic_add_fetch(&sim.clock, 20 * MILLISECOND, __ATOMIC_RELAXED);
}

static void sim_fill(void *p, size_t n)
{
    pthread_mutex_lock(&sim.lock);
    for (size_t i = 0; i < n; i++)
        ((unsigned char *)p)[i] = (unsigned char)sim_pick(256);
    pthread_mutex_unlock(&sim.lock);
}

static const struct io sim_io = {
    .openat = sim_openat,
    .close = sim_close,
    .pread = sim_pread,
    .write = sim_write,
    .pwritev = sim_pwritev,
    .fdatasync = sim_sync,
    .fsync = sim_sync,
    .ftruncate = sim_ftruncate,
    .fallocate = sim_fallocate,
    .fadvise = sim_fadvise,
    .renameat = sim_renameat,
    .unlinkat = sim_unlinkat,
    .mkdirat = sim_mkdirat,
    .fstat = sim_fstat,
    .flock = sim_flock,
    .list = sim_list,
    .wall = sim_clock,
    .monotonic = sim_clock,
    .random = sim_fill,
};
