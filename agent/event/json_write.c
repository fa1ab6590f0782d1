/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "base/cleanup.h"
#include "event/decimal.h"
#include "event/json.h"
#include "event/json_scan.h"
#include "event/msgpack.h"
#include "event/msgpack_head.h"
#include "event/utf8.h"

enum { SLACK = 64 }; /* room behind what is written: a block, an escape, a number, punctuation */

static const char hex[] = "0123456789abcdef";

static char *escape(char *w, unsigned char c)
{
    static const char letters[0x20] = {['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't'};

    *w++ = '\\';
    if (c == '"' || c == '\\') {
        *w++ = (char)c;
    } else if (c < sizeof letters && letters[c]) {
        *w++ = letters[c];
    } else {
        memcpy(w, "u00", 3);
        w[3] = hex[c >> 4];
        w[4] = hex[c & 15];
        w += 5;
    }
    return w;
}

/* What stands at p, which ends a run of plain characters. */
static char *special(char *w, const char **p, const char *end)
{
    unsigned char c = (unsigned char)**p;
    unsigned n, bad;

    if (c < 0x80) {
        (*p)++;
        return escape(w, c);
    }
    n = utf8_sequence(*p, end, &bad);
    memcpy(w, n ? *p : UTF8_REPLACEMENT, n ? n : 3);
    *p += n ? n : bad;
    return w + (n ? n : 3);
}

/* s with its quotes; memory may be read up to `readable`. */
static void string(struct buf *out, struct str s, const char *readable)
{
    const char *p = s.p, *end = p + s.n;
    char *w = buf_room(out, s.n + SLACK);

    *w++ = '"';
    while (p < end) {
        size_t left = (size_t)(end - p);
        char last[SCAN];
        unsigned hit, plain;
        if (readable - p >= SCAN) {
            hit = scan_copy(p, w);
        } else {
            scan_pad(p, left, last); /* readable >= end, so that fewer than 16 are left */
            hit = scan_copy(last, w);
        }
        plain = hit ? (unsigned)__builtin_ctz(hit) : SCAN;
        if (plain >= left) {
            w += left;
            break;
        }
        p += plain;
        w += plain;
        if (plain < SCAN) {
            out->n = (size_t)(special(w, &p, end) - out->p);
            w = buf_room(out, (size_t)(end - p) + SLACK);
        }
    }
    *w++ = '"';
    out->n = (size_t)(w - out->p);
}

static void bytes(struct buf *out, struct str s)
{
    char *w = buf_room(out, s.n * 6 + 2);

    *w++ = '"';
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c < 0x20 || c >= 0x7f || c == '"' || c == '\\')
            w = escape(w, c);
        else
            *w++ = (char)c;
    }
    *w++ = '"';
    out->n = (size_t)(w - out->p);
}

void json_write_str(struct buf *out, struct str s)
{
    string(out, s, s.p + s.n);
}

void json_write_double(struct buf *out, double f)
{
    if (!__builtin_isfinite(f)) {
        buf_str(out, STR("null"));
        return;
    }
    out->n = (size_t)(decimal_double(buf_room(out, DECIMAL_MAX), f) - out->p);
}

/* Anything but a container or a string. */
static void scalar(struct buf *out, const struct value *v)
{
    char *w;

    switch (v->type) {
    case V_INT:
    case V_UINT:
        w = buf_room(out, DECIMAL_MAX);
        w = v->type == V_UINT ? decimal_uint(w, v->u) : decimal_int(w, v->i);
        out->n = (size_t)(w - out->p);
        break;
    case V_FLOAT:
        json_write_double(out, v->f);
        break;
    case V_BOOL:
        buf_str(out, v->b ? STR("true") : STR("false"));
        break;
    case V_BIN:
    case V_EXT:
        bytes(out, value_bytes(v));
        break;
    default:
        buf_str(out, STR("null"));
    }
}

/* JSON's keys are strings: another scalar is its text in quotes, a container its encoded bytes (its text would double
 * its backslashes with each level of nesting). */
static void odd_key(struct buf *out, const struct value *v)
{
    CLEANUP(buf_free) struct buf encoded = {0};

    if (head_container(v->type)) {
        msgpack_value(&encoded, v);
        bytes(out, buf_view(&encoded));
    } else if (v->type == V_BIN || v->type == V_EXT) {
        scalar(out, v);
    } else {
        buf_char(out, '"');
        scalar(out, v);
        buf_char(out, '"');
    }
}

/* The containers around the value that is being written, over raw bytes or over opened members. */
struct level {
    const struct value *next; /* NULL: raw */
    uint64_t left;            /* values that are not complete; in a map keys and values in turn */
    bool map;
};

struct levels {
    struct level few[MSGPACK_DEPTH], *top, *all;
    void *many;
    size_t cap;
};

