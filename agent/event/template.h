/* SPDX-License-Identifier: Apache-2.0 */
/* Text with parts of the event in it: `$TAG`, `$TAG[n]`, `$key['sub']`, `$0`..`$9` (captures), `%Y-%m-%d` (strftime of
 * the event's time in UTC, by option).  `$$` is a dollar sign.  A key ends before anything but letters, digits, `_`,
 * `-` and `@`; other keys are written `$['a.b']`. */
#pragma once
#include "event/path.h"

enum { TEMPLATE_TIME = 1, TEMPLATE_TAG = 2 }; /* allow %..., allow $TAG */

struct template;

struct template *template_compile(struct str text, unsigned flags, struct err *e);
void template_free(struct template *t);
bool template_fixed(const struct template *t); /* nothing in it depends on the event */
/* Appends the text; `each` (may be NULL) is given every part that came from data, to encode it.  False: a key is
 * missing, `out` is as it was, and `missing` (may be NULL) names the key. */
bool template_render(const struct template *t, struct event *ev, const struct strs *captures,
                     void (*each)(struct buf *out, struct str data), struct buf *out, struct str *missing);
