/* SPDX-License-Identifier: Apache-2.0 */
/* The log thread: takes all that waits, writes it in one go, syncs once, and tells everybody. */
#include "base/alloc.h"
#include "base/crc32c.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "store/log_private.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

enum {
    GROUP_BYTES = 1 << 20, /* a commit takes no more than this, unless one transaction alone is larger */
    GROUP_TXNS = 512,
    TAIL_ROOM = 2 * SEGMENT_SECTOR, /* for the PAD behind a group, and the SEAL */
    SEAL_PAYLOAD = 20,
    GATHER_BYTES = 64 << 10, /* more is a stream, not clients that come back */
    BULK_BYTES = 768 << 10,  /* a stream's commit waits for as much */
    AHEAD_PIECE = 64 << 10,
    AHEAD_PIECES = 4
};
#define GATHER_MAX (MILLISECOND / 5)
#define BULK_MAX MILLISECOND
#define GATHER_FRESH (2 * MILLISECOND) /* since the last commit; after that nobody is on his way back */
#define MARK_AFTER SECOND              /* of quiet: see write_mark */
#define BACKOFF_MIN (100 * MILLISECOND)
#define BACKOFF_MAX (5 * SECOND)

static const char zeros[SEGMENT_SECTOR + FRAME_HEADER];

struct group {
    struct txn *first;
    uint64_t bytes, frames, records;
    uint32_t rolling;
    struct iovec v[GROUP_TXNS + 2 + AHEAD_PIECES]; /* a PAD behind, and zeros */
    int n;
    char pad[FRAME_HEADER];
};

/* Fills in what only the log knows: LSNs, flags, and checksums seeded with the segment's generation. */
static void prepare(const struct segment *seg, struct group *g)
{
    uint16_t flags = FRAME_GROUP;

    g->bytes = g->frames = g->records = 0;
    g->rolling = seg->rolling;
    g->n = 0;
    for (struct txn *txn = g->first; txn; txn = txn->next) {
        uint64_t lsn = txn->first_lsn;
        for (size_t at = 0; at < txn->bytes.n;) {
            struct frame_header h;
            char *p = txn->bytes.p + at;
            frame_header_peek(p, &h);
            h.flags = flags | (at == txn->last ? FRAME_LAST : 0);
            h.first_lsn = lsn;
            frame_header_write(p, &h, seg->generation);
            g->rolling = crc32c(g->rolling, &h.crc, sizeof h.crc);
            lsn += h.records;
            at += frame_size(h.payload_len);
            flags = 0;
        }
        g->frames += txn->frames;
        g->records += txn->records;
        g->bytes += txn->bytes.n;
        g->v[g->n++] = (struct iovec){txn->bytes.p, txn->bytes.n};
    }
}

static uint64_t group_end(const struct segment *seg, const struct group *g)
{
    uint64_t lsn = seg->written_lsn;

    for (const struct txn *txn = g->first; txn; txn = txn->next)
        lsn = txn->end_lsn;
    return lsn;
}

/* A sector that holds durable bytes is never written again: a commit ends at its sector's end. */
static void pad(const struct log *log, const struct segment *seg, struct group *g)
{
    uint64_t gap = -(seg->at + g->bytes) % SEGMENT_SECTOR;
    struct frame_header h = {.type = FRAME_PAD, .flags = FRAME_LAST};

    if (!log->o.disk)
        gap = g->first ? 0 : FRAME_HEADER;
    else if (!g->first && !gap)
        gap = SEGMENT_SECTOR;
    if (!gap)
        return;
    if (gap < FRAME_HEADER)
        gap += SEGMENT_SECTOR;
    h.payload_len = (uint32_t)(gap - FRAME_HEADER);
    h.payload_crc = crc32c(0, zeros, h.payload_len);
    h.first_lsn = group_end(seg, g);
    if (!g->first)
        h.flags |= FRAME_GROUP;
    frame_header_write(g->pad, &h, seg->generation);
    g->v[g->n++] = (struct iovec){g->pad, FRAME_HEADER};
    g->v[g->n++] = (struct iovec){(char *)zeros, h.payload_len};
    g->bytes += gap;
}

/* The first write to an allocated block changes the file's metadata, which makes a second write of the sync.  So small
 * groups write zeros in front of them once in a while, for those that follow.  Returns how many bytes. */
