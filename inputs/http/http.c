/* SPDX-License-Identifier: Apache-2.0 */
#include "http.h"

#include "base/alloc.h"
#include "base/arena.h"
#include "base/cleanup.h"
#include "base/io.h"

#include <stdio.h>

static const struct range port_range = {0, 65535};
static const struct range size_range = {1024, 1 << 30};
static const struct range connection_range = {0, 1000000};
static const struct range events_range = {1, 1000000};
static const struct range backlog_range = {1, 65535};
static const struct range time_range = {100 * MILLISECOND, 3600 * SECOND};
static const struct range status_range = {200, 204};

#define OWN(type_, name_, field_, initial_, help_, ...) \
    OPT_AS(struct http_in, type_, name_, field_, initial_, help_, ##__VA_ARGS__)

static const struct option options[] = {
    OWN(OPT_STR, "listen", listen, "0.0.0.0", "Address to listen on, or `unix:/path` for a socket with mode 0600."),
    OWN(OPT_STR, "host", listen, NULL, "The same as `listen`."),
    OWN(OPT_INT, "port", port, "9880", "Port; 0: any free one, said in the log.", .range = &port_range),
    OWN(OPT_INT, "successful_response_code", status, "201", "Status of a request that was taken: 200, 201 or 204.",
        .range = &status_range),
    OWN(OPT_MULTI, "success_header", success_header, NULL,
        "A header of the answer to a request that was taken: `Name value`; may be repeated."),
    OWN(OPT_STR, "tag_key", tag_key, NULL, "The key whose text becomes the event's tag."),
    OWN(OPT_BOOL, "add_remote_addr", add_remote_addr, "false", "Adds the client's address to every event."),
    OWN(OPT_STR, "remote_addr_key", remote_addr_key, "REMOTE_ADDR", "The key for the client's address."),
    OWN(OPT_LIST, "trusted_proxies", trusted_proxies, NULL,
        "Addresses and networks (10.0.0.0/8) whose X-Forwarded-For is believed."),
    OWN(OPT_BOOL, "enable_health_endpoint", health, "false", "Answers GET /health with 200."),
    OWN(OPT_STR, "events_uri", events_uri, "/v1/events", "The path of the endpoint for product events; `off`: none."),
    OWN(OPT_STR, "events_tag", events_tag, NULL, "The tag of what arrives there; the input's own where not given."),
    OWN(OPT_INT, "max_events_per_request", events_max, "10000", "More than this in one request: 413.",
        .range = &events_range),
    OWN(OPT_SIZE, "buffer_max_size", body_max, "8M", "The largest body as sent.", .range = &size_range),
    OWN(OPT_SIZE, "http_server.buffer_max_size", body_max, NULL, "The same.", .range = &size_range),
    OWN(OPT_SIZE, "decompressed_max_size", inflated_max, "64M", "The largest body after decompression.",
        .range = &size_range),
    OWN(OPT_INT, "max_connections", connections, "10000", "Connections at a time; 0: as many as the system allows.",
        .range = &connection_range),
    OWN(OPT_INT, "http_server.max_connections", connections, NULL, "The same.", .range = &connection_range),
    OWN(OPT_INT, "max_connections_per_address", per_address, "4000", "Connections of one address; 0: no limit.",
        .range = &connection_range),
    OWN(OPT_DURATION, "http_server.idle_timeout", idle_timeout, "60s", "How long an unused connection is kept.",
        .range = &time_range),
    OWN(OPT_DURATION, "http_server.header_timeout", header_timeout, "10s", "How long the head of a request may take.",
        .range = &time_range),
    OWN(OPT_DURATION, "http_server.body_timeout", body_timeout, "10s",
        "How long a body may take for each KiB of progress.", .range = &time_range),
    OWN(OPT_INT, "net.backlog", backlog, "1024", "Connections that the system holds until they are accepted.",
        .range = &backlog_range),
    OWN(OPT_BOOL, "tls", tls, "off", "Encryption."),
    OPT_NONE("tls.verify"),
    OPT_NONE("tls.verify_hostname"),
    OPT_NONE("tls.verify_client_cert"),
    OPT_NONE("tls.debug"),
    OPT_NONE("tls.ca_file"),
    OPT_NONE("tls.ca_path"),
    OPT_NONE("tls.crt_file"),
    OPT_NONE("tls.key_file"),
    OPT_NONE("tls.key_passwd"),
    OPT_NONE("tls.vhost"),
    OPT_NONE("tls.min_version"),
    OPT_NONE("tls.max_version"),
    OPT_NONE("tls.ciphers"),
    OPT_NONE("http2"),
    OPT_NONE("http_server.http2"),
    OPT_NONE("buffer_chunk_size"),
    OPT_NONE("http_server.buffer_chunk_size"),
    OPT_NONE("workers"),
    OPT_NONE("http_server.workers"),
    OPT_NONE("http_server.ingress_queue_event_limit"),
    OPT_NONE("http_server.ingress_queue_byte_limit"),
    OPT_NONE("net.share_port"),
    OPT_NONE("net.io_timeout"),
    OPT_NONE("net.accept_timeout"),
    OPT_NONE("net.accept_timeout_log_error"),
    OPT_NONE("net.keepalive"),
    OPT_NONE("ipv6"),
    OPT_END,
};

/* ---- requests ---- */

static int admit(void *arg, const struct http_request *r, int *retry_after)
{
    struct http_in *in = arg;

    if (!str_eq(http_method(r), STR("POST")))
        return 0; /* nothing is taken: handle() says what is wrong */
    switch (feed_room(in->feed, retry_after)) {
    case ROOM:
        return 0;
    case ROOM_QUOTA:
        return 429;
    default:
        return 503;
    }
}

/* As in Fluent Bit: the path without its first slash; what is not a letter, a digit, `_` or `.` becomes `_`. */
static bool tag_of(struct http_request *r, struct str *tag)
{
    enum { MAX = 1024 };
    struct str path = str_from(http_path(r), 1);
    char *p;

    *tag = (struct str){NULL, 0};
    if (path.n > MAX)
        return false;
    if (!path.n)
        return true;
    p = arena_alloc(http_arena(r), path.n);
    for (size_t i = 0; i < path.n; i++) {
        char c = path.p[i];
        bool ok = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '.';
        p[i] = ok ? c : '_';
    }
    *tag = (struct str){p, path.n};
    return true;
}

static void refuse(struct http_in *in, struct http_request *r, int status, const char *why)
{
    metric_add(in->base.errors, 1);
    http_reply_error(r, status, 0, why);
}

static void handle_post(struct http_in *in, struct http_request *r)
{
    bool events = in->events_uri.n && str_eq(http_path(r), in->events_uri);
    enum body_kind kind = body_kind(http_header(r, "content-type"));
    struct str tag = {0};
    struct err e;
    int status;

    if (events && kind == BODY_FORM)
        kind = BODY_OTHER;
    if (http_path(r).p[0] != '/' || (!events && !tag_of(r, &tag))) {
        refuse(in, r, 400, "the path makes no tag");
        return;
    }
    status = body_read(http_body(r), kind, events, &in->items, &e);
    if (status)
        refuse(in, r, status, e.text);
    else if (events)
        take_events(in, r);
    else
        take_plain(in, r, tag);
}

static void handle(void *arg, struct http_request *r)
{
    struct http_in *in = arg;
    struct http_head headers[] = {{STR("Content-Type"), STR("application/json")}, {STR("Allow"), STR("POST")}};
    struct str method = http_method(r);

    if (str_eq(method, STR("POST"))) {
        handle_post(in, r);
    } else if (in->health && str_eq(http_path(r), STR("/health")) &&
               (str_eq(method, STR("GET")) || str_eq(method, STR("HEAD")))) {
        http_reply(r, 200, headers, 1, STR("{\"status\":\"ok\"}\n"));
    } else {
        metric_add(in->base.errors, 1);
        http_reply(r, 405, headers, ARRAY_LEN(headers), STR("{\"error\":\"events are sent with POST\"}\n"));
    }
}

/* ---- start and stop ---- */

static bool is_name(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!((s.p[i] >= '0' && s.p[i] <= '9') || ((s.p[i] | 32) >= 'a' && (s.p[i] | 32) <= 'z') || s.p[i] == '-' ||
              s.p[i] == '_'))
            return false;
    return s.n > 0;
}

