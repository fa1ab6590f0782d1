/* SPDX-License-Identifier: Apache-2.0 */
#include "net/http_inside.h"

#include "base/alloc.h"

#include <errno.h>
#include <sys/socket.h>

enum {
    READ_SMALL = 8 * 1024,    /* a head and a small body */
    READ_CHUNKED = 64 * 1024, /* at a time, where the length is not known */
    READ_LARGE = 1024 * 1024, /* at a time: memory grows with what has arrived, not with what was announced */
    KEEP_INPUT = 16 * 1024,   /* a connection at rest keeps no more */
    KEEP_OUTPUT = 4 * 1024,
    OUTPUT_HIGH = 64 * 1024, /* unread answers beyond this: no further request is looked at */
    /* A refused body up to this is read away: the connection lives, and a client that writes all before it reads hears
     * why.  As much as body_max lets through by default. */
    SKIP_MAX = 8 * 1024 * 1024,
    LINGER_MAX = 1024 * 1024,
    PROGRESS = 1024
};

static const int64_t linger_time = SECOND;

/* ---- what is in the buffer, step by step: true to go on ---- */

static bool refuse_and_close(struct conn *c, int status, const char *why)
{
    c->refused = true;
    reply_queue_error(c, status, 0, why);
    c->state = CONN_CLOSING;
    return false;
}

static bool refuse(struct conn *c, int status, int retry_after, const char *why)
{
    const struct head *h = &c->request.head;

    c->refused |= h->chunked || h->length > SKIP_MAX || (h->expect_continue && h->length);
    reply_queue_error(c, status, retry_after, why);
    if (c->refused) {
        c->state = CONN_CLOSING;
        return false;
    }
    c->start = c->request.body;
    c->skip = h->length;
    c->state = CONN_SKIP;
    return true;
}

static const char *refusal_text(int status)
{
    switch (status) {
    case 429:
        return "over quota; try again later";
    case 503:
        return "not able to store events now; try again later";
    case 401:
        return "not authorized";
    case 404:
        return "not found";
    case 405:
        return "method not allowed";
    default:
        return "refused";
    }
}

static bool step_head(struct conn *c)
{
    struct http_server *s = c->server;
    struct http_request *r = &c->request;
    struct str in = {c->in.p + c->start, c->in.n - c->start};
    int status, retry_after = 0;
    long n;

    if (s->paused || s->stopped || c->out.n - c->sent > OUTPUT_HIGH || !in.n)
        return false;
    n = head_find(in, &s->limits, &c->scan);
    if (n == 0)
        return false;
    if (n < 0)
        return refuse_and_close(c, (int)-n, c->scan.why);
    r->at = c->start;
    r->body = c->start + (size_t)n;
    status = head_parse(str_head(in, (size_t)n), &r->head);
    if (status)
        return refuse_and_close(c, status, r->head.why);
    if (!request_path(r))
        return refuse_and_close(c, 400, "a path with a bad escape or a step upwards");
    if (r->head.expect_other)
        return refuse(c, 417, 0, "an expectation other than 100-continue");
    if (r->head.codec == HEAD_CODEC_UNKNOWN)
        return refuse(c, 415, 0, "Content-Encoding must be one of gzip, deflate and zstd");
    if (r->head.length > (uint64_t)s->options.body_max)
        return refuse(c, 413, 0, "the body is too large");
    status = s->options.admit ? s->options.admit(s->options.arg, r, &retry_after) : 0;
    if (status)
        return refuse(c, status, retry_after, refusal_text(status));
    c->state = r->head.chunked ? CONN_CHUNKED : CONN_LENGTH;
    r->end = r->body + r->head.length;
    c->read = r->body;
    c->chunks = (struct chunks){0};
    if (r->head.expect_continue && c->in.n == r->body && (r->head.chunked || r->head.length))
        buf_str(&c->out, STR("HTTP/1.1 100 Continue\r\n\r\n"));
    return true;
}

static bool step_handle(struct conn *c)
{
    struct http_server *s = c->server;
    struct http_request *r = &c->request;
    struct err e;

    if (r->head.codec != CODEC_NONE && r->body_n) {
        enum inflate_result rc = codec_decompress((enum codec)r->head.codec, http_body(r),
                                                  (size_t)s->options.inflated_max, 100, &c->inflated, &e);
        if (rc != INFLATE_OK) {
            buf_free(&c->inflated);
            c->state = CONN_HANDLING;
            http_reply_error(r, rc == INFLATE_BAD ? 400 : 413, 0, e.text);
            return true;
        }
        r->inflated = true;
    }
    c->state = CONN_HANDLING;
    s->options.handle(s->options.arg, r);
    return c->state != CONN_HANDLING;
}

