/* SPDX-License-Identifier: Apache-2.0 */
#include "state.h"

#include "base/alloc.h"
#include "base/io.h"
#include "base/log.h"
#include "base/reader.h"
#include "beneath.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

enum { STATE_VERSION = 1, ENTRY_ROLLED = 1, ENTRY_SEALED = 2 };

struct entry {
    uint8_t flags;
    uint64_t dev, ino;
    int64_t len, raw, opened;
    struct str key, rel, final;
};

struct restore {
    struct grow_set *set;
    struct map parts; /* names in .growing that the state knows */
    uint32_t generation;
    bool finish; /* growing files of another configuration get their names now */
};

static struct str get_str(struct reader *r)
{
    uint64_t n = reader_varint(r);
    return reader_bytes(r, n > reader_left(r) ? reader_left(r) + 1 : (size_t)n);
}

static void get_entry(struct reader *r, struct entry *n)
{
    n->flags = reader_u8(r);
    n->dev = reader_le64(r);
    n->ino = reader_le64(r);
    n->len = (int64_t)reader_varint(r);
    n->raw = (int64_t)reader_varint(r);
    n->opened = (int64_t)reader_le64(r);
    n->key = get_str(r);
    n->rel = get_str(r);
    n->final = get_str(r);
}

enum found { FOUND_NOT, FOUND_OTHER, FOUND_SHORT, FOUND_SAME, FOUND_FAILED };

/* Cuts the file back where it is the one that was described. */
static enum found cut_back(int root, struct str name, uint64_t dev, uint64_t ino, int64_t len, struct err *e)
{
    CLEANUP(cleanup_free) char *rel = alloc_text(name.p, name.n);
    CLEANUP(cleanup_fd) int fd = beneath_open(root, rel, O_WRONLY | O_NONBLOCK | O_NOCTTY, 0);
    struct stat st;

    if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
        return FOUND_NOT;
    if (fd < 0 && (errno == ELOOP || errno == EXDEV || errno == EISDIR || errno == ENXIO))
        return FOUND_OTHER;
    if (fd < 0 || io->fstat(fd, &st)) {
        err_errno(e, "cannot open %s to bring it back to its last checkpoint", rel);
        return FOUND_FAILED;
    }
    if ((uint64_t)st.st_dev != dev || (uint64_t)st.st_ino != ino || !S_ISREG(st.st_mode))
        return FOUND_OTHER;
    if (st.st_size < len)
        return FOUND_SHORT;
    if (st.st_size > len && (io->ftruncate(fd, len) || io->fsync(fd))) {
        err_errno(e, "cannot cut %s back to %lld bytes", rel, (long long)len);
        return FOUND_FAILED;
    }
    return FOUND_SAME;
}

static void alarm_left(const struct restore *r, struct str rel, enum found found)
{
    CLEANUP(cleanup_free) char *name = alloc_text(rel.p, rel.n);
    static const char *const why[] = {"it is gone", "it is another file", "it is shorter than it was"};

    log_error("output file: left alone after a restart, events may be missing or double in it", "output", r->set->name,
              "file", name, "why", why[found]);
}

static void revive(struct restore *r, const struct entry *n)
{
    struct grow *g = grow_new(r->set, n->key, n->rel, n->final);

    g->dev = n->dev;
    g->ino = n->ino;
    g->len = g->settled = g->described = n->len;
    g->raw = n->raw;
    g->opened = n->opened;
    g->due = g->sealed = (n->flags & ENTRY_SEALED) || r->finish || map_get(&r->set->current, g->key);
    if (!g->sealed)
        map_set(&r->set->current, g->key, g);
}

static bool restore_entry(struct restore *r, const struct entry *n, struct err *e)
{
    int root = r->set->root;
    enum found found = cut_back(root, n->rel, n->dev, n->ino, n->len, e);
    struct err ignored;

    if (found == FOUND_FAILED)
        return false;
    if (n->flags & ENTRY_ROLLED)
        map_set(&r->parts, n->rel, r);
    if (found == FOUND_SAME) {
        if (n->flags)
            revive(r, n);
        return true;
    }
    /* Renamed already, behind the checkpoint. */
    if (n->final.n && cut_back(root, n->final, n->dev, n->ino, n->len, &ignored) == FOUND_SAME)
        return true;
    alarm_left(r, n->rel, found);
    return true;
}

