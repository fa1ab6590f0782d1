/* SPDX-License-Identifier: Apache-2.0 */
#include "server.h"

#include "base/arena.h"
#include "net/compress.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

struct later {
    struct timer timer;
    struct http_request *request;
};

static void reply_later(struct timer *t)
{
    struct later *l = container_of(t, struct later, timer);

    http_reply(l->request, 200, NULL, 0, http_body(l->request));
    free(l);
}

/* Echoes "METHOD path [q] body"; /later answers in 30 ms; /hold never (until the test says so). */
static struct http_request *held;

static void handle(void *arg, struct http_request *r)
{
    struct server *s = arg;
    struct http_head type = {STR("Content-Type"), STR("text/plain\r\nEvil: yes")};
    CLEANUP(buf_free) struct buf out = {0};

    s->handled++;
    if (str_eq(http_path(r), STR("/later"))) {
        struct later *l = calloc(1, sizeof *l);
        l->timer.fire = reply_later;
        l->request = r;
        http_set_user(r, l);
        CHECK(http_user(r) == l);
        loop_timer(s->loop, &l->timer, 30 * MILLISECOND);
        return;
    }
    if (str_eq(http_path(r), STR("/hold"))) {
        held = r;
        return;
    }
    buf_str(&out, http_method(r));
    buf_char(&out, ' ');
    buf_str(&out, http_path(r));
    if (http_query(r, "q").p) {
        buf_str(&out, STR(" q="));
        buf_str(&out, http_query(r, "q"));
    }
    buf_char(&out, ' ');
    buf_str(&out, str_eq(http_path(r), STR("/peer")) ? http_peer(r) : str_head(http_body(r), 100));
    http_reply(r, 200, &type, 1, buf_view(&out));
}

static int admit(void *arg, const struct http_request *r, int *retry_after)
{
    struct server *s = arg;

    (void)r;
    s->admitted++;
    *retry_after = 7;
    return s->admit_status;
}

static struct server begin(void)
{
    struct server s = {0};

    http_server_defaults(&s.options);
    s.options.handle = handle;
    s.options.admit = admit;
    return s;
}

#define ASK(text) exchange(s.port, STR(text), 1, &got, &closed)
#define GOT(text) (str_find(buf_view(&got), STR(text)) != SIZE_MAX)
#define H "Host: x\r\n"

TEST(plain_requests)
{
    struct server s = begin();
    CLEANUP(buf_free) struct buf got = {0};
    bool closed;

    server_start(&s);
    ASK("POST /a/b?x=1&q=%41+b HTTP/1.1\r\n" H "Content-Length: 5\r\n\r\nhello");
    CHECK(GOT("HTTP/1.1 200 OK\r\n"));
    CHECK(GOT("\r\n\r\nPOST /a/b q=A b hello"));
    CHECK(GOT("Content-Length: 21\r\n"));
    CHECK(!GOT("\r\nEvil")); /* a value cannot make a header */
    CHECK(GOT("Date: ") && GOT(" GMT\r\n"));
    CHECK(!closed);
    ASK("GET / HTTP/1.1\r\n" H "Connection: close\r\n\r\n");
    CHECK(GOT("Connection: close\r\n") && GOT("GET / "));
    ASK("HEAD /x HTTP/1.1\r\n" H "\r\n");
    CHECK(GOT("Content-Length: 8\r\n") && !GOT("HEAD /x"));
    ASK("GET /x HTTP/1.0\r\n\r\n");
    CHECK(GOT("GET /x ") && GOT("Connection: close"));
    ASK("GET /x HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n");
    CHECK(GOT("Connection: keep-alive"));
    ASK("GET http://host:80/abs?q=1 HTTP/1.1\r\n" H "\r\n");
    CHECK(GOT("GET /abs q=1 "));
    ASK("GET http://host HTTP/1.1\r\n" H "\r\n");
    CHECK(GOT("GET / "));
    ASK("OPTIONS * HTTP/1.1\r\n" H "\r\n");
    CHECK(GOT("OPTIONS * "));
    ASK("GET /a%20b%2Fc HTTP/1.1\r\n" H "\r\n");
    CHECK(GOT("GET /a b/c "));
    ASK("\r\nGET /crlf HTTP/1.1\r\n" H "\r\n");
    CHECK(GOT("GET /crlf "));
    server_end(&s);
}

/* ---- ambiguous framing: every row is answered with its status and closed, and what follows it is never run ---- */

struct row {
    const char *what;
    struct str bytes;
    int status;
};
#define ROW(what, bytes, status)                 \
    {                                            \
        what, {bytes, sizeof(bytes) - 1}, status \
    }
#define P "POST /a HTTP/1.1\r\n"

