/* SPDX-License-Identifier: Apache-2.0 */
#include "pipe/monitor.h"

#include "base/io.h"
#include "base/metrics.h"
#include "event/json.h"
#include "event/msgpack.h"
#include "event/value.h"
#include "test.h"

#include <ctype.h>

static struct metric *named(const char *family, const char *name)
{
    return metric_named(METRIC_COUNTER, family, "Of the test.", "name", name);
}

static void some_metrics(void)
{
    metric_set(named("fluentbit_input_records_total", "tail.0"), 10);
    metric_set(named("fluentbit_input_bytes_total", "tail.0"), 1000);
    metric_set(named("fluentbit_input_records_total", "a \"quoted\\ name"), 1);
    metric_set(named("fluentbit_filter_drop_records_total", "lua.0"), 2);
    metric_set(named("fluentbit_output_proc_records_total", "http.0"), 7);
    metric_set(named("fluentbit_output_retries_failed_total", "http.0"), 0);
    metric_set(named("fluentbit_output_errors_total", "http.0"), 0);
    metric_set(metric_new(METRIC_GAUGE, "weir_of_the_test", "A gauge.", ""), -3);
}

static bool parses(const struct buf *json, struct arena *a, struct value *v)
{
    struct buf msgpack = {0};
    struct err e = {0};
    bool ok = json_read_whole(buf_view(json), &json_limits_default, &msgpack, &e) &&
              msgpack_read(arena_str(a, buf_view(&msgpack)), v);

    if (!ok)
        fprintf(stderr, "%s: %.*s\n", e.text, (int)json->n, json->p);
    buf_free(&msgpack);
    return ok;
}

static int64_t at(struct value *v, struct arena *a, const char *group, const char *name, const char *field)
{
    struct value *g = map_value_get(v, str_of(group), a), *i = g ? map_value_get(g, str_of(name), a) : NULL;
    struct value *f = i ? map_value_get(i, str_of(field), a) : NULL;
    int64_t n = -1;

    return f && value_as_int(f, &n) ? n : -1;
}

TEST(json_of_version_1)
{
    struct buf out = {0};
    struct arena *a = arena_new();
    struct value v;

    some_metrics();
    monitor_v1_json(&out);
    CHECK(parses(&out, a, &v));
    CHECK_INT(value_members(&v), 3);
    CHECK_INT(at(&v, a, "input", "tail.0", "records"), 10);
    CHECK_INT(at(&v, a, "input", "tail.0", "bytes"), 1000);
    CHECK_INT(at(&v, a, "input", "a \"quoted\\ name", "records"), 1);
    CHECK_INT(at(&v, a, "filter", "lua.0", "drop_records"), 2);
    CHECK_INT(at(&v, a, "output", "http.0", "proc_records"), 7);
    CHECK_INT(at(&v, a, "output", "tail.0", "records"), -1);
    buf_free(&out);
    arena_free(a);
}

static bool is_name(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == ':';
}

/* name{label="value",...} number [number] */
static bool is_sample(struct str line, bool stamped)
{
    size_t i = 0;
    const char *rest;
    char *end;

    while (i < line.n && is_name(line.p[i]))
        i++;
    if (!i)
        return false;
    if (i < line.n && line.p[i] == '{') {
        bool in = false;
        for (i++; i < line.n && (in || line.p[i] != '}'); i++) {
            if (in && line.p[i] == '\\')
                i++;
            else if (line.p[i] == '"')
                in = !in;
        }
        i++;
    }
    if (i >= line.n || line.p[i] != ' ')
        return false;
    rest = line.p + i + 1;
    strtoll(rest, &end, 10);
    if (end == rest)
        return false;
    if (stamped) {
        if (*end != ' ')
            return false;
        rest = end + 1;
        CHECK(strtoll(rest, &end, 10) > INT64_C(1600000000000)); /* in ms */
    }
    return end == line.p + line.n;
}

