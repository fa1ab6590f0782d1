/* SPDX-License-Identifier: Apache-2.0 */
#include "pipe/admin.h"

#include "base/alloc.h"
#include "base/arena.h"
#include "base/cleanup.h"
#include "base/io.h"
#include "base/log.h"
#include "base/metrics.h"
#include "event/json.h"
#include "net/http_server.h"
#include "pipe/ledger.h"
#include "pipe/monitor.h"
#include "pipe/pipeline.h"
#include "pipe/worker.h"

#include <inttypes.h>
#include <stdlib.h>

struct admin {
    struct pipeline *pipeline;
    struct loop *loop;
    struct http_server *tcp, *control;
    struct health *health;
    struct timer second;
    const char *version;
    char *socket;
    struct metric *uptime, *log_bytes, *held;
};

static void reply(struct http_request *r, const char *type, struct buf *body)
{
    http_reply(r, 200, (const struct http_head[]){{STR("Content-Type"), str_of(type)}}, 1, buf_view(body));
    buf_free(body);
}

static int64_t uptime(const struct admin *a)
{
    return (io->monotonic() - pipeline_started(a->pipeline)) / SECOND;
}

static void refresh_gauges(struct admin *a)
{
    metric_set(a->uptime, uptime(a));
    metric_set(a->log_bytes, store_bytes(pipeline_store(a->pipeline)));
    metric_set(a->held, pipeline_held(a->pipeline));
}

/* ---- GET ---- */

static void get_root(struct admin *a, struct http_request *r)
{
    struct buf b = {0};

    buf_fmt(&b, "{\"weir\":{\"version\":\"%s\"}}", a->version);
    reply(r, "application/json", &b);
}

static void get_uptime(struct admin *a, struct http_request *r)
{
    struct buf b = {0};

    monitor_uptime(&b, uptime(a));
    reply(r, "application/json", &b);
}

static void get_v1(struct admin *a, struct http_request *r)
{
    struct buf b = {0};

    (void)a;
    monitor_v1_json(&b);
    reply(r, "application/json", &b);
}

static void get_v1_prometheus(struct admin *a, struct http_request *r)
{
    struct buf b = {0};

    refresh_gauges(a);
    monitor_v1_prometheus(&b);
    reply(r, "text/plain; version=0.0.4", &b);
}

static void get_v2(struct admin *a, struct http_request *r)
{
    struct buf b = {0};

    refresh_gauges(a);
    monitor_v2_text(&b);
    reply(r, "text/plain", &b);
}

static void get_v2_prometheus(struct admin *a, struct http_request *r)
{
    struct buf b = {0};

    refresh_gauges(a);
    metrics_prometheus(&b);
    reply(r, "text/plain; version=0.0.4", &b);
}

static void get_health(struct admin *a, struct http_request *r)
{
    bool good = (!a->health || health_good(a->health)) && store_room(pipeline_store(a->pipeline)) != STORE_TROUBLE;

    http_reply(r, good ? 200 : 500, NULL, 0, good ? STR("ok\n") : STR("error\n"));
}

static void get_ledger(struct admin *a, struct http_request *r)
{
    struct buf b = {0};
    struct ledger l;

    ledger_read(a->pipeline, &l);
    ledger_json(&l, &b);
    ledger_free(&l);
    reply(r, "application/json", &b);
}

static void get_ledger_text(struct admin *a, struct http_request *r)
{
    struct buf b = {0};
    struct ledger l;

    ledger_read(a->pipeline, &l);
    ledger_text(&l, &b);
    ledger_free(&l);
    reply(r, "text/plain", &b);
}

static const struct page {
    const char *path;
    void (*get)(struct admin *a, struct http_request *r);
} pages[] = {
    {"/", get_root},
    {"/api/v1/uptime", get_uptime},
    {"/api/v1/metrics", get_v1},
    {"/api/v1/metrics/prometheus", get_v1_prometheus},
    {"/api/v1/health", get_health},
    {"/api/v2/metrics", get_v2},
    {"/api/v2/metrics/prometheus", get_v2_prometheus},
    {"/ledger", get_ledger},
    {"/ledger.txt", get_ledger_text},
};

static void handle(void *arg, struct http_request *r)
{
    for (size_t i = 0; i < ARRAY_LEN(pages); i++)
        if (str_eq(http_path(r), str_of(pages[i].path))) {
            if (str_eq(http_method(r), STR("GET")) || str_eq(http_method(r), STR("HEAD")))
                pages[i].get(arg, r);
            else
                http_reply(r, 405, (const struct http_head[]){{STR("Allow"), STR("GET, HEAD")}}, 1,
                           STR("{\"error\":\"only GET\"}\n"));
            return;
        }
    http_reply_error(r, 404, 0, "no such page");
}

/* ---- the control socket: what changes something ---- */

static bool wanted(void *arg, const struct quarantine_entry *entry)
{
    const struct http_request *r = arg;
    struct str id = http_query(r, "id"), reason = http_query(r, "reason"), output = http_query(r, "output");
    struct str since = http_query(r, "since");
    char text[33];
    int64_t seconds;

    id_text(entry->id, text);
    return (!id.p || str_eq(id, str_of(text))) && (!reason.p || str_eq(reason, entry->code)) &&
           (!output.p || str_eq(output, entry->plugin)) &&
           (!since.p || (str_i64(since, &seconds) && entry->time >= seconds * SECOND));
}

