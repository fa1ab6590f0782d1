/* SPDX-License-Identifier: Apache-2.0 */
/* What the directory holds becomes the list of segments, the image, and a place to go on from.  Nothing is deleted, and
 * nothing that was read is changed: where the newest segment does not end cleanly, appending goes on in a new one. */
#include "base/alloc.h"
#include "base/crc32c.h"
#include "base/log.h"
#include "store/log_private.h"
#include "store/walk.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>

struct found {
    uint64_t *bases;
    size_t n, cap;
    bool spare;
};

static void found_name(void *arg, const char *name)
{
    struct found *f = arg;
    uint64_t base;

    if (!strcmp(name, "next"))
        f->spare = true;
    if (!segment_name_parse(name, ".seg", &base))
        return;
    f->bases = alloc_grow(f->bases, f->n, &f->cap, sizeof *f->bases);
    f->bases[f->n++] = base;
}

static int by_base(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return x < y ? -1 : x > y;
}

/* NULL with e empty: not a segment of this log, left alone. */
static struct segment *load(struct log *log, uint64_t base, struct err *e)
{
    struct segment want = {.base = base}, *seg;
    struct segment_header h = {0};
    char header[SEGMENT_HEADER];
    struct stat st;
    ssize_t got = -1;
    enum segment_check check;
    int fd = segment_open(log, &want, O_RDONLY);

    if (fd < 0 || io->fstat(fd, &st) || (got = io_pread_all(fd, header, sizeof header, 0)) < 0) {
        err_errno(e, "cannot read segment %016" PRIx64, base);
        if (fd >= 0)
            io->close(fd);
        return NULL;
    }
    io->close(fd);
    memset(header + got, 0, sizeof header - (size_t)got);
    check = segment_header_read(header, &h);
    if (check == SEGMENT_NEWER) {
        err_set(e, "segment %016" PRIx64 " was written by a newer version", base);
        return NULL;
    }
    /* Another base: retired, then written anew under another name, and the renaming was lost. */
    if (check != SEGMENT_OK || h.base != base || !id_eq(h.store, log->o.store)) {
        char name[SEGMENT_NAME];
        segment_name(base, name);
        log_error("segment not used", "segment", name, "why",
                  check != SEGMENT_OK ? "its header is damaged"
                  : h.base != base    ? "it has another name inside"
                                      : "it belongs to another store");
        if (check != SEGMENT_OK)
            metric_add(log->m_corrupt_bytes, st.st_size);
        return NULL;
    }
    seg = alloc_new(sizeof *seg);
    seg->base = base;
    seg->first = h.first;
    seg->previous = h.previous;
    seg->generation = h.generation;
    seg->created = h.created;
    seg->end = seg->size = seg->capacity = (uint64_t)st.st_size;
    seg->end_lsn = UINT64_MAX;
    seg->fd = -1;
    seg->linked = true;
    return seg;
}

static bool load_all(struct log *log, struct err *e)
{
    struct found found = {0};
    bool ok = !io->list(log->o.dir, found_name, &found) || err_errno(e, "cannot list the log's directory");

    if (found.n)
        qsort(found.bases, found.n, sizeof *found.bases, by_base);
    for (size_t i = 0; ok && i < found.n; i++) {
        struct err why = {0};
        struct segment *seg = load(log, found.bases[i], &why), *before;
        if (!seg) {
            ok = !why.text[0] || err_set(e, "%s", why.text);
            continue;
        }
        before = log->nsegments ? log->segments[log->nsegments - 1] : NULL;
        if (before && seg->previous != before->base)
            log_error("a segment of the log is missing", "after", log_num((long long)before->base), "before",
                      log_num((long long)seg->base));
        segment_publish(log, seg);
    }
    free(found.bases);
    log->spare = found.spare ? SPARE_READY : SPARE_NONE;
    return ok;
}

/* ---- the end of the newest segment ---- */

struct tail {
    struct walk walk;
    uint64_t end, end_lsn; /* behind the last complete transaction */
    uint64_t frames, records, open_frames;
    uint32_t rolling;
    uint64_t last_group; /* offset of the last frame that began a commit; 0: not looked for */
    uint64_t last_valid; /* end of the last frame with a good header */
    bool sealed, damaged, leftover;
};

/* Looks at all that lies behind the first damage, once. */
static bool look_ahead(struct tail *t, uint64_t from)
{
    struct frame_header h;
    bool failed;

    t->last_group = t->last_valid = from;
    for (uint64_t at = walk_search(&t->walk, from, &h, &failed); at < t->walk.end || failed;
         at = walk_search(&t->walk, at, &h, &failed)) {
        if (failed)
            return false;
        if ((h.flags & FRAME_GROUP) && at > from)
            t->last_group = at;
        at += frame_size(h.payload_len);
        t->last_valid = at;
    }
    return true;
}

