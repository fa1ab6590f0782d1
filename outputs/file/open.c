/* SPDX-License-Identifier: Apache-2.0 */
#include "grow.h"

#include "base/alloc.h"
#include "base/io.h"
#include "base/log.h"
#include "beneath.h"

#include <errno.h>
#include <fcntl.h>

enum { FILE_MODE = 0640, ROOT_MODE = 0750 };

static bool make_root(struct grow_set *s, struct err *e)
{
    CLEANUP(cleanup_free) char *path = alloc_text(s->dir.p, s->dir.n);

    for (char *p = path + 1;; p++) {
        char c = *p;
        if (c && c != '/')
            continue;
        *p = 0;
        if (mkdir(path, ROOT_MODE) && errno != EEXIST)
            return err_errno(e, "cannot make the directory %s", path);
        *p = c;
        if (!c)
            return true;
    }
}

bool grow_root(struct grow_set *s, struct err *e)
{
    CLEANUP(cleanup_free) char *path = NULL;

    if (s->root >= 0)
        return true;
    path = alloc_text(s->dir.p, s->dir.n);
    s->root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (s->root < 0 && errno == ENOENT && s->mkdir) {
        if (!make_root(s, e))
            return false;
        s->root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    }
    if (s->root < 0 && errno == ENOENT)
        return err_set(e, "the directory %s does not exist: make it, or say `mkdir on`", path);
    if (s->root < 0)
        return err_errno(e, "cannot open the directory %s", path);
    return true;
}

/* Closes the file that was not used for the longest time; it is made durable first, so that nobody needs it open. */
static bool make_room(struct grow_set *s, struct err *e)
{
    while (s->nopen >= s->open_max && !list_empty(&s->used)) {
        struct grow *g = container_of(s->used.next, struct grow, used);
        if (!grow_sync(s, g, e))
            return false;
        grow_close(s, g);
    }
    return true;
}

static int open_file(struct grow_set *s, struct grow *g)
{
    int flags = O_WRONLY | O_APPEND | O_NOCTTY | O_NONBLOCK | O_CREAT;
    bool birth = s->rolled && !g->ino;
    int fd, dir;
    const char *leaf;

    /* A part is ours alone: what stands there at its birth is not. */
    if (birth)
        flags |= O_EXCL;
    fd = beneath_open(s->root, g->rel.p, flags, FILE_MODE);
    if (fd < 0 && errno == ENOENT && strchr(g->rel.p, '/')) {
        if (beneath_mkdirs(s->root, g->rel.p))
            return -1;
        fd = beneath_open(s->root, g->rel.p, flags, FILE_MODE);
    }
    if (fd < 0 && errno == EEXIST && birth && (dir = beneath_parent(s->root, g->rel.p, &leaf)) >= 0) {
        /* Left by a run that crashed, while the directory was away at the restart: its events come again. */
        io->unlinkat(dir, leaf, 0);
        close(dir);
        fd = beneath_open(s->root, g->rel.p, flags, FILE_MODE);
    }
    return fd;
}

/* The identity of what was opened; `len` is only believed of the same file. */
static void adopt(struct grow_set *s, struct grow *g, const struct stat *st)
{
    bool same = g->ino == (uint64_t)st->st_ino && g->dev == (uint64_t)st->st_dev;

    if (same && st->st_size >= g->len)
        return;
    if (s->rolled && g->ino)
        log_error("output file: a growing file was removed or cut by somebody else", "output", s->name, "file",
                  g->rel.p);
    else if (same)
        log_warn("output file: somebody cut the file", "output", s->name, "file", g->rel.p);
    g->dev = st->st_dev;
    g->ino = st->st_ino;
    g->len = g->raw = st->st_size;
    g->settled = g->described = -1;
    g->uncertain = false;
    g->fresh = true;
    g->journal = !s->rolled;
    g->opened = io->wall();
}

/* A file that was moved away or removed is left to whoever did it; the name is opened anew. */
static bool still_there(struct grow_set *s, struct grow *g, struct err *e)
{
    struct stat st;

    if (!fstatat(s->root, g->rel.p, &st, AT_SYMLINK_NOFOLLOW) && st.st_ino == g->ino && st.st_dev == g->dev) {
        adopt(s, g, &st);
        return true;
    }
    if (!grow_sync(s, g, e))
        return false;
    grow_close(s, g);
    return true;
}

bool grow_open(struct grow_set *s, struct grow *g, struct err *e)
{
    struct stat st;

    if (g->fd >= 0 && !s->rolled && !still_there(s, g, e))
        return false;
    if (g->fd >= 0) {
        list_remove(&g->used);
        list_append(&s->used, &g->used);
        return true;
    }
    if (!make_room(s, e))
        return false;
    g->fd = open_file(s, g);
    if (g->fd < 0 && (errno == EMFILE || errno == ENFILE) && s->nopen) {
        s->open_max = s->nopen;
        if (!make_room(s, e))
            return false;
        g->fd = open_file(s, g);
    }
    if (g->fd < 0)
        return err_errno(e, "cannot open %s in " STR_FMT "%s", g->rel.p, STR_ARG(s->dir),
                         errno == ELOOP || errno == EXDEV ? " (symbolic links are not followed)" : "");
    s->nopen++;
    list_append(&s->used, &g->used);
    if (io->fstat(g->fd, &st) || !S_ISREG(st.st_mode)) {
        grow_close(s, g);
        return err_set(e, "%s in " STR_FMT " is not a regular file", g->rel.p, STR_ARG(s->dir));
    }
    adopt(s, g, &st);
    return true;
}
