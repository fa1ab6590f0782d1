/* SPDX-License-Identifier: Apache-2.0 */
#include "state.h"

#include "base/io.h"
#include "base/log.h"
#include "beneath.h"
#include "event/time.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

enum { CHUNK = 1 << 20, NAMES_MAX = 4096 };

void rotate_name(struct grow_set *s, struct grow *g)
{
    struct buf final = {0};

    (void)s;
    buf_str(&final, g->rel);
    buf_char(&final, '.');
    time_write(&final, io->wall(), STR("%Y%m%d_%H%M%S"));
    free((void *)g->final.p);
    g->final.n = final.n;
    g->final.p = buf_text(&final);
}

/* In members of a bounded size, so that a large file takes no memory. */
static bool gzip_into(int from, int to, struct err *e)
{
    CLEANUP(buf_free) struct buf in = {0}, out = {0};

    for (;;) {
        ssize_t n = io->read(from, buf_room(&in, CHUNK), CHUNK);
        if (n < 0)
            return err_errno(e, "read");
        if (!n)
            return !io->fsync(to) || err_errno(e, "fsync");
        buf_clear(&out);
        if (!codec_compress(CODEC_GZIP, 0, (struct str){in.p, (size_t)n}, &out, e))
            return false;
        if (io_write_all(to, out.p, out.n) < 0)
            return err_errno(e, "write");
    }
}

static void gzip_file(struct grow_set *s, int dir, const char *name)
{
    CLEANUP(buf_free) struct buf made = {0}, hidden = {0};
    CLEANUP(cleanup_fd) int from = io->openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0), to = -1;
    struct err e;

    buf_fmt(&made, "%s.gz", name);
    buf_fmt(&hidden, ".%s.gz.part", name);
    io->unlinkat(dir, buf_text(&hidden), 0); /* of a run that ended in the middle */
    if (from >= 0)
        to = io->openat(dir, buf_text(&hidden), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0640);
    if (to < 0) {
        log_warn("output file: a rotated file cannot be compressed", "output", s->name, "file", name);
        return;
    }
    if (gzip_into(from, to, &e) && !beneath_rename(dir, buf_text(&hidden), buf_text(&made))) {
        io->unlinkat(dir, name, 0);
        return;
    }
    log_warn("output file: a rotated file cannot be compressed", "output", s->name, "file", name, "why", e.text);
    io->unlinkat(dir, buf_text(&hidden), 0);
}

struct rotated {
    const char *leaf;
    size_t leaf_n;
    char *names[NAMES_MAX];
    size_t n;
};

/* LEAF.YYYYMMDD_HHMMSS, then "-x" where the name was taken, then .gz. */
static bool is_rotated(const struct rotated *r, const char *name)
{
    static const char form[] = ".dddddddd_dddddd";
    const char *p = name + r->leaf_n;

    if (strncmp(name, r->leaf, r->leaf_n))
        return false;
    for (const char *f = form; *f; f++, p++)
        if (*f == 'd' ? *p < '0' || *p > '9' : *p != *f)
            return false;
    while (!strncmp(p, "-x", 2))
        p += 2;
    return !*p || !strcmp(p, ".gz");
}

static void collect(void *arg, const char *name)
{
    struct rotated *r = arg;

    if (r->n < NAMES_MAX && is_rotated(r, name))
        r->names[r->n++] = strdup(name);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void prune(struct grow_set *s, int dir, const char *leaf)
{
    struct rotated *r = calloc(1, sizeof(*r));
    size_t keep = (size_t)s->rotate_files;

    if (!r)
        return;
    r->leaf = leaf;
    r->leaf_n = strlen(leaf);
    io->list(dir, collect, r);
    qsort(r->names, r->n, sizeof(r->names[0]), by_name);
    for (size_t i = 0; i < r->n; i++) {
        if (r->names[i] && r->n > keep && i < r->n - keep)
            io->unlinkat(dir, r->names[i], 0);
        free(r->names[i]);
    }
    free(r);
}

void rotate_after(struct grow_set *s, struct grow *g)
{
    const char *leaf, *final_leaf;
    CLEANUP(cleanup_fd) int dir = beneath_parent(s->root, g->rel.p, &leaf);

    if (dir < 0)
        return;
    final_leaf = strrchr(g->final.p, '/');
    if (s->rotate_gzip)
        gzip_file(s, dir, final_leaf ? final_leaf + 1 : g->final.p);
    prune(s, dir, leaf);
}