static bool step_chunked(struct conn *c)
{
    struct http_request *r = &c->request;
    size_t write = r->body + r->body_n;
    enum chunk_result rc =
        chunks_decode(&c->chunks, c->in.p, c->in.n, &c->read, &write, (uint64_t)c->server->options.body_max);

    r->body_n = write - r->body;
    switch (rc) {
    case CHUNKS_MORE: /* everything was read: what stands behind the decoded bytes is spent */
        c->in.n = c->read = write;
        return false;
    case CHUNKS_DONE:
        r->end = c->read;
        return step_handle(c);
    case CHUNKS_BAD:
        return refuse_and_close(c, 400, "a malformed chunked body");
    default:
        return refuse_and_close(c, 413, "the body is too large");
    }
}

/* Makes the connection ready for its next request. */
static void request_reset(struct conn *c)
{
    struct http_server *s = c->server;
    struct http_request *r = &c->request;

    if (r->arena && s->nspares < ARRAY_LEN(s->spares)) {
        arena_reset(r->arena);
        s->spares[s->nspares++] = r->arena;
    } else {
        arena_free(r->arena);
    }
    *r = (struct http_request){.head = {.fields = r->head.fields, .cap = r->head.cap}};
    c->scan = (struct head_scan){0};
    if (c->inflated.cap > KEEP_INPUT)
        buf_free(&c->inflated);
    buf_clear(&c->inflated);
    if (c->start == c->in.n) {
        c->start = c->in.n = 0;
        if (c->in.cap > KEEP_INPUT)
            buf_free(&c->in);
    }
    c->served = true;
    c->clock = CLOCK_NONE;
}

static bool step_skip(struct conn *c)
{
    size_t there = c->in.n - c->start, take = there < c->skip ? there : (size_t)c->skip;
    bool keep = c->request.head.keep;

    c->start += take;
    c->skip -= take;
    if (c->skip) {
        c->start = c->in.n = 0;
        return false;
    }
    request_reset(c);
    c->state = keep ? CONN_HEAD : CONN_CLOSING;
    return true;
}

static bool step(struct conn *c)
{
    struct http_request *r = &c->request;

    switch (c->state) {
    case CONN_HEAD:
        return step_head(c);
    case CONN_LENGTH:
        if (c->in.n < r->end || c->server->paused)
            return false;
        r->body_n = (size_t)r->head.length;
        return step_handle(c);
    case CONN_CHUNKED:
        return !c->server->paused && step_chunked(c);
    case CONN_SKIP:
        return step_skip(c);
    default:
        return false;
    }
}

/* While the server walks its list nothing leaves it. */
static void conn_drop(struct conn *c)
{
    if (c->server->walking) {
        c->state = CONN_DEAD;
        c->deadline = 0;
        return;
    }
    list_remove(&c->link);
    conn_free(c);
}

void conn_request_done(struct conn *c)
{
    bool keep = c->request.head.keep && !c->refused;

    if (c->state == CONN_GONE) {
        conn_drop(c);
        return;
    }
    c->start = c->request.end;
    request_reset(c);
    c->state = keep ? CONN_HEAD : CONN_CLOSING;
    if (!c->running)
        conn_run(c);
}

/* ---- the socket ---- */

static size_t read_room(struct conn *c)
{
    size_t want = READ_SMALL, left;

    if (c->state == CONN_HANDLING) /* what the request lies in must not move */
        return c->in.cap - c->in.n;
    if (c->state == CONN_HEAD && c->start) {
        memmove(c->in.p, c->in.p + c->start, c->in.n - c->start);
        c->in.n -= c->start;
        c->start = 0;
    }
    if (c->state == CONN_CHUNKED)
        want = READ_CHUNKED;
    if (c->state == CONN_LENGTH && c->request.end > c->in.n) {
        left = c->request.end - c->in.n;
        want = left < READ_LARGE ? left : READ_LARGE;
    }
    buf_room(&c->in, want);
    return c->in.cap - c->in.n;
}

/* False: the connection is broken. */
static bool fill(struct conn *c)
{
    size_t room = read_room(c);
    ssize_t n;

    if (!room)
        return true;
    n = recv(c->watch.fd, c->in.p + c->in.n, room, 0);
    if (n < 0)
        return errno == EAGAIN || errno == EINTR;
    c->eof = n == 0;
    c->in.n += (size_t)n;
    c->progress += (size_t)n;
    return true;
}

static bool flush(struct conn *c)
{
    while (c->sent < c->out.n) {
        ssize_t n = send(c->watch.fd, c->out.p + c->sent, c->out.n - c->sent, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno == EAGAIN;
        c->sent += (size_t)n;
        c->progress += (size_t)n;
    }
    c->sent = c->out.n = 0;
    if (c->out.cap > KEEP_OUTPUT)
        buf_free(&c->out);
    return true;
}

static void linger(struct conn *c)
{
    char waste[16 * 1024];
    ssize_t n = recv(c->watch.fd, waste, sizeof waste, 0);

    if (n > 0)
        c->progress += (size_t)n;
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR) || c->progress > LINGER_MAX)
        conn_close(c);
}

