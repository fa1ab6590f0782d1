/* SPDX-License-Identifier: Apache-2.0 */
#include "beneath.h"

#include "base/cleanup.h"
#include "base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { DIR_MODE = 0750 };

/* Cuts the first component off *rest into name; false: there is none, or it is one that could lead elsewhere. */
static bool next_component(const char **rest, char name[NAME_MAX + 1])
{
    size_t n = strcspn(*rest, "/");

    if (!n || (n == 1 && **rest == '.') || (n == 2 && !memcmp(*rest, "..", 2))) {
        errno = EXDEV;
        return false;
    }
    if (n > NAME_MAX) {
        errno = ENAMETOOLONG;
        return false;
    }
    memcpy(name, *rest, n);
    name[n] = 0;
    *rest += n + ((*rest)[n] == '/');
    return true;
}

/* Like openat(dir, "a/b/c") with every step refused where it is a link. */
int beneath_walk(int root, const char *rel, int flags, mode_t mode)
{
    char name[NAME_MAX + 1];
    int dir = root, next;

    for (;;) {
        if (!next_component(&rel, name))
            next = -1;
        else
            next = *rel ? openat(dir, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
                        : openat(dir, name, flags | O_NOFOLLOW | O_CLOEXEC, mode);
        if (dir != root) {
            int saved = errno;
            close(dir);
            errno = saved;
        }
        if (next < 0 || !*rel)
            return next;
        dir = next;
    }
}

int beneath_open(int root, const char *rel, int flags, mode_t mode)
{
    struct open_how how = {.flags = (unsigned)flags | O_NOFOLLOW | O_CLOEXEC,
                           .mode = flags & O_CREAT ? mode : 0,
                           .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS};
    static bool missing; /* written only with true: a race sets it twice */
    int fd = -1;

    if (!__atomic_load_n(&missing, __ATOMIC_RELAXED)) {
        fd = (int)syscall(SYS_openat2, root, rel, &how, sizeof(how));
        if (fd >= 0 || (errno != ENOSYS && errno != EPERM))
            return fd;
        if (errno == ENOSYS)
            __atomic_store_n(&missing, true, __ATOMIC_RELAXED);
    }
    /* EPERM may be a system call filter's answer. */
    return beneath_walk(root, rel, flags, mode);
}

int beneath_parent(int root, const char *rel, const char **leaf)
{
    char dir[PATH_MAX];
    const char *slash = strrchr(rel, '/');

    *leaf = slash ? slash + 1 : rel;
    if (!slash)
        return openat(root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if ((size_t)(slash - rel) >= sizeof(dir)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(dir, rel, (size_t)(slash - rel));
    dir[slash - rel] = 0;
    return beneath_open(root, dir, O_RDONLY | O_DIRECTORY, 0);
}

int beneath_mkdirs(int root, const char *rel)
{
    char name[NAME_MAX + 1];
    CLEANUP(cleanup_fd) int held = openat(root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (held < 0)
        return -1;
    while (strchr(rel, '/')) {
        int next;
        if (!next_component(&rel, name))
            return -1;
        if (!mkdirat(held, name, DIR_MODE)) {
            if (io->fsync(held))
                return -1;
        } else if (errno != EEXIST) {
            return -1;
        }
        next = openat(held, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (next < 0)
            return -1;
        close(held);
        held = next;
    }
    return 0;
}

/* Where the file system knows no RENAME_NOREPLACE, a link that fails on an existing name does the same. */
static int rename_new(int from_dir, const char *from, int to_dir, const char *to)
{
    if (!renameat2(from_dir, from, to_dir, to, RENAME_NOREPLACE))
        return 0;
    if (errno != EINVAL && errno != ENOSYS)
        return -1;
    if (linkat(from_dir, from, to_dir, to, 0))
        return -1;
    return unlinkat(from_dir, from, 0);
}

int beneath_rename(int root, const char *from, const char *to)
{
    const char *from_leaf, *to_leaf;
    CLEANUP(cleanup_fd) int from_dir = beneath_parent(root, from, &from_leaf);
    CLEANUP(cleanup_fd) int to_dir = from_dir < 0 ? -1 : beneath_parent(root, to, &to_leaf);

    if (to_dir < 0 || rename_new(from_dir, from_leaf, to_dir, to_leaf))
        return -1;
    /* Both ends, before anybody forgets the old name. */
    if (io->fsync(to_dir) || io->fsync(from_dir))
        return -1;
    return 0;
}
