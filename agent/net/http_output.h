/* SPDX-License-Identifier: Apache-2.0 */
/* What every output that POSTs shares: options, connection, compression, the judgement of a status. */
#pragma once
#include "net/compress.h"
#include "net/http_client.h"
#include "plugin.h"

struct http_output { /* embed behind struct instance */
    struct str host, uri, proxy, http_user, http_passwd, source_address;
    int64_t port, response_timeout, read_idle_timeout, connect_timeout, io_timeout, keepalive_idle, recycle;
    bool tls, keepalive, log_response_payload, allow_duplicated_headers;
    int compress;       /* enum codec */
    struct strs header; /* "Name value" */
    struct http_client *client;
    struct url url, via;      /* via: the proxy */
    struct buf fixed, packed; /* header lines that never change; the compressed body */
    struct delivery *current;
    const struct instance *instance;
};
extern const struct option http_output_options[];

/* `uri` empty: "/", unless the plugin has set it before. */
bool http_output_start(struct http_output *h, const struct instance *i, struct err *e);
void http_output_stop(struct http_output *h);

struct http_call {
    const char *method; /* NULL: POST */
    struct str path;    /* empty: the configured uri */
    struct str type;    /* content type */
    struct str body;
    struct str headers; /* further whole lines */
    struct str key;     /* put behind the delivery's id in Idempotency-Key, where a delivery makes several calls */
};
/* Sends (compressing the body where configured, with Idempotency-Key: delivery_id), waits and judges: 2xx DONE; 408 425
 * 429 5xx and transport RETRY, Retry-After honoured; 400 413 422 and other 4xx REJECT; 401 403 404, redirects and TLS
 * failures HOLD.  `out` may be NULL. */
enum verdict http_output_send(struct http_output *h, struct delivery *d, const struct http_call *call,
                              struct http_response *out, struct err *e);
enum verdict http_judge(int status);
