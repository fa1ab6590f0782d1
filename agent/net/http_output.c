/* SPDX-License-Identifier: Apache-2.0 */
#include "net/http_output.h"

#include "base/cleanup.h"
#include "base/io.h"

#include <stdio.h>

static const struct range port_range = {1, 65535};
static const struct range recycle_range = {0, 1000000};
static const struct range timeout_range = {0, 3600 * SECOND};
static const struct range connect_range = {1 * MILLISECOND, 3600 * SECOND};

enum { PAYLOAD_SHOWN = 256 };

#define HO struct http_output
const struct option http_output_options[] = {
    OPT(HO, OPT_STR, host, "127.0.0.1", "The server's name or address."),
    OPT(HO, OPT_INT, port, "80", "Its port.", .range = &port_range),
    OPT(HO, OPT_STR, uri, NULL, "The path of the requests, `/` where nothing else is said."),
    OPT(HO, OPT_STR, proxy, NULL, "A proxy for plain HTTP: `http://host:port`."),
    OPT(HO, OPT_STR, http_user, NULL, "User name for basic authentication."),
    OPT(HO, OPT_SECRET, http_passwd, NULL, "Its password."),
    OPT(HO, OPT_ENUM, compress, "none", "Compression of the bodies.", .names = codec_names),
    OPT(HO, OPT_MULTI, header, NULL, "A header to add: `Name value`; may be repeated."),
    OPT(HO, OPT_BOOL, allow_duplicated_headers, "true",
        "Whether a header given twice is sent twice; else the last counts."),
    OPT(HO, OPT_BOOL, log_response_payload, "true",
        "Whether what a server says that refuses is logged, and kept with what it rejected."),
    OPT_AS(HO, OPT_DURATION, "http.response_timeout", response_timeout, "60s", "How long an answer may take.",
           .range = &timeout_range),
    OPT_AS(HO, OPT_DURATION, "http.read_idle_timeout", read_idle_timeout, "0s",
           "How long the server may be silent within an answer; 0: no limit of its own.", .range = &timeout_range),
    OPT_AS(HO, OPT_DURATION, "net.connect_timeout", connect_timeout, "10s", "How long connecting may take.",
           .range = &connect_range),
    OPT_AS(HO, OPT_DURATION, "net.io_timeout", io_timeout, "0s",
           "How long a transfer may stand still; 0: no limit of its own.", .range = &timeout_range),
    OPT_AS(HO, OPT_BOOL, "net.keepalive", keepalive, "true", "Whether the connection is kept for the next request."),
    OPT_AS(HO, OPT_DURATION, "net.keepalive_idle_timeout", keepalive_idle, "30s",
           "How long an unused connection is kept.", .range = &timeout_range),
    OPT_AS(HO, OPT_INT, "net.keepalive_max_recycle", recycle, "2000",
           "Requests on one connection before it is renewed; 0: no limit.", .range = &recycle_range),
    OPT_AS(HO, OPT_STR, "net.source_address", source_address, NULL, "The local address to connect from."),
    OPT(HO, OPT_BOOL, tls, "off", "Encryption."),
    OPT_NONE("tls.verify"),
    OPT_NONE("tls.verify_hostname"),
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
    OPT_NONE("ipv6"),
    OPT_NONE("net.dns.mode"),
    OPT_NONE("net.dns.resolver"),
    OPT_NONE("net.dns.prefer_ipv4"),
    OPT_NONE("net.dns.prefer_ipv6"),
    OPT_NONE("net.tcp_keepalive"),
    OPT_NONE("net.tcp_keepalive_time"),
    OPT_NONE("net.tcp_keepalive_interval"),
    OPT_NONE("net.tcp_keepalive_probes"),
    OPT_NONE("net.connect_timeout_log_error"),
    OPT_NONE("net.max_worker_connections"),
    OPT_NONE("net.proxy_env_ignore"),
    OPT_END,
};

/* ---- the header lines that never change ---- */

static void add_base64(struct buf *out, struct str s)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    for (size_t i = 0; i < s.n; i += 3) {
        size_t n = s.n - i < 3 ? s.n - i : 3;
        uint32_t v = 0;
        for (size_t k = 0; k < 3; k++)
            v = v << 8 | (k < n ? (unsigned char)s.p[i + k] : 0);
        for (size_t k = 0; k < 4; k++)
            buf_char(out, k <= n ? digits[v >> (18 - 6 * k) & 63] : '=');
    }
}

static bool is_token(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
              memchr("!#$%&'*+-.^_`|~", c, 15)))
            return false;
    }
    return s.n > 0;
}

static bool has_control(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (((unsigned char)s.p[i] < 0x20 && s.p[i] != '\t') || s.p[i] == 0x7f)
            return true;
    return false;
}

