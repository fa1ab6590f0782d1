/* SPDX-License-Identifier: Apache-2.0 */
/* The output against a server of one thread that keeps what it was sent and answers as it was told. */
#include "fake_machine.h"
#include "base/cleanup.h"
#include "net/compress.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

extern const struct plugin output_http;
#define T0 INT64_C(1700000000500000000)

enum { REQUESTS = 16 };
struct server {
    int listener, port;
    pthread_t thread;
    int statuses[REQUESTS]; /* 0: 200 */
    struct buf requests[REQUESTS];
    size_t body_at[REQUESTS];
    unsigned n;
};

static bool whole(struct server *s, struct buf *r)
{
    size_t head = str_find(buf_view(r), STR("\r\n\r\n")), at;
    int64_t length = 0;
    struct str rest;
    if (head == SIZE_MAX)
        return false;
    at = str_find(buf_view(r), STR("Content-Length: "));
    if (at != SIZE_MAX) {
        rest = str_from(buf_view(r), at + 16);
        str_i64(str_head(rest, str_find(rest, STR("\r\n"))), &length);
    }
    s->body_at[s->n] = head + 4;
    return r->n >= head + 4 + (size_t)length;
}

static void serve(struct server *s, int client)
{
    while (s->n < REQUESTS) {
        struct buf *r = &s->requests[s->n];
        char answer[128];
        int status;
        while (!whole(s, r)) {
            ssize_t n = read(client, buf_room(r, 65536), 65536);
            if (n <= 0)
                return;
            r->n += (size_t)n;
        }
        status = s->statuses[s->n] ? s->statuses[s->n] : 200;
        snprintf(answer, sizeof(answer), "HTTP/1.1 %d X\r\n%sContent-Length: 2\r\n\r\nok", status,
                 status == 503 ? "Retry-After: 7\r\n" : "");
        s->n++;
        if (write(client, answer, strlen(answer)) < 0)
            return;
    }
}

static void *server_run(void *arg)
{
    struct server *s = arg;
    int client;
    while ((client = accept(s->listener, NULL, NULL)) >= 0) {
        serve(s, client);
        close(client);
    }
    return NULL;
}

static void server_start(struct server *s)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof(a);
    *s = (struct server){.listener = socket(AF_INET, SOCK_STREAM, 0)};
    CHECK(!bind(s->listener, (struct sockaddr *)&a, n) && !listen(s->listener, 8));
    getsockname(s->listener, (struct sockaddr *)&a, &n);
    s->port = ntohs(a.sin_port);
    pthread_create(&s->thread, NULL, server_run, s);
}

static void server_stop(struct server *s)
{
    shutdown(s->listener, SHUT_RDWR);
    pthread_join(s->thread, NULL);
    close(s->listener);
    for (unsigned i = 0; i < REQUESTS; i++)
        buf_free(&s->requests[i]);
}

static struct str body(struct server *s, unsigned i)
{
    return str_from(buf_view(&s->requests[i]), s->body_at[i]);
}

static bool has(struct server *s, unsigned i, const char *text)
{
    return str_find(str_head(buf_view(&s->requests[i]), s->body_at[i]), str_of(text)) != SIZE_MAX;
}

static bool begin(struct fake *f, struct server *s, const char *props)
{
    struct err e = {""};
    char text[1024];
    server_start(s);
    snprintf(text, sizeof(text), "host 127.0.0.1\nport %d\n%s", s->port, props);
    if (fake_start(f, &output_http, text, &e))
        return true;
    fprintf(stderr, "%s\n", e.text);
    return false;
}

static const struct fake_event two[] = {{"app.web", T0, "{\"a\":1}", NULL}, {"app.web", T0 + 1, "{}", NULL}};

