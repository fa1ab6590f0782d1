/* SPDX-License-Identifier: Apache-2.0 */
#include "event/parser_internal.h"
#include "event/utf8.h"

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
}

/* `digits` hexadecimal ones at p, or -1. */
static int64_t hex_number(const char *p, const char *end, int digits)
{
    int64_t v = 0;

    if (end - p < digits)
        return -1;
    for (int i = 0; i < digits; i++) {
        int d = hex_digit(p[i]);
        if (d < 0)
            return -1;
        v = v * 16 + d;
    }
    return v;
}

static void put_point(struct buf *out, int64_t point)
{
    char text[4];
    bool bad = point > 0x10ffff || (point >= 0xd800 && point < 0xe000);

    buf_add(out, text, utf8_encode(bad ? 0xfffd : (uint32_t)point, text));
}

/* The escapes that escaped_utf8 knows beside the simple ones, at the letter behind the backslash.  Returns how many
 * bytes were taken, 0: none of them. */
static size_t rich(const char *p, const char *end, struct buf *out)
{
    int64_t v, low;

    if (*p == 'u' && (v = hex_number(p + 1, end, 4)) >= 0) {
        if (v >= 0xd800 && v < 0xdc00 && end - p >= 11 && p[5] == '\\' && p[6] == 'u' &&
            (low = hex_number(p + 7, end, 4)) >= 0xdc00 && low < 0xe000) {
            put_point(out, 0x10000 + ((v - 0xd800) << 10) + (low - 0xdc00));
            return 11;
        }
        put_point(out, v);
        return 5;
    }
    if (*p == 'U' && (v = hex_number(p + 1, end, 8)) >= 0) {
        put_point(out, v);
        return 9;
    }
    if (*p == 'x' && (v = hex_number(p + 1, end, 2)) >= 0) {
        buf_char(out, (char)v);
        return 3;
    }
    if (*p >= '0' && *p <= '7') {
        size_t n = 0;
        for (v = 0; n < 3 && p + n < end && p[n] >= '0' && p[n] <= '7' && v < 32; n++)
            v = v * 8 + (p[n] - '0');
        buf_char(out, (char)v);
        return n;
    }
    return 0;
}

static bool simple(enum escaping escaping, char c, struct buf *out)
{
    const char *from = escaping == MYSQL_QUOTED ? "0'\"bnrtZ\\" : "abfnrtv\\/\"'";
    const char to[] = "\a\b\f\n\r\t\v\\/\"'", mysql[] = "\0'\"\b\n\r\t\x1a\\";
    const char *at = c ? strchr(from, c) : NULL;

    if (!at)
        return false;
    buf_char(out, (escaping == MYSQL_QUOTED ? mysql : to)[at - from]);
    return true;
}

void decoder_unescape(enum escaping escaping, struct str text, struct buf *out)
{
    const char *p = text.p, *end = p + text.n;

    if (escaping == MYSQL_QUOTED) {
        if (text.n < 2 || (p[0] != '\'' && p[0] != '"') || end[-1] != p[0]) {
            buf_str(out, text);
            return;
        }
        p++;
        end--;
    }
    while (p < end) {
        const char *slash = memchr(p, '\\', (size_t)(end - p));
        buf_add(out, p, (size_t)((slash ? slash : end) - p));
        if (!slash)
            return;
        p = slash + 1;
        if (p == end) {
            buf_char(out, '\\');
            return;
        }
        size_t n = escaping == ESCAPED_UTF8 ? rich(p, end, out) : 0;
        if (!n && !simple(escaping, *p, out)) {
            buf_char(out, '\\'); /* unknown: as it stands */
            buf_char(out, *p);
        }
        p += n ? n : 1;
    }
}