/* These are made here; a second one of them would change what the server takes for the body or for the batch. */
static const char *const reserved[] = {
    "host", "content-length", "transfer-encoding", "connection", "content-encoding", "idempotency-key", "expect"};

static bool repeated_later(const struct http_output *h, size_t at, struct str name)
{
    for (size_t i = at + 1; i < h->header.n; i++) {
        struct str rest = h->header.items[i];
        if (str_eq_fold(str_word(&rest), name))
            return true;
    }
    return false;
}

static bool add_headers(struct http_output *h, struct err *e)
{
    for (size_t i = 0; i < h->header.n; i++) {
        struct str rest = h->header.items[i], name = str_word(&rest), value = str_trim(rest);
        if (!is_token(name) || has_control(value) || !value.n)
            return instance_err(h->instance, "header", e, "`" STR_FMT "` is not of the form `Name value`",
                                STR_ARG(h->header.items[i]));
        for (size_t k = 0; k < sizeof reserved / sizeof *reserved; k++)
            if (str_eq_fold(name, str_of(reserved[k])))
                return instance_err(h->instance, "header", e, "`" STR_FMT "` is set by the output itself",
                                    STR_ARG(name));
        if (!h->allow_duplicated_headers && repeated_later(h, i, name))
            continue;
        buf_str(&h->fixed, name);
        buf_str(&h->fixed, STR(": "));
        buf_str(&h->fixed, value);
        buf_str(&h->fixed, STR("\r\n"));
    }
    return true;
}

/* A secret that was meant and came out empty (a variable that is not set) must not become "no authentication". */
static bool check_secrets(const struct http_output *h, struct err *e)
{
    const struct {
        const char *name;
        struct str value;
    } both[2] = {{"http_user", h->http_user}, {"http_passwd", h->http_passwd}};

    for (int i = 0; i < 2; i++)
        if (section_prop(h->instance->section, both[i].name) && !both[i].value.n)
            return instance_err(h->instance, both[i].name, e, "`%s` is configured, but empty", both[i].name);
    for (int i = 0; i < 2; i++)
        if (both[i].value.n && !both[1 - i].value.n)
            return instance_err(h->instance, both[i].name, e, "`%s` without `%s`", both[i].name, both[1 - i].name);
    return true;
}

static bool add_auth(struct http_output *h, struct err *e)
{
    CLEANUP(buf_free) struct buf pair = {0};

    if (!check_secrets(h, e))
        return false;
    if (!h->http_user.n)
        return true;
    if (memchr(h->http_user.p, ':', h->http_user.n))
        return instance_err(h->instance, "http_user", e, "a user name with a colon cannot be sent");
    buf_str(&pair, h->http_user);
    buf_char(&pair, ':');
    buf_str(&pair, h->http_passwd);
    buf_str(&h->fixed, STR("Authorization: Basic "));
    add_base64(&h->fixed, buf_view(&pair));
    buf_str(&h->fixed, STR("\r\n"));
    explicit_bzero(pair.p, pair.n);
    return true;
}

/* ---- start ---- */

static bool check_tls(struct http_output *h, struct err *e)
{
    if (h->tls)
        return instance_err(
            h->instance, "tls", e,
            "this build speaks plain HTTP only; nothing is sent unencrypted where `tls on` was asked for");
    if (str_starts(h->host, STR("https://")))
        return instance_err(h->instance, "host", e, "this build speaks plain HTTP only, and https was asked for");
    return true;
}

static bool make_url(struct http_output *h, struct err *e)
{
    CLEANUP(buf_free) struct buf text = {0};
    bool v6 = h->host.n && memchr(h->host.p, ':', h->host.n) && h->host.p[0] != '[';
    struct err why;

    buf_fmt(&text, v6 ? "http://[" STR_FMT "]:%lld" : "http://" STR_FMT ":%lld", STR_ARG(h->host), (long long)h->port);
    if (memchr(h->host.p ? h->host.p : "", '/', h->host.n))
        return instance_err(h->instance, "host", e, "only the name or address; the path is `uri`");
    if (!url_parse(buf_view(&text), &h->url, &why))
        return instance_err(h->instance, "host", e, "%s", why.text);
    url_free(&h->url);
    buf_str(&text, h->uri.n && h->uri.p[0] == '/' ? STR("") : STR("/"));
    buf_str(&text, h->uri);
    if (!url_parse(buf_view(&text), &h->url, &why))
        return instance_err(h->instance, "uri", e, "%s", why.text);
    if (!h->proxy.n)
        return true;
    if (!url_parse(h->proxy, &h->via, &why))
        return instance_err(h->instance, "proxy", e, "%s", why.text);
    if (h->via.tls)
        return instance_err(h->instance, "proxy", e, "the proxy itself must be reached over http://");
    return true;
}