TEST(prometheus_of_version_1_has_times)
{
    struct buf out = {0};
    struct str rest;
    int lines = 0;

    some_metrics();
    monitor_v1_prometheus(&out);
    for (rest = buf_view(&out); rest.n; lines++) {
        struct str line = str_cut(&rest, '\n');
        if (!is_sample(line, true))
            fprintf(stderr, "no sample: %.*s\n", (int)line.n, line.p), CHECK(!"a sample");
        CHECK(str_starts(line, STR("fluentbit_")));
    }
    CHECK(lines >= 7);
    CHECK(str_find(buf_view(&out), STR("fluentbit_input_records_total{name=\"tail.0\"} 10 ")) != SIZE_MAX);
    buf_free(&out);
}

TEST(prometheus_of_version_2_is_the_registry)
{
    struct buf out = {0};
    struct str rest;

    some_metrics();
    metrics_prometheus(&out);
    for (rest = buf_view(&out); rest.n;) {
        struct str line = str_cut(&rest, '\n');
        if (!str_starts(line, STR("# HELP ")) && !str_starts(line, STR("# TYPE ")) && !is_sample(line, false))
            fprintf(stderr, "no sample: %.*s\n", (int)line.n, line.p), CHECK(!"a sample");
    }
    CHECK(str_find(buf_view(&out), STR("# TYPE weir_of_the_test gauge\nweir_of_the_test -3\n")) != SIZE_MAX);
    CHECK(str_find(buf_view(&out), STR("# TYPE fluentbit_input_records_total counter\n")) != SIZE_MAX);
    buf_free(&out);
}

static int64_t a_wall_clock(void)
{
    return 1700000000 * SECOND + 5;
}

TEST(text_of_version_2)
{
    struct io fixed = io_system;
    struct buf out = {0};

    some_metrics();
    fixed.wall = a_wall_clock;
    io = &fixed;
    monitor_v2_text(&out);
    io = &io_system;
    CHECK(str_find(buf_view(&out), STR("2023-11-14T22:13:20.000000005Z weir_of_the_test = -3\n")) != SIZE_MAX);
    CHECK(
        str_find(buf_view(&out), STR("2023-11-14T22:13:20.000000005Z fluentbit_input_records_total{name=\"tail.0\"} = "
                                     "10\n")) != SIZE_MAX);
    buf_free(&out);
}

TEST(uptime_in_words)
{
    struct buf out = {0};

    monitor_uptime(&out, 90061);
    CHECK_STR(buf_view(&out),
              "{\"uptime_sec\":90061,\"uptime_hr\":\"weir has been running:  1 day, 1 hour, 1 minute and "
              "1 second\"}");
    buf_clear(&out);
    monitor_uptime(&out, 2 * 86400 + 5);
    CHECK_STR(buf_view(&out),
              "{\"uptime_sec\":172805,\"uptime_hr\":\"weir has been running:  2 days, 0 hours, 0 minutes "
              "and 5 seconds\"}");
    buf_free(&out);
}

TEST(health_over_a_period)
{
    struct metric *errors, *failed;
    struct health *h;

    some_metrics();
    errors = named("fluentbit_output_errors_total", "http.0");
    failed = named("fluentbit_output_retries_failed_total", "http.0");
    metric_set(errors, 100); /* of before */
    h = health_new(3, 5, 1);
    CHECK(health_good(h)); /* nothing is known yet */
    health_sample(h);
    metric_add(errors, 5);
    CHECK(health_good(h));
    metric_add(errors, 1);
    CHECK(!health_good(h));
    health_sample(h); /* the sample of before still counts */
    CHECK(!health_good(h));
    health_sample(h);
    CHECK(!health_good(h));
    health_sample(h); /* and is forgotten */
    CHECK(health_good(h));
    metric_add(failed, 2);
    CHECK(!health_good(h));
    health_free(h);
    health_free(NULL);
    h = health_new(0, 0, 0); /* no period: the default */
    health_sample(h);
    CHECK(health_good(h));
    health_free(h);
}
