/* SPDX-License-Identifier: Apache-2.0 */
/* A table of disk calls of which one, the nth since faults(n), fails with EIO.  A test runs its scene for n = 1, 2, ...
 * until fault_fired() is false: then the scene makes fewer calls. */
#pragma once
#include "base/io.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>

static _Atomic int call, fail_at; /* counted from faults() on */

static bool now(void)
{
    if (atomic_fetch_add(&call, 1) + 1 != fail_at)
        return false;
    errno = EIO;
    return true;
}

#define FAULTY(result, name, parameters, arguments)           \
    static result faulty_##name parameters                    \
    {                                                         \
        return now() ? (result)-1 : io_system.name arguments; \
    }
FAULTY(int, openat, (int d, const char *p, int f, mode_t m), (d, p, f, m))
FAULTY(ssize_t, pread, (int fd, void *p, size_t n, off_t at), (fd, p, n, at))
FAULTY(ssize_t, pwritev, (int fd, const struct iovec *v, int n, off_t at), (fd, v, n, at))
FAULTY(int, fdatasync, (int fd), (fd))
FAULTY(int, fsync, (int fd), (fd))
FAULTY(int, fstat, (int fd, struct stat *st), (fd, st))
FAULTY(int, fstatat, (int d, const char *p, struct stat *st, int f), (d, p, st, f))
FAULTY(int, mkdirat, (int d, const char *p, mode_t m), (d, p, m))
FAULTY(int, unlinkat, (int d, const char *p, int f), (d, p, f))
FAULTY(int, list, (int d, void (*each)(void *, const char *), void *arg), (d, each, arg))

static struct io faulty;

static void faults(int at)
{
    call = 0;
    fail_at = at;
    faulty = io_system;
    faulty.openat = faulty_openat;
    faulty.pread = faulty_pread;
    faulty.pwritev = faulty_pwritev;
    faulty.fdatasync = faulty_fdatasync;
    faulty.fsync = faulty_fsync;
    faulty.fstat = faulty_fstat;
    faulty.fstatat = faulty_fstatat;
    faulty.mkdirat = faulty_mkdirat;
    faulty.unlinkat = faulty_unlinkat;
    faulty.list = faulty_list;
    io = &faulty;
}

/* From here on nothing fails. */
__attribute__((unused)) static bool faults_off(void)
{
    bool fired = fail_at && call >= fail_at;

    io = &io_system;
    fail_at = 0;
    return fired;
}
