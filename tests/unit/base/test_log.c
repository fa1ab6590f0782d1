/* SPDX-License-Identifier: Apache-2.0 */
#include "base/cleanup.h"
#include "base/io.h"
#include "base/log.h"
#include "base/metrics.h"
#include "test.h"

#include <fcntl.h>

static int64_t fake_now;

static int64_t now(void)
{
    return fake_now;
}

/* Runs `say` with a log file and gives what it wrote. */
static void logged(bool json, void (*say)(void), struct buf *out)
{
    char path[] = "/tmp/test_log_XXXXXX";
    struct io fake = io_system;
    int fd = mkstemp(path);
    ssize_t n;

    fake.wall = fake.monotonic = now;
    fake_now += 3600 * SECOND; /* away from what an earlier test said */
    io = &fake;
    CHECK(log_setup(LOG_INFO, path, json, NULL));
    say();
    CHECK(log_setup(LOG_INFO, NULL, false, NULL));
    io = &io_system;
    while ((n = read(fd, buf_room(out, 4096), 4096)) > 0)
        out->n += (size_t)n;
    close(fd);
    unlink(path);
}

static void hostile(void)
{
    log_warn("hostile", "a", "plain", "b", "two words", "c", "x\ny\x1b[31m\x7f", "d", "q\"b\\", "e", "k=v", "f", "",
             "g", (char *)NULL, "n", log_num(-5));
    log_debug("not shown", "a", "b");
}

TEST(values_are_escaped)
{
    CLEANUP(buf_free) struct buf text = {0}, json = {0};

    logged(false, hostile, &text);
    CHECK_STR(str_from(buf_view(&text), 24), " warn hostile a=plain b=\"two words\" c=\"x\\ny\\u001b[31m\\u007f\" "
                                             "d=\"q\\\"b\\\\\" e=\"k=v\" f=\"\" g=\"\" n=-5\n");
    logged(true, hostile, &json);
    CHECK(str_find(buf_view(&json), STR("\"level\":\"warn\",\"msg\":\"hostile\",\"a\":\"plain\",\"b\":\"two words\","
                                        "\"c\":\"x\\ny\\u001b[31m\\u007f\",\"d\":\"q\\\"b\\\\\"")) < json.n);
    CHECK(str_ends(buf_view(&json), STR("}\n")));
    CHECK_INT(str_find_char(buf_view(&json), '\n'), json.n - 1); /* one line */
}

static void repeat(void)
{
    for (int i = 0; i < 5; i++)
        log_error("again", "k", "v");
    log_error("again", "k", "other");
    fake_now += 2 * SECOND;
    log_error("again", "k", "v");
}

TEST(the_same_at_most_once_a_second)
{
    CLEANUP(buf_free) struct buf text = {0};
    unsigned lines = 0;

    logged(false, repeat, &text);
    for (size_t i = 0; i < text.n; i++)
        lines += text.p[i] == '\n';
    CHECK_INT(lines, 3);
    CHECK(str_ends(buf_view(&text), STR("again k=v suppressed=4\n")));
}

TEST(setup_that_fails)
{
    struct err e = {""};

    CHECK(!log_setup(LOG_INFO, "/nowhere/at/all", false, &e));
    CHECK(strstr(e.text, "/nowhere/at/all"));
}

static void count(void *arg, enum metric_kind kind, const char *family, const char *labels, int64_t n)
{
    (void)kind;
    (void)labels;
    if (!strcmp(family, "t_total"))
        *(int64_t *)arg += n;
}

TEST(metrics)
{
    struct metric *a = metric_new(METRIC_COUNTER, "t_total", "Things.", "name=\"a\"");
    struct metric *b = metric_named(METRIC_COUNTER, "t_total", "Things.", "name", "q\"\\\nx");
    struct metric *g = metric_new(METRIC_GAUGE, "t_now", "Now.", "");
    CLEANUP(buf_free) struct buf out = {0};
    int64_t sum = 0;

    metric_add(a, 2);
    metric_add(a, 3);
    metric_add(b, 1);
    metric_set(g, -4);
    CHECK(metric_new(METRIC_COUNTER, "t_total", "Things.", "name=\"a\"") == a);
    CHECK_INT(metric_read(a), 5);
    metrics_prometheus(&out);
    CHECK_STR(buf_view(&out), "# HELP t_total Things.\n# TYPE t_total counter\nt_total{name=\"a\"} 5\n"
                              "t_total{name=\"q\\\"\\\\\\nx\"} 1\n# HELP t_now Now.\n# TYPE t_now gauge\nt_now -4\n");
    metrics_each(count, &sum);
    CHECK_INT(sum, 6);
}
