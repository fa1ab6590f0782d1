/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_feed.h"

#include "http.h"
#include "net/compress.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>

extern const struct plugin input_http;

/* ---- one client thread speaks; the loop runs here until it has its answer ---- */

struct talk {
    int port;
    struct str request;
    struct buf answer;
    struct feed *feed;
    atomic_bool done;
};

static void *speak(void *arg)
{
    struct talk *t = arg;
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)t->port)};
    struct timeval patience = {2, 0};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct str rest = t->request;
    ssize_t n;

    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (connect(fd, (struct sockaddr *)&at, sizeof at) == 0) {
        while (rest.n && (n = send(fd, rest.p, rest.n, MSG_NOSIGNAL)) > 0)
            rest = str_from(rest, (size_t)n);
        while ((n = recv(fd, buf_room(&t->answer, 65536), 65536, 0)) > 0)
            t->answer.n += (size_t)n;
    }
    close(fd);
    t->done = true;
    loop_stop(t->feed->loop);
    return NULL;
}

struct bench {
    struct feed *feed;
    struct http_in *in;
    int port;
    struct buf answer;
};

static int status_of(const struct bench *b)
{
    return b->answer.n > 12 ? atoi(b->answer.p + 9) : 0;
}

static struct str body_of(struct bench *b)
{
    struct str all = buf_view(&b->answer);
    size_t at = str_find(all, STR("\r\n\r\n"));

    return at == SIZE_MAX ? STR("(no answer)") : str_trim(str_from(all, at + 4));
}

static bool has(const struct bench *b, const char *text)
{
    return b->answer.n && str_find(buf_view(&b->answer), str_of(text)) != SIZE_MAX;
}

static int raw(struct bench *b, struct str request)
{
    struct talk t = {.port = b->port, .request = request, .feed = b->feed};
    pthread_t thread;

    pthread_create(&thread, NULL, speak, &t);
    while (!t.done)
        fake_run(b->feed, 20);
    pthread_join(thread, NULL);
    buf_free(&b->answer);
    b->answer = t.answer;
    return status_of(b);
}

static int post_with(struct bench *b, const char *path, const char *type, const char *headers, struct str body)
{
    struct buf request = {0};
    int status;

    fake_clear(b->feed);
    buf_fmt(&request, "POST %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: %zu\r\n%s", path, body.n,
            headers);
    if (type)
        buf_fmt(&request, "Content-Type: %s\r\n", type);
    buf_str(&request, STR("\r\n"));
    buf_str(&request, body);
    status = raw(b, buf_view(&request));
    buf_free(&request);
    return status;
}

static int post(struct bench *b, const char *path, const char *body)
{
    return post_with(b, path, "application/json", "", str_of(body));
}

static bool begin(struct bench *b, const char *name, const char *value, const char *name2, const char *value2)
{
    struct err e = {0};

    *b = (struct bench){.feed = fake_feed(loop_new())};
    b->in = fake_instance(&input_http, "listen", "127.0.0.1", "port", "0", "enable_health_endpoint", "on",
                          name ? name : "port", name ? value : "0", name2 ? name2 : "port", name2 ? value2 : "0", NULL);
    if (!b->in || !input_http.input->start(b->in, b->feed, &e)) {
        if (e.text[0])
            fake_err = e;
        if (b->in)
            fake_instance_free(b->in);
        fake_feed_free(b->feed);
        return false;
    }
    b->port = http_server_port(b->in->front->server);
    return true;
}

static void end(struct bench *b)
{
    input_http.input->stop(b->in);
    fake_instance_free(b->in);
    fake_feed_free(b->feed);
    buf_free(&b->answer);
}

/* ---- what is an event ---- */

