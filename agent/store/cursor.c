/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "store/cursor_format.h"
#include "store/store_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

/* File names have 255 bytes; encoding may triple a name's. */
enum { NAME_MAX_BYTES = 80, FILE_MAX = 256 << 20 };
static const char suffix[] = ".cur", half_made[] = ".tmp";

void cursor_state_free(struct cursor_state *s)
{
    buf_free(&s->plan.done);
    buf_free(&s->output);
    *s = (struct cursor_state){0};
}

static bool plain(char c, size_t at)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '=' ||
           c == '-' || (c == '.' && at);
}

static char *file_of(struct str output)
{
    struct buf b = {0};

    for (size_t i = 0; i < output.n; i++)
        if (plain(output.p[i], i))
            buf_char(&b, output.p[i]);
        else
            buf_fmt(&b, "%%%02x", (unsigned char)output.p[i]);
    buf_fmt(&b, "%s", suffix);
    buf_text(&b);
    return b.p;
}

static bool name_of(struct str file, struct buf *output)
{
    file.n -= sizeof suffix - 1;
    for (size_t i = 0; i < file.n; i++) {
        unsigned byte;
        char hex[3];
        if (file.p[i] != '%') {
            buf_char(output, file.p[i]);
            continue;
        }
        if (file.n - i < 3)
            return false;
        memcpy(hex, file.p + i + 1, 2);
        hex[2] = 0;
        if (sscanf(hex, "%2x", &byte) != 1)
            return false;
        buf_char(output, (char)byte);
        i += 2;
    }
    return output->n > 0;
}

static struct cursor *add(struct store *s, struct str output)
{
    struct cursor *c = alloc_new(sizeof *c);

    c->store = s;
    c->output = alloc_text(output.p, output.n);
    c->file = s->fd < 0 ? NULL : file_of(output);
    c->fd = -1;
    c->next = s->cursors;
    s->cursors = c;
    return c;
}

static void destroy(struct cursor *c)
{
    if (c->fd >= 0)
        io->close(c->fd);
    free(c->output);
    free(c->file);
    buf_free(&c->image);
    free(c);
}

/* The newest of the two slots.  False: neither can be read. */
static bool read_slots(struct cursor *c, struct str file, struct cursor_state *state)
{
    struct str half[2], output;
    uint64_t generation[2] = {0};
    bool good[2];
    unsigned best;

    c->slot_size = file.n / 2 - file.n / 2 % CURSOR_SLOT;
    for (int i = 0; i < 2; i++) {
        half[i] = str_head(str_from(file, (size_t)i * c->slot_size), c->slot_size);
        good[i] = cursor_decode(half[i], &generation[i], &output, NULL) && str_eq(output, str_of(c->output));
    }
    if (!good[0] && !good[1])
        return false;
    best = !good[0] || (good[1] && generation[1] > generation[0]);
    c->generation = generation[best];
    c->durable_slot = best;
    return cursor_decode(half[best], &c->generation, &output, state);
}

static bool read_file(struct cursor *c, struct cursor_state *state, struct err *e)
{
    CLEANUP(buf_free) struct buf bytes = {0};
    struct stat st;
    ssize_t got = -1;
    int fd = io->openat(c->store->cursors_fd, c->file, O_RDONLY | O_NOFOLLOW, 0);

    if (fd >= 0 && !io->fstat(fd, &st) && st.st_size <= FILE_MAX)
        got = io_pread_all(fd, buf_room(&bytes, (size_t)st.st_size + 1), (size_t)st.st_size, 0);
    if (got < 0)
        err_errno(e, "cannot read cursor %s", c->file);
    if (fd >= 0)
        io->close(fd);
    if (got < 0)
        return false;
    bytes.n = (size_t)got;
    c->damaged = !read_slots(c, buf_view(&bytes), state);
    return true;
}

static void found_name(void *arg, const char *name)
{
    struct strs *names = arg;

    if (!str_ends(str_of(name), STR(".cur")))
        return;
    names->items = alloc_resize(names->items, (names->n + 1) * sizeof *names->items);
    names->items[names->n++] = (struct str){alloc_text(name, strlen(name)), strlen(name)};
}

