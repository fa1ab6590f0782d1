/* SPDX-License-Identifier: Apache-2.0 */
/* quarantine/%016x.seg have the format of the log's segments (segment.h), so that a damaged entry costs itself and no
 * more: FRAME_QUARANTINE is an entry, FRAME_STATE the id of one that was replayed. */
#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/io.h"
#include "base/reader.h"
#include "store/dedup.h"
#include "store/quarantine.h"
#include "store/walk.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>

enum {
    FILE_BYTES = 16 << 20,
    UNSYNCED_MAX = 1 << 20,
    /* An entry is repeated after a crash only if the keeper's cursor was not saved behind it: it is in one of these. */
    FILES_KNOWN = 4,
    IDS_KNOWN = 4 << 20,
    MARK_BYTES = 16
};
#define FOREVER (INT64_MAX / 8)

struct qfile {
    uint64_t number;
    int64_t bytes;
    int64_t newest; /* time of its newest entry; -1: not looked at yet */
};

struct quarantine {
    int dir; /* -1: there is none (reading) */
    bool write;
    struct qfile *files; /* oldest first */
    size_t n, cap;
    struct dedup *known; /* entries and marks, so that a repetition is nothing */
    int fd;              /* of the newest file when it is appended to; else -1 */
    uint64_t generation, at, lsn;
    bool new_file;       /* the directory must be synced too */
    struct txn unsynced; /* frames since the last sync: a write or sync that fails is done again in another file */
    int64_t bytes;
};

static void found_name(void *arg, const char *name)
{
    struct quarantine *q = arg;
    struct stat st = {0};
    uint64_t number;

    if (!segment_name_parse(name, ".seg", &number))
        return;
    if (io->fstatat(q->dir, name, &st, AT_SYMLINK_NOFOLLOW) && errno == ENOENT)
        return; /* on any other error it is listed all the same: who reads it will hear of it */
    q->files = alloc_grow(q->files, q->n, &q->cap, sizeof *q->files);
    q->files[q->n++] = (struct qfile){number, st.st_size, -1};
    q->bytes += st.st_size;
}

static int by_number(const void *a, const void *b)
{
    uint64_t x = ((const struct qfile *)a)->number, y = ((const struct qfile *)b)->number;

    return x < y ? -1 : x > y;
}

static bool list_files(struct quarantine *q, struct err *e)
{
    q->n = 0;
    q->bytes = 0;
    if (q->dir >= 0 && io->list(q->dir, found_name, q))
        return err_errno(e, "cannot list the quarantine");
    if (q->n)
        qsort(q->files, q->n, sizeof *q->files, by_number);
    return true;
}

/* A mark must not look like its entry. */
static struct id mark_of(struct id id)
{
    return (struct id){~id.hi, ~id.lo};
}

struct visit {
    bool (*entry)(void *arg, const struct quarantine_entry *entry);
    void (*mark)(void *arg, struct id id);
    void *arg;
};

static bool visit_frame(const struct visit *v, const struct frame_header *h, struct str payload)
{
    struct reader r = reader_of(payload);
    struct quarantine_entry entry;
    struct id id;

    if (h->type == FRAME_QUARANTINE)
        return !v->entry || !quarantine_read(payload, &entry) || v->entry(v->arg, &entry);
    if (h->type != FRAME_STATE || payload.n != MARK_BYTES || !v->mark)
        return true;
    id.hi = reader_le64(&r);
    id.lo = reader_le64(&r);
    v->mark(v->arg, id);
    return true;
}

/* What cannot be read is passed over: a torn tail, a damaged entry, a file that is none of ours.  False: `entry` said
 * stop, or the disk failed (e). */