static bool restore_journal(void *arg, const struct journal_entry *j, struct err *e)
{
    struct restore *r = arg;
    CLEANUP(cleanup_fd) int root = -1;

    if (j->generation < r->generation)
        return true; /* the state knows better */
    root = open(j->dir.p, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (root < 0 && errno == ENOENT)
        return true;
    if (root < 0)
        return err_errno(e, "cannot open the directory %s", j->dir.p);
    return cut_back(root, j->rel, j->dev, j->ino, j->len, e) != FOUND_FAILED;
}

struct sweep {
    struct restore *r;
    int dir;
};

static void sweep_name(void *arg, const char *name)
{
    struct sweep *w = arg;
    struct grow_set *s = w->r->set;
    CLEANUP(buf_free) struct buf rel = {0};

    if (name[0] != '.' || strncmp(name + 1, s->owner, 16) || name[17] != '-' || !str_ends(str_of(name), STR(".part")))
        return;
    buf_fmt(&rel, ".growing/%s", name);
    if (!map_get(&w->r->parts, buf_view(&rel)))
        io->unlinkat(w->dir, name, 0);
}

/* Growing files that the state does not know began after it: their events come again. */
static void sweep_parts(struct restore *r)
{
    struct sweep w = {r, beneath_open(r->set->root, ".growing", O_RDONLY | O_DIRECTORY, 0)};

    if (w.dir < 0)
        return;
    io->list(w.dir, sweep_name, &w);
    close(w.dir);
}

static bool finish_due(struct restore *r, struct err *e)
{
    list_each (it, &r->set->all) {
        struct grow *g = container_of(it, struct grow, all);
        if (!g->sealed)
            continue;
        for (unsigned again = 0; again < 8 && !state_finish(r->set, g); again++)
            g->settled = g->len; /* a taken name: the next one; it is known to the old state only by the part's name */
        if (r->finish && !g->renamed)
            return err_set(e, "cannot finish %s, a growing file of an earlier configuration", g->rel.p);
    }
    return true;
}

static bool restore_root(struct restore *r, struct reader *in, struct err *e)
{
    uint64_t n = reader_varint(in);
    struct err why;
    struct entry entry;

    if (in->bad)
        return err_set(e, "the state of output %s is damaged", r->set->name);
    if (n && !grow_root(r->set, &why)) {
        log_error("output file: nothing can be brought back to the last checkpoint", "output", r->set->name, "why",
                  why.text);
        return true;
    }
    while (n--) {
        get_entry(in, &entry);
        if (in->bad)
            return err_set(e, "the state of output %s is damaged", r->set->name);
        if (!restore_entry(r, &entry, e))
            return false;
    }
    if (r->set->root >= 0 || grow_root(r->set, &why))
        sweep_parts(r);
    return journal_each(r->set, restore_journal, r, e) && finish_due(r, e);
}

/* The state's root is another one than today's: all that grew there is finished there. */
static bool restore_elsewhere(struct restore *r, struct reader *in, struct str dir, struct err *e)
{
    struct grow_set *s = r->set;
    struct str here = s->dir;
    CLEANUP(cleanup_free) char *there = alloc_text(dir.p, dir.n);
    int root = s->root;
    bool ok;

    s->dir = (struct str){there, dir.n};
    s->root = -1;
    r->finish = true;
    ok = restore_root(r, in, e);
    list_each (it, &s->all)
        grow_free(s, container_of(it, struct grow, all));
    if (s->root >= 0)
        close(s->root);
    s->root = root;
    s->dir = here;
    return ok;
}

bool state_restore(struct grow_set *s, struct str state, struct err *e)
{
    struct restore r = {.set = s};
    struct reader in = reader_of(state);
    struct str dir;
    bool ok;

    if (!state.n) {
        static const char none[] = {0};
        in = reader_of((struct str){none, 1});
        return restore_root(&r, &in, e);
    }
    if (reader_u8(&in) != STATE_VERSION)
        return err_set(e, "the state of output %s is of an unknown version", s->name);
    s->generation = r.generation = reader_le32(&in);
    s->next_part = reader_varint(&in);
    r.finish = reader_le64(&in) != s->config;
    dir = get_str(&in);
    if (in.bad)
        return err_set(e, "the state of output %s is damaged", s->name);
    ok = str_eq(dir, s->dir) ? restore_root(&r, &in, e) : restore_elsewhere(&r, &in, dir, e);
    map_free(&r.parts);
    return ok;
}
