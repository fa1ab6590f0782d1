/* SPDX-License-Identifier: Apache-2.0 */
/* An HTTP/1.1 server on a loop, strict to RFC 9112: what is ambiguous is answered 400 and closed.  Parsing is llhttp's.
 * Keep-alive and pipelining (answers leave in order); bodies arrive whole, decompressed, within limits. */
#pragma once
#include "base/buf.h"
#include "net/loop.h"

struct http_server;
struct http_request;

struct http_server_options {
    const char *listen; /* address; "unix:/path" with mode 0600 */
    int port;           /* 0: any free one */
    int backlog;
    int64_t request_line_max, header_max; /* bytes: 8 KiB, 16 KiB */
    int header_count_max;                 /* 100 */
    int64_t body_max;                     /* 8 MiB as sent: 413 beyond */
    int64_t inflated_max;                 /* 64 MiB and a ratio of 100 after decompression */
    int64_t header_timeout;               /* ns for the whole head: 10 s */
    int64_t body_timeout;                 /* ns without 1 KiB of progress: 10 s */
    int64_t idle_timeout;                 /* keep-alive: 60 s */
    int connections_max, connections_per_address;
    /* Called when the head is read and before the body is: return 0 to go on, else a status to refuse with (429 and 503
     * with Retry-After: set *retry_after).  NULL: always go on. */
    int (*admit)(void *arg, const struct http_request *r, int *retry_after);
    /* The request is whole.  Answer now or later with http_reply, on the loop's thread, exactly once. */
    void (*handle)(void *arg, struct http_request *r);
    void *arg;
};
void http_server_defaults(struct http_server_options *o);

struct http_server *http_server_new(struct loop *l, const struct http_server_options *o, struct err *e);
int http_server_port(const struct http_server *s);
void http_server_pause(struct http_server *s, bool on); /* stops accepting and reading */
/* No new connections or requests; answered ones are flushed.  Requests that are not yet answered stay answerable until
 * http_server_free, which closes everything. */
void http_server_stop(struct http_server *s);
void http_server_free(struct http_server *s);
size_t http_server_connections(const struct http_server *s);

/* Borrowed until http_reply. */
struct str http_method(const struct http_request *r);
struct str http_path(const struct http_request *r); /* percent-decoded, without the query; never with NUL or /../ */
struct str http_raw_path(const struct http_request *r);
struct str http_query(const struct http_request *r, const char *name);  /* decoded; p NULL: absent */
struct str http_header(const struct http_request *r, const char *name); /* p NULL: absent */
struct str http_body(const struct http_request *r);
struct str http_peer(const struct http_request *r);     /* the socket's address, without the port */
struct arena *http_arena(const struct http_request *r); /* lives until the reply */
/* The owner has copied what it needs: only http_arena and the answer are left.  Gives a large body's memory back while
 * a commit is under way. */
void http_forget(struct http_request *r);
void http_set_user(struct http_request *r, void *user);
void *http_user(const struct http_request *r);

struct http_head { /* name, value pairs beyond Content-Length, Date and Connection */
    struct str name, value;
};
void http_reply(struct http_request *r, int status, const struct http_head *headers, size_t nheaders, struct str body);
/* application/json {"error": "..."} */
void http_reply_error(struct http_request *r, int status, int retry_after, const char *text);