/* Goes over the damage at `at` if a later commit proves that it was durable once.  False: the log ends here. */
static bool pass(struct tail *t, uint64_t at, enum walk_check check, struct frame_header *h, bool *failed)
{
    uint64_t next;

    *failed = false;
    if (!t->last_group && !look_ahead(t, at)) {
        *failed = true;
        return false;
    }
    t->damaged = true;
    if (at >= t->last_group)
        return false;
    if (check == CHECK_PAYLOAD) {
        t->walk.at = at + frame_size(h->payload_len);
        t->walk.lsn = h->first_lsn + h->records;
        return true;
    }
    next = walk_search(&t->walk, at + FRAME_ALIGN, h, failed);
    if (*failed)
        return false;
    t->walk.at = next;
    t->walk.lsn = next < t->walk.end ? h->first_lsn : t->walk.lsn;
    return true;
}

static void step(struct tail *t, const struct frame_header *h)
{
    struct walk *w = &t->walk;

    w->at += frame_size(h->payload_len);
    w->lsn = h->first_lsn + h->records;
    t->rolling = crc32c(t->rolling, &h->crc, sizeof h->crc);
    t->open_frames++;
    if (h->flags & FRAME_LAST) {
        t->end = w->at;
        t->end_lsn = w->lsn;
        t->open_frames = 0;
    }
    t->sealed = h->type == FRAME_SEAL;
}

static bool find_tail(struct tail *t)
{
    struct walk *w = &t->walk;
    struct frame_header h;
    struct str payload;
    bool failed = false;

    t->end = w->at;
    t->end_lsn = w->lsn;
    while (w->at < w->end && !t->sealed) {
        enum walk_check check = walk_check(w, w->at, &h, &payload);
        if (check == CHECK_ERROR)
            return false;
        if (check != CHECK_HEADER && h.first_lsn < w->lsn)
            check = CHECK_HEADER;
        if (check == CHECK_GOOD)
            step(t, &h);
        else if (!pass(t, w->at, check, &h, &failed))
            break;
    }
    if (failed)
        return false;
    /* Whatever is left behind the end must never be taken for part of what is written next. */
    w->lsn = 0;
    t->leftover = walk_search(w, t->end, &h, &failed) < w->end;
    return !failed;
}

/* Syncs what it is about to believe: read from the page cache, it may not be on the disk yet. */
static bool end_newest(struct log *log, struct segment *seg, struct err *e)
{
    struct tail t = {0};
    int fd = segment_open(log, seg, O_RDWR);
    bool ok;

    if (fd < 0 || (log->o.disk && (io_settle(fd) || io->fsync(log->o.dir)))) {
        err_errno(e, "cannot sync segment %016" PRIx64, seg->base);
        if (fd >= 0)
            io->close(fd);
        return false;
    }
    t.walk = (struct walk){.fd = fd, .generation = seg->generation, .at = SEGMENT_HEADER, .end = seg->end};
    t.walk.lsn = seg->first;
    t.walk.end_lsn = UINT64_MAX;
    walk_find_hole(&t.walk);
    ok = find_tail(&t) || err_errno(e, "cannot read segment %016" PRIx64, seg->base);
    if (ok && t.leftover) {
        log_warn("log ends in an unfinished commit", "segment", log_num((long long)seg->base), "offset",
                 log_num((long long)t.end));
    }
    walk_free(&t.walk);
    seg->end_lsn = seg->written_lsn = t.end_lsn;
    seg->end = seg->size = seg->at = t.end;
    seg->records = t.end_lsn - seg->first;
    if (ok && !t.sealed && !t.damaged && !t.leftover && (!log->o.disk || t.end % SEGMENT_SECTOR == 0) &&
        t.end > SEGMENT_HEADER) {
        seg->fd = fd;
        log->active = seg;
    } else {
        io->close(fd);
    }
    return ok;
}

/* ---- the image ---- */

/* Does the segment begin with a CHECKPOINT that can be read? */
static int has_checkpoint(struct log *log, const struct segment *seg)
{
    struct walk w = {.generation = seg->generation, .end = seg->end, .end_lsn = UINT64_MAX};
    struct frame_header h;
    struct str payload;
    enum walk_check check;

    if ((w.fd = segment_open(log, seg, O_RDONLY)) < 0)
        return -1;
    check = walk_check(&w, SEGMENT_HEADER, &h, &payload);
    walk_free(&w);
    io->close(w.fd);
    return check == CHECK_ERROR ? -1 : check == CHECK_GOOD && h.type == FRAME_CHECKPOINT;
}

