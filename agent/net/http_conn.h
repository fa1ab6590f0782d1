/* SPDX-License-Identifier: Apache-2.0 */
/* A connection of the HTTP server and the request on it; for the files of the server only. */
#pragma once
#include "base/arena.h"
#include "base/io.h"
#include "base/list.h"
#include "net/http_chunks.h"
#include "net/http_head.h"
#include "net/http_server.h"

#include <netinet/in.h>

/* HEAD: a request is awaited or read.  LENGTH, CHUNKED: its body is.  SKIP: the body of a refused one.  HANDLING: it is
 * with the owner.  CLOSING: what is queued is flushed.  LINGER: our side is shut down and the peer's last bytes are
 * awaited, so that no reset destroys the answer.  GONE: closed, the owner has yet to answer.  DEAD: to be freed. */
enum conn_state {
    CONN_HEAD,
    CONN_LENGTH,
    CONN_CHUNKED,
    CONN_SKIP,
    CONN_HANDLING,
    CONN_CLOSING,
    CONN_LINGER,
    CONN_GONE,
    CONN_DEAD
};
enum conn_clock { CLOCK_NONE, CLOCK_HEAD, CLOCK_BODY, CLOCK_IDLE, CLOCK_WRITE, CLOCK_LINGER };

struct http_request {
    struct head head;     /* spans from the byte at `at` of the connection's input */
    size_t at, body, end; /* of the head, of the body, and behind it */
    size_t body_n;
    bool inflated;   /* the body is in the connection's `inflated` */
    struct str path; /* decoded; p NULL: as it came */
    struct arena *arena;
    void *user;
};

struct conn {
    struct watch watch;
    struct link link;
    struct http_server *server;
    struct http_request request;
    struct head_scan scan;
    struct chunks chunks;
    struct buf in, inflated, out;
    size_t start, sent; /* of `in`: where the request begins; of `out` */
    size_t read;        /* of `in`: the next byte of a chunked body to decode */
    size_t progress;    /* bytes since the clock was wound */
    uint64_t skip;
    int64_t deadline; /* of the loop's clock; 0: none */
    uint8_t state, clock;
    bool running, eof, served, refused; /* served: at least one request; refused: close after the answer */
    char peer[INET6_ADDRSTRLEN];
};

void conn_open(struct http_server *s, int fd, const char *peer);
void conn_close(struct conn *c);
void conn_run(struct conn *c); /* goes on with whatever is there, flushes, and sets watch and clock */
void conn_expired(struct conn *c);
void conn_free(struct conn *c);
void conn_request_done(struct conn *c); /* the answer is queued */
/* Queues a whole answer; the connection's request, if any, is not touched. */
void reply_queue(struct conn *c, int status, const struct http_head *headers, size_t n, struct str body);
void reply_queue_error(struct conn *c, int status, int retry_after, const char *text);
/* False: the path cannot be decoded or leaves its root. */
bool request_path(struct http_request *r);
