/* SPDX-License-Identifier: Apache-2.0 */
/* Personal data in text, found and taken out in linear time.  Pure functions. */
#pragma once
#include "base/buf.h"

/* Every mail address, also with %40 for its @, becomes "[mail]"; returns how many.  Nothing found: out is untouched. */
size_t scan_mail(struct str text, struct buf *out);
/* IPv4 to /24, IPv6 to /48, a port or brackets dropped; false: no address. */
bool scan_truncate_address(struct str text, struct buf *out);
/* A URL or path without user, fragment, and the parameters that carry tokens, passwords or mail addresses. */
void scan_url(struct str url, struct buf *out);
