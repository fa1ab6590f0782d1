/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "base/cleanup.h"
#include "base/io.h"
#include "net/http_client.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>

/* A server that follows a script, one line per accepted connection: each answer is sent when a whole request is there,
 * then the connection ends as `end` says. */
enum end { CLOSE, RESET, HANG };
struct act {
    const char *answers[4]; /* NULL ends; "" is: read the request, say nothing */
    enum end end;
    bool early; /* answers before it reads */
    bool slow;  /* a byte every 2 ms */
};
struct script {
    struct act acts[8];
    int n, listener, port;
    atomic_int connections, requests;
    struct buf seen;
    pthread_t thread;
};

static bool read_request(int fd, struct script *s)
{
    size_t start = s->seen.n, length = 0;

    for (;;) {
        struct str got = str_from(buf_view(&s->seen), start);
        size_t head = str_find(got, STR("\r\n\r\n"));
        ssize_t n;
        if (head != SIZE_MAX) {
            size_t at = str_find(got, STR("Content-Length: "));
            length = at == SIZE_MAX ? 0 : (size_t)atoi(got.p + at + 16);
            if (got.n >= head + 4 + length)
                return true;
        }
        n = recv(fd, buf_room(&s->seen, 65536), 65536, 0);
        if (n <= 0)
            return false;
        s->seen.n += (size_t)n;
    }
}

static void say(int fd, const char *text, bool slow)
{
    for (size_t i = 0, n = strlen(text), step = slow ? 1 : n; i < n; i += step) {
        send(fd, text + i, step, MSG_NOSIGNAL);
        if (slow)
            usleep(2000);
    }
}

static void *play(void *arg)
{
    struct script *s = arg;

    for (int i = 0; i < s->n; i++) {
        const struct act *a = &s->acts[i];
        int fd = accept(s->listener, NULL, NULL);
        struct linger hard = {1, 0};
        if (fd < 0)
            break;
        s->connections++;
        for (int k = 0; k < 4 && a->answers[k]; k++) {
            if (!a->early && !read_request(fd, s))
                break;
            s->requests++;
            say(fd, a->answers[k], a->slow);
        }
        if (a->early)
            usleep(50000);
        if (a->end == HANG)
            recv(fd, (char[1]){0}, 1, 0);
        if (a->end == RESET)
            setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
        close(fd);
    }
    return NULL;
}

static void begin(struct script *s)
{
    struct sockaddr_in at = {.sin_family = AF_INET};
    socklen_t n = sizeof at;

    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    s->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bind(s->listener, (struct sockaddr *)&at, sizeof at);
    listen(s->listener, 16);
    getsockname(s->listener, (struct sockaddr *)&at, &n);
    s->port = ntohs(at.sin_port);
    while (s->n < 8 && s->acts[s->n].answers[0])
        s->n++;
    pthread_create(&s->thread, NULL, play, s);
}

static void end(struct script *s)
{
    shutdown(s->listener, SHUT_RDWR);
    pthread_join(s->thread, NULL);
    close(s->listener);
    buf_free(&s->seen);
}

static struct http_client_options options(const struct script *s)
{
    return (struct http_client_options){
        .url = {.host = STR("127.0.0.1"), .port = s->port, .path = STR("/p?q")},
        .connect_timeout = SECOND,
        .response_timeout = SECOND,
        .keepalive = true,
        .keepalive_idle = 10 * SECOND,
    };
}

struct result {
    bool ok;
    int status;
    char body[64];
    int64_t retry_after;
    struct err e;
};

static struct result ask(struct http_client *c, const char *method, struct str body)
{
    struct http_response r = {0};
    struct result out = {0};

    out.ok = http_client_send(c, method, STR(""), STR("X-Test: 1\r\n"), body, &r, &out.e);
    out.status = r.status;
    out.retry_after = r.retry_after;
    snprintf(out.body, sizeof out.body, "%.*s", (int)r.body.n, r.body.p ? r.body.p : "");
    http_response_free(&r);
    return out;
}

#define OK "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

