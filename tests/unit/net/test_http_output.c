/* SPDX-License-Identifier: Apache-2.0 */
/* The delivery is the machine's; a fake one stands in for it. */
#define delivery_id fake_delivery_id
#define delivery_stopping fake_delivery_stopping
#define delivery_retry_after fake_delivery_retry_after
#include "net/http_output.c"

#include "server.h"

#include "base/alloc.h"

struct delivery {
    int64_t retry_after;
    bool stopping;
};

const char *delivery_id(const struct delivery *d)
{
    (void)d;
    return "0123456789abcdef0123456789abcdef";
}

bool delivery_stopping(const struct delivery *d)
{
    return d->stopping;
}

void delivery_retry_after(struct delivery *d, int64_t ns)
{
    d->retry_after = ns;
}

struct out {
    struct instance base;
    struct http_output http;
};
static const struct option out_options[] = {OPT_USE(struct out, http, http_output_options), OPT_END};

static const struct plugin plugin = {.name = "out", .options = out_options, .size = sizeof(struct out)};
static struct tree *tree;
static struct err error;

/* properties: name, value, ..., NULL.  NULL: `error` says why. */
static struct out *make(const char *const *properties)
{
    struct out *o = alloc_new(sizeof *o);
    const struct option *tables[] = {out_options, NULL};
    void *into[] = {o};
    struct section *s;
    bool ok = true;

    tree = tree_new();
    s = tree_add(tree, "output");
    for (; ok && *properties; properties += 2) {
        bool empty = !*properties[1]; /* as a variable that is not set leaves it */
        ok = tree_set(tree, s, str_of(properties[0]), empty ? STR("x") : str_of(properties[1]), &error);
        if (ok && empty)
            section_prop(s, properties[0])->value.n = 0;
    }
    o->base.name = "out.0";
    o->base.plugin = &plugin;
    o->base.section = s;
    if (ok && options_load(tables, into, s, &error) && http_output_start(&o->http, &o->base, &error))
        return o;
    options_free(out_options, o);
    free(o);
    tree_free(tree);
    return NULL;
}

static void unmake(struct out *o)
{
    http_output_stop(&o->http);
    options_free(out_options, o);
    free(o);
    tree_free(tree);
}

static void refused(const char *const *properties, const char *why)
{
    struct out *o = make(properties);

    CHECK(!o && strstr(error.text, why));
    if (o)
        unmake(o);
    else if (!strstr(error.text, why))
        fprintf(stderr, "%s\n", error.text);
}
#define REFUSED(why, ...) refused((const char *const[]){__VA_ARGS__, NULL}, why)

TEST(configurations_that_are_refused)
{
    REFUSED("plain HTTP only", "tls", "on");
    REFUSED("https was asked for", "host", "https://x");
    REFUSED("only the name", "host", "x/y");
    REFUSED("host name", "host", "a b");
    REFUSED("path", "uri", "/a b");
    REFUSED("begins with http://", "proxy", "proxy:3128");
    REFUSED("http://", "proxy", "https://proxy:3128");
    REFUSED("configured, but empty", "http_user", "", "http_passwd", "x");
    REFUSED("configured, but empty", "http_user", "u", "http_passwd", "");
    REFUSED("without `http_passwd`", "http_user", "u");
    REFUSED("without `http_user`", "http_passwd", "p");
    REFUSED("colon", "http_user", "a:b", "http_passwd", "p");
    REFUSED("Name value", "header", "OnlyName");
    REFUSED("Name value", "header", "Bad:Name x");
    REFUSED("set by the output", "header", "Content-Length 5");
    REFUSED("set by the output", "header", "idempotency-KEY 5");
    REFUSED("compress", "compress", "brotli");
    REFUSED("port", "port", "0");
}

/* Answers with the status that the path names, and remembers the request. */
static struct buf seen;

static void handle(void *arg, struct http_request *r)
{
    struct http_head again = {STR("Retry-After"), STR("3")};
    static const char *const headers[] = {"host", "authorization", "content-type",   "content-encoding",
                                          "x-a",  "x-b",           "idempotency-key"};
    uint64_t status = 200;

    (void)arg;
    buf_clear(&seen);
    buf_str(&seen, http_method(r));
    buf_char(&seen, ' ');
    buf_str(&seen, http_raw_path(r));
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++)
        if (http_header(r, headers[i]).p && i > 0) {
            buf_fmt(&seen, "|%s=", headers[i]);
            buf_str(&seen, http_header(r, headers[i]));
        }
    buf_char(&seen, '|');
    buf_str(&seen, http_body(r));
    str_u64(str_from(http_path(r), 1), &status);
    http_reply(r, (int)status, &again, status == 429 || status == 503, STR("payload"));
}

static struct server server;
static char port_text[16];

static void begin(void)
{
    server = (struct server){0};
    http_server_defaults(&server.options);
    server.options.handle = handle;
    server_start(&server);
    snprintf(port_text, sizeof port_text, "%d", server.port);
}

