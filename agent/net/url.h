/* SPDX-License-Identifier: Apache-2.0 */
/* URLs of outputs (RFC 3986: scheme, host, port, path) and percent coding. */
#pragma once
#include "base/buf.h"
#include "base/err.h"

struct url {
    bool tls;        /* https */
    struct str host; /* without the brackets of an IPv6 address; owned */
    int port;
    struct str path; /* begins with "/"; query included; owned */
};
bool url_parse(struct str text, struct url *out, struct err *e);
void url_free(struct url *u);

/* Everything outside [A-Za-z0-9._=-] becomes %XX; "." and ".." become %2E and %2E%2E, "" becomes "~"; what would be
 * longer than 200 bytes is cut and ends in "~" and a hash of the whole.  The result is one path segment, and two
 * different inputs never give the same one. */
void percent_segment(struct buf *out, struct str data);
bool percent_decode(struct buf *out, struct str text, bool plus_is_space); /* false: a bad escape */
