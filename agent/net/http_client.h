/* SPDX-License-Identifier: Apache-2.0 */
/* A blocking HTTP/1.1 client for output threads: one kept-alive connection, deadlines on everything, no redirects.
 * TLS is a stream below it (tls.h) and comes with that file; plain TCP here. */
#pragma once
#include "net/url.h"

struct http_client;

struct http_client_options {
    struct url url;                                        /* borrowed */
    struct url proxy;                                      /* borrowed; host empty: none */
    int64_t connect_timeout, io_timeout, response_timeout; /* ns; io 0: none of its own */
    bool keepalive;
    int64_t keepalive_idle;
    int keepalive_max_recycle;
    struct str source_address;
    bool (*stopping)(void *arg); /* asked about every 100 ms: give up at once */
    void *stopping_arg;
};

struct http_response {
    int status;
    int64_t retry_after; /* ns; 0: none */
    struct buf body;     /* at most 64 KiB are kept */
};

struct http_client *http_client_new(const struct http_client_options *o);
void http_client_free(struct http_client *c);
/* path: with the query (empty: the URL's); for a proxy the absolute form is made of it.  headers: whole lines ("Name:
 * value\r\n"...), Host and Content-Length are added.  False: transport failure, e says which; a kept connection that
 * the server had closed is opened anew once, before anything was answered. */
bool http_client_send(struct http_client *c, const char *method, struct str path, struct str headers, struct str body,
                      struct http_response *out, struct err *e);
void http_response_free(struct http_response *r);