TEST(kinds_of_answers)
{
    static const struct {
        const char *answer;
        int status;
        const char *body;
    } rows[] = {
        {OK, 200, "ok"},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x\r\nde\r\n0\r\nT: t\r\n\r\n", 200,
         "abcde"},
        {"HTTP/1.1 200 OK\r\n\r\nuntil the end", 200, "until the end"},
        {"HTTP/1.0 404 Not Found\r\n\r\nno", 404, "no"},
        {"HTTP/1.1 204 No Content\r\n\r\n", 204, ""},
        {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nRetry-After: 9\r\n\r\n" OK, 200, "ok"},
        {"HTTP/1.1 503 \r\nContent-Length: 0\r\n\r\n", 503, ""},
        {"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n", 302, ""},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        for (int slow = 0; slow < 2; slow++) {
            struct script s = {.acts = {{.answers = {rows[i].answer}, .slow = slow}}};
            struct http_client_options o;
            struct http_client *c;
            struct result r;
            begin(&s);
            o = options(&s);
            c = http_client_new(&o);
            r = ask(c, "POST", STR("body"));
            CHECK(r.ok);
            if (!r.ok)
                fprintf(stderr, "row %zu: %s\n", i, r.e.text);
            CHECK_INT(r.status, rows[i].status);
            CHECK_STR(str_of(r.body), rows[i].body);
            CHECK_INT(r.retry_after, 0);
            CHECK_INT(s.connections, 1); /* a redirect is not followed */
            http_client_free(c);
            end(&s);
        }
}

TEST(what_is_sent)
{
    struct script s = {.acts = {{.answers = {OK, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"}}}};
    struct http_client_options o;
    struct http_client *c;
    char want[128];

    begin(&s);
    o = options(&s);
    c = http_client_new(&o);
    CHECK(ask(c, "PUT", STR("body")).ok);
    snprintf(want, sizeof want, "PUT /p?q HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Length: 4\r\nX-Test: 1\r\n\r\nbody",
             s.port);
    CHECK_STR(buf_view(&s.seen), want);
    CHECK(ask(c, "HEAD", STR("")).ok); /* an answer with a length and no body */
    CHECK_INT(s.connections, 1);
    http_client_free(c);
    end(&s);
}

TEST(keeping_the_connection)
{
    struct script s = {.acts = {{.answers = {OK, OK, OK}}, {.answers = {OK}}, {.answers = {OK, OK}}}};
    struct http_client_options o;
    struct http_client *c;

    begin(&s);
    o = options(&s);
    c = http_client_new(&o);
    for (int i = 0; i < 3; i++)
        CHECK(ask(c, "POST", STR("x")).ok);
    CHECK_INT(s.connections, 1);
    usleep(20000);
    CHECK(ask(c, "POST", STR("x")).ok); /* the server has closed: seen before anything is sent */
    CHECK_INT(s.connections, 2);
    http_client_free(c);
    o.keepalive_max_recycle = 1;
    c = http_client_new(&o);
    CHECK(ask(c, "POST", STR("x")).ok);
    CHECK_INT(s.connections, 3);
    http_client_free(c);
    end(&s);
}

TEST(a_kept_connection_that_dies_is_renewed_once)
{
    struct script s = {.acts = {{.answers = {OK, ""}, .end = RESET}, {.answers = {OK}}, {.answers = {""}}}};
    struct http_client_options o;
    struct http_client *c;
    struct result r;

    begin(&s);
    o = options(&s);
    c = http_client_new(&o);
    CHECK(ask(c, "POST", STR("1")).ok);
    CHECK(ask(c, "POST", STR("2")).ok); /* read, then reset: sent again on a new connection */
    CHECK_INT(s.connections, 2);
    CHECK_INT(s.requests, 3);
    http_client_free(c);
    c = http_client_new(&o);
    r = ask(c, "POST", STR("3")); /* a new connection that dies is a failure */
    CHECK(!r.ok && strstr(r.e.text, "closed without an answer"));
    CHECK_INT(s.connections, 3);
    http_client_free(c);
    end(&s);
}

TEST(broken_answers)
{
    static const struct {
        const char *answer;
        enum end end;
        const char *why;
    } rows[] = {
        {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc", CLOSE, "within the answer"},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc", CLOSE, "within the answer"},
        {"HTTP/1.1 200 O", CLOSE, "within the answer"},
        {"SSH-2.0-OpenSSH\r\n", HANG, "no HTTP"},
        {"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", HANG, "no HTTP"},
        {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc", HANG, "took too long"},
        {"", HANG, "took too long"},
        {"", RESET, "receiving"},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct script s = {.acts = {{.answers = {rows[i].answer}, .end = rows[i].end}}};
        struct http_client_options o;
        struct http_client *c;
        struct result r;
        begin(&s);
        o = options(&s);
        o.response_timeout = 200 * MILLISECOND;
        c = http_client_new(&o);
        r = ask(c, "POST", STR("x"));
        CHECK(!r.ok && strstr(r.e.text, rows[i].why));
        if (r.ok || !strstr(r.e.text, rows[i].why))
            fprintf(stderr, "row %zu: %s\n", i, r.e.text);
        http_client_free(c);
        end(&s);
    }
}

TEST(a_timeout_on_a_kept_connection_is_not_repeated)
{
    struct script s = {.acts = {{.answers = {OK, ""}, .end = HANG}}};
    struct http_client_options o;
    struct http_client *c;
    int64_t start;

    begin(&s);
    o = options(&s);
    o.response_timeout = 200 * MILLISECOND;
    c = http_client_new(&o);
    CHECK(ask(c, "POST", STR("1")).ok);
    start = io->monotonic();
    CHECK(!ask(c, "POST", STR("2")).ok);
    CHECK(io->monotonic() - start < 390 * MILLISECOND);
    CHECK_INT(s.requests, 2);
    http_client_free(c);
    end(&s);
}

static atomic_bool stop_now;

static bool stopping(void *arg)
{
    (void)arg;
    return stop_now;
}

static void *stop_soon(void *arg)
{
    usleep(50000);
    stop_now = true;
    return arg;
}

TEST(stopping_is_heard_soon)
{
    struct script s = {.acts = {{.answers = {""}, .end = HANG}}};
    struct http_client_options o;
    struct http_client *c;
    pthread_t thread;
    struct result r;
    int64_t start;

    begin(&s);
    o = options(&s);
    o.response_timeout = 10 * SECOND;
    o.stopping = stopping;
    c = http_client_new(&o);
    start = io->monotonic();
    pthread_create(&thread, NULL, stop_soon, NULL);
    r = ask(c, "POST", STR("x"));
    CHECK(!r.ok && strstr(r.e.text, "stopping"));
    CHECK(io->monotonic() - start < 400 * MILLISECOND);
    pthread_join(thread, NULL);
    http_client_free(c);
    end(&s);
}

TEST(retry_after)
{
    struct script s = {.acts = {{.answers = {"HTTP/1.1 429 X\r\nretry-AFTER: 17\r\nContent-Length: 0\r\n\r\n",
                                             "HTTP/1.1 503 X\r\nRetry-After: 99999999\r\nContent-Length: 0\r\n\r\n",
                                             "HTTP/1.1 503 X\r\nRetry-After: Fri, 31 Dec 1999 23:59:59 GMT\r\n"
                                             "Content-Length: 0\r\n\r\n",
                                             "HTTP/1.1 503 X\r\nRetry-After: soon\r\nContent-Length: 0\r\n\r\n"}}}};
    struct http_client_options o;
    struct http_client *c;

    begin(&s);
    o = options(&s);
    c = http_client_new(&o);
    CHECK_INT(ask(c, "POST", STR("x")).retry_after, 17 * SECOND);
    CHECK_INT(ask(c, "POST", STR("x")).retry_after, 24 * 3600 * SECOND);
    CHECK_INT(ask(c, "POST", STR("x")).retry_after, 0);
    CHECK_INT(ask(c, "POST", STR("x")).retry_after, 0);
    CHECK_INT(s.connections, 1);
    http_client_free(c);
    end(&s);
}

TEST(a_server_that_refuses_before_it_has_read)
{
    struct script s = {.acts = {{.answers = {"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n"}, .early = true}}};
    CLEANUP(buf_free) struct buf large = {0};
    struct http_client_options o;
    struct http_client *c;
    struct result r;

    memset(buf_room(&large, 32 << 20), 'a', 32 << 20);
    large.n = 32 << 20;
    begin(&s);
    o = options(&s);
    c = http_client_new(&o);
    r = ask(c, "POST", buf_view(&large));
    CHECK(r.ok);
    CHECK_INT(r.status, 413);
    http_client_free(c);
    end(&s);
}

TEST(large_answers_are_cut)
{
    CLEANUP(buf_free) struct buf answer = {0};
    struct http_response r = {0};
    struct script s = {0};
    struct http_client_options o;
    struct http_client *c;
    struct err e;

    buf_fmt(&answer, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", 200000);
    memset(buf_room(&answer, 200001), 'a', 200001);
    answer.n += 200000;
    answer.p[answer.n] = 0;
    s.acts[0].answers[0] = answer.p;
    begin(&s);
    o = options(&s);
    c = http_client_new(&o);
    CHECK(http_client_send(c, "GET", STR("/big"), STR(""), STR(""), &r, &e));
    CHECK_INT(r.body.n, 65536);
    CHECK(!http_client_send(c, "GET", STR("/a b"), STR(""), STR(""), &r, &e));
    http_response_free(&r);
    http_client_free(c);
    end(&s);
}

TEST(connecting)
{
    struct script s = {.acts = {{.answers = {OK}}}};
    struct http_client_options o;
    struct http_client *c;
    struct result r;

    begin(&s);
    o = options(&s);
    o.source_address = STR("127.0.0.9");
    c = http_client_new(&o);
    CHECK(ask(c, "POST", STR("x")).ok);
    http_client_free(c);
    o.source_address = STR("192.0.2.1");
    c = http_client_new(&o);
    r = ask(c, "POST", STR("x"));
    CHECK(!r.ok && strstr(r.e.text, "source address 192.0.2.1"));
    http_client_free(c);
    o.source_address = STR("");
    o.url.host = STR("no.such.host.invalid");
    c = http_client_new(&o);
    r = ask(c, "POST", STR("x"));
    CHECK(!r.ok && strstr(r.e.text, "cannot find no.such.host.invalid"));
    http_client_free(c);
    end(&s);
    o.url.host = STR("127.0.0.1");
    c = http_client_new(&o);
    r = ask(c, "POST", STR("x"));
    CHECK(!r.ok && strstr(r.e.text, "refused"));
    http_client_free(c);
}

TEST(proxy)
{
    struct script s = {.acts = {{.answers = {OK}}}};
    struct http_client_options o;
    struct http_client *c;

    begin(&s);
    o = options(&s);
    o.proxy = o.url;
    o.url = (struct url){.host = STR("sink.example"), .port = 80, .path = STR("/in")};
    c = http_client_new(&o);
    CHECK(ask(c, "POST", STR("x")).ok);
    CHECK(str_starts(buf_view(&s.seen), STR("POST http://sink.example/in HTTP/1.1\r\nHost: sink.example\r\n")));
    http_client_free(c);
    end(&s);
}
