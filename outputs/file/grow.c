/* SPDX-License-Identifier: Apache-2.0 */
#include "grow.h"

#include "base/alloc.h"
#include "base/io.h"
#include "base/log.h"
#include "beneath.h"
#include "state.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>

enum {
    BUFFER_KEPT = 8 << 10,  /* of a file between deliveries */
    GROUP = 256 << 10,      /* compressed files grow by members of about this much text */
    GROUPS_MAX = 16 << 20,  /* text that waits for its member, over all files */
    REL_MAX = PATH_MAX - 96 /* with room for what a finished name gets */
};

void grow_set_init(struct grow_set *s)
{
    list_init(&s->all);
    list_init(&s->used);
    s->root = s->journal = -1;
}

static struct str own(struct str s)
{
    return (struct str){alloc_text(s.p, s.n), s.n};
}

struct grow *grow_new(struct grow_set *s, struct str key, struct str rel, struct str final)
{
    struct grow *g = alloc_new(sizeof(*g));

    *g = (struct grow){.key = own(key), .rel = own(rel), .final = own(final), .fd = -1, .described = -1, .settled = -1};
    g->opened = io->wall();
    list_append(&s->all, &g->all);
    list_init(&g->used);
    return g;
}

void grow_close(struct grow_set *s, struct grow *g)
{
    if (g->fd < 0)
        return;
    io->close(g->fd);
    g->fd = -1;
    s->nopen--;
    list_remove(&g->used);
}

void grow_free(struct grow_set *s, struct grow *g)
{
    grow_close(s, g);
    list_remove(&g->all);
    if (map_get(&s->current, g->key) == g)
        map_del(&s->current, g->key);
    s->waiting -= g->out.n;
    buf_free(&g->out);
    free((void *)g->key.p);
    free((void *)g->rel.p);
    free((void *)g->final.p);
    free(g);
}

void grow_set_free(struct grow_set *s)
{
    list_each (it, &s->all)
        grow_free(s, container_of(it, struct grow, all));
    map_free(&s->current);
    buf_free(&s->spare);
    free(s->touched);
    if (s->root >= 0)
        close(s->root);
    if (s->journal >= 0)
        close(s->journal);
    s->root = s->journal = -1;
}

/* Names that no file system takes would be tried for ever: they are the event's fault. */
static bool name_fits(struct str key, size_t more, struct err *e)
{
    size_t at = 0;

    if (key.n > REL_MAX)
        return err_set(e, "the file's name would be longer than %d bytes", REL_MAX);
    for (size_t i = 0; i <= key.n; i++) {
        if (i < key.n && key.p[i] != '/')
            continue;
        if (i == at)
            return err_set(e, "the file's name would have an empty part");
        if (i - at + (i == key.n ? more : 0) > NAME_MAX)
            return err_set(e, "a part of the file's name would be longer than %d bytes", NAME_MAX);
        at = i + 1;
    }
    return true;
}

static struct grow *rolled_new(struct grow_set *s, struct str key)
{
    CLEANUP(buf_free) struct buf rel = {0}, final = {0};
    uint64_t n = s->next_part++;
    struct grow *g;

    buf_fmt(&rel, ".growing/.%s-%llu.part", s->owner, (unsigned long long)n);
    buf_fmt(&final, STR_FMT "-%.8s-%06llu%s", STR_ARG(key), s->owner, (unsigned long long)n, s->suffix);
    g = grow_new(s, key, buf_view(&rel), buf_view(&final));
    g->fresh = true;
    return g;
}

struct grow *grow_for(struct grow_set *s, struct str key, struct err *e)
{
    struct grow *g = map_get(&s->current, key);

    if (g)
        return g;
    if (!name_fits(key, s->rolled ? 48 : 0, e))
        return NULL;
    if (s->ntouched >= s->open_max) {
        err_set(e, "one delivery would touch more than %zu files (max_dynamic_files)", s->open_max);
        return NULL;
    }
    g = s->rolled ? rolled_new(s, key) : grow_new(s, key, key, STR(""));
    map_set(&s->current, g->key, g);
    return g;
}

void grow_touch(struct grow_set *s, struct grow *g)
{
    if (g->touched)
        return;
    s->touched = alloc_grow(s->touched, s->ntouched, &s->touched_cap, sizeof(*s->touched));
    s->touched[s->ntouched++] = g;
    g->touched = true;
    g->kept = g->out.n;
    if (!g->out.p) {
        g->out = s->spare;
        s->spare = (struct buf){0};
    }
}

static bool cut(struct grow *g, int64_t len)
{
    if (io->ftruncate(g->fd, len)) {
        g->uncertain = true;
        return false;
    }
    g->uncertain = false;
    g->dirty = true;
    return true;
}

/* The file as long as it should be, so that an append lands where it belongs. */
static bool at_end(struct grow_set *s, struct grow *g, struct err *e)
{
    struct stat st;

    if (io->fstat(g->fd, &st))
        return err_errno(e, "cannot look at %s", g->rel.p);
    if (st.st_size > g->len && (g->uncertain || s->rolled)) {
        if (!cut(g, g->len))
            return err_errno(e, "cannot cut %s back to %lld bytes", g->rel.p, (long long)g->len);
    } else if (st.st_size > g->len) {
        log_warn("output file: somebody else writes to the file", "output", s->name, "file", g->rel.p);
        g->len = st.st_size;
    }
    g->uncertain = false;
    return true;
}

