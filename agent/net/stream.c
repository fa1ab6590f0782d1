/* SPDX-License-Identifier: Apache-2.0 */
#include "net/stream.h"

#include "base/cleanup.h"
#include "base/io.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>

static const int64_t slice = 100 * MILLISECOND;

/* The events that are there, or -1 with e set. */
static int wait_for(int fd, short events, const struct patience *p, const char *what, struct err *e)
{
    for (;;) {
        struct pollfd wanted = {fd, events, 0};
        int64_t left = p->until ? p->until - io->monotonic() : slice;
        int n;
        if (p->stopping && p->stopping(p->arg))
            return err_set(e, "given up: the agent is stopping"), -1;
        if (left <= 0)
            return err_set(e, "%s took too long", what), -1;
        n = poll(&wanted, 1, (int)(((left < slice ? left : slice) + MILLISECOND - 1) / MILLISECOND));
        if (n > 0)
            return wanted.revents;
        if (n < 0 && errno != EINTR)
            return err_errno(e, "poll"), -1;
    }
}

static bool bind_source(int fd, int family, struct str source, struct err *e)
{
    struct addrinfo hints = {.ai_family = family, .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST}, *list;
    char text[64];
    bool ok;

    if (!source.n)
        return true;
    snprintf(text, sizeof text, STR_FMT, STR_ARG(source));
    if (getaddrinfo(text, NULL, &hints, &list))
        return err_set(e, "the source address %s is of another kind", text);
    ok = bind(fd, list->ai_addr, list->ai_addrlen) == 0;
    freeaddrinfo(list);
    return ok || err_errno(e, "cannot use the source address %s", text);
}

static int connect_one(const struct addrinfo *a, struct str source, const struct patience *p, struct err *e)
{
    CLEANUP(cleanup_fd) int fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int why = 0, on = 1;
    socklen_t n = sizeof why;

    if (fd < 0)
        return err_errno(e, "socket"), -1;
    if (!bind_source(fd, a->ai_family, source, e))
        return -1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(fd, a->ai_addr, a->ai_addrlen) && errno != EINPROGRESS)
        return err_errno(e, "connect"), -1;
    if (wait_for(fd, POLLOUT, p, "connecting", e) < 0)
        return -1;
    getsockopt(fd, SOL_SOCKET, SO_ERROR, &why, &n);
    if (why) {
        errno = why;
        return err_errno(e, "connect"), -1;
    }
    return cleanup_take_fd(&fd);
}

bool stream_open(struct stream *s, struct str host, int port, struct str source, const struct patience *p,
                 struct err *e)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV}, *list;
    char name[256], service[16];
    int rc;

    *s = (struct stream){.fd = -1};
    snprintf(name, sizeof name, STR_FMT, STR_ARG(host));
    snprintf(service, sizeof service, "%d", port);
    rc = getaddrinfo(name, service, &hints, &list);
    if (rc)
        return err_set(e, "cannot find %s: %s", name, gai_strerror(rc));
    for (struct addrinfo *a = list; a && s->fd < 0; a = a->ai_next)
        s->fd = connect_one(a, source, p, e);
    freeaddrinfo(list);
    return s->fd >= 0 || err_wrap(e, "%s port %d", name, port);
}

ssize_t stream_recv(struct stream *s, char *p, size_t n, const struct patience *patience, struct err *e)
{
    for (;;) {
        ssize_t got = recv(s->fd, p, n, 0);
        s->broken |= got == 0 || (got < 0 && errno == ECONNRESET);
        if (got >= 0)
            return got;
        if (errno != EAGAIN && errno != EINTR)
            return err_errno(e, "receiving"), -1;
        if (errno == EAGAIN && wait_for(s->fd, POLLIN, patience, "the answer", e) < 0)
            return -1;
    }
}

ssize_t stream_send(struct stream *s, const struct iovec *v, int n, const struct patience *patience, struct err *e)
{
    struct msghdr m = {.msg_iov = (struct iovec *)(uintptr_t)v, .msg_iovlen = (size_t)n};

    for (;;) {
        ssize_t sent = sendmsg(s->fd, &m, MSG_NOSIGNAL);
        int events;
        if (sent > 0)
            return sent;
        s->broken |= errno == EPIPE || errno == ECONNRESET;
        if (sent < 0 && errno != EAGAIN && errno != EINTR)
            return err_errno(e, "sending"), -1;
        events = wait_for(s->fd, POLLOUT | POLLIN, patience, "sending", e);
        if (events < 0)
            return -1;
        if (events & POLLIN)
            return 0;
    }
}

bool stream_stale(const struct stream *s)
{
    struct pollfd p = {s->fd, POLLIN, 0};

    return poll(&p, 1, 0) != 0;
}

void stream_close(struct stream *s)
{
    if (s->fd >= 0)
        close(s->fd);
    s->fd = -1;
}
