/* SPDX-License-Identifier: Apache-2.0 */
#include "net/http_client.h"

#include "base/alloc.h"
#include "base/io.h"
#include "net/stream.h"

#include <llhttp.h>
#include <stdlib.h>
#include <time.h>

enum { BODY_KEPT = 64 * 1024, HEAD_MAX = 64 * 1024, FIELD_MAX = 256 };
static const int64_t retry_after_max = 24 * 3600 * SECOND;

struct http_client {
    struct http_client_options o;
    struct stream stream;
    int64_t used_at;
    int used; /* times, since it was opened */
    struct buf head;
};

struct http_client *http_client_new(const struct http_client_options *o)
{
    struct http_client *c = alloc_new(sizeof *c);

    c->o = *o;
    c->stream.fd = -1;
    return c;
}

void http_client_free(struct http_client *c)
{
    if (!c)
        return;
    stream_close(&c->stream);
    buf_free(&c->head);
    free(c);
}

void http_response_free(struct http_response *r)
{
    buf_free(&r->body);
}

/* ---- the answer ---- */

struct answer {
    llhttp_t llhttp; /* first: the callbacks get back from it */
    struct http_response *out;
    struct buf name, value; /* of the header that is being read; only the one that is wanted is kept */
    size_t head_bytes;
    bool head_done, whole, keep, head_only;
};

/* Seconds, or a date in the one format that is still made (RFC 9110 section 5.6.7). */
static int64_t read_retry_after(struct str text)
{
    struct tm tm = {0};
    char z[40];
    uint64_t n;
    int64_t wait;

    if (str_u64(text, &n))
        return n < (uint64_t)(retry_after_max / SECOND) ? (int64_t)n * SECOND : retry_after_max;
    if (text.n >= sizeof z)
        return 0;
    memcpy(z, text.p, text.n);
    z[text.n] = 0;
    if (!strptime(z, "%a, %d %b %Y %H:%M:%S GMT", &tm))
        return 0;
    wait = timegm(&tm) * SECOND - io->wall();
    return wait < 0 ? 0 : wait < retry_after_max ? wait : retry_after_max;
}

static int on_field(llhttp_t *l, const char *at, size_t n)
{
    struct answer *a = (struct answer *)l;

    if (a->name.n + n > FIELD_MAX) /* none that is looked for; trailers may bring any number of any length */
        return 0;
    buf_add(&a->name, at, n);
    return 0;
}

static int on_value(llhttp_t *l, const char *at, size_t n)
{
    struct answer *a = (struct answer *)l;

    if (str_eq_fold(buf_view(&a->name), STR("retry-after")) && a->value.n + n <= FIELD_MAX)
        buf_add(&a->value, at, n);
    return 0;
}

static int on_value_complete(llhttp_t *l)
{
    struct answer *a = (struct answer *)l;

    if (a->value.n)
        a->out->retry_after = read_retry_after(str_trim(buf_view(&a->value)));
    buf_clear(&a->name);
    buf_clear(&a->value);
    return 0;
}

static int on_headers_complete(llhttp_t *l)
{
    struct answer *a = (struct answer *)l;

    a->head_done = true;
    a->out->status = l->status_code;
    return a->head_only ? 1 : 0;
}

static int on_body(llhttp_t *l, const char *at, size_t n)
{
    struct answer *a = (struct answer *)l;
    size_t room = BODY_KEPT - a->out->body.n;

    buf_add(&a->out->body, at, n < room ? n : room);
    return 0;
}

static int on_message_complete(llhttp_t *l)
{
    struct answer *a = (struct answer *)l;

    if (l->status_code < 200) { /* 100 Continue, 103 Early Hints: the answer is still to come */
        a->head_done = false;
        a->out->retry_after = 0;
        return 0;
    }
    a->whole = true;
    a->keep = llhttp_should_keep_alive(l);
    return HPE_PAUSED;
}

static const llhttp_settings_t answer_settings = {
    .on_header_field = on_field,
    .on_header_value = on_value,
    .on_header_value_complete = on_value_complete,
    .on_headers_complete = on_headers_complete,
    .on_body = on_body,
    .on_message_complete = on_message_complete,
};

/* Feeds what came (n 0: the end).  False: it is no HTTP. */
static bool answer_feed(struct answer *a, const char *p, size_t n, struct err *e)
{
    llhttp_errno_t rc;

    if (!n) {
        rc = llhttp_finish(&a->llhttp);
        a->keep = false;
        return (a->whole && (rc == HPE_OK || rc == HPE_PAUSED)) ||
               err_set(e, a->head_bytes ? "the connection was closed within the answer"
                                        : "the connection was closed without an answer");
    }
    if (!a->head_done)
        a->head_bytes += n;
    rc = llhttp_execute(&a->llhttp, p, n);
    if (a->whole) {
        if (rc != HPE_PAUSED || llhttp_get_error_pos(&a->llhttp) != p + n)
            a->keep = false; /* bytes that nobody asked for */
        return true;
    }
    if (rc != HPE_OK)
        return err_set(e, "the answer is no HTTP: %s", llhttp_errno_name(rc));
    if (!a->head_done && a->head_bytes > HEAD_MAX)
        return err_set(e, "the answer's head is longer than %d bytes", HEAD_MAX);
    return true;
}

/* ---- one exchange ---- */

struct exchange {
    struct http_client *client;
    struct answer answer;
    struct str body;
    bool begun; /* a byte of the answer was seen */
    bool sent;  /* all of the request went out */
    bool closed;
};

