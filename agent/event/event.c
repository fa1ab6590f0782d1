/* SPDX-License-Identifier: Apache-2.0 */
#include "event/event.h"

#include "event/json.h"

#include <endian.h>

struct id event_child_id(struct id parent, uint32_t n)
{
    /* Fixed for ever: a child's id must be the same after a restart, or it is counted twice. */
    static const struct id key = {0x77656972206f6620ull, 0x6368696c6472656eull};
    unsigned char text[20];

    parent.hi = htole64(parent.hi);
    parent.lo = htole64(parent.lo);
    n = htole32(n);
    memcpy(text, &parent.hi, 8);
    memcpy(text + 8, &parent.lo, 8);
    memcpy(text + 16, &n, 4);
    return hash_128((struct str){(const char *)text, sizeof text}, &key);
}

void event_write_json(struct buf *out, const struct event *ev, struct str date_key, enum json_date format)
{
    size_t brace;

    if (!date_key.n) {
        json_write(out, &ev->body);
        return;
    }
    buf_char(out, '{');
    json_write_str(out, date_key);
    buf_char(out, ':');
    time_write_json(out, ev->time, format);
    brace = out->n;
    json_write(out, &ev->body);
    if (value_members(&ev->body)) {
        out->p[brace] = ','; /* over the body's opening brace */
    } else {
        out->n = brace;
        buf_char(out, '}');
    }
}
