/* SPDX-License-Identifier: Apache-2.0 */
#include "state.h"

#include "base/io.h"
#include "base/log.h"
#include "beneath.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

enum { STATE_VERSION = 1, ENTRY_ROLLED = 1, ENTRY_SEALED = 2, OMITTED = -2 };

static void put_str(struct buf *out, struct str s)
{
    buf_varint(out, s.n);
    buf_str(out, s);
}

static void put_entry(const struct grow_set *s, const struct grow *g, struct buf *out)
{
    buf_char(out, (char)((s->rolled ? ENTRY_ROLLED : 0) | (g->sealed ? ENTRY_SEALED : 0)));
    buf_le64(out, g->dev);
    buf_le64(out, g->ino);
    buf_varint(out, (uint64_t)g->len);
    buf_varint(out, (uint64_t)g->raw);
    buf_le64(out, (uint64_t)g->opened);
    put_str(out, g->key);
    put_str(out, g->rel);
    put_str(out, g->final);
}

/* Takes a due file out of the way of new lines; false: there is nothing in it. */
static bool seal(struct grow_set *s, struct grow *g)
{
    if (!g->due || g->sealed)
        return true;
    if (!g->ino)
        return false;
    g->sealed = true;
    if (s->rolled)
        map_del(&s->current, g->key);
    else
        rotate_name(s, g);
    return true;
}

bool state_checkpoint(struct grow_set *s, struct buf *out, struct err *e)
{
    CLEANUP(buf_free) struct buf entries = {0};
    uint64_t n = 0;

    if (s->lost)
        return err_set(e,
                       "an earlier fdatasync failed: what was written since the last checkpoint may be gone. Nothing "
                       "is lost: restart the agent when the disk is sound and it is written again");
    list_each (it, &s->all) {
        struct grow *g = container_of(it, struct grow, all);
        if (g->renamed) {
            g->described = OMITTED;
            continue;
        }
        if (!grow_sync(s, g, e))
            return false;
        if (!seal(s, g)) {
            grow_free(s, g);
            continue;
        }
        if (!g->ino)
            continue;
        g->described = g->len;
        put_entry(s, g, &entries);
        n++;
    }
    s->generation++;
    buf_char(out, STATE_VERSION);
    buf_le32(out, s->generation);
    buf_varint(out, s->next_part);
    buf_le64(out, s->config);
    put_str(out, s->dir);
    buf_varint(out, n);
    buf_str(out, buf_view(&entries));
    return true;
}

/* The name is taken by another file: the next checkpoint describes a new one. */
static void other_name(struct grow_set *s, struct grow *g)
{
    struct buf final = {0};
    size_t cut = g->final.n;

    log_warn("output file: the name of a finished file is taken", "output", s->name, "file", g->final.p);
    if (s->rolled && str_ends(g->final, str_of(s->suffix)))
        cut -= strlen(s->suffix);
    buf_str(&final, str_head(g->final, cut));
    buf_str(&final, STR("-x"));
    buf_str(&final, str_from(g->final, cut));
    free((void *)g->final.p);
    g->final.n = final.n;
    g->final.p = buf_text(&final);
    g->settled = g->described = -1;
}

static bool is_file(const struct grow_set *s, const char *rel, const struct grow *g)
{
    CLEANUP(cleanup_fd) int fd = beneath_open(s->root, rel, O_PATH, 0);
    struct stat st;

    return fd >= 0 && !fstat(fd, &st) && st.st_ino == g->ino && st.st_dev == g->dev;
}

static bool finish_failed(struct grow_set *s, struct grow *g)
{
    struct err e;

    if (errno == EEXIST && !is_file(s, g->final.p, g)) {
        other_name(s, g);
        return false;
    }
    if (errno == ENOENT && !is_file(s, g->rel.p, g) && !is_file(s, g->final.p, g)) {
        log_error("output file: a file that was to be finished is gone", "output", s->name, "file", g->rel.p);
        return true;
    }
    err_errno(&e, "cannot rename %s to %s", g->rel.p, g->final.p);
    log_error("output file: not finished yet", "output", s->name, "why", e.text);
    return false;
}

bool state_finish(struct grow_set *s, struct grow *g)
{
    if (g->renamed)
        return true;
    if (!g->final.n || !g->ino || g->out.n || g->dirty || g->uncertain || g->settled != g->len)
        return false;
    if (!g->len) {
        int dir;
        const char *leaf;
        if ((dir = beneath_parent(s->root, g->rel.p, &leaf)) < 0)
            return false;
        io->unlinkat(dir, leaf, 0);
        close(dir);
    } else if (beneath_mkdirs(s->root, g->final.p) || beneath_rename(s->root, g->rel.p, g->final.p)) {
        if (!finish_failed(s, g))
            return false;
    }
    grow_close(s, g);
    if (map_get(&s->current, g->key) == g)
        map_del(&s->current, g->key);
    g->renamed = true;
    return true;
}

void state_settled(struct grow_set *s)
{
    list_each (it, &s->all) {
        struct grow *g = container_of(it, struct grow, all);
        if (g->described == OMITTED) {
            if (!s->rolled)
                rotate_after(s, g);
            grow_free(s, g);
            continue;
        }
        if (g->described < 0)
            continue;
        g->settled = g->described;
        if (g->sealed)
            state_finish(s, g);
        else if (!s->rolled && g->fd < 0 && g->settled == g->len && !g->out.n)
            grow_free(s, g);
    }
    journal_settled(s);
}

void state_finish_all(struct grow_set *s)
{
    list_each (it, &s->all) {
        struct grow *g = container_of(it, struct grow, all);
        if (s->rolled || g->sealed)
            state_finish(s, g);
    }
}
