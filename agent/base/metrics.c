/* SPDX-License-Identifier: Apache-2.0 */
#include "base/metrics.h"

#include "base/alloc.h"
#include "base/cleanup.h"

#include <inttypes.h>
#include <pthread.h>

struct sample {
    struct sample *next;
    char *labels;
    struct metric metric;
};

struct family {
    struct family *next;
    enum metric_kind kind;
    char *name, *help;
    struct sample *first, **last;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct family *families, **families_end = &families;

static struct family *family_of(enum metric_kind kind, const char *name, const char *help)
{
    struct family *f;

    for (f = families; f; f = f->next)
        if (!strcmp(f->name, name))
            return f;
    f = alloc_new(sizeof *f);
    f->kind = kind;
    f->name = alloc_text(name, strlen(name));
    f->help = alloc_text(help, strlen(help));
    f->last = &f->first;
    *families_end = f;
    families_end = &f->next;
    return f;
}

struct metric *metric_new(enum metric_kind kind, const char *name, const char *help, const char *labels)
{
    struct family *f;
    struct sample *s;

    pthread_mutex_lock(&lock);
    f = family_of(kind, name, help);
    for (s = f->first; s && strcmp(s->labels, labels); s = s->next)
        ;
    if (!s) {
        s = alloc_new(sizeof *s);
        s->labels = alloc_text(labels, strlen(labels));
        *f->last = s;
        f->last = &s->next;
    }
    pthread_mutex_unlock(&lock);
    return &s->metric;
}

struct metric *metric_named(enum metric_kind kind, const char *family, const char *help, const char *label,
                            const char *value)
{
    CLEANUP(buf_free) struct buf labels = {0};

    buf_fmt(&labels, "%s=\"", label);
    for (; *value; value++) {
        if (*value == '\n') {
            buf_str(&labels, STR("\\n"));
            continue;
        }
        if (*value == '"' || *value == '\\')
            buf_char(&labels, '\\');
        buf_char(&labels, *value);
    }
    buf_char(&labels, '"');
    return metric_new(kind, family, help, buf_text(&labels));
}

void metrics_each(void (*each)(void *arg, enum metric_kind kind, const char *family, const char *labels, int64_t n),
                  void *arg)
{
    pthread_mutex_lock(&lock);
    for (struct family *f = families; f; f = f->next)
        for (struct sample *s = f->first; s; s = s->next)
            each(arg, f->kind, f->name, s->labels, metric_read(&s->metric));
    pthread_mutex_unlock(&lock);
}

void metrics_prometheus(struct buf *out)
{
    pthread_mutex_lock(&lock);
    for (struct family *f = families; f; f = f->next) {
        buf_fmt(out, "# HELP %s %s\n# TYPE %s %s\n", f->name, f->help, f->name,
                f->kind == METRIC_COUNTER ? "counter" : "gauge");
        for (struct sample *s = f->first; s; s = s->next)
            buf_fmt(out, "%s%s%s%s %" PRId64 "\n", f->name, *s->labels ? "{" : "", s->labels, *s->labels ? "}" : "",
                    metric_read(&s->metric));
    }
    pthread_mutex_unlock(&lock);
}