/* Writes the opening bracket.  True: members follow. */
static bool push(struct levels *l, struct buf *out, const struct value *members, uint32_t n, bool map)
{
    size_t depth = (size_t)(l->top - l->all);

    if (n == 0) {
        buf_str(out, map ? STR("{}") : STR("[]"));
        return false;
    }
    if (depth + 1 == l->cap) { /* a rule may nest deeper than any input */
        l->all = alloc_resize(l->many, l->cap * 2 * sizeof *l->all);
        if (!l->many)
            memcpy(l->all, l->few, sizeof l->few);
        l->many = l->all;
        l->cap *= 2;
    }
    l->top = l->all + depth + 1;
    *l->top = (struct level){members, map ? (uint64_t)n * 2 : n, map};
    buf_char(out, map ? '{' : '[');
    return true;
}

/* Most of what there is: a string of less than 32 plain characters, a number of one or two digits.  NULL: something
 * else. */
static inline char *raw_short(const char **at, const char *end, bool key, char *w)
{
    const char *p = *at;
    unsigned code = (uint8_t)*p++, n = code & 0x1f, hit;

    if ((code & 0xe0) == 0xa0 && end - p >= 2 * SCAN) {
        *w++ = '"';
        hit = scan_copy(p, w);
        if (n >= SCAN)
            hit |= scan_copy(p + SCAN, w + SCAN) << SCAN;
        if (hit & ((1u << n) - 1))
            return NULL;
        w[n] = '"';
        *at = p + n;
        return w + n + 1;
    }
    if (code < 100 && !key) {
        *at = p;
        *w = (char)('0' + code / 10);
        w += code >= 10;
        *w = (char)('0' + code % 10);
        return w + 1;
    }
    return NULL;
}

/* One raw value; *p moves behind it, or to the members of a container, which
 * follow where it is true. */
static bool raw_value(struct levels *l, struct buf *out, const char **p, const char *end, bool key)
{
    struct value v;
    struct head h;

    if (!head_read(*p, (size_t)(end - *p), &h)) {
        buf_str(out, STR("null")); /* bytes that nobody checked */
        *p = end;
        return false;
    }
    if (h.type == V_STR) {
        string(out, (struct str){*p + h.bytes, h.n}, end);
        *p += h.bytes + h.n;
    } else if (head_container(h.type) && !key) {
        *p += h.bytes;
        return push(l, out, NULL, h.n, h.type == V_MAP);
    } else {
        *p += msgpack_read((struct str){*p, (size_t)(end - *p)}, &v);
        if (key)
            odd_key(out, &v);
        else
            scalar(out, &v);
    }
    return false;
}

/* One value of an opened container; raw bytes to walk next come back in *p. */
static bool open_value(struct levels *l, struct buf *out, const struct value *v, const char **p, const char **end,
                       bool key)
{
    if (v->type == V_STR) {
        json_write_str(out, value_bytes(v));
    } else if (key) {
        odd_key(out, v);
    } else if (!head_container(v->type)) {
        scalar(out, v);
    } else if (v->raw) {
        *p = v->p;
        *end = v->p + v->n;
        return raw_value(l, out, p, *end, false);
    } else {
        return push(l, out, v->type == V_MAP ? &v->fields->key : v->items, v->n, v->type == V_MAP);
    }
    return false;
}

/* Behind a value: closes what it completes, and writes what stands in front of the next.  False: all is written. */
static inline bool next(struct levels *l, struct buf *out)
{
    struct level *top = l->top;

    while (--top->left == 0) {
        if (top == l->all)
            return false;
        buf_char(out, top->map ? '}' : ']');
        l->top = --top;
    }
    buf_char(out, top->map && top->left & 1 ? ':' : ',');
    return true;
}

/* Short raw values and what stands between them, with the place of writing in a register.  True: the container is
 * complete; else the value at *at remains to be written. */
static bool raw_shorts(struct level *top, struct buf *out, const char **at, const char *end)
{
    char *w = buf_room(out, SLACK), *limit = out->p + out->cap - SLACK, *behind;
    const char *p = *at;
    uint64_t left = top->left;
    bool map = top->map, complete = false;

    while (p < end) {
        bool key = map && !(left & 1);
        if (w > limit) {
            out->n = (size_t)(w - out->p);
            w = buf_room(out, 2 * SLACK);
            limit = out->p + out->cap - SLACK;
        }
        behind = raw_short(&p, end, key, w);
        if (!behind)
            break;
        w = behind;
        if (left == 1) {
            complete = true;
            break;
        }
        left--;
        *w++ = key ? ':' : ',';
    }
    out->n = (size_t)(w - out->p);
    top->left = left;
    *at = p;
    return complete;
}

void json_write(struct buf *out, const struct value *v)
{
    struct levels l __attribute__((uninitialized));
    const char *p = NULL, *end = NULL;
    bool more;

    l.all = l.top = l.few;
    l.many = NULL;
    l.cap = MSGPACK_DEPTH;
    *l.top = (struct level){v, 1, false};
    do {
        bool key = l.top->map && !(l.top->left & 1), opened = false;
        if (l.top->next) {
            opened = open_value(&l, out, l.top->next++, &p, &end, key);
        } else if (!raw_shorts(l.top, out, &p, end)) {
            opened = raw_value(&l, out, &p, end, l.top->map && !(l.top->left & 1));
        }
        more = opened || next(&l, out);
    } while (more);
    free(l.many);
}