TEST(bodies)
{
    static const struct {
        const char *type, *body;
        int status;
        size_t events, rejects;
        const char *first;
    } rows[] = {
        {"application/json", "{\"a\":1}", 201, 1, 0, "{\"a\":1}"},
        {"Application/JSON; charset=utf-8", " {\"a\":1} ", 201, 1, 0, "{\"a\":1}"},
        {"application/json", "[{\"a\":1},{\"b\":2.50}]", 201, 2, 0, "{\"a\":1}"},
        {"application/json", "{\"a\":1}{\"b\":2}\n{\"c\":3}", 201, 3, 0, "{\"a\":1}"},
        {"application/json", "[{\"a\":1}] {\"b\":2} [{\"c\":3},{\"d\":4}]", 201, 4, 0, "{\"a\":1}"},
        {"application/json", "[]", 201, 0, 0, "(none)"},
        {"application/json", "[{\"a\":1},5,\"x\",null,[{}],{\"b\":2}]", 201, 2, 4, "{\"a\":1}"},
        {"application/json", "5", 201, 0, 1, "(none)"},
        {"application/json", "", 400, 0, 0, "(none)"},
        {"application/json", "   \r\n ", 400, 0, 0, "(none)"},
        {"application/json", "{\"a\":1", 400, 0, 0, "(none)"},
        {"application/json", "[{\"a\":1},]", 400, 0, 0, "(none)"},
        {"application/json", "{\"a\":1}{\"b\":", 400, 0, 0, "(none)"}, /* nothing of it */
        {"application/json", "{\"a\":}", 400, 0, 0, "(none)"},
        {"application/json", "[{\"a\":1} {\"b\":2}]", 400, 0, 0, "(none)"},
        {"application/json", "[{\"a\":1}", 400, 0, 0, "(none)"},
        {"application/json", "[,{}]", 400, 0, 0, "(none)"},
        {"application/json", "[", 400, 0, 0, "(none)"},
        {"application/json", "]", 400, 0, 0, "(none)"},
        {"application/json", "[ ] [ {} , {} ] ", 201, 2, 0, "{}"},
        {"application/json", "hello", 400, 0, 0, "(none)"},
        {"application/x-ndjson", "{\"a\":1}\n\n{\"b\":2}\r\n{\"c\":3}", 201, 3, 0, "{\"a\":1}"},
        {"application/x-ndjson", "{\"a\":1}\nnonsense\n{\"b\":2}\n", 201, 2, 1, "{\"a\":1}"},
        {"application/x-ndjson", "", 400, 0, 0, "(none)"},
        {"application/x-www-form-urlencoded", "a=1&b=x+y%21&c=&d&=e", 201, 1, 0,
         "{\"a\":\"1\",\"b\":\"x y!\",\"c\":\"\",\"d\":\"\",\"\":\"e\"}"},
        {"application/x-www-form-urlencoded", "a=1&a=2", 201, 1, 0, "{\"a\":\"2\"}"},
        {"application/x-www-form-urlencoded", "a=%ff%c3%a4", 201, 1, 0, "{\"a\":\"\xef\xbf\xbd\xc3\xa4\"}"},
        {"application/x-www-form-urlencoded", "", 400, 0, 0, "(none)"},
        {"application/x-www-form-urlencoded", "&&", 400, 0, 0, "(none)"},
        {"application/x-www-form-urlencoded", "a=%4", 400, 0, 0, "(none)"},
        {"text/json", "{\"a\":1}", 201, 1, 0, "{\"a\":1}"},
        {"text/plain", "{\"a\":1}", 415, 0, 0, "(none)"},
        {"application/xml", "<a/>", 415, 0, 0, "(none)"},
        {NULL, "{\"a\":1}", 400, 0, 0, "(none)"},
    };
    struct bench b;

    CHECK(begin(&b, NULL, NULL, NULL, NULL));
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        unsigned before = test_failures;
        size_t rejects = 0;
        CHECK_INT(post_with(&b, "/x", rows[i].type, "", str_of(rows[i].body)), rows[i].status);
        CHECK_INT(fake_count(b.feed, true), rows[i].events);
        CHECK_STR(fake_body(b.feed, 0), rows[i].first);
        while (fake_reject(b.feed, rejects))
            rejects++;
        CHECK_INT(rejects, rows[i].rejects);
        CHECK(rows[i].status == 201 ? body_of(&b).n == 0 : has(&b, "{\"error\":\""));
        if (test_failures != before)
            fprintf(stderr, "row %zu: %s: %.*s\n", i, rows[i].body, (int)b.answer.n, b.answer.p);
    }
    end(&b);
}

TEST(many_form_fields)
{
    struct buf form = {0};
    struct bench b;

    CHECK(begin(&b, NULL, NULL, NULL, NULL));
    for (int i = 0; i < 1001; i++) {
        if (i == 1000)
            CHECK_INT(post_with(&b, "/", "application/x-www-form-urlencoded", "", buf_view(&form)), 201);
        buf_fmt(&form, "k%d=%d&", i, i);
    }
    CHECK_INT(post_with(&b, "/", "application/x-www-form-urlencoded", "", buf_view(&form)), 400);
    buf_free(&form);
    end(&b);
}

