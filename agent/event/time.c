/* SPDX-License-Identifier: Apache-2.0 */
#include "event/time.h"
#include "event/time_internal.h"
#include "base/alloc.h"
#include "base/cleanup.h"

enum { FORMAT_LIMIT = 200 }; /* steps of one format */

/* A format is compiled to steps: a directive's letter, ' ' for any white space, or a literal. */
struct step {
    char kind; /* 0: literal */
    char c;
};

struct time_format {
    struct zone *zone;
    int32_t offset;
    bool strict;
    bool iso; /* begins with %Y-%m-%dT%H:%M:%S (or a space): 19 bytes that are read at once */
    size_t n;
    struct step steps[FORMAT_LIMIT];
};

static const struct {
    char letter;
    const char *means;
} composites[] = {
    {'T', "%H:%M:%S"}, {'D', "%m/%d/%y"},    {'F', "%Y-%m-%d"}, {'R', "%H:%M"}, {'c', "%a %b %e %H:%M:%S %Y"},
    {'X', "%H:%M:%S"}, {'r', "%I:%M:%S %p"}, {'x', "%m/%d/%y"},
};

static bool step_add(struct time_format *f, char kind, char c, struct err *e)
{
    if (f->n == FORMAT_LIMIT)
        return err_set(e, "the time format is longer than %d steps", FORMAT_LIMIT);
    if (kind != ' ' || !f->n || f->steps[f->n - 1].kind != ' ')
        f->steps[f->n++] = (struct step){kind, c};
    return true;
}

static bool compile(struct time_format *f, struct str format, struct err *e);

static bool compile_directive(struct time_format *f, char c, struct err *e)
{
    for (size_t i = 0; i < ARRAY_LEN(composites); i++)
        if (composites[i].letter == c)
            return compile(f, str_of(composites[i].means), e);
    if (c == '%')
        return step_add(f, 0, '%', e);
    if (c == 'n' || c == 't')
        return step_add(f, ' ', 0, e);
    if (c == 'h')
        c = 'b';
    if (strchr("aAbBCdeHIjklLmMpsSuUVwWyYzZ", c))
        return step_add(f, c, 0, e);
    if (c == 'N' || c == 'f')
        return err_set(e, "the time format has `%%%c`; a fraction of a second is `%%L`", c);
    return err_set(e, "the time format has `%%%c`, which is no directive (a percent sign is `%%%%`)", c);
}

static bool compile(struct time_format *f, struct str format, struct err *e)
{
    for (size_t i = 0; i < format.n; i++) {
        char c = format.p[i];
        if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
            if (!step_add(f, ' ', 0, e))
                return false;
        } else if (c != '%') {
            if (!step_add(f, 0, c, e))
                return false;
        } else {
            i++;
            if (i + 1 < format.n && (format.p[i] == 'E' || format.p[i] == 'O'))
                i++; /* the alternative forms are the usual ones in the C locale */
            if (i >= format.n || !format.p[i])
                return err_set(e, "the time format ends with a single `%%`");
            if (!compile_directive(f, format.p[i], e))
                return false;
        }
    }
    return true;
}

enum { ISO_STEPS = 11, ISO_BYTES = 19 };

static bool begins_iso(const struct time_format *f)
{
    static const char kinds[] = "Y-m-d*H:M:S";

    if (f->n < ISO_STEPS || !(f->steps[5].kind == ' ' || (!f->steps[5].kind && f->steps[5].c == 'T')))
        return false;
    for (int i = 0; i < ISO_STEPS; i++)
        if (i != 5 && (i & 1 ? f->steps[i].kind || f->steps[i].c != kinds[i] : f->steps[i].kind != kinds[i]))
            return false;
    return true;
}

static bool set_zone(struct time_format *f, struct str offset, struct str zone, struct err *e)
{
    const char *p = offset.p;

    if (zone.n)
        return (f->zone = zone_new(zone, e)) != NULL;
    if (offset.n && (!time_read_offset(&p, offset.p + offset.n, &f->offset) || p != offset.p + offset.n))
        return err_set(e, "`" STR_FMT "` is no offset: write it as +0200", STR_ARG(offset));
    return true;
}

struct time_format *time_format_new(struct str format, struct str offset, struct str zone, bool strict, struct err *e)
{
    struct time_format *f = alloc_new(sizeof *f);

    f->strict = strict;
    if (format.n ? compile(f, format, e) && set_zone(f, offset, zone, e) : err_set(e, "the time format is empty")) {
        f->iso = begins_iso(f);
        return f;
    }
    time_format_free(f);
    return NULL;
}

void time_format_free(struct time_format *f)
{
    if (!f)
        return;
    zone_free(f->zone);
    free(f);
}

struct found {
    const char *p, *end;
    int year, month, day, day_of_year; /* 0: not given; a year is `has_year` */
    int hour, minute, second, ns;
    int32_t offset;
    int64_t epoch;
    bool has_year, has_epoch, has_offset, afternoon, half_day;
};