TEST(formats)
{
    static const struct {
        const char *props, *type, *want;
    } cases[] = {
        {"json_date_format epoch", "Content-Type: application/json\r\n",
         "[{\"date\":1700000000,\"a\":1},{\"date\":1700000000}]"},
        {"format json_lines\njson_date_key false", "Content-Type: application/x-ndjson\r\n", "{\"a\":1}\n{}\n"},
        {"format json_stream\njson_date_key false", "Content-Type: application/json\r\n", "{\"a\":1}{}"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct fake f;
        struct server s;
        struct err e = {""};
        CHECK(begin(&f, &s, cases[i].props));
        CHECK_INT(fake_write(&f, two, 2, &e), DONE);
        CHECK_INT(fake_write(&f, two, 2, &e), DONE);
        fake_free(&f);
        CHECK_STR(body(&s, 0), cases[i].want);
        CHECK(has(&s, 0, cases[i].type));
        CHECK(has(&s, 0, "POST / HTTP/1.1\r\n"));
        CHECK(has(&s, 0, "Idempotency-Key: 0123456789abcdef0123456789abcdef\r\n"));
        /* The same delivery gives the same bytes. */
        CHECK(str_eq(buf_view(&s.requests[0]), buf_view(&s.requests[1])));
        server_stop(&s);
    }
}

TEST(msgpack_is_the_forward_form)
{
    struct fake f;
    struct server s;
    struct err e = {""};
    CHECK(begin(&f, &s, "format msgpack\nuri /in\nhttp_method put\nheader_tag X-Tag\nheader X-A b c"));
    CHECK_INT(fake_write(&f, two, 1, &e), DONE);
    fake_free(&f);
    CHECK(str_eq(body(&s, 0), (struct str){"\x92\x92\xd7\0\x65\x53\xf1\0\x1d\xcd\x65\0\x80\x81\xa1"
                                           "a\x01",
                                           17}));
    CHECK(has(&s, 0, "PUT /in HTTP/1.1\r\n"));
    CHECK(has(&s, 0, "X-Tag: app.web\r\n"));
    CHECK(has(&s, 0, "X-A: b c\r\n"));
    CHECK(has(&s, 0, "Content-Type: application/msgpack\r\n"));
    server_stop(&s);
}

TEST(compression)
{
    struct fake f;
    struct server s;
    struct err e = {""};
    struct buf text = {0};
    CHECK(begin(&f, &s, "compress gzip\njson_date_key off"));
    CHECK_INT(fake_write(&f, two, 2, &e), DONE);
    fake_free(&f);
    CHECK(has(&s, 0, "Content-Encoding: gzip\r\n"));
    CHECK_INT(codec_decompress(CODEC_GZIP, body(&s, 0), 1000, 0, &text, &e), INFLATE_OK);
    CHECK_STR(buf_view(&text), "[{\"a\":1},{}]");
    buf_free(&text);
    server_stop(&s);
}

TEST(verdicts)
{
    static const struct {
        int status;
        enum verdict want;
    } cases[] = {{200, DONE},   {204, DONE}, {503, RETRY}, {429, RETRY}, {400, REJECT},
                 {413, REJECT}, {401, HOLD}, {404, HOLD},  {302, HOLD}};
    struct fake f;
    struct server s;
    struct err e = {""};
    CHECK(begin(&f, &s, ""));
    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        s.statuses[i] = cases[i].status;
        CHECK_INT(fake_write(&f, two, 2, &e), cases[i].want);
    }
    fake_free(&f);
    server_stop(&s);
}

TEST(nobody_there)
{
    struct fake f;
    struct server s;
    struct err e = {""};
    CHECK(begin(&f, &s, ""));
    server_stop(&s);
    CHECK_INT(fake_write(&f, two, 2, &e), RETRY);
    CHECK(e.text[0]);
    fake_free(&f);
}

TEST(a_tag_cannot_make_a_header)
{
    struct fake_event ev = {"a\r\nX-Evil: 1\r\n\r\nbody", T0, "{}", NULL};
    struct fake f;
    struct server s;
    struct err e = {""};
    CHECK(begin(&f, &s, "header_tag X-Tag"));
    CHECK_INT(fake_write(&f, &ev, 1, &e), DONE);
    fake_free(&f);
    CHECK(!has(&s, 0, "\r\nX-Evil"));
    CHECK(has(&s, 0, "X-Tag: a%0D%0AX-Evil: 1%0D%0A%0D%0Abody\r\n"));
    server_stop(&s);
}

