/* SPDX-License-Identifier: Apache-2.0 */
#include "event/time.h"
#include "event/time_internal.h"

#include <time.h>

const char *const json_date_names[] = {
    "double", "epoch", "epoch_ms|epoch_millis|epoch_milliseconds", "iso8601", "java_sql_timestamp", NULL};

static inline char *put(char *p, int v, int digits)
{
    for (int i = digits; i-- > 0; v /= 10)
        p[i] = (char)('0' + v % 10);
    return p + digits;
}

/* YYYY-MM-DD HH:MM:SS: 19 bytes.  Times of 64 bits lie between 1677 and 2262. */
static char *put_clock(char *p, const struct civil *c, char between)
{
    p = put(p, (int)c->year, 4);
    *p++ = '-';
    p = put(p, c->month, 2);
    *p++ = '-';
    p = put(p, c->day, 2);
    *p++ = between;
    p = put(p, c->hour, 2);
    *p++ = ':';
    p = put(p, c->minute, 2);
    *p++ = ':';
    return put(p, c->second, 2);
}

static char *put_fraction(char *p, int ns, int digits)
{
    static const int scale[] = {1000000000, 100000000, 10000000, 1000000, 100000, 10000, 1000, 100, 10, 1};

    if (digits <= 0)
        return p;
    digits = digits > 9 ? 9 : digits;
    *p++ = '.';
    return put(p, ns / scale[digits], digits);
}

void time_write_rfc3339(struct buf *out, int64_t ns, int digits)
{
    struct civil c;
    char *start = buf_room(out, 32), *p;

    time_civil(ns, &c);
    p = put_fraction(put_clock(start, &c, 'T'), c.ns, digits);
    *p++ = 'Z';
    out->n += (size_t)(p - start);
}

/* Seconds with as many decimals as there are, at least one: exact where a double would round. */
static void write_double(struct buf *out, int64_t ns)
{
    char *start = buf_room(out, 40), *p = start;
    uint64_t all = ns < 0 ? -(uint64_t)ns : (uint64_t)ns;
    char digits[24];
    int n = 0;

    if (ns < 0)
        *p++ = '-';
    for (uint64_t s = all / (uint64_t)SECOND; s || !n; s /= 10)
        digits[n++] = (char)('0' + s % 10);
    while (n)
        *p++ = digits[--n];
    p = put_fraction(p, (int)(all % (uint64_t)SECOND), 9);
    while (p[-1] == '0' && p[-2] != '.')
        p--;
    out->n += (size_t)(p - start);
}

void time_write_json(struct buf *out, int64_t ns, enum json_date format)
{
    struct civil c;
    char *start, *p;

    switch (format) {
    case DATE_DOUBLE:
        write_double(out, ns);
        return;
    case DATE_EPOCH:
        buf_fmt(out, "%lld", (long long)time_floor(ns, SECOND));
        return;
    case DATE_EPOCH_MS:
        buf_fmt(out, "%lld", (long long)time_floor(ns, MILLISECOND));
        return;
    case DATE_ISO8601:
    case DATE_JAVA_SQL:
        break;
    }
    time_civil(ns, &c);
    p = start = buf_room(out, 32);
    *p++ = '"';
    p = put_fraction(put_clock(p, &c, format == DATE_ISO8601 ? 'T' : ' '), c.ns, 6);
    if (format == DATE_ISO8601)
        *p++ = 'Z';
    *p++ = '"';
    out->n += (size_t)(p - start);
}

static void write_number(struct buf *out, int v, int digits)
{
    put(buf_room(out, (size_t)digits), v, digits);
    out->n += (size_t)digits;
}

static void write_seldom(struct buf *out, const struct civil *c, int64_t seconds, char directive)
{
    char format[3] = {'%', directive, 0}, text[64];
    struct tm tm = {0};
    time_t t = (time_t)seconds;

    (void)c;
    gmtime_r(&t, &tm);
    if (strchr("aAbBcCDegGhIjklprRuUVwWxXy", directive))
        buf_add(out, text, strftime(text, sizeof text, format, &tm));
    else
        buf_add(out, format, 2); /* no directive: as it stands */
}

static void write_directive(struct buf *out, const struct civil *c, int64_t seconds, char directive)
{
    char text[20];

    switch (directive) {
    case 'Y':
        return write_number(out, (int)c->year, 4);
    case 'm':
        return write_number(out, c->month, 2);
    case 'd':
        return write_number(out, c->day, 2);
    case 'H':
        return write_number(out, c->hour, 2);
    case 'M':
        return write_number(out, c->minute, 2);
    case 'S':
        return write_number(out, c->second, 2);
    case 'L':
        return write_number(out, c->ns / 1000000, 3);
    case 'N':
        return write_number(out, c->ns, 9);
    case 'F':
        put_clock(text, c, ' ');
        return buf_add(out, text, 10);
    case 'T':
        put_clock(text, c, ' ');
        return buf_add(out, text + 11, 8);
    case 's':
        return buf_fmt(out, "%lld", (long long)seconds);
    case 'z':
        return buf_str(out, STR("+0000"));
    case 'Z':
        return buf_str(out, STR("UTC"));
    case '%':
    case 'n':
    case 't':
        return buf_char(out, directive == '%' ? '%' : directive == 'n' ? '\n' : '\t');
    default:
        write_seldom(out, c, seconds, directive);
    }
}

void time_write(struct buf *out, int64_t ns, struct str format)
{
    struct civil c;

    time_civil(ns, &c);
    for (size_t i = 0; i < format.n; i++) {
        if (format.p[i] != '%' || i + 1 == format.n)
            buf_char(out, format.p[i]);
        else
            write_directive(out, &c, time_floor(ns, SECOND), format.p[++i]);
    }
}