static bool visit_file(struct quarantine *q, uint64_t number, const struct visit *v, struct err *e)
{
    char name[SEGMENT_NAME], header[SEGMENT_HEADER] = {0};
    struct segment_header h;
    struct walk w = {.at = SEGMENT_HEADER, .end = UINT64_MAX >> 1, .end_lsn = UINT64_MAX};
    struct frame_header f;
    struct str payload;
    struct stat st;
    enum walk_result got = WALK_END;
    bool more = true;

    segment_name(number, name);
    w.fd = io->openat(q->dir, name, O_RDONLY | O_NOFOLLOW, 0);
    if (w.fd < 0)
        return errno == ENOENT || err_errno(e, "cannot read quarantine/%s", name);
    if (io->fstat(w.fd, &st) || io_pread_all(w.fd, header, sizeof header, 0) < 0) {
        got = WALK_ERROR;
    } else if (segment_header_read(header, &h) == SEGMENT_OK && h.base == number) {
        w.generation = h.generation;
        w.end = (uint64_t)st.st_size;
        while (more && (got = walk_next(&w, &f, &payload)) == WALK_FRAME)
            more = visit_frame(v, &f, payload);
    }
    if (got == WALK_ERROR)
        more = err_errno(e, "cannot read quarantine/%s", name);
    walk_free(&w);
    io->close(w.fd);
    return more;
}

static bool know_entry(void *arg, const struct quarantine_entry *entry)
{
    struct quarantine *q = arg;

    dedup_add(q->known, entry->id, 0, 0);
    return true;
}

static void know_mark(void *arg, struct id id)
{
    struct quarantine *q = arg;

    dedup_add(q->known, mark_of(id), 0, 0);
}

/* An entry that is known is not appended again: what a killed agent left in the page cache must be durable first. */
static bool know_file(struct quarantine *q, uint64_t number, struct err *e)
{
    struct visit v = {know_entry, know_mark, q};
    char name[SEGMENT_NAME];
    bool ok;
    int fd;

    segment_name(number, name);
    fd = io->openat(q->dir, name, O_RDWR | O_NOFOLLOW, 0);
    if (fd < 0)
        return errno == ENOENT || err_errno(e, "cannot read quarantine/%s", name);
    ok = (!io_settle(fd) && !io->fsync(q->dir)) || err_errno(e, "cannot sync quarantine/%s", name);
    io->close(fd);
    return ok && visit_file(q, number, &v, e);
}

struct quarantine *quarantine_open(int store_dir, bool write, struct err *e)
{
    struct quarantine *q = alloc_new(sizeof *q);
    bool ok;