static struct patience patience(const struct http_client *c, int64_t time)
{
    return (struct patience){time > 0 ? io->monotonic() + time : 0, c->o.stopping, c->o.stopping_arg};
}

static int64_t shorter(int64_t a, int64_t b)
{
    return a > 0 && (b <= 0 || a < b) ? a : b;
}

static bool send_request(struct exchange *x, struct err *e)
{
    struct http_client *c = x->client;
    size_t done = 0, total = c->head.n + x->body.n;

    while (done < total) {
        struct patience p = patience(c, shorter(c->o.io_timeout, c->o.response_timeout));
        struct iovec v[2];
        int n = 0;
        ssize_t sent;
        if (done < c->head.n)
            v[n++] = (struct iovec){c->head.p + done, c->head.n - done};
        if (x->body.n) {
            size_t at = done > c->head.n ? done - c->head.n : 0;
            v[n++] = (struct iovec){(char *)(uintptr_t)x->body.p + at, x->body.n - at};
        }
        sent = stream_send(&c->stream, v, n, &p, e);
        if (sent < 0)
            return false;
        if (sent == 0) /* the server answers before it has read everything: it refuses */
            return true;
        done += (size_t)sent;
    }
    x->sent = true;
    return true;
}

static bool receive_answer(struct exchange *x, struct err *e)
{
    struct http_client *c = x->client;
    struct patience whole = patience(c, c->o.response_timeout), idle;
    char bytes[16 * 1024];

    while (!x->answer.whole) {
        ssize_t n;
        idle = patience(c, c->o.io_timeout);
        n = stream_recv(&c->stream, bytes, sizeof bytes,
                        idle.until && (!whole.until || idle.until < whole.until) ? &idle : &whole, e);
        if (n < 0)
            return false;
        x->begun |= n > 0;
        if (!answer_feed(&x->answer, bytes, (size_t)n, e))
            return false;
    }
    return true;
}

static bool open_stream(struct http_client *c, struct err *e)
{
    const struct url *to = c->o.proxy.host.n ? &c->o.proxy : &c->o.url;
    struct patience p = patience(c, c->o.connect_timeout);

    c->used = 0;
    return stream_open(&c->stream, to->host, to->port, c->o.source_address, &p, e);
}

static void add_authority(struct buf *b, const struct url *u)
{
    bool v6 = u->host.n && memchr(u->host.p, ':', u->host.n);

    buf_fmt(b, v6 ? "[" STR_FMT "]" : STR_FMT, STR_ARG(u->host));
    if (u->port != (u->tls ? 443 : 80))
        buf_fmt(b, ":%d", u->port);
}

static void build_head(struct http_client *c, const char *method, struct str path, struct str headers, size_t length)
{
    struct buf *b = &c->head;

    buf_clear(b);
    buf_fmt(b, "%s ", method);
    if (c->o.proxy.host.n) {
        buf_str(b, STR("http://"));
        add_authority(b, &c->o.url);
    }
    buf_str(b, path);
    buf_str(b, STR(" HTTP/1.1\r\nHost: "));
    add_authority(b, &c->o.url);
    buf_fmt(b, "\r\nContent-Length: %zu\r\n", length);
    if (!c->o.keepalive)
        buf_str(b, STR("Connection: close\r\n"));
    buf_str(b, headers);
    buf_str(b, STR("\r\n"));
}

static bool exchange_once(struct exchange *x, struct err *e)
{
    struct http_client *c = x->client;
    bool ok, sent_ok;

    llhttp_init(&x->answer.llhttp, HTTP_RESPONSE, &answer_settings);
    sent_ok = send_request(x, e);
    /* A server that refused early may have closed its side: its answer counts more than our broken pipe. */
    ok = (sent_ok || (!x->sent && stream_stale(&c->stream))) && receive_answer(x, sent_ok ? e : NULL);
    buf_free(&x->answer.name);
    buf_free(&x->answer.value);
    x->closed = c->stream.broken;
    c->used++;
    c->used_at = io->monotonic();
    if (!ok || !x->sent || !x->answer.keep || !c->o.keepalive ||
        (c->o.keepalive_max_recycle > 0 && c->used >= c->o.keepalive_max_recycle))
        stream_close(&c->stream);
    return ok;
}

static bool is_line(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] <= ' ' || s.p[i] == 0x7f)
            return false;
    return s.n > 0;
}

bool http_client_send(struct http_client *c, const char *method, struct str path, struct str headers, struct str body,
                      struct http_response *out, struct err *e)
{
    if (!path.n)
        path = c->o.url.path;
    if (!is_line(path))
        return err_set(e, "a path with white space or control characters");
    if (c->stream.fd >= 0 &&
        ((c->o.keepalive_idle > 0 && io->monotonic() - c->used_at > c->o.keepalive_idle) || stream_stale(&c->stream)))
        stream_close(&c->stream);
    build_head(c, method, path, headers, body.n);
    for (;;) {
        struct exchange x = {.client = c, .body = body};
        bool kept = c->stream.fd >= 0;
        x.answer.out = out;
        x.answer.head_only = !strcmp(method, "HEAD");
        buf_clear(&out->body);
        out->status = 0;
        out->retry_after = 0;
        if (!kept && !open_stream(c, e))
            return false;
        if (exchange_once(&x, e))
            return true;
        /* The server may have closed the kept connection just as we began: once more, on a new one. */
        if (!kept || x.begun || !x.closed || (c->o.stopping && c->o.stopping(c->o.stopping_arg)))
            return false;
    }
}
