/* SPDX-License-Identifier: Apache-2.0 */
/* Making, naming, giving up and retiring segment files.  A segment is written as `next` and gets its name when its
 * first commit is on disk; a retired one becomes `next` again, so that most segments are allocated already. */
#include "base/alloc.h"
#include "base/crc32c.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "store/log_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

static const char spare_name[] = "next";

/* Room for `size` bytes, found now and not in the middle of a commit. */
static bool reserve(struct log *log, int fd, uint64_t size)
{
    struct stat st;

    if (io->fstat(fd, &st))
        return false;
    if ((uint64_t)st.st_size >= size)
        return true;
    log->blank = true;
    if (!io->fallocate(fd, 0, 0, (off_t)size))
        return true;
    if (errno != EOPNOTSUPP && errno != ENOSYS && errno != EINVAL)
        return false;
    return !io->ftruncate(fd, (off_t)size);
}

static int open_spare(struct log *log)
{
    int fd = io->openat(log->o.dir, spare_name, O_RDWR | O_CREAT | O_NOFOLLOW, 0600);

    if (fd >= 0 || errno != ENOENT || log->o.root < 0)
        return fd;
    /* log/ itself is gone: made again, so that the agent goes on when somebody tidied too much. */
    io->mkdirat(log->o.root, "log", 0700);
    fd = io->openat(log->o.root, "log", O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
    if (fd < 0)
        return -1;
    log->o.dir = fd; /* the old descriptor may be in use by others: it stays */
    io->fsync(log->o.root);
    return io->openat(log->o.dir, spare_name, O_RDWR | O_CREAT | O_NOFOLLOW, 0600);
}

/* The log thread holds the spare from here until the segment has its name; log_trim for the time of a rename. */
static void take_spare(struct log *log)
{
    pthread_mutex_lock(&log->lock);
    while (log->spare == SPARE_BUSY)
        pthread_cond_wait(&log->moved, &log->lock);
    log->spare = SPARE_BUSY;
    pthread_mutex_unlock(&log->lock);
}

static void put_spare(struct log *log, enum spare state)
{
    pthread_mutex_lock(&log->lock);
    log->spare = state;
    pthread_cond_broadcast(&log->moved);
    pthread_mutex_unlock(&log->lock);
}

/* The file `next` with room for `size` bytes, and no other use of it until put_spare. */
static int spare_file(struct log *log, uint64_t size)
{
    int fd, was;

    take_spare(log);
    fd = open_spare(log);
    if (fd >= 0 && reserve(log, fd, size))
        return fd;
    was = errno;
    if (fd >= 0) {
        io->close(fd);
        io->unlinkat(log->o.dir, spare_name, 0);
    }
    put_spare(log, SPARE_NONE);
    errno = was;
    return -1;
}

bool spare_prepare(struct log *log)
{
    int fd;
    bool needed;

    pthread_mutex_lock(&log->lock);
    /* Until the segment in use is half full a retired one may come, which is cheaper to write: it has its blocks. */
    needed = log->o.dir >= 0 && log->spare == SPARE_NONE &&
             !(log->active && log->active->at < (uint64_t)log->o.segment_size / 2);
    pthread_mutex_unlock(&log->lock);
    if (!needed)
        return true;
    if ((fd = spare_file(log, (uint64_t)log->o.segment_size)) < 0)
        return false;
    io->close(fd);
    put_spare(log, SPARE_READY);
    return true;
}

/* Header, CHECKPOINT, and a PAD to the end of the sector. */
static void first_bytes(struct log *log, struct segment *seg, struct buf *out)
{
    struct segment_header h = {log->o.store, seg->generation, seg->base, seg->first, seg->previous, io->wall()};
    struct frame_header f = {.type = FRAME_CHECKPOINT, .flags = FRAME_LAST | FRAME_GROUP, .first_lsn = seg->first};
    char frame[FRAME_HEADER];
    size_t payload, gap;

    segment_header_write(&h, buf_room(out, SEGMENT_HEADER));
    out->n = SEGMENT_HEADER + FRAME_HEADER;
    buf_room(out, 0);
    image_checkpoint(&log->image, out);
    payload = out->n - SEGMENT_HEADER - FRAME_HEADER;
    f.payload_len = (uint32_t)payload;
    f.payload_crc = crc32c(0, out->p + SEGMENT_HEADER + FRAME_HEADER, payload);
    frame_header_write(out->p + SEGMENT_HEADER, &f, seg->generation);
    gap = SEGMENT_HEADER + frame_size(payload) - out->n;
    memset(buf_room(out, gap), 0, gap);
    out->n += gap;
    gap = -out->n % SEGMENT_SECTOR;
    if (!gap)
        return;
    if (gap < FRAME_HEADER)
        gap += SEGMENT_SECTOR;
    f = (struct frame_header){.type = FRAME_PAD, .flags = FRAME_LAST, .first_lsn = seg->first};
    f.payload_len = (uint32_t)(gap - FRAME_HEADER);
    memset(buf_room(out, gap), 0, gap);
    f.payload_crc = crc32c(0, out->p + out->n + FRAME_HEADER, f.payload_len);
    frame_header_write(frame, &f, seg->generation);
    memcpy(out->p + out->n, frame, sizeof frame);
    out->n += gap;
}

struct segment *segment_create(struct log *log, uint64_t first, uint64_t need)
{
    CLEANUP(buf_free) struct buf bytes = {0};
    struct segment *seg = alloc_new(sizeof *seg), *last;
    struct iovec v;

    buf_room(&bytes, SEGMENT_HEADER + FRAME_HEADER);
    pthread_mutex_lock(&log->lock);
    last = log->nsegments ? log->segments[log->nsegments - 1] : NULL;
    seg->base = atomic_load(&log->durable);
    if (last)
        seg->previous = last->base == seg->base ? last->previous : last->base;
    pthread_mutex_unlock(&log->lock);
    seg->first = seg->written_lsn = seg->end_lsn = first;
    io->random(&seg->generation, sizeof seg->generation);
    first_bytes(log, seg, &bytes);
    need += bytes.n;
    seg->capacity = need > (uint64_t)log->o.segment_size ? need : (uint64_t)log->o.segment_size;
    seg->at = seg->end = seg->size = bytes.n;
    seg->fd = log->o.dir < 0 ? io->memfd("weir-log") : spare_file(log, seg->capacity);
    seg->spare = seg->fd >= 0 && log->o.dir >= 0;
    seg->zeroed = log->blank ? 0 : seg->capacity;
    v = (struct iovec){bytes.p, bytes.n};
    if (seg->fd >= 0 && !io_pwritev_all(seg->fd, &v, 1, 0)) {
        seg->linked = log->o.dir < 0;
        return seg;
    }
    segment_abandon(log, seg);
    return NULL;
}

bool segment_link(struct log *log, struct segment *seg)
{
    char name[SEGMENT_NAME];

    segment_name(seg->base, name);
    if (io->renameat(log->o.dir, spare_name, log->o.dir, name))
        return false;
    seg->spare = false;
    put_spare(log, SPARE_NONE);
    if (log->o.disk && io->fsync(log->o.dir)) {
        /* It may have its name or not: if it is not to be used, nobody must find it. */
        io->unlinkat(log->o.dir, name, 0);
        return false;
    }
    seg->linked = true;
    return true;
}

void segment_abandon(struct log *log, struct segment *seg)
{
    int was = errno;
    bool known = false;

    pthread_mutex_lock(&log->lock);
    for (size_t i = 0; i < log->nsegments; i++)
        known |= log->segments[i] == seg;
    pthread_mutex_unlock(&log->lock);
    /* No answer was given for what lies beyond `end`; this is for a restart before a newer segment says so. */
    if (seg->fd >= 0)
        io->ftruncate(seg->fd, (off_t)(known ? seg->end : 0));
    if (seg->spare) {
        seg->spare = false;
        io->unlinkat(log->o.dir, spare_name, 0);
        put_spare(log, SPARE_NONE);
    }
    if (seg->fd >= 0 && (log->o.dir >= 0 || !known)) {
        io->close(seg->fd);
        seg->fd = -1;
    }
    if (!known)
        free(seg);
    errno = was;
}

void segment_publish(struct log *log, struct segment *seg)
{
    struct segment *last = log->nsegments ? log->segments[log->nsegments - 1] : NULL;

    if (last == seg)
        return;
    if (last && last->base == seg->base) { /* nothing of it was ever durable; its file was replaced */
        log->nsegments--;
        segment_unref(last);
    } else if (last) {
        last->end_lsn = seg->base;
    }
    log->segments = alloc_grow(log->segments, log->nsegments, &log->segments_cap, sizeof(struct segment *));
    log->segments[log->nsegments++] = seg;
    seg->refs++;
    atomic_store(&log->oldest, log->segments[0]->base);
}

void segment_unref(struct segment *seg)
{
    if (--seg->refs)
        return;
    if (seg->fd >= 0)
        io->close(seg->fd);
    free(seg);
}

void log_count(struct log *log)
{
    int64_t bytes = 0;

    for (size_t i = 0; i < log->nsegments; i++)
        bytes += (int64_t)log->segments[i]->size;
    atomic_store(&log->bytes, bytes);
    if (bytes >= log->o.limit / 100 * 95)
        atomic_store(&log->full, true);
    else if (bytes < log->o.limit / 100 * 80)
        atomic_store(&log->full, false);
    metric_set(log->m_bytes, bytes);
    metric_set(log->m_segments, (int64_t)log->nsegments);
}

/* Takes the oldest segment out of the list if everything in it is below lsn.  *recycle: rename, do not unlink. */
static bool retire_one(struct log *log, uint64_t lsn, uint64_t *base, bool *recycle)
{
    struct segment *seg;
    bool some;

    pthread_mutex_lock(&log->lock);
    some = log->nsegments > 1 && log->segments[0]->end_lsn <= lsn;
    if (some) {
        seg = log->segments[0];
        *base = seg->base;
        memmove(log->segments, log->segments + 1, --log->nsegments * sizeof(struct segment *));
        atomic_store(&log->oldest, log->segments[0]->base);
        *recycle = seg->refs == 1 && log->spare == SPARE_NONE && seg->capacity == (uint64_t)log->o.segment_size;
        if (*recycle)
            log->spare = SPARE_BUSY;
        segment_unref(seg);
        log_count(log);
    }
    pthread_mutex_unlock(&log->lock);
    return some;
}

void log_trim(struct log *log, uint64_t lsn)
{
    uint64_t base;
    bool recycle;
    char name[SEGMENT_NAME];

    while (retire_one(log, lsn, &base, &recycle)) {
        if (log->o.dir < 0)
            continue;
        segment_name(base, name);
        /* The old name must be gone for good before other bytes are written to the file. */
        if (recycle)
            log->blank = false;
        if (recycle)
            put_spare(log,
                      io->renameat(log->o.dir, name, log->o.dir, spare_name) || (log->o.disk && io->fsync(log->o.dir))
                          ? SPARE_NONE
                          : SPARE_READY);
        else
            io->unlinkat(log->o.dir, name, 0);
    }
    pthread_mutex_lock(&log->lock);
    if (lsn > log->trim_lsn)
        log->trim_lsn = lsn;
    /* All that is left may be the segment in use: a full log would then stay full. */
    if (atomic_load(&log->full) && lsn >= atomic_load(&log->durable) && !log->roll) {
        log->roll = true;
        pthread_cond_signal(&log->work);
    }
    pthread_mutex_unlock(&log->lock);
}
