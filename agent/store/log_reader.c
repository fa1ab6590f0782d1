/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "base/log.h"
#include "store/log_private.h"
#include "store/walk.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* After so many failures to read the same place it counts as damaged: one bad sector must not hold an output for ever.
 */
enum { READ_PATIENCE = 16, KEEP_STEP = 64 << 10 };

struct log_reader {
    struct log *log;
    struct segment *seg; /* a reference; NULL: look for it */
    uint64_t lsn;
    struct walk walk;
    unsigned failures;
};

int segment_open(struct log *log, const struct segment *seg, int flags)
{
    char name[SEGMENT_NAME];

    segment_name(seg->base, name);
    return io->openat(log->o.dir, name, flags | O_NOFOLLOW, 0);
}

static bool copy_range(int from, int to, uint64_t at, uint64_t end)
{
    char *piece = alloc_raw(KEEP_STEP);
    bool ok = true;

    while (ok && at < end) {
        size_t n = end - at < KEEP_STEP ? (size_t)(end - at) : KEEP_STEP;
        ssize_t got = io_pread_all(from, piece, n, (off_t)at);
        if (got <= 0)
            break;
        ok = io_write_all(to, piece, (size_t)got) == got;
        at += (uint64_t)got;
    }
    free(piece);
    return ok && at >= end;
}

/* One file per range; what is there already is from before. */
static void keep_range(struct log *log, const struct segment *seg, int fd, uint64_t from, uint64_t to)
{
    char name[64];
    int out;

    if (log->o.corrupt < 0)
        return;
    snprintf(name, sizeof name, "%016" PRIx64 "-%08" PRIx64 "-%08" PRIx64 ".bin", seg->base, from, to);
    out = io->openat(log->o.corrupt, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
    if (out < 0) {
        if (errno != EEXIST)
            log_warn("damaged bytes not kept", "file", name, "why", strerror(errno));
        return;
    }
    if (!copy_range(fd, out, from, to) || io->fdatasync(out))
        log_warn("damaged bytes not kept", "file", name, "why", strerror(errno));
    io->close(out);
}

void log_damage(struct log *log, struct segment *seg, int fd, uint64_t from, uint64_t to, uint64_t records)
{
    char where[SEGMENT_NAME];
    bool new;

    pthread_mutex_lock(&log->lock);
    new = from >= seg->counted;
    if (new)
        seg->counted = to > from ? to : from + 1;
    pthread_mutex_unlock(&log->lock);
    if (!new)
        return;
    segment_name(seg->base, where);
    log_error("log damaged", "segment", where, "offset", log_num((long long)from), "bytes",
              log_num((long long)(to - from)), "records", log_num((long long)records));
    metric_add(log->m_corrupt_bytes, (int64_t)(to - from));
    metric_add(log->m_corrupt_records, (int64_t)records);
    if (to > from)
        keep_range(log, seg, fd, from, to);
}

static void damaged(void *arg, uint64_t from, uint64_t to, uint64_t records)
{
    struct log_reader *r = arg;

    log_damage(r->log, r->seg, r->walk.fd, from, to, records);
}

struct log_reader *log_reader_new(struct log *log, uint64_t lsn)
{
    struct log_reader *r = alloc_new(sizeof *r);

    r->log = log;
    r->walk.fd = -1;
    r->walk.damaged = damaged;
    r->walk.arg = r;
    log_reader_seek(r, lsn);
    return r;
}

void log_reader_only(struct log_reader *r, enum frame_type type)
{
    r->walk.skip = ~(1u << type);
}

static void leave(struct log_reader *r)
{
    if (!r->seg)
        return;
    if (r->walk.fd >= 0 && r->log->o.dir >= 0)
        io->close(r->walk.fd);
    r->walk.fd = -1;
    pthread_mutex_lock(&r->log->lock);
    segment_unref(r->seg);
    pthread_mutex_unlock(&r->log->lock);
    r->seg = NULL;
}

void log_reader_free(struct log_reader *r)
{
    if (!r)
        return;
    leave(r);
    walk_free(&r->walk);
    free(r);
}

void log_reader_seek(struct log_reader *r, uint64_t lsn)
{
    uint64_t oldest = log_oldest(r->log);

    if (r->seg && lsn == r->lsn && r->walk.lsn == lsn)
        return;
    leave(r);
    r->lsn = lsn < oldest ? oldest : lsn;
    r->failures = 0;
}

uint64_t log_reader_lsn(const struct log_reader *r)
{
    return r->lsn;
}

/* The newest segment that begins at or before lsn, with a reference; NULL: it is the one we have, or there is none. */
static struct segment *find(struct log_reader *r)
{
    struct log *log = r->log;
    size_t low = 0, high = log->nsegments;
    struct segment *seg;

    if (!high)
        return NULL;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (log->segments[middle]->base <= r->lsn)
            low = middle;
        else
            high = middle;
    }
    seg = log->segments[low];
    if (seg == r->seg)
        return NULL;
    seg->refs++;
    return seg;
}

