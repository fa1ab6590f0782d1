/* SPDX-License-Identifier: Apache-2.0 */
#include "plugin.h"

#include "base/cleanup.h"
#include "event/json.h"
#include "event/msgpack.h"
#include "event/path.h"
#include "event/time.h"
#include "net/http_output.h"

#include <stdio.h>

enum format { FORMAT_JSON, FORMAT_JSON_LINES, FORMAT_JSON_STREAM, FORMAT_MSGPACK, FORMAT_GELF };
enum { METHOD_POST, METHOD_PUT };

struct http {
    struct instance instance;
    struct http_output http;
    int format, json_date_format, http_method;
    struct str json_date_key, header_tag, body_key, headers_key;
    struct rules later;
    struct path *body_path, *headers_path;
    struct buf body, headers;
};

static const char *const format_names[] = {"json", "json_lines", "json_stream", "msgpack", "gelf", NULL};
static const char *const method_names[] = {"POST", "PUT", NULL};
#define LATER(name_, help_) OPT_AS(struct http, OPT_RULE, name_, later, NULL, help_, .prefix = true)
static const struct option options[] = {
    OPT_USE(struct http, http, http_output_options),
    OPT(struct http, OPT_ENUM, format, "json", "How events are encoded.", .names = format_names),
    OPT(struct http, OPT_STR, json_date_key, "date",
        "The key under which JSON carries the event's time; `false` leaves it out."),
    OPT(struct http, OPT_ENUM, json_date_format, "double", "How that time is written.", .names = json_date_names),
    OPT(struct http, OPT_ENUM, http_method, "POST", "The request's method.", .names = method_names),
    OPT(struct http, OPT_STR, header_tag, NULL, "The name of a header that carries the tag."),
    OPT(struct http, OPT_STR, body_key, NULL,
        "Send each event in a request of its own, whose body is the text under this key (`$key['sub']`)."),
    OPT(struct http, OPT_STR, headers_key, NULL, "With body_key: the map under this key becomes headers."),
    LATER("oauth2.", "Not in this version; only `oauth2.enable off` is accepted."),
    LATER("aws_", "Not in this version; only `aws_auth off` is accepted."),
    LATER("gelf_", "Not in this version."),
    OPT_END};

static bool is_off(struct str value)
{
    return str_eq_fold(value, STR("off")) || str_eq_fold(value, STR("false")) || str_eq_fold(value, STR("no")) ||
           str_eq(value, STR("0"));
}

static bool check_later(const struct http *h, struct err *e)
{
    for (size_t i = 0; i < h->later.n; i++) {
        const struct rule *r = &h->later.items[i];
        bool can_be_off = str_eq(r->name, STR("oauth2.enable")) || str_eq(r->name, STR("aws_auth"));
        if (!can_be_off || !is_off(r->value))
            return place_err(r->place, e, "`" STR_FMT "` is not in this version: it comes with a later one",
                             STR_ARG(r->name));
    }
    if (h->format == FORMAT_GELF)
        return instance_err(&h->instance, "format", e,
                            "gelf is not in this version; there are json, json_lines, json_stream and msgpack");
    return true;
}