static bool sync_file(struct cursor *c, struct err *e)
{
    int fd = io->openat(c->store->cursors_fd, c->file, O_RDWR | O_NOFOLLOW, 0);
    bool ok = fd >= 0 && !io_settle(fd);

    if (!ok)
        err_errno(e, "cannot sync cursor %s", c->file);
    if (fd >= 0)
        io->close(fd);
    return ok;
}

static bool load_one(struct store *s, struct str file, uint64_t *furthest, struct err *e)
{
    CLEANUP(buf_free) struct buf output = {0};
    CLEANUP(cursor_state_free) struct cursor_state state = {0};
    struct cursor *c;

    if (!name_of(file, &output))
        return true;
    c = add(s, buf_view(&output));
    if (!c->file || strcmp(c->file, file.p)) { /* not a name that we would give */
        s->cursors = c->next;
        destroy(c);
        return true;
    }
    /* What a killed agent left in the page cache must not count as durable, nor its slot as the one to spare. */
    if (!sync_file(c, e) || !read_file(c, &state, e))
        return false;
    if (c->damaged)
        log_error("cursor damaged: its output begins at the oldest event kept", "output", c->output);
    c->held = state.lsn;
    if (state.lsn > *furthest)
        *furthest = state.lsn;
    return true;
}

bool cursors_load(struct store *s, uint64_t *furthest, struct err *e)
{
    struct strs names = {0};
    bool ok = true;

    *furthest = 0;
    if (s->fd < 0)
        return true;
    if (io->list(s->cursors_fd, found_name, &names))
        ok = err_errno(e, "cannot list the cursors");
    else if (io->fsync(s->cursors_fd))
        ok = err_errno(e, "cannot sync the cursors' directory");
    for (size_t i = 0; i < names.n; i++) {
        ok = ok && load_one(s, names.items[i], furthest, e);
        free((char *)names.items[i].p);
    }
    free(names.items);
    return ok;
}

void cursors_free(struct store *s)
{
    while (s->cursors) {
        struct cursor *c = s->cursors;
        s->cursors = c->next;
        destroy(c);
    }
}

static struct cursor *find(struct store *s, struct str output)
{
    for (struct cursor *c = s->cursors; c; c = c->next)
        if (str_eq(str_of(c->output), output))
            return c;
    return NULL;
}

static bool read_state(struct cursor *c, struct cursor_state *state, struct err *e)
{
    struct str output;

    if (!c->file)
        return !c->image.n || cursor_decode(buf_view(&c->image), &c->generation, &output, state);
    if (c->damaged)
        return true;
    return read_file(c, state, e);
}

struct cursor *cursor_open(struct store *s, struct str output, struct cursor_state *state, bool *fresh, struct err *e)
{
    struct cursor *c;

    cursor_state_free(state);
    if (!output.n || output.n > NAME_MAX_BYTES || memchr(output.p, 0, output.n)) {
        err_set(e, "output name \"" STR_FMT "\" must have 1 to %d bytes", STR_ARG(output), NAME_MAX_BYTES);
        return NULL;
    }
    pthread_mutex_lock(&s->lock);
    c = find(s, output);
    *fresh = !c;
    if (c && c->in_use) {
        err_set(e, "cursor of output \"" STR_FMT "\" is in use", STR_ARG(output));
        c = NULL;
    } else if (c && !read_state(c, state, e)) {
        c = NULL;
    } else {
        if (!c)
            c = add(s, output);
        c->in_use = true;
        state->lost = c->damaged;
    }
    pthread_mutex_unlock(&s->lock);
    return c;
}

