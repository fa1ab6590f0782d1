/* SPDX-License-Identifier: Apache-2.0 */
#include "event/time_internal.h"

static bool digits(struct str *s, int *out)
{
    size_t i = 0;

    for (*out = 0; i < s->n && i < 5 && s->p[i] >= '0' && s->p[i] <= '9'; i++)
        *out = *out * 10 + (s->p[i] - '0');
    *s = str_from(*s, i);
    return i > 0;
}

static bool eat(struct str *s, char c)
{
    if (!s->n || s->p[0] != c)
        return false;
    *s = str_from(*s, 1);
    return true;
}

static bool abbreviation(struct str *s)
{
    size_t i = 0;
    bool quoted = eat(s, '<');

    while (i < s->n && (quoted ? s->p[i] != '>' : ((s->p[i] | 32) >= 'a' && (s->p[i] | 32) <= 'z')))
        i++;
    *s = str_from(*s, i);
    return quoted ? eat(s, '>') : i >= 3;
}

static bool hms(struct str *s, int32_t *out) /* [+-]h[:m[:s]] */
{
    int h, m = 0, sec = 0;
    bool minus = eat(s, '-');

    if (!minus)
        eat(s, '+');
    if (!digits(s, &h) || (eat(s, ':') && !digits(s, &m)) || (eat(s, ':') && !digits(s, &sec)) || h > 167 || m > 59 ||
        sec > 59)
        return false;
    *out = h * 3600 + m * 60 + sec;
    if (minus)
        *out = -*out;
    return true;
}

static bool edge(struct str *s, struct tz_edge *out)
{
    *out = (struct tz_edge){.time = 7200};
    if (!eat(s, ','))
        return false;
    if (eat(s, 'M')) {
        out->kind = 'M';
        if (!digits(s, &out->month) || !eat(s, '.') || !digits(s, &out->week) || !eat(s, '.') || !digits(s, &out->day))
            return false;
        if (out->month < 1 || out->month > 12 || out->week < 1 || out->week > 5 || out->day > 6)
            return false;
    } else {
        out->kind = eat(s, 'J') ? 'J' : '0';
        if (!digits(s, &out->day) || out->day > 365 || (out->kind == 'J' && out->day < 1))
            return false;
    }
    return !eat(s, '/') || hms(s, &out->time);
}

bool tz_rule_parse(struct str text, struct tz_rule *out)
{
    struct tz_rule r = {0};
    int32_t west;

    if (!abbreviation(&text) || !hms(&text, &west))
        return false;
    r.standard = -west;
    if (text.n) {
        r.has_daylight = true;
        r.daylight = r.standard + 3600;
        if (!abbreviation(&text))
            return false;
        if (text.n && text.p[0] != ',') {
            if (!hms(&text, &west))
                return false;
            r.daylight = -west;
        }
        if (!text.n)
            text = STR(",M3.2.0,M11.1.0"); /* what the C library takes where no rule is given */
        if (!edge(&text, &r.start) || !edge(&text, &r.end) || text.n)
            return false;
    }
    *out = r;
    return true;
}

/* Seconds since the epoch, as if local time were UTC. */
static int64_t edge_at(const struct tz_edge *e, int64_t year)
{
    int64_t day;

    if (e->kind == 'M') {
        int64_t first = time_days(year, e->month, 1);
        int weekday = (int)((first % 7 + 7 + 4) % 7); /* 1970-01-01 was a Thursday */
        int d = (e->day - weekday + 7) % 7 + 7 * (e->week - 1);
        if (d >= time_month_days(year, e->month)) /* week 5 is the last one */
            d -= 7;
        day = first + d;
    } else if (e->kind == 'J') {
        day = time_days(year, 1, 1) + e->day - 1 + (time_leap(year) && e->day >= 60);
    } else {
        day = time_days(year, 1, 1) + e->day;
    }
    return day * 86400 + e->time;
}

int32_t tz_rule_offset(const struct tz_rule *r, int64_t utc)
{
    struct civil c;

    if (!r->has_daylight)
        return r->standard;
    time_civil_seconds(utc + r->standard, &c);
    int64_t start = edge_at(&r->start, c.year) - r->standard, end = edge_at(&r->end, c.year) - r->daylight;
    bool daylight = start < end ? utc >= start && utc < end : utc >= start || utc < end;
    return daylight ? r->daylight : r->standard;
}