static uint64_t zeros_ahead(const struct log *log, const struct segment *seg, struct group *g)
{
    static char piece[AHEAD_PIECE];
    uint64_t at = seg->at + g->bytes, n = 0;

    if (!log->o.disk || g->bytes > GATHER_BYTES || at <= seg->zeroed)
        return 0;
    for (int i = 0; i < AHEAD_PIECES && at + n + AHEAD_PIECE <= seg->capacity; i++, n += AHEAD_PIECE)
        g->v[g->n++] = (struct iovec){piece, AHEAD_PIECE};
    return n;
}

static bool write_group(struct log *log, struct segment *seg, struct group *g)
{
    uint64_t ahead;

    prepare(seg, g);
    pad(log, seg, g);
    ahead = zeros_ahead(log, seg, g);
    if (io_pwritev_all(seg->fd, g->v, g->n, (off_t)seg->at))
        return false;
    if (log->o.disk && io->fdatasync(seg->fd))
        return false;
    if (!seg->linked && !segment_link(log, seg))
        return false;
    seg->written_lsn = group_end(seg, g);
    seg->at += g->bytes;
    if (ahead)
        seg->zeroed = seg->at + ahead;
    seg->frames += g->frames;
    seg->records += g->records;
    seg->rolling = g->rolling;
    return true;
}

static bool fits(const struct segment *seg, uint64_t bytes)
{
    return seg->at + bytes + TAIL_ROOM <= seg->capacity;
}

/* The last frame of a full segment.  Everything before it is durable, so nothing waits for it. */
static void seal(struct log *log)
{
    struct segment *seg = log->active;
    CLEANUP(buf_free) struct buf payload = {0};
    char frame[FRAME_HEADER], padding[FRAME_ALIGN] = {0};
    struct frame_header h = {.type = FRAME_SEAL, .flags = FRAME_LAST | FRAME_GROUP, .payload_len = SEAL_PAYLOAD};
    struct iovec v[3];

    log->active = NULL;
    buf_le64(&payload, seg->frames);
    buf_le64(&payload, seg->records);
    buf_le32(&payload, seg->rolling);
    h.first_lsn = seg->written_lsn;
    h.payload_crc = crc32c(0, payload.p, payload.n);
    frame_header_write(frame, &h, seg->generation);
    v[0] = (struct iovec){frame, sizeof frame};
    v[1] = (struct iovec){payload.p, payload.n};
    v[2] = (struct iovec){padding, frame_size(payload.n) - FRAME_HEADER - payload.n};
    if (io_pwritev_all(seg->fd, v, 3, (off_t)seg->at))
        log_warn("segment not sealed", "why", strerror(errno));
    if (log->o.dir >= 0) {
        io->close(seg->fd);
        seg->fd = -1;
    }
}

static void abandon(struct log *log)
{
    log_error("log write failed", "why", strerror(errno));
    metric_add(log->m_errors, 1);
    if (log->active)
        segment_abandon(log, log->active);
    log->active = NULL;
}

static uint64_t next_first(struct log *log, const struct group *g)
{
    uint64_t lsn;

    if (g->first)
        return g->first->first_lsn;
    pthread_mutex_lock(&log->lock);
    lsn = log->queue ? log->queue->first_lsn : log->next_lsn;
    pthread_mutex_unlock(&log->lock);
    return lsn;
}

static bool try_write(struct log *log, struct group *g, uint64_t bytes)
{
    /* The LSNs of what was refused are missing: a segment begins behind them, for within one that is damage. */
    bool gap = log->active && g->first && g->first->first_lsn != log->active->written_lsn;

    if (log->active && (gap || !fits(log->active, bytes)))
        seal(log);
    if (!log->active)
        log->active = segment_create(log, next_first(log, g), bytes + TAIL_ROOM);
    return log->active && write_group(log, log->active, g);
}

static void apply(struct log *log, const struct group *g)
{
    pthread_mutex_lock(&log->image_lock);
    for (const struct txn *txn = g->first; txn; txn = txn->next)
        for (size_t at = 0; at < txn->bytes.n;) {
            struct frame_header h;
            struct frame f;
            frame_header_peek(txn->bytes.p + at, &h);
            f = (struct frame){h.type, h.first_lsn, h.records, {txn->bytes.p + at + FRAME_HEADER, h.payload_len}};
            if (h.type == FRAME_IDS)
                dedup_ids_add(log->o.ids, f.payload);
            else
                image_apply(&log->image, &f);
            at += frame_size(h.payload_len);
        }
    pthread_mutex_unlock(&log->image_lock);
}