struct replay {
    struct log *log;
    struct segment *seg;
    int fd;
};

static void damaged(void *arg, uint64_t from, uint64_t to, uint64_t records)
{
    struct replay *r = arg;

    log_damage(r->log, r->seg, r->fd, from, to, records);
}

/* What a frame means after a restart.  ids: the frames that deduplication needs, and only those. */
enum meaning { IMAGE = 1, IDS = 2 };

static void take_in(struct log *log, const struct frame *f, unsigned meaning)
{
    if (f->type == FRAME_IDS) {
        if (meaning & IDS)
            dedup_ids_recover(log->o.ids, f->payload);
    } else if ((meaning & IMAGE) && !image_apply(&log->image, f)) {
        log_error("a frame of the log cannot be understood", "lsn", log_num((long long)f->first_lsn));
    }
}

static bool replay(struct log *log, struct segment *seg, unsigned meaning, struct err *e)
{
    struct replay r = {log, seg, segment_open(log, seg, O_RDONLY)};
    struct walk w = {.fd = r.fd,
                     .generation = seg->generation,
                     .at = SEGMENT_HEADER,
                     .end = seg->end,
                     .lsn = seg->first,
                     .end_lsn = seg->end_lsn,
                     .damaged = damaged,
                     .arg = &r};
    struct frame_header h;
    struct str payload;
    enum walk_result got;

    if (r.fd < 0)
        return err_errno(e, "cannot open segment %016" PRIx64, seg->base);
    /* The CHECKPOINT has no records: it counts even where nothing follows. */
    if (walk_check(&w, w.at, &h, &payload) == CHECK_GOOD && h.type == FRAME_CHECKPOINT)
        take_in(log, &(struct frame){FRAME_CHECKPOINT, h.first_lsn, 0, payload}, meaning);
    while ((got = walk_next(&w, &h, &payload)) == WALK_FRAME)
        if (h.type != FRAME_CHECKPOINT)
            take_in(log, &(struct frame){h.type, h.first_lsn, h.records, payload}, meaning);
    if (got == WALK_ERROR)
        err_errno(e, "cannot read segment %016" PRIx64, seg->base);
    walk_free(&w);
    io->close(r.fd);
    return got == WALK_END;
}

/* Older segments left their ids in a file; the newest, and one that a crash left without, are read. */
static bool rebuild_ids(struct log *log, struct err *e)
{
    int64_t now = io->wall();

    for (size_t i = 0; log->o.ids && i + 1 < log->nsegments; i++) {
        struct segment *seg = log->segments[i];
        int64_t age = now - log->segments[i + 1]->created;
        if (age > log->o.dedup_window || dedup_ids_complete(log->o.ids, seg->base))
            continue;
        dedup_ids_segment(log->o.ids, seg->base);
        if (!replay(log, seg, IDS, e))
            return false;
    }
    dedup_ids_segment(log->o.ids, log->segments[log->nsegments - 1]->base);
    return true;
}

static bool rebuild(struct log *log, struct err *e)
{
    size_t start = log->nsegments - 1;
    int has;

    while ((has = has_checkpoint(log, log->segments[start])) == 0 && start)
        start--;
    if (has < 0)
        return err_errno(e, "cannot read segment %016" PRIx64, log->segments[start]->base);
    if (!has)
        log_error("the log has no checkpoint that can be read");
    if (!rebuild_ids(log, e))
        return false;
    for (size_t i = start; i < log->nsegments; i++)
        if (!replay(log, log->segments[i], i == log->nsegments - 1 ? IMAGE | IDS : IMAGE, e))
            return false;
    return true;
}

bool log_recover(struct log *log, uint64_t min_lsn, struct err *e)
{
    struct segment *newest;

    log->next_lsn = 1;
    if (log->o.dir >= 0 && !load_all(log, e))
        return false;
    if (log->nsegments) {
        newest = log->segments[log->nsegments - 1];
        if (!end_newest(log, newest, e) || !rebuild(log, e))
            return false;
        log->next_lsn = newest->end_lsn;
    }
    atomic_store(&log->durable, log->next_lsn);
    if (!log->nsegments)
        atomic_store(&log->oldest, log->next_lsn);
    /* A cursor beyond the end: part of the log is gone.  What comes now must not hide below it. */
    if (min_lsn > log->next_lsn) {
        log_error("a cursor stands beyond the end of the log", "cursor", log_num((long long)min_lsn), "end",
                  log_num((long long)log->next_lsn));
        log->next_lsn = min_lsn;
        if (log->active)
            io->close(log->active->fd), log->active->fd = -1;
        log->active = NULL;
    }
    return true;
}