static void post_replay(struct admin *a, struct http_request *r)
{
    struct err e = {0};
    struct buf b = {0};
    int64_t n;

    n = pipeline_replay(a->pipeline, wanted, r, &e);
    if (n < 0) {
        http_reply_error(r, 500, 0, e.text);
        return;
    }
    buf_fmt(&b, "{\"replayed\":%" PRId64 "}", n);
    reply(r, "application/json", &b);
}

static void post_forget(struct admin *a, struct http_request *r)
{
    struct str output = http_query(r, "output");
    struct err e = {0};
    struct buf b = {0};

    if (!cursor_forget(pipeline_store(a->pipeline), output, &e)) {
        http_reply_error(r, 400, 0, e.text);
        return;
    }
    log_warn("the backlog of an output was given up", "output", arena_str(http_arena(r), output).p);
    buf_str(&b, STR("{\"forgotten\":"));
    json_write_str(&b, output);
    buf_char(&b, '}');
    reply(r, "application/json", &b);
}

static void control(void *arg, struct http_request *r)
{
    bool post = str_eq(http_method(r), STR("POST"));

    if (post && str_eq(http_path(r), STR("/quarantine/replay")))
        post_replay(arg, r);
    else if (post && str_eq(http_path(r), STR("/queue/forget")))
        post_forget(arg, r);
    else
        handle(arg, r);
}

/* ---- life ---- */

char *admin_socket_path(const char *store_dir)
{
    struct buf b = {0};

    if (!store_dir)
        return NULL;
    buf_fmt(&b, "%s/control", store_dir);
    buf_text(&b);
    return b.p;
}

static void every_second(struct timer *t)
{
    struct admin *a = container_of(t, struct admin, second);

    health_sample(a->health);
    loop_timer(a->loop, t, SECOND);
}

static bool listen_control(struct admin *a, struct err *e)
{
    struct http_server_options o;
    CLEANUP(buf_free) struct buf listen = {0};

    a->socket = admin_socket_path(store_dir(pipeline_store(a->pipeline)));
    if (!a->socket)
        return true;
    if (strlen(a->socket) >= 108) { /* sun_path */
        log_warn("the store's path is too long for a control socket; `weir quarantine replay` needs the agent stopped",
                 "path", a->socket);
        return true;
    }
    unlink(a->socket); /* the store is locked by us: what lies there is left over */
    http_server_defaults(&o);
    buf_fmt(&listen, "unix:%s", a->socket);
    o.listen = buf_text(&listen);
    o.handle = control;
    o.arg = a;
    a->control = http_server_new(a->loop, &o, e);
    return a->control != NULL;
}

static bool listen_tcp(struct admin *a, const struct service *s, struct err *e)
{
    struct http_server_options o;
    CLEANUP(buf_free) struct buf listen = {0};

    if (!s->http_server)
        return true;
    http_server_defaults(&o);
    buf_str(&listen, s->http_listen);
    o.listen = buf_text(&listen);
    o.port = (int)s->http_port;
    o.handle = handle;
    o.arg = a;
    a->tcp = http_server_new(a->loop, &o, e);
    if (a->tcp && !str_starts(s->http_listen, STR("127.")) && !str_starts(s->http_listen, STR("unix:")) &&
        !str_eq(s->http_listen, STR("::1")) && !str_eq(s->http_listen, STR("localhost")))
        log_warn("the admin port can be reached from other hosts, without encryption and without a password",
                 "http_listen", o.listen);
    return a->tcp != NULL || err_wrap(e, "admin port (http_listen, http_port in [SERVICE])");
}

struct admin *admin_start(struct loop *loop, struct pipeline *p, const char *version, struct err *e)
{
    const struct service *s = &pipeline_config(p)->service;
    struct admin *a = alloc_new(sizeof *a);

    a->pipeline = p;
    a->loop = loop;
    a->version = version;
    a->uptime = metric_new(METRIC_COUNTER, "fluentbit_uptime", "Seconds since the start.", "");
    a->log_bytes = metric_new(METRIC_GAUGE, "weir_log_bytes", "Bytes of the durable log.", "");
    metric_set(metric_named(METRIC_GAUGE, "weir_durability", "What an acknowledgement means: 1 for disk, os or memory.",
                            "durability", pipeline_durability(pipeline_config(p))),
               1);
    a->held = metric_new(METRIC_GAUGE, "weir_held_events", "Events taken and not yet durable.", "");
    if (!listen_tcp(a, s, e) || !listen_control(a, e)) {
        admin_stop(a);
        return NULL;
    }
    if (s->health_check) {
        a->health = health_new(s->hc_period, s->hc_errors_count, s->hc_retry_failure_count);
        a->second.fire = every_second;
        loop_timer(loop, &a->second, SECOND);
    }
    return a;
}

int admin_port(const struct admin *a)
{
    return a->tcp ? http_server_port(a->tcp) : 0;
}

void admin_stop(struct admin *a)
{
    if (!a)
        return;
    if (a->health)
        loop_cancel(a->loop, &a->second);
    if (a->tcp)
        http_server_free(a->tcp);
    if (a->control) {
        http_server_free(a->control);
        unlink(a->socket);
    }
    health_free(a->health);
    free(a->socket);
    free(a);
}