TEST(rejected_elements_keep_their_bytes)
{
    struct bench b;

    CHECK(begin(&b, NULL, NULL, NULL, NULL));
    CHECK_INT(post(&b, "/x", "[7,{\"a\":1}]"), 201);
    CHECK_STR(fake_reject(b.feed, 0)->body, "7");
    CHECK_STR(fake_reject(b.feed, 0)->tag, "not_a_map");
    CHECK_INT(post_with(&b, "/x", "application/x-ndjson", "", STR("{\"a\":\n{}")), 201);
    CHECK_STR(fake_reject(b.feed, 0)->body, "{\"a\":");
    CHECK_STR(fake_reject(b.feed, 0)->tag, "json");
    end(&b);
}

TEST(too_many_events)
{
    struct bench b;

    CHECK(begin(&b, "max_events_per_request", "3", NULL, NULL));
    CHECK_INT(post(&b, "/", "[{},{},{}]"), 201);
    CHECK_INT(post(&b, "/", "[{},{},{},{}]"), 413);
    CHECK_INT(post(&b, "/", "{}{}{}{}"), 413);
    CHECK_INT(post_with(&b, "/", "application/x-ndjson", "", STR("{}\n{}\n\n{}\n{}")), 413);
    CHECK_INT(fake_count(b.feed, false), 0);
    end(&b);
}

TEST(compressed)
{
    CLEANUP(buf_free) struct buf zip = {0};
    struct bench b;
    struct err e;

    CHECK(begin(&b, NULL, NULL, NULL, NULL));
    codec_compress(CODEC_GZIP, 0, STR("{\"a\":1}"), &zip, &e);
    CHECK_INT(post_with(&b, "/x", "application/json", "Content-Encoding: gzip\r\n", buf_view(&zip)), 201);
    CHECK_STR(fake_body(b.feed, 0), "{\"a\":1}");
    end(&b);
}

/* ---- tags ---- */

TEST(tags)
{
    static const struct {
        const char *path, *body, *tag;
    } rows[] = {
        {"/app.log", "{}", "app.log"},
        {"/a/b-c", "{}", "a_b_c"},
        {"/a%2fb%20c", "{}", "a_b_c"},
        {"/", "{}", ""},
        {"/x?y=z", "{}", "x"},
        {"/x", "{\"t\":\"from.event\"}", "from.event"},
        {"/x", "{\"t\":5}", "x"},
        {"/x", "{\"t\":\"\"}", "x"},
        {"/x", "{\"t\":\"line\\nbreak\"}", "x"},
    };
    struct bench b;

    CHECK(begin(&b, "tag_key", "t", NULL, NULL));
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CHECK_INT(post(&b, rows[i].path, rows[i].body), 201);
        CHECK_STR(fake_tag(b.feed, 0), rows[i].tag);
        CHECK_STR(fake_body(b.feed, 0), rows[i].body);
    }
    end(&b);
}

TEST(remote_addresses)
{
    struct bench b;

    CHECK(begin(&b, "add_remote_addr", "on", NULL, NULL));
    CHECK_INT(post_with(&b, "/", "application/json", "X-Forwarded-For: 1.2.3.4\r\n", STR("{\"a\":1}")), 201);
    CHECK_STR(fake_body(b.feed, 0), "{\"a\":1,\"REMOTE_ADDR\":\"127.0.0.1\"}"); /* nobody is trusted */
    end(&b);
    CHECK(begin(&b, "add_remote_addr", "on", "trusted_proxies", "127.0.0.0/8, 10.0.0.0/9"));
    CHECK_INT(post_with(&b, "/", "application/json", "X-Forwarded-For: 6.6.6.6, 1.2.3.4, 10.1.2.3\r\n", STR("{}")),
              201);
    CHECK_STR(fake_body(b.feed, 0), "{\"REMOTE_ADDR\":\"1.2.3.4\"}");
    CHECK_INT(post_with(&b, "/", "application/json", "X-Forwarded-For: 6.6.6.6, 10.200.2.3\r\n", STR("{}")), 201);
    CHECK_STR(fake_body(b.feed, 0), "{\"REMOTE_ADDR\":\"10.200.2.3\"}");
    CHECK_INT(post_with(&b, "/", "application/json", "X-Forwarded-For: 2001:db8::1\r\n", STR("{}")), 201);
    CHECK_STR(fake_body(b.feed, 0), "{\"REMOTE_ADDR\":\"2001:db8::1\"}");
    CHECK_INT(post_with(&b, "/", "application/json", "X-Forwarded-For: <script>\r\n", STR("{}")), 201);
    CHECK_STR(fake_body(b.feed, 0), "{\"REMOTE_ADDR\":\"127.0.0.1\"}");
    end(&b);
}