/* The image first: whoever sees the LSN may ask for what it added up to. */
static void publish(struct log *log, const struct group *g)
{
    struct segment *seg = log->active;

    dedup_ids_segment(log->o.ids, seg->base);
    apply(log, g);
    pthread_mutex_lock(&log->lock);
    segment_publish(log, seg);
    seg->end = seg->size = seg->at;
    seg->end_lsn = seg->written_lsn;
    if (g->first)
        atomic_store_explicit(&log->durable, seg->written_lsn, memory_order_release);
    log_count(log);
    pthread_mutex_unlock(&log->lock);
    pthread_cond_broadcast(&log->moved);
    log->unmarked = g->first;
    log->idle_since = io->monotonic();
    metric_add(log->m_commits, g->first != NULL);
}

static void finish(struct group *g, bool durable)
{
    for (struct txn *txn = g->first, *next; txn; txn = next) {
        next = txn->next;
        txn->done(txn, durable);
    }
}

static void set_trouble(struct log *log)
{
    pthread_mutex_lock(&log->lock);
    atomic_store(&log->trouble, log->broken || log->spareless);
    pthread_mutex_unlock(&log->lock);
    log->backoff = log->backoff * 2 < BACKOFF_MIN   ? BACKOFF_MIN
                   : log->backoff * 2 > BACKOFF_MAX ? BACKOFF_MAX
                                                    : log->backoff * 2;
    if (!log->broken && !log->spareless)
        log->backoff = 0;
    log->retry_at = io->monotonic() + log->backoff;
}

/* All of the group or nothing: a descriptor that failed is never synced again, a fresh segment may do. */
static bool commit(struct log *log, struct group *g, uint64_t bytes)
{
    int64_t began = io->monotonic();
    bool ok = try_write(log, g, bytes);

    if (!ok) {
        abandon(log);
        ok = try_write(log, g, bytes);
    }
    if (ok) {
        publish(log, g);
        log->last_records = g->records;
        log->last_bytes = bytes;
        log->last_took = log->idle_since - began;
    } else {
        abandon(log);
        log->broken = true;
        set_trouble(log);
    }
    return ok;
}

/* An empty commit.  Behind the last group it tells recovery that the group was durable as a whole, so that damage in it
 * is not taken for a torn tail; in a new segment it gives the segment its name. */
static void write_mark(struct log *log)
{
    struct group g = {0};

    if (log->active && !fits(log->active, SEGMENT_SECTOR + FRAME_HEADER))
        return;
    if (log->active && !write_group(log, log->active, &g)) {
        abandon(log);
        return;
    }
    if (log->active)
        publish(log, &g);
    log->unmarked = false;
}

static void probe(struct log *log)
{
    struct group g = {0};

    if (io->monotonic() < log->retry_at)
        return;
    if (log->broken) {
        log->broken = !try_write(log, &g, SEGMENT_SECTOR + FRAME_HEADER);
        if (log->broken)
            abandon(log);
        else
            publish(log, &g);
    }
    if (!log->broken)
        log->spareless = !spare_prepare(log);
    if (!log->broken && !log->spareless)
        log_info("log writes again");
    set_trouble(log);
}

static void roll(struct log *log)
{
    struct group g = {0};

    if (log->active && log->active->records) {
        seal(log);
        if (try_write(log, &g, SEGMENT_SECTOR + FRAME_HEADER)) {
            publish(log, &g);
        } else {
            abandon(log);
            log->broken = true;
            set_trouble(log);
        }
    }
}

static bool fenced(const struct txn *txn)
{
    return txn->fence && *txn->fence != txn->fence_at;
}

/* What has waited, up to a group's size; either all of it fenced or none.  lock held. */
static uint64_t take(struct log *log, struct group *g)
{
    struct txn **end = &log->queue;
    uint64_t bytes = 0, room = (uint64_t)log->o.segment_size - SEGMENT_HEADER - TAIL_ROOM;

    if (log->queue && log->active && fits(log->active, log->queue->bytes.n))
        room = log->active->capacity - log->active->at - TAIL_ROOM;
    if (room > GROUP_BYTES)
        room = GROUP_BYTES;
    for (int n = 0; *end && n < GROUP_TXNS; n++) {
        uint64_t more = (*end)->bytes.n;
        if ((bytes && bytes + more > room) || fenced(*end) != fenced(log->queue))
            break;
        bytes += more;
        end = &(*end)->next;
    }
    g->first = end == &log->queue ? NULL : log->queue;
    log->queue = *end;
    *end = NULL;
    if (!log->queue)
        log->queue_end = &log->queue;
    log->queued -= bytes;
    for (const struct txn *txn = g->first; txn; txn = txn->next)
        log->queued_records -= txn->records;
    return bytes;
}