static bool is_token(struct str name)
{
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        if (!((c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z') || (c && strchr("!#$%&'*+-.^_`|~", c))))
            return false;
    }
    return name.n > 0;
}

static bool compile_keys(struct http *h, struct err *e)
{
    struct err why;

    if (h->headers_key.n && !h->body_key.n)
        return instance_err(&h->instance, "headers_key", e, "needs body_key beside it");
    if (h->body_key.n && !(h->body_path = path_compile(h->body_key, &why)))
        return instance_err(&h->instance, "body_key", e, "%s", why.text);
    if (h->headers_key.n && !(h->headers_path = path_compile(h->headers_key, &why)))
        return instance_err(&h->instance, "headers_key", e, "%s", why.text);
    return true;
}

static void free_own(struct http *h)
{
    path_free(h->body_path);
    path_free(h->headers_path);
    buf_free(&h->body);
    buf_free(&h->headers);
    h->body_path = h->headers_path = NULL;
}

static bool http_start(void *self, struct err *e)
{
    struct http *h = self;

    if (!check_later(h, e))
        return false;
    if (h->header_tag.n && !is_token(h->header_tag))
        return instance_err(&h->instance, "header_tag", e, "`" STR_FMT "` is no name of a header",
                            STR_ARG(h->header_tag));
    if (is_off(h->json_date_key))
        h->json_date_key = STR("");
    if (compile_keys(h, e) && http_output_start(&h->http, &h->instance, e))
        return true;
    free_own(h);
    return false;
}

static void http_stop(void *self)
{
    struct http *h = self;

    http_output_stop(&h->http);
    free_own(h);
}

/* A start makes no connection. */
static bool http_check(void *self, struct err *e)
{
    if (!http_start(self, e))
        return false;
    http_stop(self);
    return true;
}

static void put_event(struct http *h, struct event *ev)
{
    struct buf *out = &h->body;

    if (h->format == FORMAT_MSGPACK) {
        msgpack_array(out, 2);
        msgpack_array(out, 2);
        msgpack_time(out, ev->time);
        msgpack_value(out, &ev->meta);
        msgpack_value(out, &ev->body);
        return;
    }
    if (h->format == FORMAT_JSON)
        buf_char(out, out->n ? ',' : '[');
    event_write_json(&h->body, ev, h->json_date_key, (enum json_date)h->json_date_format);
    if (h->format == FORMAT_JSON_LINES)
        buf_char(out, '\n');
}

/* Values of headers come from events: what could end the line is percent-encoded. */
static void put_header(struct buf *out, struct str name, struct str value)
{
    buf_str(out, name);
    buf_add(out, ": ", 2);
    for (size_t i = 0; i < value.n; i++) {
        unsigned char c = (unsigned char)value.p[i];
        if (c < 0x20 || c >= 0x7f)
            buf_fmt(out, "%%%02X", c);
        else
            buf_char(out, (char)c);
    }
    buf_add(out, "\r\n", 2);
}

static struct http_call make_call(struct http *h, struct delivery *d, struct str type)
{
    buf_clear(&h->headers);
    if (h->header_tag.n)
        put_header(&h->headers, h->header_tag, delivery_tag(d));
    return (struct http_call){.method = method_names[h->http_method], .type = type};
}

/* Headers that the connection or the delivery's identity depends on are not an event's to set. */
static bool reserved(struct str name)
{
    static const char *const names[] = {
        "host",       "connection",      "content-length",   "transfer-encoding", "upgrade",
        "keep-alive", "idempotency-key", "content-encoding", "trailer",           "proxy-connection",
        "te",         "expect"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (str_eq_fold(name, str_of(names[i])))
            return true;
    return false;
}

static bool add_headers(struct http *h, struct event *ev, struct str *type, struct err *e)
{
    struct value *map = path_find(h->headers_path, ev);

    if (!map || map->type != V_MAP)
        return err_set(e, "there is no map under headers_key");
    value_open(map, ev->arena);
    for (uint32_t i = 0; i < map->n; i++) {
        const struct field *f = &map->fields[i];
        struct str name;
        if (!value_as_str(&f->key, &name) || !is_token(name) || reserved(name))
            return err_set(e, "the map under headers_key holds a name that cannot be a header here");
        if (f->val.type == V_MAP || f->val.type == V_ARRAY)
            return err_set(e, "the map under headers_key holds a value that is no text");
        if (str_eq_fold(name, STR("content-type")))
            *type = value_text(&f->val, ev->arena);
        else
            put_header(&h->headers, name, value_text(&f->val, ev->arena));
    }
    for (size_t i = 0; i < type->n; i++)
        if ((unsigned char)type->p[i] < 0x20 || (unsigned char)type->p[i] >= 0x7f)
            return err_set(e, "the content type under headers_key cannot be a header");
    return true;
}

/* One event in a request of its own.  *bad: it alone cannot be sent. */
static enum verdict send_one(struct http *h, struct delivery *d, uint32_t i, struct event *ev, struct err *e)
{
    struct http_call call = make_call(h, d, STR("application/octet-stream"));
    const struct value *body = path_find(h->body_path, ev);
    char key[16];

    if (!body || (body->type != V_STR && body->type != V_BIN)) {
        err_set(e, "there is no text under body_key");
        return REJECT;
    }
    if (body->type == V_STR)
        call.type = STR("text/plain");
    if (h->headers_path && !add_headers(h, ev, &call.type, e))
        return REJECT;
    snprintf(key, sizeof(key), "-%u", i);
    call.key = str_of(key);
    call.body = value_bytes(body);
    call.headers = buf_view(&h->headers);
    return http_output_send(&h->http, d, &call, NULL, e);
}

/* A retry sends every event again, under the keys it had. */
static enum verdict send_each(struct http *h, struct delivery *d, struct err *e)
{
    struct event ev;

    for (uint32_t i = 0; delivery_next(d, &ev); i++) {
        enum verdict v = send_one(h, d, i, &ev, e);
        if (v == REJECT)
            delivery_fail(d, i, REJECT, e->text);
        else if (v != DONE)
            return v;
    }
    return DONE;
}

static enum verdict http_write(void *self, struct delivery *d, struct err *e)
{
    static const char *const types[] = {"application/json", "application/x-ndjson", "application/json",
                                        "application/msgpack", NULL};
    struct http *h = self;
    struct http_call call;
    struct event ev;

    if (h->body_path)
        return send_each(h, d, e);
    buf_clear(&h->body);
    while (delivery_next(d, &ev))
        put_event(h, &ev);
    if (!h->body.n)
        return DONE;
    if (h->format == FORMAT_JSON)
        buf_char(&h->body, ']');
    call = make_call(h, d, str_of(types[h->format]));
    call.body = buf_view(&h->body);
    call.headers = buf_view(&h->headers);
    return http_output_send(&h->http, d, &call, NULL, e);
}

static const struct output output = {
    .check = http_check, .start = http_start, .stop = http_stop, .write = http_write, .planned = true, .by_tag = true};
const struct plugin output_http = {.name = "http",
                                   .summary =
                                       "Posts events to a server, each delivery under a key that stays the same.",
                                   .options = options,
                                   .size = sizeof(struct http),
                                   .output = &output};
