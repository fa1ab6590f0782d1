/* SPDX-License-Identifier: Apache-2.0 */
/* A server on its own thread, and a client of raw bytes: what the tests of the HTTP server share. */
#pragma once
#include "test.h"

#include "base/cleanup.h"
#include "base/io.h"
#include "net/http_server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

struct server {
    struct loop *loop;
    struct http_server *http;
    struct http_server_options options;
    pthread_t thread;
    int port;
    atomic_int handled, admitted, admit_status;
    struct letter letter;
    void (*run)(struct server *s);
    atomic_bool ran;
};

__attribute__((unused)) static void *server_main(void *arg)
{
    loop_run(((struct server *)arg)->loop);
    return NULL;
}

__attribute__((unused)) static void server_start(struct server *s)
{
    struct err e = {0};

    s->loop = loop_new();
    s->options.arg = s;
    s->http = http_server_new(s->loop, &s->options, &e);
    if (!s->http) {
        fprintf(stderr, "%s\n", e.text);
        exit(2);
    }
    s->port = http_server_port(s->http);
    pthread_create(&s->thread, NULL, server_main, s);
}

__attribute__((unused)) static void server_open(struct letter *m)
{
    struct server *s = container_of(m, struct server, letter);

    s->run(s);
    s->ran = true;
}

/* Runs something on the server's thread and waits for it. */
__attribute__((unused)) static void server_do(struct server *s, void (*run)(struct server *s))
{
    s->run = run;
    s->ran = false;
    s->letter.open = server_open;
    loop_post(s->loop, &s->letter);
    while (!s->ran)
        usleep(200);
}

__attribute__((unused)) static void server_end(struct server *s)
{
    loop_stop(s->loop);
    pthread_join(s->thread, NULL);
    http_server_free(s->http);
    loop_free(s->loop);
}

__attribute__((unused)) static int64_t now(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * SECOND + ts.tv_nsec;
}

__attribute__((unused)) static int dial(int port)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(fd, (struct sockaddr *)&at, sizeof at)) {
        close(fd);
        return -1;
    }
    return fd;
}

__attribute__((unused)) static void send_all(int fd, struct str s)
{
    while (s.n) {
        ssize_t n = send(fd, s.p, s.n, MSG_NOSIGNAL);
        if (n <= 0)
            return;
        s = str_from(s, (size_t)n);
    }
}

/* Reads until `want` answers are there, the peer closes, or the time is over. *closed tells how it ended. */
__attribute__((unused)) static void receive(int fd, struct buf *out, int want, int ms, bool *closed)
{
    int64_t end = now() + ms * MILLISECOND;
    int got = 0;

    if (closed)
        *closed = false;
    while (got < want || want == 0) {
        struct pollfd p = {fd, POLLIN, 0};
        int64_t left = (end - now()) / MILLISECOND;
        ssize_t n;
        if (left < 0 || poll(&p, 1, (int)left) <= 0)
            return;
        n = recv(fd, buf_room(out, 65536), 65536, 0);
        if (n <= 0) {
            if (closed)
                *closed = true;
            return;
        }
        out->n += (size_t)n;
        got = 0;
        for (struct str rest = buf_view(out); rest.n;) {
            size_t at = str_find(rest, STR("HTTP/1.1 "));
            if (at == SIZE_MAX)
                break;
            rest = str_from(rest, at + 9);
            got += rest.n && rest.p[0] != '1' && str_find(rest, STR("\r\n\r\n")) != SIZE_MAX;
        }
    }
}

__attribute__((unused)) static int count(struct str text, const char *needle)
{
    int n = 0;

    for (size_t at; (at = str_find(text, str_of(needle))) != SIZE_MAX; n++)
        text = str_from(text, at + strlen(needle));
    return n;
}

/* One exchange on a connection of its own; everything that came until the peer closed or 1 s passed. */
__attribute__((unused)) static void exchange(int port, struct str request, int want, struct buf *out, bool *closed)
{
    int fd = dial(port);

    buf_clear(out);
    send_all(fd, request);
    receive(fd, out, want, 3000, closed);
    close(fd);
}