static void on_ready(struct watch *w, unsigned events)
{
    struct conn *c = container_of(w, struct conn, watch);

    if (c->state == CONN_LINGER) {
        linger(c);
    } else if ((events & LOOP_READ) && c->state != CONN_CLOSING && !c->eof && !fill(c)) {
        conn_close(c);
    } else {
        conn_run(c);
    }
}

static bool reading(const struct conn *c)
{
    if (c->state == CONN_LINGER)
        return true;
    if (c->state == CONN_CLOSING || c->eof || c->server->paused || c->out.n - c->sent > OUTPUT_HIGH)
        return false;
    return c->state != CONN_HANDLING || c->in.n < c->in.cap;
}

static enum conn_clock clock_of(const struct conn *c)
{
    if (c->state == CONN_LINGER)
        return CLOCK_LINGER;
    if (c->out.n > c->sent)
        return CLOCK_WRITE;
    if (c->state == CONN_HANDLING || c->server->paused)
        return CLOCK_NONE;
    if (c->state != CONN_HEAD)
        return CLOCK_BODY;
    return c->served && c->in.n == c->start ? CLOCK_IDLE : CLOCK_HEAD;
}

static void wind(struct conn *c)
{
    const struct http_server_options *o = &c->server->options;
    enum conn_clock clock = clock_of(c);
    int64_t time = clock == CLOCK_HEAD     ? o->header_timeout
                   : clock == CLOCK_IDLE   ? o->idle_timeout
                   : clock == CLOCK_LINGER ? linger_time
                                           : o->body_timeout;
    bool moves = (clock == CLOCK_BODY || clock == CLOCK_WRITE) && c->progress >= PROGRESS;

    if (clock == c->clock && !moves)
        return;
    c->clock = clock;
    c->progress = 0;
    c->deadline = clock == CLOCK_NONE || time <= 0 ? 0 : server_now(c->server) + time;
    if (c->deadline)
        server_due(c->server, c->deadline);
}

static bool awaits_request(const struct conn *c)
{
    return c->state == CONN_HEAD || c->state == CONN_LENGTH || c->state == CONN_CHUNKED || c->state == CONN_SKIP;
}

void conn_run(struct conn *c)
{
    struct http_server *s = c->server;
    bool flushed, high;

    if (c->running || c->state >= CONN_GONE)
        return;
    do {
        c->running = true;
        while (step(c))
            ;
        c->running = false;
        high = c->out.n - c->sent > OUTPUT_HIGH;
        if (!flush(c)) {
            conn_close(c);
            return;
        }
        flushed = c->sent == c->out.n;
    } while (high && flushed); /* what had to wait for the answers to leave may go on */
    if (flushed && awaits_request(c) && ((c->eof && !s->paused) || s->stopped)) {
        conn_close(c);
        return;
    }
    if (flushed && c->state == CONN_CLOSING) {
        /* After a clean exchange nothing of the peer's is under way; else a close would reset what it has not read. */
        if (c->eof || (!c->refused && c->in.n == c->start) || shutdown(c->watch.fd, SHUT_WR)) {
            conn_close(c);
            return;
        }
        c->state = CONN_LINGER;
    }
    wind(c);
    if (!loop_watch(s->loop, &c->watch, (reading(c) ? LOOP_READ : 0) | (flushed ? 0 : LOOP_WRITE), NULL))
        conn_close(c);
}

void conn_expired(struct conn *c)
{
    bool begun = c->clock == CLOCK_BODY || (c->clock == CLOCK_HEAD && c->in.n > c->start);

    if (!begun || c->state == CONN_SKIP) {
        conn_close(c);
        return;
    }
    refuse_and_close(c, 408, c->clock == CLOCK_BODY ? "the body came too slowly" : "the head came too slowly");
    conn_run(c);
}

void conn_open(struct http_server *s, int fd, const char *peer)
{
    struct conn *c = alloc_new(sizeof *c);

    c->watch = (struct watch){fd, on_ready, NULL};
    c->server = s;
    memcpy(c->peer, peer, sizeof c->peer);
    list_append(&s->conns, &c->link);
    s->nconns++;
    conn_run(c);
}

void conn_free(struct conn *c)
{
    arena_free(c->request.arena);
    head_free(&c->request.head);
    buf_free(&c->in);
    buf_free(&c->inflated);
    buf_free(&c->out);
    free(c);
}

void conn_close(struct conn *c)
{
    loop_unwatch(c->server->loop, &c->watch);
    close(c->watch.fd);
    server_closed(c);
    if (c->state == CONN_HANDLING) { /* in the list still, for http_server_free */
        c->state = CONN_GONE;
        c->deadline = 0;
        return;
    }
    conn_drop(c);
}