/* ns until something must be done though nothing comes in; -1: nothing. */
static int64_t next_duty(const struct log *log)
{
    int64_t now = io->monotonic(), at = -1;

    if (log->broken || log->spareless)
        at = log->retry_at;
    else if (log->unmarked)
        at = log->idle_since + MARK_AFTER;
    return at < 0 ? -1 : at > now ? at - now : 0;
}

/* Many clients with a small request each, who ask again when they are answered: most of those whom the last group
 * answered are about to be back, and one sync for all costs half of two for a part each.  So a part of the time that
 * the last commit took is spent on waiting for as many as there were.  One client alone never waits.  lock held. */
static void gather(struct log *log)
{
    bool bulk = log->last_bytes > GATHER_BYTES;
    uint64_t most = bulk ? BULK_BYTES : GATHER_BYTES, want = log->last_records - log->last_records / 8;
    int64_t now = io->monotonic(), patience = bulk ? BULK_MAX : log->last_took / 2;
    struct timespec at;

    if (!log->o.disk || now - log->idle_since > GATHER_FRESH)
        return;
    if (bulk) /* a stream: what the last commit took, as often as it fits */
        want = log->last_records * most / log->last_bytes;
    else if (patience > GATHER_MAX)
        patience = GATHER_MAX;
    log_deadline(&at, patience);
    log->gathering = want;
    while (log->queued_records < want && log->queued < most && !log->closing && !log->roll)
        if (pthread_cond_timedwait(&log->work, &log->lock, &at))
            break;
    log->gathering = 0;
}

/* lock held.  False: closing, and nothing is left. */
static bool wait_for_work(struct log *log)
{
    struct timespec at;
    int64_t duty = next_duty(log);

    if (duty > 0)
        log_deadline(&at, duty);
    log->idle = true;
    while (!log->queue && !log->closing && !log->roll && duty) {
        if (duty < 0)
            pthread_cond_wait(&log->work, &log->lock);
        else if (pthread_cond_timedwait(&log->work, &log->lock, &at))
            break;
    }
    if (log->queue && log->o.commit_delay && !log->closing) {
        log_deadline(&at, log->o.commit_delay);
        while (log->queued < GROUP_BYTES && !log->closing)
            if (pthread_cond_timedwait(&log->work, &log->lock, &at))
                break;
    } else if (log->queue) {
        log->idle = false;
        gather(log);
    }
    log->idle = false;
    return log->queue || !log->closing;
}

static void upkeep(struct log *log, bool quiet)
{
    if (log->broken || log->spareless) {
        probe(log);
    } else if (!spare_prepare(log)) {
        log_error("cannot prepare the next segment", "why", strerror(errno));
        metric_add(log->m_errors, 1);
        log->spareless = true;
        set_trouble(log);
    }
    if (quiet && log->unmarked && !log->broken && io->monotonic() >= log->idle_since + MARK_AFTER)
        write_mark(log);
}

void *log_thread(void *arg)
{
    struct log *log = arg;
    struct group *g = alloc_new(sizeof *g);
    bool more = true, rolling;
    uint64_t bytes;

    upkeep(log, false);
    while (more) {
        pthread_mutex_lock(&log->lock);
        more = wait_for_work(log);
        pthread_mutex_unlock(&log->lock);
        if (log->broken)
            probe(log);
        pthread_mutex_lock(&log->lock);
        bytes = take(log, g);
        rolling = log->roll;
        pthread_mutex_unlock(&log->lock);
        if (g->first)
            finish(g, !log->broken && !fenced(g->first) && commit(log, g, bytes));
        if (rolling) {
            roll(log);
            pthread_mutex_lock(&log->lock);
            log->roll = false;
            bytes = log->trim_lsn;
            pthread_mutex_unlock(&log->lock);
            log_trim(log, bytes);
        }
        if (more)
            upkeep(log, !g->first);
    }
    if (log->broken) { /* a last try, so that what was refused stays unseen */
        log->retry_at = 0;
        probe(log);
    } else if (log->unmarked) {
        write_mark(log);
    }
    if (log->active && log->o.dir >= 0) {
        io->close(log->active->fd);
        log->active->fd = -1;
    }
    free(g);
    return NULL;
}