    q->write = write;
    q->fd = -1;
    q->known = dedup_new(FOREVER, IDS_KNOWN);
    if (write)
        io->mkdirat(store_dir, "quarantine", 0700);
    q->dir = io->openat(store_dir, "quarantine", O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
    ok = q->dir >= 0 || (!write && errno == ENOENT) || err_errno(e, "cannot open the quarantine");
    ok = ok && list_files(q, e);
    for (size_t i = q->n > FILES_KNOWN ? q->n - FILES_KNOWN : 0; ok && write && i < q->n; i++)
        ok = know_file(q, q->files[i].number, e);
    if (ok)
        return q;
    quarantine_close(q);
    return NULL;
}

void quarantine_close(struct quarantine *q)
{
    if (!q)
        return;
    if (q->fd >= 0)
        io->close(q->fd);
    if (q->dir >= 0)
        io->close(q->dir);
    dedup_free(q->known);
    txn_free(&q->unsynced);
    free(q->files);
    free(q);
}

static void close_file(struct quarantine *q)
{
    if (q->fd >= 0)
        io->close(q->fd);
    q->fd = -1;
}

/* Never an old file: how it ends is not known. */
static bool new_file(struct quarantine *q, struct err *e)
{
    char name[SEGMENT_NAME], header[SEGMENT_HEADER];
    struct segment_header h = {.created = io->wall()};
    struct iovec v = {header, sizeof header};

    h.base = h.first = q->n ? q->files[q->n - 1].number + 1 : 1;
    io->random(&h.generation, sizeof h.generation);
    segment_header_write(&h, header);
    segment_name(h.base, name);
    q->fd = io->openat(q->dir, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
    if (q->fd < 0)
        return err_errno(e, "cannot write quarantine/%s", name);
    q->files = alloc_grow(q->files, q->n, &q->cap, sizeof *q->files);
    q->files[q->n++] = (struct qfile){h.base, 0, -1};
    if (io_pwritev_all(q->fd, &v, 1, 0)) {
        err_errno(e, "cannot write quarantine/%s", name);
        close_file(q);
        return false;
    }
    q->generation = h.generation;
    q->at = SEGMENT_HEADER;
    q->lsn = 0;
    q->new_file = true;
    q->files[q->n - 1].bytes = SEGMENT_HEADER;
    q->bytes += SEGMENT_HEADER;
    return true;
}

/* Writes the unsynced frames from offset `from` on. */
static bool write_frames(struct quarantine *q, size_t from, struct err *e)
{
    struct buf *bytes = &q->unsynced.bytes;
    struct iovec v = {bytes->p + from, bytes->n - from};

    for (size_t at = from; at < bytes->n;) {
        struct frame_header h;
        frame_header_peek(bytes->p + at, &h);
        h.flags = FRAME_LAST;
        h.first_lsn = q->lsn++;
        frame_header_write(bytes->p + at, &h, q->generation);
        at += frame_size(h.payload_len);
    }
    if (io_pwritev_all(q->fd, &v, 1, (off_t)q->at)) {
        err_errno(e, "cannot write the quarantine");
        close_file(q);
        return false;
    }
    q->at += bytes->n - from;
    q->bytes += (int64_t)(bytes->n - from);
    q->files[q->n - 1].bytes += (int64_t)(bytes->n - from);
    return true;
}

static void note_time(struct quarantine *q, int64_t time)
{
    struct qfile *f = &q->files[q->n - 1];

    if (time > f->newest)
        f->newest = time;
}

static bool append(struct quarantine *q, enum frame_type type, struct str payload, int64_t time, struct err *e)
{
    size_t start;
    bool ok;

    if (!q->write)
        return err_set(e, "the quarantine was opened for reading");
    if ((q->at >= FILE_BYTES || q->unsynced.bytes.n >= UNSYNCED_MAX) && !quarantine_sync(q, e))
        return false;
    if (q->at >= FILE_BYTES)
        close_file(q);
    start = q->unsynced.bytes.n;
    txn_add(&q->unsynced, type, 1, payload);
    ok = q->fd < 0 ? new_file(q, e) && write_frames(q, 0, e) : write_frames(q, start, e);
    if (ok)
        note_time(q, time);
    else
        q->unsynced.bytes.n = start; /* refused: the caller brings it again */
    return ok;
}

bool quarantine_append(struct quarantine *q, struct str payload, struct err *e)
{
    struct quarantine_entry entry;

    if (!quarantine_read(payload, &entry))
        return err_set(e, "not a quarantine entry");
    if (dedup_add(q->known, entry.id, 0, 0) != DEDUP_NEW)
        return true;
    if (append(q, FRAME_QUARANTINE, payload, entry.time, e))
        return true;
    dedup_forget(q->known, entry.id);
    return false;
}

bool quarantine_sync(struct quarantine *q, struct err *e)
{
    if (!q->unsynced.bytes.n)
        return true;
    if (q->fd < 0 && (!new_file(q, e) || !write_frames(q, 0, e)))
        return false;
    if (io->fdatasync(q->fd) || (q->new_file && io->fsync(q->dir))) {
        err_errno(e, "cannot sync the quarantine");
        close_file(q); /* it would lie next time */
        return false;
    }
    q->new_file = false;
    txn_clear(&q->unsynced);
    return true;
}

bool quarantine_mark_replayed(struct quarantine *q, struct id entry, struct err *e)
{
    CLEANUP(buf_free) struct buf payload = {0};

    if (dedup_add(q->known, mark_of(entry), 0, 0) != DEDUP_NEW)
        return true;
    buf_le64(&payload, entry.hi);
    buf_le64(&payload, entry.lo);
    if (append(q, FRAME_STATE, buf_view(&payload), io->wall(), e) && quarantine_sync(q, e))
        return true;
    dedup_forget(q->known, mark_of(entry));
    return false;
}

struct walk_all {
    struct dedup *replayed, *seen;
    bool (*each)(void *arg, const struct quarantine_entry *entry, bool replayed);
    void *arg;
};

static void note_mark(void *arg, struct id id)
{
    struct walk_all *all = arg;

    dedup_add(all->replayed, id, 0, 0);
}

static bool give_entry(void *arg, const struct quarantine_entry *entry)
{
    struct walk_all *all = arg;
    bool replayed = dedup_has(all->replayed, entry->id);

    return dedup_add(all->seen, entry->id, 0, 0) != DEDUP_NEW || all->each(all->arg, entry, replayed);
}

bool quarantine_each(struct quarantine *q, bool (*each)(void *arg, const struct quarantine_entry *entry, bool replayed),
                     void *arg, struct err *e)
{
    struct walk_all all = {dedup_new(FOREVER, IDS_KNOWN), dedup_new(FOREVER, IDS_KNOWN), each, arg};
    struct visit marks = {NULL, note_mark, &all}, entries = {give_entry, NULL, &all};
    struct err why = {0};
    bool ok = q->write || list_files(q, e), more = true;

    for (size_t i = 0; ok && i < q->n; i++)
        ok = visit_file(q, q->files[i].number, &marks, e);
    for (size_t i = 0; ok && more && i < q->n; i++)
        more = visit_file(q, q->files[i].number, &entries, &why);
    if (why.text[0])
        ok = err_set(e, "%s", why.text);
    dedup_free(all.replayed);
    dedup_free(all.seen);
    return ok;
}

static bool newest_entry(void *arg, const struct quarantine_entry *entry)
{
    struct qfile *f = arg;

    if (entry->time > f->newest)
        f->newest = entry->time;
    return true;
}

static bool drop_oldest(struct quarantine *q)
{
    char name[SEGMENT_NAME];

    segment_name(q->files[0].number, name);
    if (io->unlinkat(q->dir, name, 0) && errno != ENOENT)
        return false;
    q->bytes -= q->files[0].bytes;
    if (q->n == 1) {
        if (!quarantine_sync(q, NULL))
            return false;
        close_file(q);
        q->at = 0;
    }
    memmove(q->files, q->files + 1, --q->n * sizeof *q->files);
    return true;
}

void quarantine_expire(struct quarantine *q, int64_t before)
{
    struct visit v = {.entry = newest_entry};

    while (q->n) {
        struct qfile *f = &q->files[0];
        v.arg = f;
        if (f->newest < 0 && !visit_file(q, f->number, &v, NULL))
            return;
        if (f->newest >= before)
            return;
        if (!drop_oldest(q))
            return;
    }
}

struct unsettled {
    struct dedup *replayed;
    bool any;
};

static void note_replayed(void *arg, struct id id)
{
    struct unsettled *u = arg;

    dedup_add(u->replayed, id, 0, 0);
}

static bool look_for_waiting(void *arg, const struct quarantine_entry *entry)
{
    struct unsettled *u = arg;

    u->any = !dedup_has(u->replayed, entry->id);
    return !u->any;
}

void quarantine_drop_replayed(struct quarantine *q)
{
    struct unsettled u = {.replayed = dedup_new(FOREVER, IDS_KNOWN)};
    struct visit marks = {NULL, note_replayed, &u}, entries = {look_for_waiting, NULL, &u};
    bool ok = true;

    for (size_t i = 0; ok && i < q->n; i++)
        ok = visit_file(q, q->files[i].number, &marks, NULL);
    /* A mark stands in a file no older than its entry: what a dropped file had marked went with it or before. */
    while (ok && q->n) {
        struct err why = {0};
        visit_file(q, q->files[0].number, &entries, &why);
        ok = !u.any && !why.text[0] && drop_oldest(q);
    }
    dedup_free(u.replayed);
}

int64_t quarantine_bytes(const struct quarantine *q)
{
    return q->bytes;
}
