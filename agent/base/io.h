/* SPDX-License-Identifier: Apache-2.0 */
/* Every file, clock and random call of the log and of tail goes through this table, so that a simulated disk can stand
 * in for the real one.  Calls return and set errno as the system calls of the same name do. */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>

struct statx;

struct io {
    int (*openat)(int dir, const char *path, int flags, mode_t mode);
    /* A path without symbolic links in it: ELOOP where one was put there meanwhile. */
    int (*open_resolved)(const char *path, int flags);
    char *(*realpath)(const char *path); /* owned by the caller; NULL and errno */
    int (*close)(int fd);
    ssize_t (*read)(int fd, void *p, size_t n);
    ssize_t (*pread)(int fd, void *p, size_t n, off_t at);
    ssize_t (*write)(int fd, const void *p, size_t n);
    ssize_t (*pwritev)(int fd, const struct iovec *v, int n, off_t at);
    int (*fdatasync)(int fd);
    int (*fsync)(int fd);
    int (*ftruncate)(int fd, off_t n);
    int (*fallocate)(int fd, int mode, off_t at, off_t n);
    off_t (*lseek)(int fd, off_t at, int whence);
    int (*renameat)(int from_dir, const char *from, int to_dir, const char *to);
    int (*unlinkat)(int dir, const char *path, int flags);
    int (*mkdirat)(int dir, const char *path, mode_t mode);
    int (*fstat)(int fd, struct stat *st);
    int (*fstatat)(int dir, const char *path, struct stat *st, int flags);
    int (*statx)(int dir, const char *path, int flags, unsigned mask, struct statx *st);
    int (*flock)(int fd, int operation);
    int (*memfd)(const char *name);
    int (*fadvise)(int fd, off_t at, off_t n, int advice); /* returns the error's number, as posix_fadvise */
    /* Calls each(arg, name) for every entry but "." and ".."; -1 and errno on failure. */
    int (*list)(int dir, void (*each)(void *arg, const char *name), void *arg);
    int64_t (*wall)(void);      /* ns since the epoch */
    int64_t (*monotonic)(void); /* ns */
    void (*random)(void *p, size_t n);
};

extern const struct io io_system;
extern const struct io *io; /* io_system, unless a test has put another table here */

/* All of the vector, whatever the kernel takes at a time; 0, or -1 with errno. */
int io_pwritev_all(int fd, struct iovec *v, int n, off_t at);
/* All n bytes unless the file ends before; the count, or -1 with errno. */
ssize_t io_pread_all(int fd, void *p, size_t n, off_t at);
ssize_t io_write_all(int fd, const void *p, size_t n);
/* Syncs the file and drops its clean pages: what is read next is what the disk holds.  After a sync that failed, the
 * page cache holds bytes that are on no disk and will not be written any more.  0, or -1 with errno. */
int io_settle(int fd);

#define SECOND INT64_C(1000000000)
#define MILLISECOND INT64_C(1000000)