static bool make_headers(struct http_in *in, struct err *e)
{
    struct front *f = in->front;
    static const char *const reserved[] = {"content-length", "transfer-encoding", "connection", "content-type", "date"};

    f->headers = arena_alloc(f->arena, (in->success_header.n + 2) * sizeof *f->headers);
    f->headers[f->nheaders++] = (struct http_head){STR("Content-Type"), STR("application/json")};
    for (size_t i = 0; i < in->success_header.n; i++) {
        struct str value = in->success_header.items[i], name = str_word(&value);
        if (!is_name(name))
            return instance_err(&in->base, "success_header", e, "`" STR_FMT "` is not of the form `Name value`",
                                STR_ARG(in->success_header.items[i]));
        for (size_t k = 0; k < ARRAY_LEN(reserved); k++)
            if (str_eq_fold(name, str_of(reserved[k])))
                return instance_err(&in->base, "success_header", e, "`%s` is set by the server itself", reserved[k]);
        f->headers[f->nheaders++] = (struct http_head){arena_str(f->arena, name), arena_str(f->arena, str_trim(value))};
    }
    return true;
}

static bool check(struct http_in *in, struct err *e)
{
    struct err why;

    if (in->tls)
        return instance_err(&in->base, "tls", e,
                            "this build's http input speaks plain HTTP only; put a proxy with TLS in front of it");
    if (in->status != 200 && in->status != 201 && in->status != 204)
        return instance_err(&in->base, "successful_response_code", e, "it must be 200, 201 or 204");
    if (!str_eq_fold(in->events_uri, STR("off")) && (!in->events_uri.n || in->events_uri.p[0] != '/'))
        return instance_err(&in->base, "events_uri", e, "a path begins with `/`");
    if (in->add_remote_addr && !in->remote_addr_key.n)
        return instance_err(&in->base, "remote_addr_key", e, "the key is empty");
    if (in->tag_key.n && !(in->tag_path = path_compile(in->tag_key, &why)))
        return instance_err(&in->base, "tag_key", e, "%s", why.text);
    in->proxies = alloc_array(in->trusted_proxies.n + 1, sizeof *in->proxies);
    for (; in->nproxies < in->trusted_proxies.n; in->nproxies++)
        if (!network_parse(in->trusted_proxies.items[in->nproxies], &in->proxies[in->nproxies]))
            return instance_err(&in->base, "trusted_proxies", e,
                                "`" STR_FMT "` is no address and no network such as 10.0.0.0/8",
                                STR_ARG(in->trusted_proxies.items[in->nproxies]));
    return true;
}