TEST(one_request_for_each_event)
{
    struct fake_event events[] = {
        {"t", T0, "{\"b\":{\"x\":\"one\"},\"h\":{\"X-K\":\"v\",\"Content-Type\":\"text/csv\",\"X-N\":5}}", NULL},
        {"t", T0, "{\"h\":{}}", NULL},                                      /* no body */
        {"t", T0, "{\"b\":{\"x\":\"two\"},\"h\":{}}", NULL},                /* refused by the server */
        {"t", T0, "{\"b\":{\"x\":\"3\"},\"h\":{\"Host\":\"evil\"}}", NULL}, /* a header that is not the event's */
        {"t", T0, "{\"b\":{\"x\":\"3\"},\"h\":{\"X\":\"a\\r\\nY: b\"}}", NULL},
    };
    struct fake f;
    struct server s;
    struct err e = {""};
    struct delivery d;
    CHECK(begin(&f, &s, "body_key $b['x']\nheaders_key h"));
    s.statuses[1] = 400;
    fake_delivery_init(&d, events, 5);
    CHECK_INT(output_http.output->write(f.instance, &d, &e), DONE);
    CHECK_INT(d.nfails, 3);
    CHECK_INT(d.fails[0].index, 1);
    CHECK_INT(d.fails[1].index, 2);
    CHECK_INT(d.fails[2].index, 3);
    fake_delivery_free(&d);
    fake_free(&f);
    CHECK_INT(s.n, 3);
    CHECK_STR(body(&s, 0), "one");
    CHECK(has(&s, 0, "X-K: v\r\n") && has(&s, 0, "X-N: 5\r\n") && has(&s, 0, "Content-Type: text/csv\r\n"));
    CHECK(has(&s, 0, "Idempotency-Key: 0123456789abcdef0123456789abcdef-0\r\n"));
    CHECK_STR(body(&s, 1), "two");
    CHECK(has(&s, 1, "Idempotency-Key: 0123456789abcdef0123456789abcdef-2\r\n"));
    CHECK(has(&s, 2, "X: a%0D%0AY: b\r\n"));
    server_stop(&s);
}

TEST(a_server_in_trouble_stops_the_delivery)
{
    struct fake_event events[] = {{"t", T0, "{\"b\":\"1\"}", NULL}, {"t", T0, "{\"b\":\"2\"}", NULL}};
    struct fake f;
    struct server s;
    struct err e = {""};
    struct delivery d;
    CHECK(begin(&f, &s, "body_key b"));
    s.statuses[0] = 503;
    fake_delivery_init(&d, events, 2);
    CHECK_INT(output_http.output->write(f.instance, &d, &e), RETRY);
    CHECK_INT(d.retry_after, INT64_C(7000000000));
    fake_delivery_free(&d);
    fake_free(&f);
    CHECK_INT(s.n, 1);
    server_stop(&s);
}

TEST(mistakes_and_what_comes_later)
{
    CHECK(output_http.output->planned && output_http.output->by_tag);
    output_bad(&output_http, "format gelf", "not in this version");
    output_bad(&output_http, "oauth2.token_url https://x", "oauth2.token_url");
    output_bad(&output_http, "oauth2.enable on", "not in this version");
    output_bad(&output_http, "aws_auth on", "not in this version");
    output_bad(&output_http, "aws_service s3", "not in this version");
    output_bad(&output_http, "gelf_level_key x", "not in this version");
    output_bad(&output_http, "headers_key h", "body_key");
    output_bad(&output_http, "header_tag X Tag:", "no name of a header");
    output_bad(&output_http, "http_method get", "http_method");
    output_bad(&output_http, "compress brotli", "compress");
    output_bad(&output_http, "tls on", "tls");
    output_bad(&output_http, "uriii /", "uri");
    struct fake f;
    struct err e = {""};
    CHECK(fake_start(&f, &output_http, "oauth2.enable off\naws_auth false\nallow_duplicated_headers on", &e));
    fake_free(&f);
}
