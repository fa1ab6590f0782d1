/* SPDX-License-Identifier: Apache-2.0 */
#include "pipe/monitor.h"

#include "base/alloc.h"
#include "base/io.h"
#include "base/metrics.h"

#include <inttypes.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/* Which family is which field of which group of /api/v1/metrics. */
static const struct shape {
    const char *group, *field, *family;
} shapes[] = {
    {"input", "records", "fluentbit_input_records_total"},
    {"input", "bytes", "fluentbit_input_bytes_total"},
    {"filter", "records", "fluentbit_filter_records_total"},
    {"filter", "drop_records", "fluentbit_filter_drop_records_total"},
    {"output", "proc_records", "fluentbit_output_proc_records_total"},
    {"output", "proc_bytes", "fluentbit_output_proc_bytes_total"},
    {"output", "errors", "fluentbit_output_errors_total"},
    {"output", "retries", "fluentbit_output_retries_total"},
    {"output", "retries_failed", "fluentbit_output_retries_failed_total"},
    {"output", "dropped_records", "fluentbit_output_dropped_records_total"},
    {"output", "retried_records", "fluentbit_output_retried_records_total"},
};

void monitor_uptime(struct buf *out, int64_t s)
{
    buf_fmt(out,
            "{\"uptime_sec\":%" PRId64 ",\"uptime_hr\":\"weir has been running:  %" PRId64 " day%s, %" PRId64
            " hour%s, %" PRId64 " minute%s and %" PRId64 " second%s\"}",
            s, s / 86400, s / 86400 == 1 ? "" : "s", s / 3600 % 24, s / 3600 % 24 == 1 ? "" : "s", s / 60 % 60,
            s / 60 % 60 == 1 ? "" : "s", s % 60, s % 60 == 1 ? "" : "s");
}

/* ---- v1 JSON: group -> instance -> field ---- */

struct group {
    struct buf *out;
    const char *name;
    const char *labels; /* of the instance being written; NULL: looking for the next */
    struct strs seen;
    size_t cap;
    bool first;
};

static const struct shape *shape_of(const char *group, const char *family)
{
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++)
        if (!strcmp(shapes[i].group, group) && !strcmp(shapes[i].family, family))
            return &shapes[i];
    return NULL;
}

static void collect_instance(void *arg, enum metric_kind kind, const char *family, const char *labels, int64_t n)
{
    struct group *g = arg;

    (void)kind;
    (void)n;
    if (!shape_of(g->name, family))
        return;
    for (size_t i = 0; i < g->seen.n; i++)
        if (str_eq(g->seen.items[i], str_of(labels)))
            return;
    g->seen.items = alloc_grow(g->seen.items, g->seen.n, &g->cap, sizeof *g->seen.items);
    g->seen.items[g->seen.n++] = str_of(labels); /* lives as long as the registry */
}

static void write_field(void *arg, enum metric_kind kind, const char *family, const char *labels, int64_t n)
{
    struct group *g = arg;
    const struct shape *s = shape_of(g->name, family);

    (void)kind;
    if (!s || strcmp(labels, g->labels))
        return;
    buf_fmt(g->out, "%s\"%s\":%" PRId64, g->first ? "" : ",", s->field, n);
    g->first = false;
}

static void write_group(struct buf *out, const char *name)
{
    struct group g = {.out = out, .name = name};

    metrics_each(collect_instance, &g);
    buf_fmt(out, "\"%s\":{", name);
    for (size_t i = 0; i < g.seen.n; i++) {
        struct str labels = g.seen.items[i];
        /* name="x": the value stands quoted and escaped as JSON wants it */
        buf_fmt(out, "%s" STR_FMT ":{", i ? "," : "", STR_ARG(str_from(labels, 5)));
        g.labels = labels.p;
        g.first = true;
        metrics_each(write_field, &g);
        buf_char(out, '}');
    }
    buf_char(out, '}');
    free(g.seen.items);
}

void monitor_v1_json(struct buf *out)
{
    buf_char(out, '{');
    write_group(out, "input");
    buf_char(out, ',');
    write_group(out, "filter");
    buf_char(out, ',');
    write_group(out, "output");
    buf_char(out, '}');
}

static void v1_line(void *arg, enum metric_kind kind, const char *family, const char *labels, int64_t n)
{
    (void)kind;
    if (!strncmp(family, "fluentbit_", 10))
        buf_fmt(arg, "%s{%s} %" PRId64 " %" PRId64 "\n", family, labels, n, io->wall() / MILLISECOND);
}

void monitor_v1_prometheus(struct buf *out)
{
    metrics_each(v1_line, out);
}

static void v2_line(void *arg, enum metric_kind kind, const char *family, const char *labels, int64_t n)
{
    int64_t now = io->wall();
    time_t seconds = (time_t)(now / SECOND);
    struct tm tm;
    char text[32];

    (void)kind;
    gmtime_r(&seconds, &tm);
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm);
    buf_fmt(arg, "%s.%09dZ %s%s%s%s = %" PRId64 "\n", text, (int)(now % SECOND), family, *labels ? "{" : "", labels,
            *labels ? "}" : "", n);
}

void monitor_v2_text(struct buf *out)
{
    metrics_each(v2_line, out);
}

/* ---- health ---- */

struct health {
    int64_t errors_limit, failed_limit;
    struct counts {
        int64_t errors, failed;
    } * ring;
    size_t period, n;
};

struct health *health_new(int64_t period, int64_t errors, int64_t failed)
{
    struct health *h = alloc_new(sizeof *h);

    h->period = period > 0 && period <= 86400 ? (size_t)period : 60;
    h->errors_limit = errors;
    h->failed_limit = failed;
    h->ring = alloc_array(h->period, sizeof *h->ring);
    return h;
}

static void sum_failures(void *arg, enum metric_kind kind, const char *family, const char *labels, int64_t n)
{
    struct counts *c = arg;

    (void)kind;
    (void)labels;
    if (!strcmp(family, "fluentbit_output_errors_total"))
        c->errors += n;
    if (!strcmp(family, "fluentbit_output_retries_failed_total"))
        c->failed += n;
}

void health_sample(struct health *h)
{
    struct counts now = {0};

    metrics_each(sum_failures, &now);
    h->ring[h->n++ % h->period] = now;
}

bool health_good(const struct health *h)
{
    const struct counts *oldest = &h->ring[h->n < h->period ? 0 : h->n % h->period];
    struct counts now = {0};

    if (!h->n)
        return true;
    metrics_each(sum_failures, &now);
    return now.errors - oldest->errors <= h->errors_limit && now.failed - oldest->failed <= h->failed_limit;
}

void health_free(struct health *h)
{
    if (!h)
        return;
    free(h->ring);
    free(h);
}
