/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "store/log_private.h"

#include <stdlib.h>
#include <time.h>

uint64_t log_durable(const struct log *log)
{
    return atomic_load_explicit(&log->durable, memory_order_acquire);
}

uint64_t log_oldest(const struct log *log)
{
    return atomic_load_explicit(&log->oldest, memory_order_acquire);
}

void log_append(struct log *log, struct txn *txn)
{
    bool idle;

    txn->next = NULL;
    pthread_mutex_lock(&log->lock);
    txn->first_lsn = log->next_lsn;
    txn->end_lsn = log->next_lsn += txn->records;
    *log->queue_end = txn;
    log->queue_end = &txn->next;
    log->queued += txn->bytes.n;
    log->queued_records += txn->records;
    idle = log->idle || (log->gathering && log->queued_records >= log->gathering);
    pthread_mutex_unlock(&log->lock);
    if (idle) /* not under the lock: who wakes up would only wait for it */
        pthread_cond_signal(&log->work);
}

/* Condition variables sleep on the kernel's clock whatever stands in io->monotonic. */
void log_deadline(struct timespec *at, int64_t ns)
{
    clock_gettime(CLOCK_MONOTONIC, at);
    at->tv_sec += (time_t)(ns / SECOND);
    at->tv_nsec += (long)(ns % SECOND);
    if (at->tv_nsec >= SECOND) {
        at->tv_sec++;
        at->tv_nsec -= SECOND;
    }
}

void log_wait(struct log *log, uint64_t lsn, int64_t timeout, const _Atomic int *unless)
{
    /* Who waits for no commit is not woken by commits. */
    pthread_cond_t *told = lsn == UINT64_MAX ? &log->woken : &log->moved;
    struct timespec at;
    uint64_t wakes;

    if (log_durable(log) > lsn)
        return;
    log_deadline(&at, timeout < 0 ? 0 : timeout);
    pthread_mutex_lock(&log->lock);
    wakes = log->wakes;
    while (log_durable(log) <= lsn && log->wakes == wakes && !(unless && *unless))
        if (pthread_cond_timedwait(told, &log->lock, &at))
            break;
    pthread_mutex_unlock(&log->lock);
}

void log_wake(struct log *log)
{
    pthread_mutex_lock(&log->lock);
    log->wakes++;
    pthread_mutex_unlock(&log->lock);
    pthread_cond_broadcast(&log->moved);
    pthread_cond_broadcast(&log->woken);
}

static void make_locks(struct log *log)
{
    pthread_condattr_t attr;

    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_mutex_init(&log->lock, NULL);
    pthread_mutex_init(&log->image_lock, NULL);
    pthread_cond_init(&log->work, &attr);
    pthread_cond_init(&log->moved, &attr);
    pthread_cond_init(&log->woken, &attr);
    pthread_condattr_destroy(&attr);
}

static void make_metrics(struct log *log)
{
    log->m_commits = metric_new(METRIC_COUNTER, "weir_log_commits_total", "Groups of transactions made durable.", "");
    log->m_errors = metric_new(METRIC_COUNTER, "weir_log_errors_total", "Writes or syncs of the log that failed.", "");
    log->m_corrupt_bytes =
        metric_new(METRIC_COUNTER, "weir_log_corrupt_bytes_total", "Damaged bytes of the log, kept in corrupt/.", "");
    log->m_corrupt_records =
        metric_new(METRIC_COUNTER, "weir_log_corrupt_records_total", "Records that damage in the log has cost.", "");
    log->m_bytes = metric_new(METRIC_GAUGE, "weir_log_bytes", "Bytes of the log on disk.", "");
    log->m_segments = metric_new(METRIC_GAUGE, "weir_log_segments", "Segments of the log on disk.", "");
}

static void destroy(struct log *log)
{
    for (size_t i = 0; i < log->nsegments; i++)
        segment_unref(log->segments[i]);
    if (log->o.dir >= 0)
        io->close(log->o.dir);
    free(log->segments);
    image_free(&log->image);
    pthread_cond_destroy(&log->work);
    pthread_cond_destroy(&log->moved);
    pthread_cond_destroy(&log->woken);
    pthread_mutex_destroy(&log->lock);
    pthread_mutex_destroy(&log->image_lock);
    free(log);
}

struct log *log_open(const struct log_options *options, uint64_t min_lsn, struct err *e)
{
    struct log *log = alloc_new(sizeof *log);
    int failed;

    log->o = *options;
    log->queue_end = &log->queue;
    log->idle = true;
    make_locks(log);
    make_metrics(log);
    if (!log_recover(log, min_lsn, e)) {
        log->o.dir = -1; /* the caller's still */
        destroy(log);
        return NULL;
    }
    log_count(log);
    if ((failed = pthread_create(&log->thread, NULL, log_thread, log))) {
        err_set(e, "cannot start the log thread: %s", strerror(failed));
        log->o.dir = -1;
        destroy(log);
        return NULL;
    }
    return log;
}

void log_close(struct log *log)
{
    pthread_mutex_lock(&log->lock);
    log->closing = true;
    pthread_cond_signal(&log->work);
    pthread_mutex_unlock(&log->lock);
    pthread_join(log->thread, NULL);
    destroy(log);
}