TEST(what_a_server_gets)
{
    struct delivery d = {0};
    struct http_call call = {.type = STR("application/json"), .body = STR("{\"a\":1}")};
    struct out *o;
    struct err e;

    begin();
    o = make((const char *const[]){"port", port_text, "uri", "/in", "http_user", "Aladdin", "http_passwd",
                                   "open sesame", "header", "X-A one two", "compress", "gzip", NULL});
    CHECK(o != NULL);
    CHECK_INT(http_output_send(&o->http, &d, &call, NULL, &e), DONE);
    CHECK_STR(buf_view(&seen), "POST /in|authorization=Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==|content-type=application/json"
                               "|content-encoding=gzip|x-a=one two|idempotency-key=0123456789abcdef0123456789abcdef"
                               "|{\"a\":1}");
    call = (struct http_call){.method = "PUT", .path = STR("/201?x"), .headers = STR("X-B: 2\r\n")};
    CHECK_INT(http_output_send(&o->http, &d, &call, NULL, &e), DONE);
    CHECK_STR(buf_view(&seen), "PUT /201|authorization=Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==|x-a=one two|x-b=2"
                               "|idempotency-key=0123456789abcdef0123456789abcdef|");
    CHECK_INT(http_server_connections(server.http), 1);
    unmake(o);
    server_end(&server);
}

TEST(repeated_headers)
{
    struct delivery d = {0};
    struct http_call call = {0};
    struct out *o;
    struct err e;

    begin();
    o = make((const char *const[]){"port", port_text, "header", "X-A one", "header", "x-a two",
                                   "allow_duplicated_headers", "off", NULL});
    CHECK_INT(http_output_send(&o->http, &d, &call, NULL, &e), DONE);
    CHECK_STR(buf_view(&seen), "POST /|x-a=two|idempotency-key=0123456789abcdef0123456789abcdef|");
    unmake(o);
    o = make((const char *const[]){"port", port_text, "header", "X-A one", "header", "x-a two", NULL});
    CHECK_INT(http_output_send(&o->http, &d, &call, NULL, &e), DONE);
    CHECK_STR(buf_view(&seen), "POST /|x-a=one|idempotency-key=0123456789abcdef0123456789abcdef|");
    unmake(o);
    server_end(&server);
}

TEST(verdicts)
{
    static const struct {
        int status;
        enum verdict verdict;
    } rows[] = {{200, DONE},   {201, DONE},   {204, DONE},   {299, DONE},   {301, HOLD},   {302, HOLD},
                {308, HOLD},   {400, REJECT}, {401, HOLD},   {403, HOLD},   {404, HOLD},   {405, REJECT},
                {407, HOLD},   {408, RETRY},  {409, REJECT}, {410, REJECT}, {413, REJECT}, {415, REJECT},
                {422, REJECT}, {425, RETRY},  {429, RETRY},  {431, REJECT}, {451, REJECT}, {500, RETRY},
                {501, RETRY},  {502, RETRY},  {503, RETRY},  {504, RETRY},  {507, RETRY},  {599, RETRY}};
    struct delivery d = {0};
    struct out *o;
    struct err e;

    begin();
    o = make((const char *const[]){"port", port_text, NULL});
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct http_response r = {0};
        char path[8];
        struct http_call call = {.path = {path, 4}};
        snprintf(path, sizeof path, "/%d", rows[i].status);
        CHECK_INT(http_judge(rows[i].status), rows[i].verdict);
        d.retry_after = 0;
        CHECK_INT(http_output_send(&o->http, &d, &call, &r, &e), rows[i].verdict);
        CHECK_INT(r.status, rows[i].status);
        CHECK_INT(d.retry_after, rows[i].status == 429 || rows[i].status == 503 ? 3 * SECOND : 0);
        CHECK(rows[i].status == 204 || str_eq(buf_view(&r.body), STR("payload")));
        http_response_free(&r);
    }
    unmake(o);
    server_end(&server);
}

TEST(transport)
{
    struct delivery d = {0};
    struct http_call call = {.body = STR("x")};
    char proxy[64];
    struct out *o;
    struct err e;

    begin();
    server_end(&server); /* nobody listens there now */
    o = make((const char *const[]){"port", port_text, NULL});
    CHECK_INT(http_output_send(&o->http, &d, &call, NULL, &e), RETRY);
    CHECK(strstr(e.text, "refused") != NULL);
    d.stopping = true;
    CHECK_INT(http_output_send(&o->http, &d, &call, NULL, &e), RETRY);
    unmake(o);
    begin();
    d.stopping = false;
    snprintf(proxy, sizeof proxy, "http://127.0.0.1:%d", server.port);
    o = make((const char *const[]){"host", "sink.example", "uri", "/in", "proxy", proxy, NULL});
    CHECK_INT(http_output_send(&o->http, &d, &call, NULL, &e), DONE);
    CHECK_STR(buf_view(&seen), "POST /in|idempotency-key=0123456789abcdef0123456789abcdef|x");
    unmake(o);
    buf_free(&seen);
    server_end(&server);
}
