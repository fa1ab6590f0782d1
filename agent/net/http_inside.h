/* SPDX-License-Identifier: Apache-2.0 */
/* The HTTP server from within; for its own files only. */
#pragma once
#include "base/map.h"
#include "net/http_conn.h"

struct http_server {
    struct loop *loop;
    struct http_server_options options;
    struct head_limits limits;
    struct watch listener;
    struct timer sweep;
    int64_t sweep_at;
    struct link conns;
    _Atomic size_t nconns; /* any thread may read it */
    struct map peers;      /* address -> number of connections */
    char *unix_path;
    int port;
    bool paused, stopped;
    bool walking; /* over `conns`: nothing leaves the list */
    struct arena *spares[64];
    size_t nspares;
    int64_t date_second;
    char date[32];
};

void server_closed(struct conn *c); /* its descriptor is closed: the counts */
void server_due(struct http_server *s, int64_t at);
int64_t server_now(const struct http_server *s);
