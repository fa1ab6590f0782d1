/* SPDX-License-Identifier: Apache-2.0 */
#include "net/http_inside.h"
#include "net/url.h"

enum { FORGET_LEAST = 16 * 1024 }; /* a smaller buffer is kept for the next request */

static struct conn *conn_of(const struct http_request *r)
{
    return container_of((struct http_request *)r, struct conn, request);
}

static struct str slice(const struct http_request *r, struct span s)
{
    const struct conn *c = conn_of(r);

    return c->in.p ? (struct str){c->in.p + r->at + s.at, s.n} : (struct str){0};
}

struct arena *http_arena(const struct http_request *r)
{
    struct http_request *w = (struct http_request *)r;
    struct http_server *s = conn_of(r)->server;

    if (!w->arena)
        w->arena = s->nspares ? s->spares[--s->nspares] : arena_new();
    return w->arena;
}

struct str http_method(const struct http_request *r)
{
    return str_of(r->head.method);
}

struct str http_raw_path(const struct http_request *r)
{
    return slice(r, r->head.path);
}

struct str http_path(const struct http_request *r)
{
    struct str raw = slice(r, r->head.path);

    return r->path.p ? r->path : raw.n ? raw : STR("/");
}

/* Decodes into the arena; p NULL: a bad escape. */
static struct str decode(const struct http_request *r, struct str text, bool plus)
{
    struct buf out = {.p = arena_alloc(http_arena(r), text.n + 1), .cap = text.n + 1};

    return percent_decode(&out, text, plus) ? buf_view(&out) : (struct str){0};
}

static bool climbs(struct str path)
{
    while (path.p) {
        struct str part = str_cut(&path, '/');
        if (str_eq(part, STR("..")))
            return true;
    }
    return false;
}

bool request_path(struct http_request *r)
{
    struct str path = slice(r, r->head.path);

    if (r->head.escaped) {
        path = r->path = decode(r, path, false);
        if (!path.p || (path.n && memchr(path.p, 0, path.n)))
            return false;
    }
    return !climbs(path);
}

struct str http_query(const struct http_request *r, const char *name)
{
    struct str rest = slice(r, r->head.query), wanted = str_of(name);

    while (rest.n) {
        struct str value = str_cut(&rest, '&'), key = str_cut(&value, '=');
        if (str_eq(decode(r, key, true), wanted))
            return value.p ? decode(r, value, true) : STR("");
    }
    return (struct str){0};
}

struct str http_header(const struct http_request *r, const char *name)
{
    struct str wanted = str_of(name);

    for (size_t i = 0; i < r->head.n; i++)
        if (r->head.fields[i].name.n == wanted.n && str_eq_fold(slice(r, r->head.fields[i].name), wanted))
            return slice(r, r->head.fields[i].value);
    return (struct str){0};
}

struct str http_body(const struct http_request *r)
{
    const struct conn *c = conn_of(r);

    if (r->inflated)
        return buf_view(&c->inflated);
    return c->in.p ? (struct str){c->in.p + r->body, r->body_n} : STR("");
}

struct str http_peer(const struct http_request *r)
{
    return str_of(conn_of(r)->peer);
}

void http_forget(struct http_request *r)
{
    struct conn *c = conn_of(r);

    buf_free(&c->inflated);
    r->inflated = false;
    r->body_n = 0;
    r->head.n = 0;
    r->path = (struct str){0};
    r->head.path = r->head.query = (struct span){0};
    if (c->in.n != r->end || c->in.cap <= FORGET_LEAST)
        return;
    buf_free(&c->in);
    c->start = r->at = r->body = r->end = 0;
}

void http_set_user(struct http_request *r, void *user)
{
    r->user = user;
}

void *http_user(const struct http_request *r)
{
    return r->user;
}

void http_reply(struct http_request *r, int status, const struct http_head *headers, size_t nheaders, struct str body)
{
    struct conn *c = conn_of(r);

    if (c->state != CONN_GONE)
        reply_queue(c, status, headers, nheaders, body);
    conn_request_done(c);
}

void http_reply_error(struct http_request *r, int status, int retry_after, const char *text)
{
    struct conn *c = conn_of(r);

    if (c->state != CONN_GONE)
        reply_queue_error(c, status, retry_after, text);
    conn_request_done(c);
}