static bool stopping(void *arg)
{
    struct http_output *h = arg;

    return h->current && delivery_stopping(h->current);
}

bool http_output_start(struct http_output *h, const struct instance *i, struct err *e)
{
    struct http_client_options o;

    h->instance = i;
    if (!check_tls(h, e) || !make_url(h, e) || !add_auth(h, e) || !add_headers(h, e)) {
        http_output_stop(h);
        return false;
    }
    o = (struct http_client_options){
        .url = h->url,
        .proxy = h->via,
        .connect_timeout = h->connect_timeout,
        .io_timeout = h->read_idle_timeout ? h->read_idle_timeout : h->io_timeout,
        .response_timeout = h->response_timeout,
        .keepalive = h->keepalive,
        .keepalive_idle = h->keepalive_idle,
        .keepalive_max_recycle = (int)h->recycle,
        .source_address = h->source_address,
        .stopping = stopping,
        .stopping_arg = h,
    };
    h->client = http_client_new(&o);
    return true;
}

void http_output_stop(struct http_output *h)
{
    http_client_free(h->client);
    h->client = NULL;
    url_free(&h->url);
    url_free(&h->via);
    if (h->fixed.p)
        explicit_bzero(h->fixed.p, h->fixed.cap);
    buf_free(&h->fixed);
    buf_free(&h->packed);
}

/* ---- a request ---- */

enum verdict http_judge(int status)
{
    switch (status) {
    case 408:
    case 425:
    case 429:
        return RETRY;
    case 401:
    case 403:
    case 404:
    case 407: /* the proxy wants a password: as with 401, the data is not at fault */
        return HOLD;
    default:
        if (status >= 200 && status < 300)
            return DONE;
        if (status >= 300 && status < 400) /* never followed: it could lead anywhere */
            return HOLD;
        return status >= 400 && status < 500 ? REJECT : RETRY;
    }
}

/* What the server said: in the log, and with an event that it rejected in quarantine.  It is cut, and nothing in it can
 * move a terminal. */
static void refusal(const struct http_output *h, const struct http_response *r, struct err *e)
{
    char text[PAYLOAD_SHOWN + 1];
    struct str said = h->log_response_payload && r->body.p ? str_trim(buf_view(&r->body)) : STR("");
    size_t n = said.n < PAYLOAD_SHOWN ? said.n : PAYLOAD_SHOWN;

    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)said.p[i];
        text[i] = c < 0x20 || c >= 0x7f ? ' ' : (char)c;
    }
    text[n] = 0;
    err_set(e, "the server answered %d%s%s", r->status, n ? ": " : "", text);
}

static bool pack(struct http_output *h, const struct http_call *call, struct str *body, struct err *e)
{
    *body = call->body;
    if (h->compress == CODEC_NONE || !call->body.n)
        return true;
    buf_clear(&h->packed);
    if (!codec_compress((enum codec)h->compress, 0, call->body, &h->packed, e))
        return false;
    *body = buf_view(&h->packed);
    return true;
}

static void add_call_headers(struct http_output *h, struct delivery *d, const struct http_call *call, struct buf *lines)
{
    buf_str(lines, h->fixed.n ? buf_view(&h->fixed) : STR(""));
    if (call->type.n)
        buf_fmt(lines, "Content-Type: " STR_FMT "\r\n", STR_ARG(call->type));
    if (h->compress != CODEC_NONE && call->body.n)
        buf_fmt(lines, "Content-Encoding: %s\r\n", codec_names[h->compress]);
    buf_fmt(lines, "Idempotency-Key: %s" STR_FMT "\r\nUser-Agent: weir\r\n", delivery_id(d), STR_ARG(call->key));
    buf_str(lines, call->headers);
}

enum verdict http_output_send(struct http_output *h, struct delivery *d, const struct http_call *call,
                              struct http_response *out, struct err *e)
{
    CLEANUP(http_response_free) struct http_response own = {0};
    CLEANUP(buf_free) struct buf lines = {0};
    struct http_response *r = out ? out : &own;
    enum verdict v;
    struct str body;
    bool ok;

    if (!pack(h, call, &body, e))
        return RETRY;
    add_call_headers(h, d, call, &lines);
    h->current = d;
    ok = http_client_send(h->client, call->method ? call->method : "POST", call->path.n ? call->path : h->url.path,
                          buf_view(&lines), body, r, e);
    h->current = NULL;
    if (!ok)
        return RETRY;
    v = http_judge(r->status);
    if (v == DONE)
        return DONE;
    if (r->retry_after > 0)
        delivery_retry_after(d, r->retry_after);
    refusal(h, r, e);
    return v;
}