static void say_where(const struct http_in *in, const char *listen, int port)
{
    bool local = !strncmp(listen, "unix:", 5) || !strncmp(listen, "127.", 4) || !strcmp(listen, "::1") ||
                 !strcmp(listen, "localhost");

    log_info("http input listens", "input", in->base.name, "listen", listen, "port", log_num(port));
    if (!local)
        log_warn("http input can be reached from other hosts, without encryption and without a password; `listen "
                 "127.0.0.1` keeps it local",
                 "input", in->base.name, "listen", listen);
}

static bool open_server(struct http_in *in, struct err *e)
{
    CLEANUP(cleanup_free) char *listen = alloc_text(in->listen.p, in->listen.n);
    struct http_server_options o;
    struct err why;

    http_server_defaults(&o);
    o.listen = listen;
    o.port = (int)in->port;
    o.backlog = (int)in->backlog;
    o.body_max = in->body_max;
    o.inflated_max = in->inflated_max;
    o.header_timeout = in->header_timeout;
    o.body_timeout = in->body_timeout;
    o.idle_timeout = in->idle_timeout;
    o.connections_max = in->connections ? (int)in->connections : INT32_MAX;
    o.connections_per_address = in->per_address ? (int)in->per_address : INT32_MAX;
    o.admit = admit;
    o.handle = handle;
    o.arg = in;
    in->front->server = http_server_new(feed_loop(in->feed), &o, &why);
    if (!in->front->server)
        return instance_err(&in->base, section_prop(in->base.section, "port") ? "port" : "listen", e, "%s", why.text);
    say_where(in, listen, http_server_port(in->front->server));
    return true;
}

static void free_own(struct http_in *in)
{
    path_free(in->tag_path);
    free(in->proxies);
    free(in->items.v);
    buf_free(&in->items.msgpack);
    buf_free(&in->results);
    buf_free(&in->reply);
    in->tag_path = NULL;
    in->proxies = NULL;
    in->nproxies = 0;
    in->items = (struct items){0};
}

static bool prepare(struct http_in *in, struct err *e)
{
    in->front = alloc_new(sizeof *in->front);
    in->front->arena = arena_new();
    return check(in, e) && make_headers(in, e);
}

static void unprepare(struct http_in *in)
{
    arena_free(in->front->arena);
    free(TAKE(in->front));
    free_own(in);
}

static bool check_only(void *self, struct err *e)
{
    bool good = prepare(self, e);

    unprepare(self);
    return good;
}

static bool start(void *self, struct feed *f, struct err *e)
{
    struct http_in *in = self;

    in->feed = f;
    in->items.max = (size_t)in->events_max;
    if (prepare(in, e) && open_server(in, e)) {
        if (!strcmp(feed_durability(f), "memory")) /* who sends is told that a 2xx promises less */
            in->front->headers[in->front->nheaders++] = (struct http_head){STR("Weir-Durability"), STR("memory")};
        if (str_eq_fold(in->events_uri, STR("off")))
            in->events_uri = STR("");
        return true;
    }
    unprepare(in);
    return false;
}

/* Requests whose events are on their way to the disk are answered still; the last one takes the server with it. */
static void stop(void *self)
{
    struct http_in *in = self;
    struct front *f = TAKE(in->front);

    free_own(in);
    if (!f)
        return;
    f->stopped = true;
    http_server_stop(f->server);
    if (f->waiting)
        return;
    http_server_free(f->server);
    arena_free(f->arena);
    free(f);
}

/* No `pause`: under pressure the input answers 429 or 503 (admit), which a client understands better than silence. */
static const struct input input = {.check = check_only, .start = start, .stop = stop, .own_tags = true};

const struct plugin input_http;
const struct plugin input_http = {
    .name = "http",
    .summary = "Takes events over HTTP: JSON, lines of JSON and forms; answers when they are stored.",
    .options = options,
    .size = sizeof(struct http_in),
    .input = &input,
};
