/* SPDX-License-Identifier: Apache-2.0 */
#include "base/io.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static int io_openat(int dir, const char *path, int flags, mode_t mode)
{
    return openat(dir, path, flags | O_CLOEXEC, mode);
}

static char *io_realpath(const char *path)
{
    return realpath(path, NULL);
}

static int io_open_resolved(const char *path, int flags)
{
    struct open_how how = {.flags = (uint64_t)(flags | O_CLOEXEC),
                           .resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS};
    char *again;
    bool same;
    int fd = (int)syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof how);

    if (fd >= 0 || (errno != ENOSYS && errno != EPERM))
        return fd;
    fd = open(path, flags | O_CLOEXEC | O_NOFOLLOW); /* a kernel or a filter without openat2 */
    if (fd < 0)
        return fd;
    again = realpath(path, NULL);
    same = again && !strcmp(again, path);
    free(again);
    if (same)
        return fd;
    close(fd);
    errno = ELOOP;
    return -1;
}

static int io_fstatat(int dir, const char *path, struct stat *st, int flags)
{
    return fstatat(dir, path, st, flags);
}

static int io_fstat(int fd, struct stat *st)
{
    return fstat(fd, st);
}

static int io_list(int dir, void (*each)(void *arg, const char *name), void *arg)
{
    int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = fd < 0 ? NULL : fdopendir(fd);
    struct dirent *entry;

    if (!d) {
        if (fd >= 0)
            close(fd);
        return -1;
    }
    while ((entry = readdir(d)))
        if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
            each(arg, entry->d_name);
    closedir(d);
    return 0;
}

static int io_memfd(const char *name)
{
    return memfd_create(name, MFD_CLOEXEC);
}

static int64_t clock_ns(clockid_t id)
{
    struct timespec ts;

    clock_gettime(id, &ts);
    return ts.tv_sec * SECOND + ts.tv_nsec;
}

static int64_t io_wall(void)
{
    return clock_ns(CLOCK_REALTIME);
}

static int64_t io_monotonic(void)
{
    return clock_ns(CLOCK_MONOTONIC);
}

static void io_random(void *p, size_t n)
{
    while (n) {
        ssize_t got = getrandom(p, n > 256 ? 256 : n, 0);
        if (got < 0) {
            if (errno == EINTR)
                continue;
            perror("weir: getrandom");
            abort();
        }
        p = (char *)p + got;
        n -= (size_t)got;
    }
}

const struct io io_system = {
    .openat = io_openat,
    .open_resolved = io_open_resolved,
    .realpath = io_realpath,
    .close = close,
    .read = read,
    .pread = pread,
    .write = write,
    .pwritev = pwritev,
    .fdatasync = fdatasync,
    .fsync = fsync,
    .ftruncate = ftruncate,
    .fallocate = fallocate,
    .lseek = lseek,
    .renameat = renameat,
    .unlinkat = unlinkat,
    .mkdirat = mkdirat,
    .fstat = io_fstat,
    .fstatat = io_fstatat,
    .statx = statx,
    .flock = flock,
    .memfd = io_memfd,
    .fadvise = posix_fadvise,
    .list = io_list,
    .wall = io_wall,
    .monotonic = io_monotonic,
    .random = io_random,
};

const struct io *io = &io_system;

int io_pwritev_all(int fd, struct iovec *v, int n, off_t at)
{
    while (n) {
        ssize_t wrote = io->pwritev(fd, v, n > 1024 ? 1024 : n, at);
        if (wrote < 0) {
            if (errno == EINTR)
                continue;
            return -1;
        }
        if (wrote == 0) {
            errno = EIO;
            return -1;
        }
        at += wrote;
        while (n && (size_t)wrote >= v->iov_len) {
            wrote -= (ssize_t)v->iov_len;
            v++;
            n--;
        }
        if (n) {
            v->iov_base = (char *)v->iov_base + wrote;
            v->iov_len -= (size_t)wrote;
        }
    }
    return 0;
}

ssize_t io_pread_all(int fd, void *p, size_t n, off_t at)
{
    size_t have = 0;

    while (have < n) {
        ssize_t got = io->pread(fd, (char *)p + have, n - have, at + (off_t)have);
        if (got < 0) {
            if (errno == EINTR)
                continue;
            return -1;
        }
        if (got == 0)
            break;
        have += (size_t)got;
    }
    return (ssize_t)have;
}

ssize_t io_write_all(int fd, const void *p, size_t n)
{
    size_t done = 0;

    while (done < n) {
        ssize_t wrote = io->write(fd, (const char *)p + done, n - done);
        if (wrote < 0) {
            if (errno == EINTR)
                continue;
            return -1;
        }
        done += (size_t)wrote;
    }
    return (ssize_t)done;
}

int io_settle(int fd)
{
    if (io->fdatasync(fd))
        return -1;
    io->fadvise(fd, 0, 0, POSIX_FADV_DONTNEED); /* best effort: some file systems have no other copy */
    return 0;
}
