/* SPDX-License-Identifier: Apache-2.0 */
#include "text.h"

#include "event/json.h"
#include "event/msgpack.h"

#include <stdio.h>

#define NANO INT64_C(1000000000)

/* One open container: what of it is still to come.  An explicit stack: the depth is the sender's choice. */
struct level {
    struct str rest;           /* raw members */
    const struct value *items; /* or opened ones: an array's, or a map's keys and values in turn */
    uint32_t left, step;       /* members (keys and values each) to come, and done */
    bool map;
};

/* Printable ASCII and what is not ASCII stays; the rest is escaped, so that no event moves a terminal. */
static void put_str(struct buf *out, struct str s)
{
    buf_char(out, '"');
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        switch (c) {
        case '"':
        case '\\':
            buf_char(out, '\\');
            buf_char(out, (char)c);
            break;
        case '\n':
            buf_add(out, "\\n", 2);
            break;
        case '\r':
            buf_add(out, "\\r", 2);
            break;
        case '\t':
            buf_add(out, "\\t", 2);
            break;
        default:
            if (c < 0x20 || c == 0x7f)
                buf_fmt(out, "\\x%02x", c);
            else
                buf_char(out, (char)c);
        }
    }
    buf_char(out, '"');
}

static void put_scalar(struct buf *out, const struct value *v)
{
    switch (v->type) {
    case V_NIL:
        buf_add(out, "nil", 3);
        break;
    case V_BOOL:
        buf_add(out, v->b ? "true" : "false", v->b ? 4 : 5);
        break;
    case V_INT:
        buf_fmt(out, "%lld", (long long)v->i);
        break;
    case V_UINT:
        buf_fmt(out, "%llu", (unsigned long long)v->u);
        break;
    case V_FLOAT:
        json_write_double(out, v->f);
        break;
    case V_EXT:
        buf_fmt(out, "(ext: %d)", v->ext);
        put_str(out, value_bytes(v));
        break;
    default:
        put_str(out, value_bytes(v));
    }
}

static struct level open_level(const struct value *v)
{
    struct level l = {.map = v->type == V_MAP};

    if (v->raw)
        l.left = msgpack_members(value_bytes(v), &l.rest);
    else
        l.left = v->n, l.items = v->items;
    if (l.map)
        l.left *= 2;
    return l;
}

static struct value next_member(struct level *l)
{
    struct value v = value_nil();

    if (l->items)
        v = l->items[l->step];
    else
        l->rest = str_from(l->rest, msgpack_read(l->rest, &v));
    l->step++;
    return v;
}

void text_value(struct buf *out, const struct value *v)
{
    struct level stack[MSGPACK_DEPTH + 1];
    unsigned depth = 0;
    struct value now = *v;

    for (;;) {
        bool container = now.type == V_MAP || now.type == V_ARRAY;
        if (container && depth <= MSGPACK_DEPTH) {
            stack[depth++] = open_level(&now);
            buf_char(out, now.type == V_MAP ? '{' : '[');
        } else if (container) {
            buf_add(out, "...", 3);
        } else {
            put_scalar(out, &now);
        }
        while (depth && stack[depth - 1].step == stack[depth - 1].left)
            buf_char(out, stack[--depth].map ? '}' : ']');
        if (!depth)
            return;
        struct level *l = &stack[depth - 1];
        if (l->map && l->step % 2)
            buf_add(out, "=>", 2);
        else if (l->step)
            buf_add(out, ", ", 2);
        now = next_member(l);
    }
}

static void put_tag(struct buf *out, struct str tag)
{
    for (size_t i = 0; i < tag.n; i++) {
        unsigned char c = (unsigned char)tag.p[i];
        if (c < 0x20 || c == 0x7f)
            buf_fmt(out, "\\x%02x", c);
        else
            buf_char(out, (char)c);
    }
}

void text_write(struct buf *out, uint32_t number, struct event *ev)
{
    int64_t sec = ev->time / NANO, frac = ev->time % NANO;

    if (frac < 0) {
        frac += NANO;
        sec--;
    }
    buf_fmt(out, "[%u] ", number);
    put_tag(out, ev->tag);
    buf_fmt(out, ": [[%lld.%09lld, ", (long long)sec, (long long)frac);
    text_value(out, &ev->meta);
    buf_add(out, "], ", 3);
    text_value(out, &ev->body);
    buf_add(out, "]\n", 2);
}