static inline bool is_digit(char c)
{
    return (unsigned char)(c - '0') < 10;
}

static inline bool number(struct found *f, int width, int low, int high, int *out)
{
    const char *p = f->p;
    int v = 0;

    while (p < f->end && width > 0 && is_digit(*p)) {
        v = v * 10 + (*p++ - '0');
        width--;
    }
    if (p == f->p || v < low || v > high)
        return false;
    f->p = p;
    *out = v;
    return true;
}

static inline bool padded(struct found *f, int low, int high, int *out) /* two digits, the first may be a space */
{
    const char *p = f->p;

    if (__builtin_expect(f->end - p >= 2 && is_digit(p[0]) && is_digit(p[1]), 1)) {
        int v = (p[0] - '0') * 10 + (p[1] - '0');
        f->p += 2;
        *out = v;
        return v >= low && v <= high;
    }
    while (f->p < f->end && *f->p == ' ')
        f->p++;
    return number(f, 2, low, high, out);
}

static inline uint32_t three(const char *p)
{
    return ((uint32_t)(uint8_t)p[0] << 16 | (uint32_t)(uint8_t)p[1] << 8 | (uint8_t)p[2]) | 0x202020;
}

/* A name or its first three letters, case folded; the index, or -1. */
static int name(struct found *f, const char *const *names, int n)
{
    size_t left = (size_t)(f->end - f->p);
    uint32_t word = left >= 3 ? three(f->p) : 0;

    for (int i = 0; i < n; i++) {
        if (three(names[i]) != word)
            continue;
        bool longer = left > 3 && (f->p[3] | 32) >= 'a' && (f->p[3] | 32) <= 'z';
        struct str full = longer ? str_of(names[i]) : (struct str){0};
        f->p += longer && str_eq_fold(str_head((struct str){f->p, left}, full.n), full) ? full.n : 3;
        return i;
    }
    return -1;
}

static bool read_fraction(struct found *f)
{
    const char *p = f->p, *first;
    static const int scale[] = {0, 100000000, 10000000, 1000000, 100000, 10000, 1000, 100, 10, 1};
    int v = 0;

    if (p < f->end && (*p == '.' || *p == ','))
        p++;
    for (first = p; p < f->end && p < first + 9 && is_digit(*p); p++)
        v = v * 10 + (*p - '0');
    if (p == first)
        return false;
    f->ns = v * scale[p - first];
    while (p < f->end && is_digit(*p))
        p++;
    f->p = p;
    return true;
}

static bool read_epoch(struct found *f)
{
    const char *p = f->p;
    bool minus = p < f->end && *p == '-';
    int64_t v = 0;

    p += minus;
    const char *first = p;
    for (; p < f->end && p < first + 11 && is_digit(*p); p++)
        v = v * 10 + (*p - '0');
    if (p == first)
        return false;
    f->epoch = minus ? -v : v;
    f->has_epoch = true;
    f->p = p;
    return true;
}

static bool read_half_day(struct found *f)
{
    if (f->end - f->p < 2 || (f->p[1] | 32) != 'm' || ((f->p[0] | 32) != 'a' && (f->p[0] | 32) != 'p'))
        return false;
    f->afternoon = (f->p[0] | 32) == 'p';
    f->half_day = true;
    f->p += 2;
    return true;
}

static bool read_year(struct found *f, char kind)
{
    int v;

    if (!number(f, kind == 'Y' ? 4 : 2, 0, 9999, &v))
        return false;
    if (kind == 'y')
        v += v < 69 ? 2000 : 1900;
    if (kind == 'C')
        v = v * 100 + f->year % 100;
    f->year = v;
    f->has_year = true;
    return true;
}

static bool read_names(struct found *f, char kind)
{
    if (kind == 'a' || kind == 'A')
        return name(f, time_weekdays, 7) >= 0;
    return (f->month = name(f, time_months, 12) + 1) > 0;
}

static bool read_zone(struct found *f)
{
    while (f->p < f->end && *f->p == ' ')
        f->p++;
    return f->has_offset = time_read_offset(&f->p, f->end, &f->offset);
}

static inline bool run_step(struct found *f, char kind)
{
    int ignored;

    switch (kind) {
    case 'Y':
    case 'y':
    case 'C':
        return read_year(f, kind);
    case 'm':
        return padded(f, 1, 12, &f->month);
    case 'd':
    case 'e':
        return padded(f, 1, 31, &f->day);
    case 'H':
    case 'k':
        return padded(f, 0, 23, &f->hour);
    case 'I':
    case 'l':
        return padded(f, 1, 12, &f->hour);
    case 'M':
        return padded(f, 0, 59, &f->minute);
    case 'S':
        return padded(f, 0, 60, &f->second);
    case 'L':
        return read_fraction(f);
    case 'z':
    case 'Z':
        return read_zone(f);
    case 's':
        return read_epoch(f);
    case 'p':
        return read_half_day(f);
    case 'j':
        return number(f, 3, 1, 366, &f->day_of_year);
    case 'u':
    case 'w':
        return number(f, 1, 0, 7, &ignored);
    case 'U':
    case 'V':
    case 'W':
        return number(f, 2, 0, 53, &ignored);
    case ' ':
        while (f->p < f->end && (*f->p == ' ' || (*f->p >= '\t' && *f->p <= '\r')))
            f->p++;
        return true;
    default:
        return read_names(f, kind);
    }
}

