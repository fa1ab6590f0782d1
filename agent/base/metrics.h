/* SPDX-License-Identifier: Apache-2.0 */
/* The metrics registry: what is registered here is what /metrics shows.  Registration takes a lock; adding does not.
 * Metrics live until the process ends, so a pointer to one never dangles; registering the same name and labels again
 * (after a reload) gives the same one back. */
#pragma once
#include "base/buf.h"

enum metric_kind { METRIC_COUNTER, METRIC_GAUGE };

struct metric {
    _Atomic int64_t n;
};

/* `labels` as Prometheus writes them without the braces: `name="tail.0"`; "" for none. */
struct metric *metric_new(enum metric_kind kind, const char *family, const char *help, const char *labels);
/* One label, its value escaped. */
struct metric *metric_named(enum metric_kind kind, const char *family, const char *help, const char *label,
                            const char *value);

static inline void metric_add(struct metric *m, int64_t n)
{
    __atomic_fetch_add((int64_t *)&m->n, n, __ATOMIC_RELAXED);
}

static inline void metric_set(struct metric *m, int64_t n)
{
    __atomic_store_n((int64_t *)&m->n, n, __ATOMIC_RELAXED);
}

static inline int64_t metric_read(const struct metric *m)
{
    return __atomic_load_n((const int64_t *)&m->n, __ATOMIC_RELAXED);
}

/* The whole registry in Prometheus' text format 0.0.4. */
void metrics_prometheus(struct buf *out);
/* Walks every metric, families together, in order of registration. */
void metrics_each(void (*each)(void *arg, enum metric_kind kind, const char *family, const char *labels, int64_t n),
                  void *arg);