static void bounds(struct log_reader *r)
{
    r->walk.end = r->seg->end;
    r->walk.end_lsn = r->seg->end_lsn;
}

static bool enter(struct log_reader *r, struct segment *seg, struct err *e)
{
    int fd = r->log->o.dir < 0 ? seg->fd : segment_open(r->log, seg, O_RDONLY);

    if (fd < 0 && errno != ENOENT) {
        err_errno(e, "cannot open segment %016" PRIx64, seg->base);
        pthread_mutex_lock(&r->log->lock);
        segment_unref(seg);
        pthread_mutex_unlock(&r->log->lock);
        return false;
    }
    leave(r);
    r->seg = seg;
    r->walk.fd = fd;
    r->walk.generation = seg->generation;
    r->walk.at = SEGMENT_HEADER;
    r->walk.lsn = seg->first;
    r->walk.window.n = 0;
    if (r->lsn < seg->first)
        r->lsn = seg->first;
    pthread_mutex_lock(&r->log->lock);
    bounds(r);
    pthread_mutex_unlock(&r->log->lock);
    if (fd < 0) { /* somebody took the file away */
        log_damage(r->log, seg, -1, 0, 0, r->walk.end_lsn > r->lsn ? r->walk.end_lsn - r->lsn : 0);
        r->lsn = r->walk.lsn = r->walk.end_lsn;
    }
    return true;
}

/* At the end of what is known: more of this segment, the next one, or nothing. */
static enum log_read further(struct log_reader *r, struct err *e)
{
    struct segment *next = NULL;
    bool more = false;

    pthread_mutex_lock(&r->log->lock);
    if (r->seg && r->seg->end_lsn > r->walk.lsn) {
        bounds(r);
        more = true;
    } else {
        next = find(r);
    }
    pthread_mutex_unlock(&r->log->lock);
    if (more)
        return READ_FRAME;
    if (!next)
        return READ_END;
    return enter(r, next, e) ? READ_FRAME : READ_ERROR;
}

static bool wanted(uint16_t type)
{
    return type != FRAME_CHECKPOINT && type != FRAME_SEAL && type != FRAME_PAD;
}

static enum log_read read_failed(struct log_reader *r, struct err *e)
{
    err_errno(e, "cannot read segment %016" PRIx64 " at %" PRIu64, r->seg->base, r->walk.at);
    if (++r->failures < READ_PATIENCE)
        return READ_ERROR;
    r->failures = 0;
    log_damage(r->log, r->seg, r->walk.fd, r->walk.at, r->walk.at + SEGMENT_HEADER, 0);
    r->walk.at += SEGMENT_HEADER;
    return READ_ERROR;
}

enum log_read log_reader_next(struct log_reader *r, struct frame *out, struct err *e)
{
    for (;;) {
        struct frame_header h;
        struct str payload;
        enum walk_result got;
        if (!r->seg || r->walk.lsn >= r->walk.end_lsn) {
            enum log_read more = further(r, e);
            if (more != READ_FRAME)
                return more;
        }
        got = walk_next(&r->walk, &h, &payload);
        if (got == WALK_ERROR)
            return read_failed(r, e);
        if (got == WALK_END) {
            if (r->lsn < r->walk.lsn)
                r->lsn = r->walk.lsn;
            continue;
        }
        r->failures = 0;
        if (!wanted(h.type) || r->walk.lsn <= r->lsn)
            continue; /* ours, or before where the reader was sent */
        r->lsn = r->walk.lsn;
        *out = (struct frame){h.type, h.first_lsn, h.records, payload};
        return READ_FRAME;
    }
}
