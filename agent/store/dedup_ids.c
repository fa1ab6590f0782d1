/* SPDX-License-Identifier: Apache-2.0 */
#include "store/dedup_ids.h"

#include "base/alloc.h"
#include "base/crc32c.h"
#include "base/io.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "base/reader.h"
#include "store/segment.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { ENTRY = 20, HEADER = 36, BLOCK = 16, FLUSH = 64 << 10, BLOCK_MAX = 64 << 20 };
static const char magic[8] = "WEIRIDS\n";

struct ids_file {
    uint64_t base;
    int64_t last; /* wall clock of its newest block */
    bool complete;
};

struct dedup_ids {
    int dir;
    struct id store;
    struct dedup *set;
    int64_t window;
    struct ids_file *files; /* by base, but for the one being written */
    size_t n, cap;
    int fd; /* of the segment being written; -1: none, or it failed and stays incomplete */
    uint64_t base;
    bool any;
    struct buf pending;
    uint64_t at;
};

static void file_name(uint64_t base, char out[SEGMENT_NAME])
{
    snprintf(out, SEGMENT_NAME, "%016" PRIx64 ".ids", base);
}

void dedup_write(struct buf *payload, struct id id, uint32_t body_hash)
{
    buf_le64(payload, id.hi);
    buf_le64(payload, id.lo);
    buf_le32(payload, body_hash);
}

static void into_set(struct dedup_ids *ids, struct str payload, int64_t age)
{
    struct reader r = reader_of(payload);

    while (reader_left(&r) >= ENTRY) {
        struct id id;
        id.hi = reader_le64(&r);
        id.lo = reader_le64(&r);
        dedup_load(ids->set, id, reader_le32(&r), age);
    }
}

/* The next block; false: none, or damaged. */
static bool next_block(struct reader *r, int64_t *time, struct str *payload)
{
    uint32_t n = reader_le32(r), crc = reader_le32(r);
    struct str rest = {(const char *)r->p, reader_left(r)};

    if (r->bad || n > BLOCK_MAX || rest.n < 8 + (size_t)n || crc32c(0, rest.p, 8 + n) != crc)
        return false;
    *time = (int64_t)reader_le64(r);
    *payload = reader_bytes(r, n);
    return true;
}

static void read_blocks(struct dedup_ids *ids, struct ids_file *f, struct str bytes)
{
    struct reader r = reader_of(bytes);
    struct str payload;
    int64_t time, now = io->wall();

    reader_bytes(&r, HEADER);
    while (!f->complete && next_block(&r, &time, &payload)) {
        if (time > f->last)
            f->last = time;
        f->complete = !payload.n;
        if (now - time <= ids->window)
            into_set(ids, payload, now > time ? now - time : 0);
    }
}

static void header(const struct dedup_ids *ids, uint64_t base, struct buf *out)
{
    buf_add(out, magic, sizeof magic);
    buf_le32(out, 1);
    buf_le64(out, ids->store.hi);
    buf_le64(out, ids->store.lo);
    buf_le64(out, base);
}

static void load_file(struct dedup_ids *ids, struct ids_file *f)
{
    CLEANUP(buf_free) struct buf bytes = {0}, want = {0};
    char name[SEGMENT_NAME];
    struct stat st;
    int fd;
    ssize_t got = -1;

    file_name(f->base, name);
    fd = io->openat(ids->dir, name, O_RDWR | O_NOFOLLOW, 0);
    if (fd < 0)
        return;
    /* It is about to be believed: what a killed agent left in the page cache must reach the disk. */
    if (!io_settle(fd) && !io->fstat(fd, &st))
        got = io_pread_all(fd, buf_room(&bytes, (size_t)st.st_size + 1), (size_t)st.st_size, 0);
    io->close(fd);
    if (got < 0)
        return;
    bytes.n = (size_t)got;
    header(ids, f->base, &want);
    if (bytes.n >= HEADER && str_starts(buf_view(&bytes), str_head(buf_view(&want), HEADER)))
        read_blocks(ids, f, buf_view(&bytes));
}

static void found_name(void *arg, const char *name)
{
    struct dedup_ids *ids = arg;
    uint64_t base;

    if (!segment_name_parse(name, ".ids", &base))
        return;
    ids->files = alloc_grow(ids->files, ids->n, &ids->cap, sizeof *ids->files);
    ids->files[ids->n++] = (struct ids_file){.base = base};
}

static int by_base(const void *a, const void *b)
{
    uint64_t x = ((const struct ids_file *)a)->base, y = ((const struct ids_file *)b)->base;

    return x < y ? -1 : x > y;
}

struct dedup_ids *dedup_ids_open(int dir, struct id store, struct dedup *set, int64_t window, struct err *e)
{
    struct dedup_ids *ids = alloc_new(sizeof *ids);

