/* SPDX-License-Identifier: Apache-2.0 */
#include "net/http_inside.h"

#include "base/alloc.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <uv.h>

enum { ACCEPT_AT_ONCE = 64, RESERVED = 64 };
static const int64_t sweep_least = 20 * MILLISECOND; /* deadlines are kept this exactly */
static const int64_t starved_pause = 100 * MILLISECOND;

void http_server_defaults(struct http_server_options *o)
{
    *o = (struct http_server_options){
        .listen = "127.0.0.1",
        .backlog = 1024,
        .request_line_max = 8 * 1024,
        .header_max = 16 * 1024,
        .header_count_max = 100,
        .body_max = 8 * 1024 * 1024,
        .inflated_max = 64 * 1024 * 1024,
        .header_timeout = 10 * SECOND,
        .body_timeout = 10 * SECOND,
        .idle_timeout = 60 * SECOND,
        .connections_max = 10000,
        .connections_per_address = 4000, /* a load balancer is one address */
    };
}

int64_t server_now(const struct http_server *s)
{
    return (int64_t)uv_now(loop_uv(s->loop)) * MILLISECOND;
}

/* ---- connections ---- */

/* Of all servers of the process: the log, the files that are tailed and the outputs need descriptors too, and whoever
 * opens connections must not be able to take theirs. */
static _Atomic size_t descriptors;

static size_t descriptors_max(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur == RLIM_INFINITY)
        return SIZE_MAX;
    return limit.rlim_cur > 2 * RESERVED ? (size_t)limit.rlim_cur - RESERVED : (size_t)limit.rlim_cur / 2;
}

/* The soft limit is 1024 on most systems for the sake of programs that use select(). */
static void raise_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static void listen_or_not(struct http_server *s, bool starved)
{
    bool on = !s->paused && !s->stopped && !starved && s->nconns < (size_t)s->options.connections_max;

    if (s->listener.fd >= 0)
        loop_watch(s->loop, &s->listener, on ? LOOP_READ : 0, NULL);
}

static void peer_text(const struct sockaddr_storage *from, char out[INET6_ADDRSTRLEN])
{
    const struct sockaddr_in6 *six = (const void *)from;

    memset(out, 0, INET6_ADDRSTRLEN);
    if (from->ss_family == AF_INET)
        inet_ntop(AF_INET, &((const struct sockaddr_in *)(const void *)from)->sin_addr, out, INET6_ADDRSTRLEN);
    else if (from->ss_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&six->sin6_addr))
        inet_ntop(AF_INET, six->sin6_addr.s6_addr + 12, out, INET6_ADDRSTRLEN);
    else if (from->ss_family == AF_INET6)
        inet_ntop(AF_INET6, &six->sin6_addr, out, INET6_ADDRSTRLEN);
    else
        memcpy(out, "unix", 5);
}

static void take(struct http_server *s, int fd, const struct sockaddr_storage *from)
{
    static const char full[] = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nRetry-After: 1\r\n"
                               "Connection: close\r\n\r\n";
    char peer[INET6_ADDRSTRLEN];
    intptr_t n;
    int on = 1;

    peer_text(from, peer);
    if (from->ss_family != AF_UNIX) {
        n = (intptr_t)map_get(&s->peers, str_of(peer));
        if (n >= s->options.connections_per_address) {
            send(fd, full, sizeof full - 1, MSG_NOSIGNAL);
            close(fd);
            return;
        }
        map_set(&s->peers, str_of(peer), (void *)(n + 1));
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    }
    descriptors++;
    conn_open(s, fd, peer);
}

/* No descriptors: the callers wait in the backlog, and it is looked again soon. */
static void starve(struct http_server *s)
{
    listen_or_not(s, true);
    server_due(s, server_now(s) + starved_pause);
}

static void on_listener(struct watch *w, unsigned events)
{
    struct http_server *s = container_of(w, struct http_server, listener);
    size_t most = descriptors_max();

    (void)events;
    for (int i = 0; i < ACCEPT_AT_ONCE && s->nconns < (size_t)s->options.connections_max; i++) {
        struct sockaddr_storage from = {0};
        socklen_t n = sizeof from;
        int fd;
        if (descriptors >= most) {
            starve(s);
            return;
        }
        fd = accept4(w->fd, (struct sockaddr *)&from, &n, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)) {
            starve(s);
            return;
        }
        if (fd < 0 && errno == EAGAIN)
            return;
        if (fd >= 0)
            take(s, fd, &from);
    }
    listen_or_not(s, false);
}

void server_closed(struct conn *c)
{
    struct http_server *s = c->server;
    struct str peer = str_of(c->peer);
    intptr_t n = (intptr_t)map_get(&s->peers, peer);

    descriptors--;
    if (n > 1)
        map_set(&s->peers, peer, (void *)(n - 1));
    else if (n == 1)
        map_del(&s->peers, peer);
    if (s->nconns-- == (size_t)s->options.connections_max)
        listen_or_not(s, false);
}

/* ---- deadlines: one timer for all connections, set to the earliest ---- */

void server_due(struct http_server *s, int64_t at)
{
    int64_t wait = at - server_now(s);

    if (s->sweep_at && s->sweep_at <= at)
        return;
    s->sweep_at = at;
    loop_timer(s->loop, &s->sweep, wait > sweep_least ? wait : sweep_least);
}