static int64_t to_utc(const struct time_format *f, const struct found *w, int64_t local)
{
    if (w->has_offset)
        return local - w->offset;
    return f->zone ? zone_to_utc(f->zone, local) : local - f->offset;
}

/* What the format leaves out is today's.  False: there is no such day. */
static bool complete(const struct time_format *f, const struct found *w, int year, const struct civil *today,
                     int64_t *seconds)
{
    int month = w->month, day = w->day, hour = w->hour;
    int64_t days;

    if (w->half_day)
        hour = hour % 12 + (w->afternoon ? 12 : 0);
    if (w->day_of_year) {
        if (w->day_of_year == 366 && !time_leap(year))
            return false;
        days = time_days(year, 1, 1) + w->day_of_year - 1;
    } else {
        if (!month)
            month = w->has_year ? 1 : today->month;
        if (!day)
            day = w->has_year || w->month ? 1 : today->day;
        if (day > 28 && day > time_month_days(year, month))
            return false;
        days = time_days(year, month, day);
    }
    *seconds = to_utc(f, w, days * 86400 + hour * 3600 + w->minute * 60 + w->second);
    return true;
}

/* Without a year it is this one, unless New Year lies between the line and the clock. */
static bool guess_year(const struct time_format *f, const struct found *w, int64_t now, int64_t *seconds)
{
    const int64_t day = 86400, at = time_floor(now, SECOND);
    struct civil today;
    int64_t other;
    int32_t offset = w->has_offset ? w->offset : f->zone ? zone_offset(f->zone, at) : f->offset;

    time_civil_seconds(at + offset, &today);
    int year = (int)today.year;
    bool ok = complete(f, w, year, &today, seconds);
    if ((!ok || *seconds - at > 180 * day) && complete(f, w, year - 1, &today, &other) && (ok || other <= at))
        return *seconds = other, true;
    if (ok && at - *seconds > 180 * day && complete(f, w, year + 1, &today, &other) && other - at < day)
        *seconds = other;
    return ok;
}

static inline unsigned two(const char *p, unsigned *bad)
{
    unsigned a = (unsigned char)(p[0] - '0'), b = (unsigned char)(p[1] - '0');

    *bad |= (a > 9) | (b > 9);
    return a * 10 + b;
}

/* Only what is beyond doubt; everything else goes through the steps. */
static bool read_iso(struct found *f, char between)
{
    const char *p = f->p;
    unsigned bad = 0;

    if (f->end - p < ISO_BYTES)
        return false;
    unsigned year = two(p, &bad) * 100 + two(p + 2, &bad), month = two(p + 5, &bad), day = two(p + 8, &bad);
    unsigned hour = two(p + 11, &bad), minute = two(p + 14, &bad), second = two(p + 17, &bad);
    bad |= (p[4] != '-') | (p[7] != '-') | (p[10] != between) | (p[13] != ':') | (p[16] != ':');
    bad |= (month - 1 > 11) | (day - 1 > 30) | (hour > 23) | (minute > 59) | (second > 60);
    if (bad)
        return false;
    f->year = (int)year;
    f->month = (int)month;
    f->day = (int)day;
    f->hour = (int)hour;
    f->minute = (int)minute;
    f->second = (int)second;
    f->has_year = true;
    f->p += ISO_BYTES;
    return true;
}

bool time_parse(const struct time_format *f, struct str text, int64_t now, int64_t *out)
{
    struct found w = {.p = text.p, .end = text.p + text.n};
    const struct step *s = f->steps, *end = s + f->n;
    bool fraction = false;
    int64_t seconds;

    if (f->iso && read_iso(&w, s[5].kind ? ' ' : 'T'))
        s += ISO_STEPS;
    for (; s < end; s++) {
        if (!s->kind && w.p < w.end && *w.p == s->c) {
            w.p++;
            continue;
        }
        /* Not strict: what stands before the fraction of a second is enough. */
        fraction |= s->kind == 'L' || (!s->kind && s + 1 < end && s[1].kind == 'L');
        if (s->kind && run_step(&w, s->kind))
            continue;
        if (f->strict || !fraction)
            return false;
        break;
    }
    if (w.has_epoch)
        seconds = w.epoch;
    else if (w.has_year ? !complete(f, &w, w.year, NULL, &seconds) : !guess_year(f, &w, now, &seconds))
        return false;
    if (seconds > INT64_MAX / SECOND - 1 || seconds < INT64_MIN / SECOND + 1)
        return false;
    *out = seconds * SECOND + w.ns;
    return true;
}
