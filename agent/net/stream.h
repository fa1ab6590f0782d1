/* SPDX-License-Identifier: Apache-2.0 */
/* A TCP connection for a thread that may wait: deadlines on every call, and an owner who may call it off. */
#pragma once
#include "base/err.h"
#include "base/str.h"

#include <sys/uio.h>

struct stream {
    int fd;      /* -1: closed */
    bool broken; /* the peer has closed or reset it (and no deadline has passed) */
};

struct patience {
    int64_t until;               /* of io->monotonic; 0: for ever */
    bool (*stopping)(void *arg); /* asked about every 100 ms; may be NULL */
    void *arg;
};

/* Every address of the host in turn.  source: the local address to bind to, or empty. */
bool stream_open(struct stream *s, struct str host, int port, struct str source, const struct patience *p,
                 struct err *e);
/* More than 0: bytes; 0: the peer has closed; -1: e is set. */
ssize_t stream_recv(struct stream *s, char *p, size_t n, const struct patience *patience, struct err *e);
/* What went out, which may be less than all; 0: nothing yet, for the peer has something to say (or has closed). */
ssize_t stream_send(struct stream *s, const struct iovec *v, int n, const struct patience *patience, struct err *e);
bool stream_stale(const struct stream *s); /* closed by the peer, or it speaks unasked */
void stream_close(struct stream *s);
