/* SPDX-License-Identifier: Apache-2.0 */
/* Strings of 32 bytes and more, with escapes, beyond ASCII, or at the end of the text. */
#include "event/json_parse.h"
#include "event/json_scan.h"
#include "event/msgpack_put.h"
#include "event/utf8.h"

enum { HEAD = 2 }; /* of most strings that come here */

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The four digits at p, or -1. */
static int32_t hex4(const char *p, const char *end)
{
    int32_t v = 0;

    if (end - p < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        int digit = hex_digit(p[i]);
        if (digit < 0)
            return -1;
        v = v << 4 | digit;
    }
    return v;
}

static char *replace(struct json_reader *r, const char *at, char *w)
{
    if (r->limits->refuse_bad_utf8)
        return json_fail(r, at, "not UTF-8");
    r->replaced++;
    memcpy(w, UTF8_REPLACEMENT, 3);
    return w + 3;
}

/* \uXXXX at p, with the second half of a surrogate pair where there is one. */
static char *unicode(struct json_reader *r, const char *p, char *w)
{
    int32_t high = hex4(p + 2, r->end), low;

    if (high < 0)
        return json_fail(r, p, "\\u wants four hex digits");
    r->p = p + 6;
    if ((high & 0xf800) != 0xd800)
        return w + utf8_encode((uint32_t)high, w);
    if (high < 0xdc00 && r->end - r->p >= 6 && r->p[0] == '\\' && r->p[1] == 'u') {
        low = hex4(r->p + 2, r->end);
        if ((low & ~0x3ff) == 0xdc00) {
            r->p += 6;
            return w + utf8_encode(0x10000 + (uint32_t)((high & 0x3ff) << 10 | (low & 0x3ff)), w);
        }
    }
    return replace(r, p, w);
}

static char *escape(struct json_reader *r, const char *p, char *w)
{
    static const char meaning[256] = {
        ['"'] = '"', ['\\'] = '\\', ['/'] = '/', ['b'] = '\b', ['f'] = '\f', ['n'] = '\n', ['r'] = '\r', ['t'] = '\t'};
    char c;

    if (r->end - p < 2)
        return json_fail(r, r->end, "the string does not end");
    c = meaning[(unsigned char)p[1]];
    if (c) {
        *w = c;
        r->p = p + 2;
        return w + 1;
    }
    return p[1] == 'u' ? unicode(r, p, w) : json_fail(r, p, "no such escape");
}

/* What ended a run of plain characters, and is not the closing quote. */
static char *special(struct json_reader *r, const char *p, char *w)
{
    unsigned n, bad;

    if (*p == '\\')
        return escape(r, p, w);
    if ((unsigned char)*p < 0x20)
        return json_fail(r, p, "a control character in a string");
    /* One after the other, as they come in most scripts; sixteen at most, for which there is room. */
    for (int i = 0; i < 8 && p < r->end && *p & 0x80; i++) {
        n = utf8_sequence(p, r->end, &bad);
        if (n) {
            memcpy(w, p, n);
            w += n;
            p += n;
        } else {
            w = replace(r, p, w);
            if (!w)
                return NULL;
            p += bad;
        }
    }
    r->p = p;
    return w;
}

/* Puts the header in front of n bytes at w + HEAD. */
static char *finish(char *w, size_t n)
{
    char head[8];
    size_t size;

    if (n >= 32 && n <= UINT8_MAX) {
        put_str_head(w, (uint32_t)n);
        return w + HEAD + n;
    }
    size = (size_t)(put_str_head(head, (uint32_t)n) - head);

    if (size != HEAD)
        memmove(w + size, w + HEAD, n);
    memcpy(w, head, size);
    return w + size + n;
}

char *json_string(struct json_reader *r, const char *p, char *w)
{
    char *to = w + HEAD;

    for (;;) {
        size_t left = (size_t)(r->end - p);
        unsigned hit, plain;
        if (to > r->limit) {
            size_t begun = (size_t)(to - w);
            w = json_more(r, w, begun);
            to = w + begun;
        }
        if (left >= SCAN) {
            hit = scan_copy(p, to);
        } else {
            char last[SCAN];
            scan_pad(p, left, last);
            hit = scan_copy(last, to);
        }
        plain = hit ? (unsigned)__builtin_ctz(hit) : SCAN;
        if (plain >= left && left < SCAN)
            return json_fail(r, r->end, "the string does not end");
        p += plain;
        to += plain;
        if (plain == SCAN)
            continue;
        if (*p == '"')
            break;
        to = special(r, p, to);
        if (!to)
            return NULL;
        p = r->p;
    }
    r->p = p + 1;
    return finish(w, (size_t)(to - w) - HEAD);
}
