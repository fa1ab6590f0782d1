/* SPDX-License-Identifier: Apache-2.0 */
#include "pipe/keeper.h"

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/io.h"
#include "base/log.h"
#include "base/metrics.h"

#include <pthread.h>

struct keeper {
    struct store *store;
    struct log_reader *reader;
    struct cursor *cursor;
    struct cursor_state state;
    pthread_mutex_t lock;     /* of files */
    struct quarantine *files; /* NULL in memory */
    pthread_t thread;
    bool running;
    _Atomic int stopping;
    int64_t keep, limit, last_expiry;
    struct metric *full;
    int64_t last_said;
    bool replayed; /* since it was last looked whether files can go; under lock */
};

/* Not a name that an output can have. */
#define KEEPER_CURSOR STR("!quarantine")

struct keeper *keeper_new(struct store *store, const struct service *service, struct err *e)
{
    struct keeper *k = alloc_new(sizeof *k);
    bool fresh;

    pthread_mutex_init(&k->lock, NULL);
    k->store = store;
    k->keep = service->quarantine_keep;
    k->limit = service->quarantine_limit;
    k->full = metric_new(METRIC_GAUGE, "weir_quarantine_full", "1 while entries wait for room in the quarantine.", "");
    k->last_said = -3600 * SECOND;
    k->replayed = true;
    if (store_dir(store) && !(k->files = quarantine_open(store_dir_fd(store), true, e))) {
        keeper_free(k);
        return NULL;
    }
    k->cursor = cursor_open(store, KEEPER_CURSOR, &k->state, &fresh, e);
    if (k->cursor && fresh)
        k->state.lsn = log_oldest(store_log(store));
    if (!k->cursor || (fresh && !cursor_save(k->cursor, &k->state, true, e))) {
        keeper_free(k);
        return NULL;
    }
    k->reader = log_reader_new(store_log(store), k->state.lsn);
    log_reader_only(k->reader, FRAME_QUARANTINE);
    return k;
}

static bool keep_frame(struct keeper *k, const struct frame *frame, struct err *e)
{
    struct quarantine_entry entry;

    if (frame->type != FRAME_QUARANTINE)
        return true;
    if (k->files) {
        pthread_mutex_lock(&k->lock);
        bool good = quarantine_append(k->files, frame->payload, e);
        pthread_mutex_unlock(&k->lock);
        return good;
    }
    if (quarantine_read(frame->payload, &entry)) {
        CLEANUP(buf_free) struct buf code = {0};
        buf_str(&code, entry.code);
        log_warn("quarantined event is not kept: storage.type is memory", "code", buf_text(&code));
    }
    return true;
}

static void save(struct keeper *k)
{
    struct err e = {0};
    bool synced;

    pthread_mutex_lock(&k->lock);
    synced = !k->files || quarantine_sync(k->files, &e);
    pthread_mutex_unlock(&k->lock);
    if (!synced || !cursor_save(k->cursor, &k->state, true, &e)) {
        log_error("quarantine cannot be made durable, will try again", "why", e.text);
        return;
    }
    store_trim(k->store);
}

/* At its limit nothing is dropped: entries wait in the log, whose own limit then refuses what comes in. */
static bool is_full(struct keeper *k)
{
    int64_t now = io->monotonic();
    bool full;

    pthread_mutex_lock(&k->lock);
    full = k->files && quarantine_bytes(k->files) > k->limit;
    if (full && k->replayed) { /* only then it may have become less */
        k->replayed = false;
        quarantine_drop_replayed(k->files);
        full = quarantine_bytes(k->files) > k->limit;
    }
    pthread_mutex_unlock(&k->lock);
    metric_set(k->full, full);
    if (full && now - k->last_said > 60 * SECOND) {
        k->last_said = now;
        log_error("the quarantine is full: its entries wait in the log; replay them, or raise quarantine.limit_size");
    }
    return full;
}

/* What is durable now; false: the disk refused or there is no room, and the same frame is tried again later. */
static bool take(struct keeper *k)
{
    struct frame frame;
    struct err e = {0};
    enum log_read got;

    while ((got = log_reader_next(k->reader, &frame, &e)) == READ_FRAME) {
        if (frame.type == FRAME_QUARANTINE && is_full(k)) {
            log_reader_seek(k->reader, k->state.lsn);
            return false;
        }
        if (!keep_frame(k, &frame, &e)) {
            log_error("quarantine cannot be written, will try again", "why", e.text);
            log_reader_seek(k->reader, k->state.lsn);
            return false;
        }
        k->state.lsn = frame.first_lsn + frame.records;
    }
    return got == READ_END;
}

static void expire(struct keeper *k)
{
    int64_t now = io->monotonic();

    if (!k->files || now - k->last_expiry < 3600 * SECOND)
        return;
    k->last_expiry = now;
    pthread_mutex_lock(&k->lock);
    quarantine_expire(k->files, io->wall() - k->keep);
    pthread_mutex_unlock(&k->lock);
}

static void *run(void *arg)
{
    struct keeper *k = arg;
    uint64_t saved = k->state.lsn;

    for (;;) {
        bool last = k->stopping, good = take(k);
        if (k->state.lsn != saved) {
            save(k);
            saved = k->state.lsn;
        }
        expire(k);
        if (last)
            break;
        log_wait(store_log(k->store), good ? k->state.lsn : UINT64_MAX, good ? 60 * SECOND : SECOND, &k->stopping);
        /* Nobody waits for this: gathering for a while costs one sync instead of many. */
        log_wait(store_log(k->store), UINT64_MAX, SECOND / 2, &k->stopping);
    }
    return NULL;
}

bool keeper_start(struct keeper *k, struct err *e)
{
    if (pthread_create(&k->thread, NULL, run, k))
        return err_set(e, "no thread for the quarantine");
    k->running = true;
    return true;
}

void keeper_stop(struct keeper *k)
{
    if (!k || !k->running)
        return;
    k->stopping = true;
    log_wake(store_log(k->store));
    pthread_join(k->thread, NULL);
    k->running = false;
}

void keeper_free(struct keeper *k)
{
    if (!k)
        return;
    if (k->reader)
        log_reader_free(k->reader);
    if (k->cursor)
        cursor_close(k->cursor);
    if (k->files)
        quarantine_close(k->files);
    cursor_state_free(&k->state);
    pthread_mutex_destroy(&k->lock);
    free(k);
}

bool keeper_each(struct keeper *k, bool (*each)(void *arg, const struct quarantine_entry *entry, bool replayed),
                 void *arg, struct err *e)
{
    bool good;

    if (!k->files)
        return err_set(e, "nothing is kept in quarantine: storage.type is memory");
    pthread_mutex_lock(&k->lock);
    good = quarantine_each(k->files, each, arg, e);
    pthread_mutex_unlock(&k->lock);
    return good;
}

bool keeper_mark_replayed(struct keeper *k, struct id entry, struct err *e)
{
    bool good;

    pthread_mutex_lock(&k->lock);
    good = quarantine_mark_replayed(k->files, entry, e);
    k->replayed = true;
    pthread_mutex_unlock(&k->lock);
    return good;
}
