/* SPDX-License-Identifier: Apache-2.0 */
#include "tail_line.h"

#include "event/msgpack.h"

#include <stdio.h>

void line_prepare(struct tail *t)
{
    t->arena = feed_arena(t->feed);
    t->extras = (t->path_key.n ? 1 : 0) + (t->offset_key.n ? 1 : 0);
    buf_clear(&t->prefix);
    msgpack_map(&t->prefix, 1 + t->extras);
    msgpack_str(&t->prefix, t->key);
    t->prefix_bytes = t->prefix.n;
}

/* Makes the header of an encoded map count `more` members more. */
static void count_more(struct buf *b, uint32_t more)
{
    struct str members;
    uint32_t n = msgpack_members(buf_view(b), &members) + more;
    struct buf header = {0};
    size_t old = (size_t)(members.p - b->p), rest = b->n - old;

    msgpack_map(&header, n);
    buf_room(b, header.n);
    memmove(b->p + header.n, b->p + old, rest);
    memcpy(b->p, header.p, header.n);
    b->n = header.n + rest;
    buf_free(&header);
}

static void add_extras(struct file *f, uint64_t at, struct buf *out)
{
    struct tail *t = f->t;

    buf_str(out, buf_view(&f->extra));
    if (t->offset_key.n) {
        msgpack_str(out, t->offset_key);
        msgpack_uint(out, at);
    }
}

/* {key: line}, behind the prefix that stays in its place. */
static struct buf *encode_plain(struct tail *t, struct str line)
{
    struct buf *out = &t->prefix;
    char *p;

    out->n = t->prefix_bytes;
    p = buf_room(out, 5 + line.n);
    if (line.n < 32) {
        *p++ = (char)(0xa0 | line.n);
    } else if (line.n < 256) {
        *p++ = (char)0xd9;
        *p++ = (char)line.n;
    } else if (line.n < 65536) {
        *p++ = (char)0xda;
        *p++ = (char)(line.n >> 8);
        *p++ = (char)line.n;
    } else {
        msgpack_str(out, line);
        return out;
    }
    if (line.n)
        memcpy(p, line.p, line.n);
    out->n = (size_t)(p - out->p) + line.n;
    return out;
}

static uint64_t mix(uint64_t x) /* a bijection: Stafford's 13th variant of MurmurHash3's finalizer */
{
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

/* The file's generation has a keyed 128-bit hash, drawn once; no two offsets of it give the same id. */
static struct id line_id(const struct file *f, uint64_t at)
{
    uint64_t lo = mix(f->id_key.lo ^ at);

    return (struct id){f->id_key.hi ^ lo, lo | !(f->id_key.hi ^ lo)};
}

static void push(struct file *f, struct str line, uint64_t at)
{
    struct tail *t = f->t;
    struct buf *body = &t->body;
    struct event ev;

    buf_clear(body);
    ev.time = t->now;
    if (!t->parser || !parser_run(t->parser, line, t->now, body, &ev.time, NULL))
        body = encode_plain(t, line);
    else if (t->extras)
        count_more(body, t->extras);
    if (t->extras)
        add_extras(f, at, body);
    ev.tag = buf_view(&f->tag);
    ev.body = (struct value){.type = V_MAP, .raw = true, .n = (uint32_t)body->n, .p = body->p};
    ev.meta = (struct value){.type = V_MAP, .raw = true, .n = 1, .p = "\x80"};
    ev.id = line_id(f, at);
    ev.arena = t->arena;
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
