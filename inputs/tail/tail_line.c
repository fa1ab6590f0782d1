/* SPDX-License-Identifier: Apache-2.0 */
#include "tail_line.h"

#include "event/msgpack.h"

#include <stdio.h>

/* How many pairs follow what the line itself gave. */
static uint32_t extras(const struct tail *t)
{
    return (t->path_key.n ? 1 : 0) + (t->offset_key.n ? 1 : 0);
}

void line_prepare(struct tail *t)
{
    buf_clear(&t->prefix);
    msgpack_map(&t->prefix, 1 + extras(t));
    msgpack_str(&t->prefix, t->key);
}

/* Makes the header of the map that begins at `at` count `more` members more. */
static void count_more(struct buf *b, size_t at, uint32_t more)
{
    struct str map = {b->p + at, b->n - at}, members;
    uint32_t n = msgpack_members(map, &members) + more;
    struct buf header = {0};
    size_t old = (size_t)(members.p - map.p), rest = map.n - old;

    msgpack_map(&header, n);
    if (header.n > old)
        buf_room(b, header.n - old);
    memmove(b->p + at + header.n, b->p + at + old, rest);
    memcpy(b->p + at, header.p, header.n);
    b->n = at + header.n + rest;
    buf_free(&header);
}

static void add_extras(struct file *f, uint64_t at)
{
    struct tail *t = f->t;

    buf_str(&t->body, buf_view(&f->extra));
    if (t->offset_key.n) {
        msgpack_str(&t->body, t->offset_key);
        msgpack_uint(&t->body, at);
    }
}

static void push(struct file *f, struct str line, uint64_t at)
{
    struct tail *t = f->t;
    struct event ev = {.time = t->now, .tag = buf_view(&f->tag), .arena = feed_arena(t->feed)};

    buf_clear(&t->body);
    if (t->parser && parser_run(t->parser, line, t->now, &t->body, &ev.time, NULL)) {
        if (extras(t))
            count_more(&t->body, 0, extras(t));
    } else {
        buf_str(&t->body, buf_view(&t->prefix));
        msgpack_str(&t->body, line);
    }
    if (extras(t))
        add_extras(f, at);
    ev.body = value_raw(buf_view(&t->body));
    ev.meta = value_raw(STR("\x80"));
    ev.id = hash_128((struct str){(const char *)&at, sizeof at}, &f->id_key);
    feed_push(t->feed, &ev, false);
}

static void too_long(struct file *f, struct str line, uint64_t at)
{
    struct tail *t = f->t;
    char text[96];

    metric_add(t->long_lines, 1);
    if (t->truncate_long_lines) {
        push(f, str_head(line, (size_t)t->buffer_max_size), at);
        return;
    }
    if (t->skip_long_lines) {
        metric_add(t->skipped, 1);
        log_warn("tail: long line skipped", "input", t->base.name, "path", f->path, "offset", log_num((long long)at));
        return;
    }
    snprintf(text, sizeof text, "a line is longer than buffer_max_size, %lld bytes", (long long)t->buffer_max_size);
    log_warn("tail: long line quarantined", "input", t->base.name, "path", f->path, "offset", log_num((long long)at));
    feed_reject(t->feed, str_head(line, REJECT_BYTES), "Line-Too-Long", text);
}

/* A line without its newline; `at` is where it begins in the file. */
static void line(struct file *f, struct str s, uint64_t at)
{
    struct tail *t = f->t;

    if (s.n && s.p[s.n - 1] == '\r')
        s.n--;
    if (!s.n && t->skip_empty_lines)
        return;
    if (s.n > (size_t)t->buffer_max_size)
        too_long(f, s, at);
    else
        push(f, s, at);
}

/* Zeros in front of a line are what a writer leaves who was truncated and goes on at its old offset. */
static size_t zeros(const char *p, size_t n)
{
    size_t i = 0;

    while (i < n && !p[i])
        i++;
    return i;
}

static size_t rest_of(struct file *f, const char *p, size_t n, bool final)
{
    size_t limit = (size_t)f->t->buffer_max_size;

    if (f->skipping) {
        f->skipping = !final;
        f->offset += n;
        return 0;
    }
    if (final && n) {
        line(f, (struct str){p, n}, f->offset);
        f->offset += n;
        return 0;
    }
    if (n <= limit + 1) /* one more for a carriage return */
        return n;
    too_long(f, (struct str){p, n}, f->offset);
    f->skipping = true;
    f->offset += n;
    return 0;
}

size_t line_push(struct file *f, const char *p, size_t n, bool final)
{
    const char *end = p + n, *nl;
    uint64_t base = f->offset - (uint64_t)(uintptr_t)p; /* the offset of the byte at q is base + q */

    while (p < end) {
        if (!*p && !f->skipping)
            p += zeros(p, (size_t)(end - p));
        nl = p < end ? memchr(p, '\n', (size_t)(end - p)) : NULL;
        if (!nl)
            break;
        if (f->skipping)
            f->skipping = false;
        else
            line(f, (struct str){p, (size_t)(nl - p)}, base + (uint64_t)(uintptr_t)p);
        p = nl + 1;
    }
    f->offset = base + (uint64_t)(uintptr_t)p;
    return rest_of(f, p, (size_t)(end - p), final);
}