/* A new file with room for the slot, beside the old one until it is complete. */
static bool make_file(struct cursor *c, struct buf *slot, struct err *e)
{
    CLEANUP(buf_free) struct buf name = {0};
    int dir = c->store->cursors_fd, fd;
    struct iovec v = {slot->p, slot->n};

    c->rewrite = true; /* until all of this is on the disk */
    c->slot_size = (slot->n + slot->n / 4 + CURSOR_SLOT - 1) / CURSOR_SLOT * CURSOR_SLOT;
    buf_fmt(&name, "%s%s", c->file, half_made);
    fd = io->openat(dir, buf_text(&name), O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return err_errno(e, "cannot write cursor %s", c->file);
    if (io->ftruncate(fd, (off_t)(2 * c->slot_size)) || io_pwritev_all(fd, &v, 1, 0) || io->fdatasync(fd) ||
        io->renameat(dir, buf_text(&name), dir, c->file) || io->fsync(dir)) {
        err_errno(e, "cannot write cursor %s", c->file);
        io->close(fd);
        return false;
    }
    if (c->fd >= 0)
        io->close(c->fd);
    c->fd = fd;
    c->durable_slot = 0;
    c->rewrite = false;
    return true;
}

static bool write_slot(struct cursor *c, struct buf *slot, bool sync, struct err *e)
{
    unsigned other = !c->durable_slot;
    struct iovec v = {slot->p, slot->n};

    if (c->fd < 0)
        c->fd = io->openat(c->store->cursors_fd, c->file, O_RDWR | O_NOFOLLOW, 0);
    if (c->fd < 0) {
        c->rewrite = true; /* somebody took it away */
        return err_errno(e, "cannot open cursor %s", c->file);
    }
    if (io_pwritev_all(c->fd, &v, 1, (off_t)(other * c->slot_size)) || (sync && io->fdatasync(c->fd))) {
        /* What the slot holds now is not known, and this descriptor may lie about the next sync. */
        c->rewrite = true;
        return err_errno(e, "cannot write cursor %s", c->file);
    }
    if (sync)
        c->durable_slot = other;
    return true;
}

bool cursor_save(struct cursor *c, const struct cursor_state *state, bool sync, struct err *e)
{
    CLEANUP(buf_free) struct buf slot = {0};
    bool ok = true, make;

    cursor_encode(&slot, c->generation + 1, str_of(c->output), state);
    make = c->rewrite || !c->slot_size || slot.n > c->slot_size;
    if (c->file)
        ok = make ? make_file(c, &slot, e) : write_slot(c, &slot, sync, e);
    if (!ok)
        return false;
    c->generation++;
    pthread_mutex_lock(&c->store->lock);
    if (!c->file) {
        buf_free(&c->image);
        c->image = slot;
        slot = (struct buf){0};
    }
    if (sync || make || !c->file)
        c->held = state->lsn;
    c->damaged = false;
    pthread_mutex_unlock(&c->store->lock);
    return true;
}

void cursor_close(struct cursor *c)
{
    if (!c)
        return;
    pthread_mutex_lock(&c->store->lock);
    if (c->fd >= 0)
        io->close(c->fd);
    c->fd = -1;
    c->in_use = false;
    pthread_mutex_unlock(&c->store->lock);
}

void cursor_each(struct store *s, void (*each)(void *arg, struct str output, const struct cursor_state *state),
                 void *arg)
{
    pthread_mutex_lock(&s->lock);
    for (struct cursor *c = s->cursors; c; c = c->next) {
        CLEANUP(cursor_state_free) struct cursor_state state = {0};
        /* Its owner may be saving: this looks at the file and leaves the struct alone. */
        struct cursor look = {.store = s, .output = c->output, .file = c->file, .image = c->image};
        if (!c->file || read_file(&look, &state, NULL)) {
            if (!c->file)
                read_state(&look, &state, NULL);
            state.lost = look.damaged;
            each(arg, str_of(c->output), &state);
        }
    }
    pthread_mutex_unlock(&s->lock);
}

bool cursor_forget(struct store *s, struct str output, struct err *e)
{
    struct cursor **at, *c;
    bool ok = false;

    pthread_mutex_lock(&s->lock);
    for (at = &s->cursors; *at && !str_eq(str_of((*at)->output), output); at = &(*at)->next)
        ;
    c = *at;
    if (!c) {
        err_set(e, "no output \"" STR_FMT "\" has a backlog", STR_ARG(output));
    } else if (c->in_use) {
        err_set(e, "output \"" STR_FMT "\" is in the configuration", STR_ARG(output));
    } else if (c->file && io->unlinkat(s->cursors_fd, c->file, 0) && errno != ENOENT) {
        err_errno(e, "cannot remove cursor %s", c->file);
    } else {
        *at = c->next;
        destroy(c);
        ok = true;
    }
    pthread_mutex_unlock(&s->lock);
    if (ok)
        store_trim(s);
    return ok;
}