static const struct row rows[] = {
    ROW("CL and TE", P H "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    ROW("TE and CL", P H "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n", 400),
    ROW("two equal CL", P H "Content-Length: 4\r\nContent-Length: 4\r\n\r\nabcd", 400),
    ROW("two different CL", P H "Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcd", 400),
    ROW("CL list", P H "Content-Length: 4, 4\r\n\r\nabcd", 400),
    ROW("CL with plus", P H "Content-Length: +4\r\n\r\nabcd", 400),
    ROW("CL with minus", P H "Content-Length: -4\r\n\r\nabcd", 400),
    ROW("CL with a space", P H "Content-Length: 4 4\r\n\r\nabcd", 400),
    ROW("CL hexadecimal", P H "Content-Length: 0x4\r\n\r\nabcd", 400),
    ROW("CL fraction", P H "Content-Length: 4.0\r\n\r\nabcd", 400),
    ROW("CL empty", P H "Content-Length: \r\n\r\nabcd", 400),
    ROW("CL no number", P H "Content-Length: four\r\n\r\nabcd", 400),
    ROW("CL too many digits", P H "Content-Length: 18446744073709551620\r\n\r\nabcd", 400),
    ROW("CL letter O", P H "Content-Length: 1O\r\n\r\nabcd", 400),
    ROW("CL underscore", P H "Content-Length: 1_0\r\n\r\nabcd", 400),
    ROW("TE identity", P H "Transfer-Encoding: identity\r\n\r\n", 400),
    ROW("TE gzip, chunked", P H "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 400),
    ROW("TE chunked, identity", P H "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n", 400),
    ROW("TE xchunked", P H "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 400),
    ROW("TE Chunked", P H "Transfer-Encoding: Chunked\r\n\r\n0\r\n\r\n", 400),
    ROW("TE quoted", P H "Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n", 400),
    ROW("TE twice", P H "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    ROW("TE vertical tab", P H "Transfer-Encoding: \vchunked\r\n\r\n0\r\n\r\n", 400),
    ROW("TE empty", P H "Transfer-Encoding:\r\n\r\n0\r\n\r\n", 400),
    ROW("TE in 1.0", "POST /a HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    ROW("bare LF ends a header", P "Host: x\nContent-Length: 0\r\n\r\n", 400),
    ROW("bare LF ends the request line", "POST /a HTTP/1.1\n" H "\r\n", 400),
    ROW("bare LF ends the head", P H "\n", 400),
    ROW("bare CR in a value", P H "X: a\rb\r\n\r\n", 400),
    ROW("bare CR ends a header", P H "X: a\rContent-Length: 0\r\n\r\n", 400),
    ROW("CR CR LF", P H "X: a\r\r\n\r\n", 400),
    ROW("folded with a space", P H "X: a\r\n b\r\n\r\n", 400),
    ROW("folded with a tab", P H "X: a\r\n\tb\r\n\r\n", 400),
    ROW("folded first header", P " X: a\r\n" H "\r\n", 400),
    ROW("space before a colon", P H "Content-Length : 0\r\n\r\n", 400),
    ROW("tab before a colon", P H "Content-Length\t: 0\r\n\r\n", 400),
    ROW("space in a name", P H "X Y: 0\r\n\r\n", 400),
    ROW("no colon", P H "Nonsense\r\n\r\n", 400),
    ROW("no name", P H ": a\r\n\r\n", 400),
    ROW("NUL in a value", P H "X: a\0b\r\n\r\n", 400),
    ROW("NUL in a name", P H "X\0: a\r\n\r\n", 400),
    ROW("NUL in the target", "POST /a\0b HTTP/1.1\r\n" H "\r\n", 400),
    ROW("DEL in a value", P H "X: a\177\r\n\r\n", 400),
    ROW("escape in a value", P H "X: \033[0m\r\n\r\n", 400),
    ROW("no Host", P "X: a\r\n\r\n", 400),
    ROW("two Hosts", P H H "\r\n", 400),
    ROW("two Hosts in two cases", P H "hOST: y\r\n\r\n", 400),
    ROW("empty Host", P "Host:\r\n\r\n", 400),
    ROW("Host with a path", P "Host: x/y\r\n\r\n", 400),
    ROW("Host list", P "Host: x, y\r\n\r\n", 400),
    ROW("Host with a user", P "Host: a@b\r\n\r\n", 400),
    ROW("HTTP/2.0", "POST /a HTTP/2.0\r\n" H "\r\n", 505),
    ROW("HTTP/1.2", "POST /a HTTP/1.2\r\n" H "\r\n", 505),
    ROW("HTTP/0.9", "GET /a\r\n\r\n", 400),
    ROW("http/1.1", "POST /a http/1.1\r\n" H "\r\n", 400),
    ROW("two spaces", "POST  /a HTTP/1.1\r\n" H "\r\n", 400),
    ROW("two spaces before the version", "POST /a  HTTP/1.1\r\n" H "\r\n", 400),
    ROW("tab in the request line", "POST\t/a HTTP/1.1\r\n" H "\r\n", 400),
    ROW("space behind the version", "POST /a HTTP/1.1 \r\n" H "\r\n", 400),
    ROW("space in the target", "POST /a b HTTP/1.1\r\n" H "\r\n", 400),
    ROW("fragment in the target", "POST /a#b HTTP/1.1\r\n" H "\r\n", 400),
    ROW("non-ASCII target", "POST /\303\244 HTTP/1.1\r\n" H "\r\n", 400),
    ROW("target without a slash", "POST a HTTP/1.1\r\n" H "\r\n", 400),
    ROW("method in lower case", "post /a HTTP/1.1\r\n" H "\r\n", 400),
    ROW("unknown method", "BREW /a HTTP/1.1\r\n" H "\r\n", 501),
    ROW("CONNECT", "CONNECT x:80 HTTP/1.1\r\n" H "\r\n", 405),
    ROW("two blank lines first", "\r\n\r\nPOST /a HTTP/1.1\r\n" H "\r\n", 400),
    ROW("TLS hello", "\026\003\001\002\000\001\000\001\374\003\003\n\n", 400),
    ROW("step upwards", "POST /a/../b HTTP/1.1\r\n" H "\r\n", 400),
    ROW("escaped step upwards", "POST /a/%2e%2e/b HTTP/1.1\r\n" H "\r\n", 400),
    ROW("escaped NUL", "POST /a%00b HTTP/1.1\r\n" H "\r\n", 400),
    ROW("bad escape", "POST /a%zz HTTP/1.1\r\n" H "\r\n", 400),
#define C P H "Transfer-Encoding: chunked\r\n\r\n"
    ROW("chunk size with a sign", C "+3\r\nabc\r\n0\r\n\r\n", 400),
    ROW("chunk size with 0x", C "0x3\r\nabc\r\n0\r\n\r\n", 400),
    ROW("chunk size with a space", C "3 \r\nabc\r\n0\r\n\r\n", 400),
    ROW("chunk size too long", C "00000000000000003\r\nabc\r\n0\r\n\r\n", 400),
    ROW("chunk size overflows", C "ffffffffffffffff\r\nabc\r\n0\r\n\r\n", 413),
    ROW("chunk size empty", C "\r\nabc\r\n0\r\n\r\n", 400),
    ROW("chunk line ends in LF", C "3\nabc\r\n0\r\n\r\n", 400),
    ROW("chunk data ends in LF", C "3\r\nabc\n0\r\n\r\n", 400),
    ROW("chunk data too long", C "3\r\nabcd\r\n0\r\n\r\n", 400),
    ROW("chunk extension with LF", C "3;a=b\nabc\r\n0\r\n\r\n", 400),
    ROW("chunk extension with CR", C "3;a\rb\r\nabc\r\n0\r\n\r\n", 400),
    ROW("chunked body ends in LF", C "3\r\nabc\r\n0\r\n\n", 400),
    ROW("trailer without a colon", C "0\r\nnonsense\r\n\r\n", 400),
    ROW("trailer folded", C "0\r\nA: b\r\n c\r\n\r\n", 400),
    ROW("trailer with a space before the colon", C "0\r\nA : b\r\n\r\n", 400),
};

TEST(smuggling)
{
    struct server s = begin();
    CLEANUP(buf_free) struct buf got = {0}, bytes = {0};
    char status[32];
    bool closed;

    server_start(&s);
    CHECK(ARRAY_LEN(rows) >= 40);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        unsigned before = test_failures;
        buf_clear(&bytes);
        buf_str(&bytes, rows[i].bytes);
        buf_str(&bytes, STR("GET /smuggled HTTP/1.1\r\n" H "\r\n"));
        s.handled = 0;
        exchange(s.port, buf_view(&bytes), 0, &got, &closed);
        snprintf(status, sizeof status, "HTTP/1.1 %d ", rows[i].status);
        CHECK(str_starts(buf_view(&got), str_of(status)));
        CHECK_INT(count(buf_view(&got), "HTTP/1.1 "), 1);
        CHECK(closed);
        CHECK_INT(s.handled, 0);
        if (test_failures != before)
            fprintf(stderr, "row: %s: %.*s\n", rows[i].what, (int)got.n, got.p);
    }
    server_end(&s);
}

/* ---- limits ---- */

static void add_times(struct buf *b, char c, size_t n)
{
    memset(buf_room(b, n), c, n);
    b->n += n;
}

static int status_of(struct server *s, struct buf *request, bool *closed)
{
    CLEANUP(buf_free) struct buf got = {0};

    exchange(s->port, buf_view(request), 1, &got, closed);
    return got.n > 12 ? atoi(got.p + 9) : 0;
}

TEST(limits_of_the_head)
{
    struct server s = begin();
    bool closed;

    server_start(&s);
    for (int over = 0; over < 2; over++) {
        CLEANUP(buf_free) struct buf line = {0}, header = {0}, many = {0};
        buf_str(&line, STR("GET /"));
        add_times(&line, 'a', 8192 - 5 - 9 + (size_t)over);
        buf_str(&line, STR(" HTTP/1.1\r\n" H "\r\n"));
        CHECK_INT(status_of(&s, &line, &closed), over ? 414 : 200);
        buf_str(&header, STR("GET / HTTP/1.1\r\n" H "X: "));
        add_times(&header, 'a', 16384 - 9 - 3 - 2 + (size_t)over);
        buf_str(&header, STR("\r\n\r\n"));
        CHECK_INT(status_of(&s, &header, &closed), over ? 431 : 200);
        buf_str(&many, STR("GET / HTTP/1.1\r\n" H));
        for (int i = 0; i < 99 + over; i++)
            buf_fmt(&many, "X%d: 1\r\n", i);
        buf_str(&many, STR("\r\n"));
        CHECK_INT(status_of(&s, &many, &closed), over ? 431 : 200);
    }
    server_end(&s);
}

TEST(limits_of_the_body)
{
    struct server s = begin();
    CLEANUP(buf_free) struct buf got = {0};
    bool closed;

    s.options.body_max = 100000;
    server_start(&s);
    for (int over = 0; over < 2; over++) {
        CLEANUP(buf_free) struct buf length = {0}, chunked = {0};
        buf_fmt(&length, "POST /x HTTP/1.1\r\n" H "Content-Length: %d\r\n\r\n", 100000 + over);
        add_times(&length, 'a', 100000 + (size_t)over);
        CHECK_INT(status_of(&s, &length, &closed), over ? 413 : 200);
        buf_str(&chunked, STR("POST /x HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n"));
        for (int i = 0; i < 10; i++) {
            buf_str(&chunked, STR("2710;ext=1\r\n"));
            add_times(&chunked, 'b', 10000);
            buf_str(&chunked, STR("\r\n"));
        }
        buf_str(&chunked, over ? STR("1\r\nx\r\n0\r\n\r\n") : STR("0\r\nTrailer: a\r\n\r\n"));
        CHECK_INT(status_of(&s, &chunked, &closed), over ? 413 : 200);
    }
    /* announced, never sent */
    ASK("POST /x HTTP/1.1\r\n" H "Content-Length: 99999999999\r\n\r\n");
    CHECK(GOT(" 413 ") && GOT("Connection: close"));
    server_end(&s);
}

TEST(chunked_in_pieces)
{
    struct server s = begin();
    CLEANUP(buf_free) struct buf got = {0};
    struct str bytes = STR("POST /c HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n"
                           "3\r\nabc\r\nA;x=\"y\"\r\n0123456789\r\n000\r\nT: v\r\n\r\nGET /next HTTP/1.1\r\n" H "\r\n");

    server_start(&s);
    for (size_t step = 1; step < 8; step += 2) {
        int fd = dial(s.port);
        buf_clear(&got);
        for (size_t i = 0; i < bytes.n; i += step) {
            send_all(fd, str_head(str_from(bytes, i), step));
            usleep(100);
        }
        receive(fd, &got, 2, 2000, NULL);
        CHECK(GOT("POST /c abc0123456789"));
        CHECK(GOT("GET /next "));
        close(fd);
    }
    server_end(&s);
}

/* ---- timeouts ---- */

TEST(timeouts)
{
    struct server s = begin();
    CLEANUP(buf_free) struct buf got = {0};
    int64_t start = now();
    bool closed;
    int fd;

    s.options.header_timeout = 200 * MILLISECOND;
    s.options.body_timeout = 200 * MILLISECOND;
    s.options.idle_timeout = 200 * MILLISECOND;
    server_start(&s);
    ASK("");
    CHECK(closed && got.n == 0); /* nothing sent: nothing said */
    ASK("POST /x HTTP/1.1\r\nHo");
    CHECK(GOT(" 408 "));
    ASK("POST /x HTTP/1.1\r\n" H "Content-Length: 5\r\n\r\nab");
    CHECK(GOT(" 408 "));
    exchange(s.port, STR("GET /x HTTP/1.1\r\n" H "\r\n"), 0, &got, &closed);
    CHECK(closed && GOT(" 200 ")); /* idle */
    CHECK(now() - start < 3 * SECOND);
    /* a byte at a time does not move the deadline */
    fd = dial(s.port);
    buf_clear(&got);
    for (int i = 0; i < 40; i++) {
        send_all(fd, STR("G"));
        usleep(10000);
    }
    receive(fd, &got, 0, 1000, &closed);
    CHECK(closed && GOT(" 408 "));
    close(fd);
    server_end(&s);
}

/* ---- order, keep-alive ---- */

TEST(pipelining_keeps_order)
{
    struct server s = begin();
    CLEANUP(buf_free) struct buf bytes = {0}, got = {0}, want = {0};
    struct str rest;
    int fd;

    server_start(&s);
    for (int i = 0; i < 50; i++) {
        buf_fmt(&bytes, "POST /%s HTTP/1.1\r\n" H "Content-Length: 2\r\n\r\n%02d", i % 5 ? "now" : "later", i);
        buf_fmt(&want, "%s%02d,", i % 5 ? "POST /now " : "", i);
    }
    fd = dial(s.port);
    send_all(fd, buf_view(&bytes));
    receive(fd, &got, 50, 5000, NULL);
    rest = buf_view(&got);
    buf_clear(&bytes);
    while (rest.n) {
        size_t at = str_find(rest, STR("\r\n\r\n")), next;
        struct str body = str_from(rest, at + 4);
        next = str_find(body, STR("HTTP/1.1 "));
        buf_str(&bytes, str_head(body, next));
        buf_char(&bytes, ',');
        rest = next == SIZE_MAX ? (struct str){0} : str_from(body, next);
    }
    CHECK_STR(buf_view(&bytes), buf_text(&want));
    CHECK_INT(s.handled, 50);
    close(fd);
    server_end(&s);
}

TEST(pipelining_beyond_the_output_buffer)
{
    enum { N = 4000 };
    struct server s = begin();
    CLEANUP(buf_free) struct buf bytes = {0}, got = {0};
    ssize_t n;
    int fd;

    server_start(&s);
    /* a large body makes a large buffer, in which requests gather while the first one waits for its answer */
    buf_str(&bytes, STR("POST /later HTTP/1.1\r\n" H "Content-Length: 300000\r\n\r\n"));
    add_times(&bytes, 'b', 300000);
    for (int i = 0; i < N; i++)
        buf_str(&bytes, STR("GET /0123456789012345678901234567890123456789 HTTP/1.1\r\n" H "\r\n"));
    buf_str(&bytes, STR("GET /last HTTP/1.1\r\n" H "Connection: close\r\n\r\n"));
    fd = dial(s.port);
    send_all(fd, buf_view(&bytes)); /* nothing is read until all is sent: the answers pile up at the server */
    while ((n = recv(fd, buf_room(&got, 65536), 65536, 0)) > 0)
        got.n += (size_t)n;
    CHECK_INT(count(buf_view(&got), " 200 OK"), N + 2);
    CHECK(GOT("GET /last"));
    CHECK_INT(s.handled, N + 2);
    close(fd);
    server_end(&s);
}

static void reply_held(struct server *s)
{
    (void)s;
    http_reply(held, 200, NULL, 0, STR("at last"));
    held = NULL;
}

static void nothing(struct server *s)
{
    (void)s;
}

TEST(answer_after_the_peer_has_gone)
{
    struct server s = begin();
    struct linger reset = {1, 0};
    int fd;

    server_start(&s);
    for (int i = 0; i < 3; i++) {
        fd = dial(s.port);
        /* bytes behind the request make the server look at the socket while the request is held */
        send_all(fd, STR("POST /hold HTTP/1.1\r\n" H "Content-Length: 3\r\n\r\nabc"));
        while (s.handled <= i)
            usleep(500);
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
        close(fd);
        usleep(20000);
        if (i < 2)
            server_do(&s, reply_held);
    }
    server_do(&s, nothing);
    held = NULL; /* the third is still unanswered when the server is freed */
    server_end(&s);
}

TEST(half_closed_client_is_answered)
{
    struct server s = begin();
    CLEANUP(buf_free) struct buf got = {0};
    bool closed;
    int fd;

    server_start(&s);
    fd = dial(s.port);
    send_all(fd, STR("POST /later HTTP/1.1\r\n" H "Content-Length: 2\r\n\r\nabGET /n HTTP/1.1\r\n" H "\r\n"));
    shutdown(fd, SHUT_WR);
    receive(fd, &got, 0, 2000, &closed);
    CHECK(closed);
    CHECK_INT(count(buf_view(&got), " 200 OK"), 2);
    CHECK_INT(count(buf_view(&got), "Connection: close"), 1);
    close(fd);
    server_end(&s);
}

/* ---- refusing before the body ---- */

TEST(admission)
{
    struct server s = begin();
    CLEANUP(buf_free) struct buf got = {0};
    bool closed;

    s.admit_status = 429;
    server_start(&s);
    exchange(s.port, STR("POST /x HTTP/1.1\r\n" H "Content-Length: 3\r\n\r\nabcPOST /y HTTP/1.1\r\n" H "\r\n"), 2, &got,
             &closed);
    CHECK_INT(count(buf_view(&got), " 429 "), 2); /* a small body is read away: the connection lives */
    CHECK(GOT("Retry-After: 7\r\n") && !GOT("Connection: close"));
    CHECK_INT(s.handled, 0);
    ASK("POST /x HTTP/1.1\r\n" H "Expect: 100-continue\r\nContent-Length: 3\r\n\r\n");
    CHECK(GOT(" 429 ") && GOT("Connection: close") && !GOT(" 100 "));
    s.admit_status = 503;
    ASK("POST /x HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n");
    CHECK(GOT(" 503 ") && GOT("Connection: close"));
    CHECK_INT(s.admitted, 4);
    server_end(&s);
}

TEST(expect_continue)
{
    struct server s = begin();
    CLEANUP(buf_free) struct buf got = {0};
    bool closed;
    int fd;

    server_start(&s);
    fd = dial(s.port);
    send_all(fd, STR("POST /x HTTP/1.1\r\n" H "Expect: 100-continue\r\nContent-Length: 3\r\n\r\n"));
    receive(fd, &got, 1, 100, NULL);
    CHECK_STR(buf_view(&got), "HTTP/1.1 100 Continue\r\n\r\n");
    CHECK_INT(s.handled, 0);
    send_all(fd, STR("abc"));
    receive(fd, &got, 1, 2000, NULL);
    CHECK(GOT("POST /x abc"));
    close(fd);
    ASK("POST /x HTTP/1.1\r\n" H "Expect: 100-continue\r\nContent-Length: 3\r\n\r\nabc");
    CHECK(!GOT(" 100 ") && GOT("POST /x abc"));
    ASK("POST /x HTTP/1.1\r\n" H "Expect: miracles\r\nContent-Length: 3\r\n\r\nabc");
    CHECK(GOT(" 417 "));
    server_end(&s);
}

/* ---- compressed bodies ---- */

static int post_encoded(struct server *s, const char *encoding, struct str body, struct buf *got)
{
    CLEANUP(buf_free) struct buf request = {0};
    bool closed;

    buf_fmt(&request, "POST /z HTTP/1.1\r\n" H "Content-Encoding: %s\r\nContent-Length: %zu\r\n\r\n", encoding, body.n);
    buf_str(&request, body);
    exchange(s->port, buf_view(&request), 1, got, &closed);
    return got->n > 12 ? atoi(got->p + 9) : 0;
}

TEST(content_encodings)
{
    static const struct {
        enum codec codec;
        const char *name;
    } good[] = {{CODEC_GZIP, "gzip"},
                {CODEC_GZIP, "x-GZip"},
                {CODEC_DEFLATE, "deflate"},
                {CODEC_ZSTD, "zstd"},
                {CODEC_NONE, "identity"}};
    struct server s = begin();
    CLEANUP(buf_free) struct buf got = {0}, zip = {0}, twice = {0};
    struct err e;

    server_start(&s);
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        buf_clear(&zip);
        CHECK(codec_compress(good[i].codec, 0, STR("hello hello hello"), &zip, &e));
        CHECK_INT(post_encoded(&s, good[i].name, buf_view(&zip), &got), 200);
        CHECK(GOT("POST /z hello hello hello"));
    }
    CHECK_INT(post_encoded(&s, "br", STR("abc"), &got), 415);
    CHECK_INT(post_encoded(&s, "gzip, gzip", STR("abc"), &got), 415);
    CHECK_INT(post_encoded(&s, "gzip\r\nContent-Encoding: gzip", STR("abc"), &got), 415);
    CHECK_INT(post_encoded(&s, "gzip", STR("abc"), &got), 400);
    CHECK_INT(post_encoded(&s, "zstd", STR("abc"), &got), 400);
    CHECK_INT(post_encoded(&s, "gzip", STR(""), &got), 200);
    buf_clear(&zip);
    codec_compress(CODEC_GZIP, 0, STR("hello"), &zip, &e);
    CHECK_INT(post_encoded(&s, "gzip", str_head(buf_view(&zip), zip.n - 1), &got), 400);
    buf_char(&zip, 'x');
    CHECK_INT(post_encoded(&s, "gzip", buf_view(&zip), &got), 400);
    /* a bomb, and one within a bomb */
    buf_clear(&zip);
    buf_room(&twice, 50000000);
    memset(twice.p, 'a', 50000000);
    twice.n = 50000000;
    codec_compress(CODEC_GZIP, 9, buf_view(&twice), &zip, &e);
    CHECK_INT(post_encoded(&s, "gzip", buf_view(&zip), &got), 413);
    CHECK(GOT("ratio") && !GOT("Connection: close"));
    buf_clear(&zip);
    codec_compress(CODEC_ZSTD, 0, buf_view(&twice), &zip, &e);
    CHECK_INT(post_encoded(&s, "zstd", buf_view(&zip), &got), 413);
    server_end(&s);
}

/* ---- many connections ---- */

TEST(churn)
{
    struct server s = begin();
    CLEANUP(buf_free) struct buf got = {0};
    bool closed;

    server_start(&s);
    for (int i = 0; i < 1000; i++) {
        exchange(s.port, STR("POST /c HTTP/1.1\r\n" H "Content-Length: 1\r\n\r\nx"), 1, &got, &closed);
        if (!GOT(" 200 OK"))
            break;
    }
    CHECK_INT(s.handled, 1000);
    server_end(&s);
}

static size_t connections;

static void count_connections(struct server *s)
{
    connections = http_server_connections(s->http);
}

TEST(connection_caps)
{
    struct server s = begin();
    CLEANUP(buf_free) struct buf got = {0};
    int fds[6];
    bool closed;

    s.options.connections_per_address = 3;
    server_start(&s);
    for (int i = 0; i < 3; i++)
        fds[i] = dial(s.port);
    usleep(20000);
    ASK("GET /x HTTP/1.1\r\n" H "\r\n");
    CHECK(GOT(" 503 ") && GOT("Retry-After"));
    close(fds[0]);
    usleep(20000);
    ASK("GET /x HTTP/1.1\r\n" H "\r\n");
    CHECK(GOT(" 200 "));
    close(fds[1]);
    close(fds[2]);
    server_end(&s);

    s.options.connections_per_address = 100;
    s.options.connections_max = 4;
    server_start(&s);
    for (int i = 0; i < 6; i++)
        fds[i] = dial(s.port);
    usleep(20000);
    server_do(&s, count_connections);
    CHECK_INT(connections, 4);
    send_all(fds[5], STR("GET /x HTTP/1.1\r\n" H "\r\n"));
    close(fds[0]);
    close(fds[1]);
    buf_clear(&got);
    receive(fds[5], &got, 1, 2000, NULL); /* it waited, and had its turn */
    CHECK(GOT(" 200 "));
    for (int i = 2; i < 6; i++)
        close(fds[i]);
    server_end(&s);
}

TEST(half_requests_delay_nobody)
{
    struct rlimit limit;
    struct server s = begin();
    CLEANUP(buf_free) struct buf got = {0};
    int fds[1000], n = 1000, quick = 0;
    int64_t start;
    bool closed;

    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur < 2100)
        n = (int)limit.rlim_cur / 2 - 50;
    s.options.header_timeout = SECOND;
    server_start(&s);
    for (int i = 0; i < n; i++) {
        fds[i] = dial(s.port);
        send_all(fds[i], STR("POST /x HTTP/1.1\r\nHost: x\r\nX"));
    }
    for (int i = 0; i < 20; i++) {
        start = now();
        ASK("GET /good HTTP/1.1\r\n" H "\r\n");
        CHECK(GOT("GET /good"));
        quick += now() - start < 100 * MILLISECOND;
    }
    CHECK(quick >= 11); /* the median: the machine may be busy with other things */
    usleep(2300000);    /* the answer 408 waits a second for the peer to close */
    server_do(&s, count_connections);
    CHECK_INT(connections, 0);
    for (int i = 0; i < n; i++)
        close(fds[i]);
    server_end(&s);
}

static void reply_large(struct server *s)
{
    CLEANUP(buf_free) struct buf large = {0};

    (void)s;
    add_times(&large, 'a', 16 << 20);
    http_reply(held, 200, NULL, 0, buf_view(&large));
    held = NULL;
}

TEST(a_reader_that_stands_still_is_dropped)
{
    struct server s = begin();
    CLEANUP(buf_free) struct buf got = {0};
    ssize_t n;
    int fd;

    s.options.body_timeout = 300 * MILLISECOND;
    server_start(&s);
    for (int reads = 0; reads < 2; reads++) {
        s.handled = 0;
        buf_clear(&got);
        fd = dial(s.port);
        send_all(fd, STR("GET /hold HTTP/1.1\r\n" H "\r\n"));
        while (!s.handled)
            usleep(500);
        server_do(&s, reply_large);
        if (!reads)
            usleep(800000);
        while (reads && got.n < 16 << 20 && (n = recv(fd, buf_room(&got, 65536), 65536, 0)) > 0)
            got.n += (size_t)n;
        server_do(&s, count_connections);
        CHECK_INT(connections, reads);
        CHECK(!reads || got.n >= 16 << 20);
        close(fd);
    }
    server_end(&s);
}

/* ---- pause, stop, sockets of the file system ---- */

static void pause_on(struct server *s)
{
    http_server_pause(s->http, true);
}

static void pause_off(struct server *s)
{
    http_server_pause(s->http, false);
}

TEST(pause)
{
    struct server s = begin();
    CLEANUP(buf_free) struct buf got = {0};
    int fd;

    server_start(&s);
    fd = dial(s.port);
    send_all(fd, STR("GET /a HTTP/1.1\r\n" H "\r\n"));
    receive(fd, &got, 1, 2000, NULL);
    server_do(&s, pause_on);
    buf_clear(&got);
    send_all(fd, STR("GET /b HTTP/1.1\r\n" H "\r\n"));
    receive(fd, &got, 1, 100, NULL);
    CHECK_INT(got.n, 0);
    server_do(&s, pause_off);
    receive(fd, &got, 1, 2000, NULL);
    CHECK(GOT("GET /b"));
    close(fd);
    server_end(&s);
}

static void stop(struct server *s)
{
    http_server_stop(s->http);
}

TEST(stop_answers_what_was_taken)
{
    struct server s = begin();
    CLEANUP(buf_free) struct buf got = {0}, other = {0};
    int fd, idle, half;
    bool closed;

    server_start(&s);
    fd = dial(s.port);
    idle = dial(s.port);
    half = dial(s.port);
    send_all(half, STR("POST /a HTTP/1.1\r\n" H "Content-Length: 5\r\n\r\nab"));
    send_all(fd, STR("GET /hold HTTP/1.1\r\n" H "\r\nGET /never HTTP/1.1\r\n" H "\r\n"));
    while (!s.handled)
        usleep(500);
    usleep(20000);
    server_do(&s, stop);
    receive(idle, &other, 0, 2000, &closed);
    CHECK(closed && !other.n);
    receive(half, &other, 0, 2000, &closed);
    CHECK(closed && !other.n);
    CHECK_INT(dial(s.port), -1);
    server_do(&s, reply_held);
    receive(fd, &got, 0, 2000, &closed);
    CHECK(closed && GOT("at last") && GOT("Connection: close"));
    CHECK_INT(s.handled, 1);
    close(fd);
    close(idle);
    close(half);
    server_end(&s);
}

TEST(unix_socket)
{
    struct server s = begin(), second = begin();
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    CLEANUP(buf_free) struct buf got = {0};
    char name[64], path[72];
    struct stat st;
    struct err e;
    int fd;

    snprintf(name, sizeof name, "unix:/tmp/weir-test-%d.sock", (int)getpid());
    snprintf(path, sizeof path, "%s", name + 5);
    s.options.listen = second.options.listen = name;
    server_start(&s);
    CHECK_INT(stat(path, &st), 0);
    CHECK_INT(st.st_mode & 0777, 0600);
    CHECK(!http_server_new(s.loop, &second.options, &e) && strstr(e.text, "already"));
    strcpy(at.sun_path, path);
    fd = socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK_INT(connect(fd, (struct sockaddr *)&at, sizeof at), 0);
    send_all(fd, STR("GET /u HTTP/1.1\r\n" H "\r\n"));
    receive(fd, &got, 1, 2000, NULL);
    CHECK(GOT("GET /u "));
    close(fd);
    server_end(&s);
    CHECK(stat(path, &st) < 0);
}

TEST(listening_where_one_cannot)
{
    struct server s = begin(), second = begin();
    struct err e;

    server_start(&s);
    second.options.port = s.port;
    CHECK(!http_server_new(s.loop, &second.options, &e));
    CHECK(strstr(e.text, "cannot listen on 127.0.0.1 port"));
    second.options.listen = "no.such.host.invalid";
    CHECK(!http_server_new(s.loop, &second.options, &e));
    second.options.listen = "unix:/nonexistent/x";
    CHECK(!http_server_new(s.loop, &second.options, &e));
    second.options.listen =
        "unix:/tmp/0123456789012345678901234567890123456789012345678901234567890123456789012345678901234"
        "56789012345678901234567890";
    CHECK(!http_server_new(s.loop, &second.options, &e));
    CHECK(strstr(e.text, "longer than") != NULL);
    second.options.listen = "unix:/tmp"; /* what is there is not ours to remove */
    CHECK(!http_server_new(s.loop, &second.options, &e));
    CHECK(strstr(e.text, "no socket") != NULL);
    server_end(&s);
}

TEST(a_socket_that_was_left_behind)
{
    struct server s = begin();
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    char name[64];
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    snprintf(name, sizeof name, "unix:/tmp/weir-test-left-%d.sock", (int)getpid());
    snprintf(at.sun_path, sizeof at.sun_path, "%s", name + 5);
    unlink(at.sun_path);
    CHECK_INT(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    close(fd); /* nobody listens, the name stays */
    s.options.listen = name;
    server_start(&s);
    fd = socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK_INT(connect(fd, (struct sockaddr *)&at, sizeof at), 0);
    close(fd);
    server_end(&s);
}

TEST(addresses_of_callers)
{
    static const char *const listen[] = {"127.0.0.1", "::", "::1"};

    for (size_t i = 0; i < ARRAY_LEN(listen); i++) {
        struct server s = begin();
        CLEANUP(buf_free) struct buf got = {0};
        struct http_server *probe;
        struct err e;
        bool closed;
        s.loop = loop_new();
        s.options.listen = listen[i];
        probe = http_server_new(s.loop, &s.options, &e);
        if (!probe) {
            fprintf(stderr, "skipped: %s\n", e.text); /* a machine without IPv6 */
            loop_free(s.loop);
            continue;
        }
        http_server_free(probe);
        loop_free(s.loop);
        server_start(&s);
        if (i < 2) {
            ASK("GET /peer HTTP/1.1\r\n" H "\r\n");
            CHECK(GOT("GET /peer 127.0.0.1")); /* also where IPv4 comes in over IPv6 */
        } else {
            struct sockaddr_in6 at = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)s.port)};
            int fd = socket(AF_INET6, SOCK_STREAM, 0);
            at.sin6_addr = in6addr_loopback;
            CHECK_INT(connect(fd, (struct sockaddr *)&at, sizeof at), 0);
            send_all(fd, STR("GET /peer HTTP/1.1\r\n" H "\r\n"));
            receive(fd, &got, 1, 2000, NULL);
            CHECK(GOT("GET /peer ::1"));
            close(fd);
        }
        server_end(&s);
    }
}

/* The callers are another process, so that only the server's side counts against the limit. */
static pid_t call_often(int port, int n)
{
    pid_t child = fork();

    if (child)
        return child;
    while (n-- > 0)
        dial(port);
    pause();
    _exit(0);
}

TEST(connections_leave_descriptors_for_others)
{
    struct rlimit before, limit;
    struct server s = begin();
    int spare[20];
    pid_t child;

    server_start(&s); /* which raises the limit */
    getrlimit(RLIMIT_NOFILE, &before);
    limit = (struct rlimit){150, before.rlim_max};
    setrlimit(RLIMIT_NOFILE, &limit);
    child = call_often(s.port, 120);
    usleep(300000);
    server_do(&s, count_connections);
    CHECK_INT(connections, 150 - 64);
    for (int i = 0; i < 20; i++)
        spare[i] = dup(0);
    CHECK(spare[19] >= 0);
    for (int i = 0; i < 20; i++)
        close(spare[i]);
    setrlimit(RLIMIT_NOFILE, &before);
    usleep(300000);
    server_do(&s, count_connections);
    CHECK_INT(connections, 120); /* the others had only to wait */
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    server_end(&s);
}