/* ---- answers ---- */

TEST(answers)
{
    struct bench b;

    CHECK(begin(&b, "success_header", "X-Team  blue team", "successful_response_code", "204"));
    CHECK_INT(post(&b, "/", "{}"), 204);
    CHECK(has(&b, "\r\nX-Team: blue team\r\n") && !has(&b, "Content-Length"));
    CHECK_INT(raw(&b, STR("GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")), 200);
    CHECK_INT(raw(&b, STR("GET /other HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")), 405);
    CHECK(has(&b, "Allow: POST"));
    CHECK_INT(raw(&b, STR("PUT / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}")), 405);
    CHECK_INT(raw(&b, STR("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\n{}")), 400);
    end(&b);
}

TEST(a_2xx_only_when_durable)
{
    struct bench b;

    CHECK(begin(&b, NULL, NULL, NULL, NULL));
    b.feed->fail = true;
    CHECK_INT(post(&b, "/", "[{},{}]"), 503);
    CHECK(has(&b, "Retry-After: "));
    CHECK_INT(fake_count(b.feed, false), 0);
    CHECK_INT(post(&b, "/v1/events", "[{},{}]"), 503);
    CHECK(has(&b, "Retry-After: ") && !has(&b, "accepted"));
    b.feed->fail = false;
    CHECK_INT(post(&b, "/", "[{},{}]"), 201);
    end(&b);
}

TEST(no_room)
{
    struct bench b;

    CHECK(begin(&b, NULL, NULL, NULL, NULL));
    b.feed->room = ROOM_QUOTA;
    b.feed->retry_after = 11;
    CHECK_INT(post(&b, "/", "{}"), 429);
    CHECK(has(&b, "Retry-After: 11\r\n"));
    b.feed->room = ROOM_DISK;
    CHECK_INT(post(&b, "/v1/events", "{}"), 503);
    CHECK_INT(raw(&b, STR("GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")), 200);
    CHECK_INT(fake_count(b.feed, false), 0);
    end(&b);
}

TEST(stop_while_a_commit_is_under_way)
{
    struct bench b;
    struct talk t;
    pthread_t thread;

    CHECK(begin(&b, NULL, NULL, NULL, NULL));
    b.feed->manual = true;
    t = (struct talk){.port = b.port, .feed = b.feed};
    t.request = STR("POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}");
    pthread_create(&thread, NULL, speak, &t);
    for (int i = 0; i < 100 && !b.feed->nevents; i++)
        fake_run(b.feed, 10);
    input_http.input->stop(b.in);
    fake_instance_free(b.in);
    fake_run(b.feed, 20);
    CHECK(!t.done);
    CHECK_INT(fake_settle(b.feed, 1, true), 1);
    while (!t.done)
        fake_run(b.feed, 20);
    pthread_join(thread, NULL);
    CHECK(str_starts(buf_view(&t.answer), STR("HTTP/1.1 201 ")));
    buf_free(&t.answer);
    fake_feed_free(b.feed);
}

/* ---- POST /v1/events ---- */