bool grow_flush(struct grow_set *s, struct grow *g, struct err *e)
{
    CLEANUP(buf_free) struct buf member = {0};
    struct str bytes = buf_view(&g->out);

    if ((g->fd < 0 && !grow_open(s, g, e)) || !at_end(s, g, e))
        return false;
    if (s->codec != CODEC_NONE && bytes.n) {
        if (!codec_compress(s->codec, 0, bytes, &member, e))
            return false;
        bytes = buf_view(&member);
    }
    g->start = g->len;
    g->grew = 0;
    if (bytes.n && io_write_all(g->fd, bytes.p, bytes.n) < 0) {
        err_errno(e, "cannot write to %s in " STR_FMT, g->rel.p, STR_ARG(s->dir));
        cut(g, g->start);
        return false;
    }
    g->grew = (int64_t)bytes.n;
    g->dirty = true;
    g->flushed = true;
    return true;
}

/* A thousand files must not each keep a buffer of the size of a delivery: one is kept for all. */
static void give_back(struct grow_set *s, struct grow *g)
{
    struct buf larger = g->out;

    if (larger.cap <= BUFFER_KEPT)
        return;
    if (larger.cap > s->spare.cap) {
        g->out = s->spare;
        s->spare = larger;
    }
    buf_free(&g->out);
}

/* What a flush wrote belongs to taken deliveries from here on. */
static void keep(struct grow_set *s, struct grow *g)
{
    g->len = g->start + g->grew;
    g->raw += (int64_t)g->out.n;
    s->waiting -= g->out.n;
    buf_clear(&g->out);
    g->kept = 0;
    g->flushed = false;
    give_back(s, g);
}

bool grow_sync(struct grow_set *s, struct grow *g, struct err *e)
{
    const char *leaf;

    if (g->out.n && !g->touched) {
        if (!grow_flush(s, g, e))
            return false;
        keep(s, g);
    }
    if (g->dirty && g->fd < 0 && !grow_open(s, g, e))
        return false;
    if (g->uncertain && !g->touched && !cut(g, g->len))
        return err_errno(e, "cannot cut %s back to %lld bytes", g->rel.p, (long long)g->len);
    if (g->dirty && io->fdatasync(g->fd)) {
        s->lost = true; /* the kernel may have dropped the pages and would answer the next call with success */
        return err_errno(e, "fdatasync of %s in " STR_FMT, g->rel.p, STR_ARG(s->dir));
    }
    g->dirty = false;
    if (g->fresh && g->ino) {
        CLEANUP(cleanup_fd) int dir = beneath_parent(s->root, g->rel.p, &leaf);
        if (dir < 0 || io->fsync(dir))
            return err_errno(e, "fsync of the directory of %s", g->rel.p);
        g->fresh = false;
    }
    return true;
}

static void forget_touched(struct grow_set *s)
{
    for (size_t i = 0; i < s->ntouched; i++)
        s->touched[i]->touched = s->touched[i]->flushed = false;
    s->ntouched = 0;
}

/* Nothing of the delivery stays.  A cut that fails is made up for before the file is written again. */
void grow_abort(struct grow_set *s)
{
    struct err e;

    for (size_t i = 0; i < s->ntouched; i++) {
        struct grow *g = s->touched[i];
        if (g->flushed) {
            g->len = g->start;
            if (g->fd < 0 && !grow_open(s, g, &e))
                g->uncertain = true;
            else if (g->grew)
                cut(g, g->start);
        }
        g->out.n = g->kept;
    }
    s->waiting = 0;
    list_each (it, &s->all)
        s->waiting += container_of(it, struct grow, all)->out.n;
    forget_touched(s);
}

static bool flush_all(struct grow_set *s, struct err *e)
{
    bool full = s->waiting > GROUPS_MAX;

    for (size_t i = 0; i < s->ntouched; i++)
        if (!grow_open(s, s->touched[i], e))
            return false;
    if (!journal_add(s, e))
        return false;
    for (size_t i = 0; i < s->ntouched; i++) {
        struct grow *g = s->touched[i];
        if ((s->codec == CODEC_NONE || full || g->out.n >= GROUP) && !grow_flush(s, g, e))
            return false;
    }
    return true;
}

/* More files than may be: the oldest rolled ones are finished early; append-only ones are forgotten once settled. */
static void shed(struct grow_set *s)
{
    size_t more = s->current.live > s->open_max ? s->current.live - s->open_max : 0;

    s->wants |= more > 0;
    if (!s->rolled)
        return;
    list_each (it, &s->all) {
        struct grow *g = container_of(it, struct grow, all);
        if (!more)
            return;
        if (g->sealed)
            continue;
        g->due = true;
        more--;
    }
}

bool grow_commit(struct grow_set *s, struct err *e)
{
    for (size_t i = 0; i < s->ntouched; i++)
        s->waiting += s->touched[i]->out.n - s->touched[i]->kept;
    if (!flush_all(s, e)) {
        grow_abort(s);
        return false;
    }
    for (size_t i = 0; i < s->ntouched; i++) {
        struct grow *g = s->touched[i];
        if (g->flushed)
            keep(s, g);
        if (s->roll_size && g->raw + (int64_t)g->out.n >= s->roll_size)
            g->due = s->wants = true;
    }
    forget_touched(s);
    shed(s);
    return true;
}