static void on_sweep(struct timer *t)
{
    struct http_server *s = container_of(t, struct http_server, sweep);
    int64_t now = server_now(s), next = 0;

    s->sweep_at = 0;
    listen_or_not(s, false);
    list_each (it, &s->conns) {
        struct conn *c = container_of(it, struct conn, link);
        if (c->deadline && c->deadline <= now)
            conn_expired(c);
        else if (c->deadline && (!next || c->deadline < next))
            next = c->deadline;
    }
    if (next)
        server_due(s, next);
}

/* ---- listening ---- */

static bool listen_unix(struct http_server *s, const char *path, struct err *e)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    struct stat st;
    size_t n = strlen(path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    s->listener.fd = fd;
    if (n >= sizeof at.sun_path)
        return err_set(e, "%s: longer than the %zu bytes of a socket's path", path, sizeof at.sun_path - 1);
    memcpy(at.sun_path, path, n + 1);
    if (fd < 0)
        return err_errno(e, "%s: no socket", path);
    if (lstat(path, &st) == 0) {
        if (!S_ISSOCK(st.st_mode))
            return err_set(e, "%s: there is a file that is no socket", path);
        if (connect(fd, (struct sockaddr *)&at, sizeof at) == 0 || errno != ECONNREFUSED)
            return err_set(e, "%s: somebody listens there already", path);
        unlink(path); /* left behind by a process that is gone */
    }
    /* The mode of the socket before bind is the mode of the file, so that there is no moment at which it is open. */
    if (fchmod(fd, 0600) || bind(fd, (struct sockaddr *)&at, sizeof at) || listen(fd, s->options.backlog))
        return err_errno(e, "cannot listen on unix:%s", path);
    s->unix_path = alloc_text(path, strlen(path));
    return true;
}

static int open_listener(const struct addrinfo *a, int backlog)
{
    int fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), on = 1, off = 0, why;

    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (a->ai_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    if (bind(fd, a->ai_addr, a->ai_addrlen) == 0 && listen(fd, backlog) == 0)
        return fd;
    why = errno;
    close(fd);
    errno = why;
    return -1;
}

static bool listen_tcp(struct http_server *s, struct err *e)
{
    const struct http_server_options *o = &s->options;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV}, *list = NULL;
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } at = {0};
    socklen_t n = sizeof at;
    char service[16];
    int rc;

    snprintf(service, sizeof service, "%d", o->port);
    rc = getaddrinfo(o->listen, service, &hints, &list);
    if (rc)
        return err_set(e, "cannot listen on %s: %s", o->listen, gai_strerror(rc));
    for (struct addrinfo *a = list; a && s->listener.fd < 0; a = a->ai_next)
        s->listener.fd = open_listener(a, o->backlog);
    freeaddrinfo(list);
    if (s->listener.fd < 0)
        return err_errno(e, "cannot listen on %s port %d", o->listen, o->port);
    getsockname(s->listener.fd, &at.any, &n);
    s->port = ntohs(at.any.sa_family == AF_INET6 ? at.v6.sin6_port : at.v4.sin_port);
    return true;
}

struct http_server *http_server_new(struct loop *l, const struct http_server_options *o, struct err *e)
{
    struct http_server *s = alloc_new(sizeof *s);
    bool ok;

    raise_limit();
    s->loop = l;
    s->options = *o;
    s->limits = (struct head_limits){(size_t)o->request_line_max, (size_t)o->header_max, (size_t)o->header_count_max};
    s->listener = (struct watch){-1, on_listener, NULL};
    s->sweep.fire = on_sweep;
    list_init(&s->conns);
    ok = !strncmp(o->listen, "unix:", 5) ? listen_unix(s, o->listen + 5, e) : listen_tcp(s, e);
    s->options.listen = NULL; /* borrowed for this call only */
    if (!ok || !loop_watch(l, &s->listener, LOOP_READ, e)) {
        http_server_free(s);
        return NULL;
    }
    return s;
}

int http_server_port(const struct http_server *s)
{
    return s->port;
}

size_t http_server_connections(const struct http_server *s)
{
    return s->nconns;
}

/* A run may end in the owner's answers to other requests, which close and free connections: not during the walk. */
static void run_all(struct http_server *s)
{
    bool outer = !s->walking;

    s->walking = true;
    for (struct link *it = s->conns.next; it != &s->conns; it = it->next)
        conn_run(container_of(it, struct conn, link));
    if (!outer)
        return;
    s->walking = false;
    list_each (it, &s->conns) {
        struct conn *c = container_of(it, struct conn, link);
        if (c->state == CONN_DEAD) {
            list_remove(it);
            conn_free(c);
        }
    }
}

void http_server_pause(struct http_server *s, bool on)
{
    if (s->paused == on)
        return;
    s->paused = on;
    listen_or_not(s, false);
    run_all(s);
}

static void close_listener(struct http_server *s)
{
    if (s->listener.fd < 0)
        return;
    loop_unwatch(s->loop, &s->listener);
    close(s->listener.fd);
    s->listener.fd = -1;
    if (s->unix_path)
        unlink(s->unix_path);
}

void http_server_stop(struct http_server *s)
{
    s->stopped = true;
    close_listener(s);
    run_all(s);
}

void http_server_free(struct http_server *s)
{
    if (!s)
        return;
    close_listener(s);
    list_each (it, &s->conns) {
        struct conn *c = container_of(it, struct conn, link);
        if (c->state < CONN_GONE) {
            loop_unwatch(s->loop, &c->watch);
            close(c->watch.fd);
            descriptors--;
        }
        conn_free(c);
    }
    loop_cancel(s->loop, &s->sweep);
    while (s->nspares)
        arena_free(s->spares[--s->nspares]);
    map_free(&s->peers);
    free(s->unix_path);
    free(s);
}