    *ids = (struct dedup_ids){.dir = dir, .store = store, .set = set, .window = window, .fd = -1};
    if (io->list(dir, found_name, ids)) {
        err_errno(e, "cannot list the directory of ids");
        dedup_ids_close(ids);
        return NULL;
    }
    if (ids->n)
        qsort(ids->files, ids->n, sizeof *ids->files, by_base);
    for (size_t i = 0; i < ids->n; i++)
        load_file(ids, &ids->files[i]);
    return ids;
}

void dedup_ids_close(struct dedup_ids *ids)
{
    if (!ids)
        return;
    if (ids->fd >= 0)
        io->close(ids->fd);
    buf_free(&ids->pending);
    free(ids->files);
    free(ids);
}

static struct ids_file *find(const struct dedup_ids *ids, uint64_t base)
{
    for (size_t i = 0; i < ids->n; i++)
        if (ids->files[i].base == base)
            return &ids->files[i];
    return NULL;
}

bool dedup_ids_complete(const struct dedup_ids *ids, uint64_t base)
{
    const struct ids_file *f = ids ? find(ids, base) : NULL;

    return f && f->complete;
}

/* A file that cannot be written stays incomplete: the next start reads the segment in its stead. */
static void give_up(struct dedup_ids *ids)
{
    log_warn("ids of the log not kept", "why", strerror(errno));
    io->close(ids->fd);
    ids->fd = -1;
}

/* Writes what waits as one block; an empty one ends the file. */
static void flush(struct dedup_ids *ids)
{
    CLEANUP(buf_free) struct buf block = {0};
    struct iovec v[2];
    uint64_t time = htole64((uint64_t)io->wall());

    if (ids->fd < 0) {
        buf_clear(&ids->pending);
        return;
    }
    buf_le32(&block, (uint32_t)ids->pending.n);
    buf_le32(&block, crc32c(crc32c(0, &time, sizeof time), ids->pending.p, ids->pending.n));
    buf_add(&block, &time, sizeof time);
    v[0] = (struct iovec){block.p, BLOCK};
    v[1] = (struct iovec){ids->pending.p, ids->pending.n};
    if (io_pwritev_all(ids->fd, v, ids->pending.n ? 2 : 1, (off_t)ids->at))
        give_up(ids);
    ids->at += BLOCK + ids->pending.n;
    buf_clear(&ids->pending);
}

static void expire(struct dedup_ids *ids)
{
    int64_t now = io->wall();
    size_t kept = 0;

    for (size_t i = 0; i < ids->n; i++) {
        char name[SEGMENT_NAME];
        file_name(ids->files[i].base, name);
        if (now - ids->files[i].last <= ids->window || ids->files[i].base == ids->base)
            ids->files[kept++] = ids->files[i];
        else
            io->unlinkat(ids->dir, name, 0);
    }
    ids->n = kept;
}

static void complete(struct dedup_ids *ids)
{
    struct ids_file *f;

    if (ids->pending.n)
        flush(ids);
    flush(ids);
    if (ids->fd >= 0 && io->fdatasync(ids->fd))
        give_up(ids);
    f = find(ids, ids->base);
    if (!f) {
        ids->files = alloc_grow(ids->files, ids->n, &ids->cap, sizeof *ids->files);
        f = &ids->files[ids->n++];
    }
    *f = (struct ids_file){ids->base, io->wall(), ids->fd >= 0};
    if (ids->fd >= 0)
        io->close(ids->fd);
    ids->fd = -1;
}

void dedup_ids_segment(struct dedup_ids *ids, uint64_t base)
{
    CLEANUP(buf_free) struct buf head = {0};
    char name[SEGMENT_NAME];
    struct iovec v;

    if (!ids || (ids->any && ids->base == base))
        return;
    if (ids->any)
        complete(ids);
    ids->any = true;
    ids->base = base;
    buf_clear(&ids->pending);
    file_name(base, name);
    ids->fd = io->openat(ids->dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0600);
    if (ids->fd < 0) {
        log_warn("ids of the log not kept", "why", strerror(errno));
        return;
    }
    header(ids, base, &head);
    ids->at = head.n;
    v = (struct iovec){head.p, head.n};
    if (io_pwritev_all(ids->fd, &v, 1, 0) || io->fsync(ids->dir))
        give_up(ids);
    expire(ids);
}

void dedup_ids_add(struct dedup_ids *ids, struct str payload)
{
    if (!ids)
        return;
    buf_add(&ids->pending, payload.p, payload.n - payload.n % ENTRY);
    if (ids->pending.n >= FLUSH)
        flush(ids);
}

void dedup_ids_recover(struct dedup_ids *ids, struct str payload)
{
    if (!ids)
        return;
    into_set(ids, payload, 0);
    dedup_ids_add(ids, payload);
}