TEST(events_verdicts)
{
    static const char *const broken[] = {"{\"events\":5}",         "{\"events\":[{}],\"events\":[{}]}",
                                         "{\"events\":[{}]",       "{\"events\":[{}],}",
                                         "{\"events\":[{}]}x",     "{\"events\" [{}]}",
                                         "{\"events\":[{},]}",     "{\"sent_at\":}",
                                         "{\"x\":1,\"events\":7}", "{\"events\":[{}] \"a\":1}"};
    static const struct {
        const char *body;
        size_t events;
        const char *first;
    } good[] = {{"{\"x\":1,\"events\":[{\"a\":1},{}]}", 2, "{\"a\":1}"},
                {" { \"sent_at\" : 5 , \"events\" : [ {\"a\":1} , {} ] , \"z\" : [[]] } ", 2, "{\"a\":1}"},
                {"{\"sent_at\":5,\"a\":1}", 1, "{\"sent_at\":5,\"a\":1}"},
                {"{\"events\":[]}{\"a\":1}[{}]", 2, "{\"a\":1}"}};
    struct bench b;

    CHECK(begin(&b, "events_tag", "product", NULL, NULL));
    CHECK_INT(post(&b, "/v1/events",
                   "{\"sent_at\":\"now\",\"events\":[{\"event_id\":\"a\"},7,{\"event_id\":5},{\"event_id\":\"\"},"
                   "{\"event_id\":\"12345678901234567890123456789012345678901234567890123456789012345\"},{\"x\":1}]}"),
              200);
    CHECK_STR(body_of(&b),
              "{\"accepted\":2,\"duplicate\":0,\"filtered\":0,\"quarantined\":4,\"dropped\":0,\"results\":["
              "{\"index\":1,\"status\":\"quarantined\",\"reason\":\"not_a_map: an element that is no object\"},"
              "{\"index\":2,\"status\":\"quarantined\",\"reason\":\"event_id: event_id is no string\"},"
              "{\"index\":3,\"status\":\"quarantined\",\"reason\":\"event_id: event_id is empty\"},"
              "{\"index\":4,\"status\":\"quarantined\",\"reason\":\"event_id: event_id is longer than 64 bytes\"}]}");
    CHECK(has(&b, "Content-Type: application/json\r\n"));
    CHECK_STR(fake_tag(b.feed, 0), "product");
    CHECK_STR(fake_body(b.feed, 0), "{\"event_id\":\"a\"}");
    CHECK_STR(fake_reject(b.feed, 1)->body, "{\"event_id\":5}");
    CHECK_INT(post(&b, "/v1/events?verbose=1", "{\"event_id\":\"\\u0001\\\"\"}"), 200);
    CHECK(has(&b, "\"results\":[{\"event_id\":\"\\u0001\\\"\",\"index\":0,\"status\":\"accepted\"}]"));
    for (size_t i = 0; i < ARRAY_LEN(broken); i++) {
        CHECK_INT(post(&b, "/v1/events", broken[i]), 400);
        CHECK_INT(fake_count(b.feed, false), 0);
    }
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        CHECK_INT(post(&b, "/v1/events", good[i].body), 200);
        CHECK_INT(fake_count(b.feed, true), good[i].events);
        CHECK_STR(fake_body(b.feed, 0), good[i].first);
    }
    CHECK_INT(post_with(&b, "/v1/events", "application/json", "", STR("{}\0{}")), 400);
    CHECK_INT(post(&b, "/v1/events", "{\"events\":[]}"), 200);
    CHECK_INT(post(&b, "/v1/events", "[{},{}]"), 200);
    CHECK_INT(fake_count(b.feed, true), 2);
    CHECK_INT(post_with(&b, "/v1/events", "application/x-ndjson", "", STR("{}\nx\n{}")), 200);
    CHECK(has(&b, "\"accepted\":2,") && has(&b, "\"quarantined\":1,"));
    CHECK_INT(post_with(&b, "/v1/events", "application/x-www-form-urlencoded", "", STR("a=b")), 415);
    end(&b);
}

static enum outcome by_field(struct feed *f, struct event *ev)
{
    static const char *const words[OUTCOMES] = {"ok", "dup", "filter", "bad", "drop", "nowhere"};
    struct value *v = event_get(ev, STR("do"));
    struct str text = {0};

    (void)f;
    if (v)
        value_as_str(v, &text);
    for (int i = 0; i < OUTCOMES; i++)
        if (str_eq(text, str_of(words[i])))
            return (enum outcome)i;
    return ACCEPTED;
}

TEST(events_outcomes)
{
    struct bench b;

    CHECK(begin(&b, NULL, NULL, NULL, NULL));
    b.feed->judge = by_field;
    b.feed->reason = "schema: user_id is missing";
    CHECK_INT(post(&b, "/v1/events",
                   "[{\"do\":\"ok\"},{\"do\":\"dup\",\"event_id\":\"d\"},{\"do\":\"filter\"},{\"do\":\"bad\"},"
                   "{\"do\":\"drop\"},{\"do\":\"nowhere\"}]"),
              200);
    CHECK_STR(
        body_of(&b),
        "{\"accepted\":1,\"duplicate\":1,\"filtered\":1,\"quarantined\":1,\"dropped\":1,\"unrouted\":1,\"results\":["
        "{\"event_id\":\"d\",\"index\":1,\"status\":\"duplicate\"},{\"index\":2,\"status\":\"filtered\"},"
        "{\"index\":3,\"status\":\"quarantined\",\"reason\":\"schema: user_id is missing\"},"
        "{\"index\":4,\"status\":\"dropped\"},{\"index\":5,\"status\":\"unrouted\"}]}");
    end(&b);
}

TEST(identities)
{
    struct bench b;
    struct id a, other, keyed;

    CHECK(begin(&b, NULL, NULL, NULL, NULL));
    post(&b, "/v1/events", "[{\"event_id\":\"a\"},{\"event_id\":\"b\"},{}]");
    a = fake_event(b.feed, 0)->id;
    other = fake_event(b.feed, 1)->id;
    CHECK(fake_event(b.feed, 0)->client_id && !id_none(a) && !id_eq(a, other));
    CHECK(!fake_event(b.feed, 2)->client_id && id_none(fake_event(b.feed, 2)->id));
    /* the same in another request, at another place, with a key, and after a restart */
    end(&b);
    CHECK(begin(&b, NULL, NULL, NULL, NULL));
    post_with(&b, "/v1/events", "application/json", "Idempotency-Key: k\r\n", STR("[{},{\"event_id\":\"a\"}]"));
    CHECK(id_eq(fake_event(b.feed, 1)->id, a));
    keyed = fake_event(b.feed, 0)->id;
    CHECK(fake_event(b.feed, 0)->client_id && !id_none(keyed));
    post_with(&b, "/plain", "application/json", "Idempotency-Key: k\r\n", STR("[{},{\"event_id\":\"a\"}]"));
    CHECK(id_eq(fake_event(b.feed, 0)->id, keyed) && fake_event(b.feed, 0)->client_id);
    CHECK(!id_eq(fake_event(b.feed, 1)->id, a)); /* the plain endpoint knows no event_id */
    post(&b, "/plain", "{\"event_id\":\"a\"}");
    CHECK(!fake_event(b.feed, 0)->client_id && id_none(fake_event(b.feed, 0)->id));
    CHECK_INT(
        post_with(&b, "/plain", "application/json",
                  "Idempotency-Key: 01234567890123456789012345678901234567890123456789012345678901234567890123456789"
                  "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456"
                  "789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789\r\n",
                  STR("{}")),
        400);
    end(&b);
}

TEST(events_uri)
{
    struct bench b;

    CHECK(begin(&b, "events_uri", "/collect", NULL, NULL));
    CHECK_INT(post(&b, "/collect", "{}"), 200);
    CHECK_INT(post(&b, "/v1/events", "{}"), 201);
    CHECK_STR(fake_tag(b.feed, 0), "v1_events");
    end(&b);
    CHECK(begin(&b, "events_uri", "off", NULL, NULL));
    CHECK_INT(post(&b, "/v1/events", "{}"), 201);
    end(&b);
}

/* ---- configurations that are none ---- */

static void refused(const char *name, const char *value, const char *why)
{
    struct bench b;

    CHECK(!begin(&b, name, value, NULL, NULL));
    CHECK(strstr(fake_err.text, why) != NULL);
    if (!strstr(fake_err.text, why))
        fprintf(stderr, "%s %s: %s\n", name, value, fake_err.text);
}

TEST(bad_options)
{
    refused("tls", "on", "plain HTTP only");
    refused("successful_response_code", "202", "200, 201 or 204");
    refused("successful_response_code", "500", "successful_response_code");
    refused("success_header", "Bad:Name x", "Name value");
    refused("success_header", "Content-Length 5", "set by the server");
    refused("trusted_proxies", "10.0.0.0/33", "no address");
    refused("trusted_proxies", "proxy.example", "no address");
    refused("events_uri", "v1/events", "begins with `/`");
    refused("tag_key", "$a['b", "quote");
    refused("listen", "no.such.host.invalid", "cannot listen");
    refused("buffer_max_sise", "1M", "did you mean `buffer_max_size`");
}
