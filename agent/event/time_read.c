/* SPDX-License-Identifier: Apache-2.0 */
#include "event/time.h"
#include "event/time_internal.h"
#include "base/cleanup.h"

const char *const time_months[12] = {"January", "February", "March",     "April",   "May",      "June",
                                     "July",    "August",   "September", "October", "November", "December"};
const char *const time_weekdays[7] = {"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};

int time_month_days(int64_t year, int month)
{
    static const uint8_t days[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    return days[month - 1] + (month == 2 && time_leap(year));
}

void time_civil_seconds(int64_t seconds, struct civil *out)
{
    int64_t days = time_floor(seconds, 86400);
    int rest = (int)(seconds - days * 86400);

    /* The inverse of time_days. */
    int64_t z = days + 719468, era = time_floor(z, 146097);
    unsigned of_era = (unsigned)(z - era * 146097);
    unsigned year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    unsigned of_year = of_era - (365 * year + year / 4 - year / 100);
    unsigned month = (5 * of_year + 2) / 153;

    out->day = (int)(of_year - (153 * month + 2) / 5 + 1);
    out->month = (int)(month < 10 ? month + 3 : month - 9);
    out->year = era * 400 + year + (out->month <= 2);
    out->hour = rest / 3600;
    out->minute = rest / 60 % 60;
    out->second = rest % 60;
    out->ns = 0;
}

void time_civil(int64_t ns, struct civil *out)
{
    int64_t rest = ns % SECOND;

    time_civil_seconds(time_floor(ns, SECOND), out);
    out->ns = (int)(rest < 0 ? rest + SECOND : rest);
}

static const struct {
    const char name[5];
    int16_t minutes;
} zones[] = {
    {"UTC", 0},    {"GMT", 0},    {"UT", 0},     {"EST", -300}, {"EDT", -240},  {"CST", -360},  {"CDT", -300},
    {"MST", -420}, {"MDT", -360}, {"PST", -480}, {"PDT", -420}, {"AKST", -540}, {"AKDT", -480}, {"HST", -600},
    {"AST", -240}, {"ADT", -180}, {"NST", -210}, {"NDT", -150}, {"WET", 0},     {"WEST", 60},   {"BST", 60},
    {"CET", 60},   {"CEST", 120}, {"MEZ", 60},   {"MESZ", 120}, {"EET", 120},   {"EEST", 180},  {"MSK", 180},
    {"SAST", 120}, {"IST", 330},  {"PKT", 300},  {"SGT", 480},  {"HKT", 480},   {"AWST", 480},  {"JST", 540},
    {"KST", 540},  {"ACST", 570}, {"ACDT", 630}, {"AEST", 600}, {"AEDT", 660},  {"NZST", 720},  {"NZDT", 780},
};

static bool read_zone_name(const char **p, const char *end, int32_t *seconds)
{
    size_t n = 0;

    while (*p + n < end && (((*p)[n] | 32) >= 'a' && ((*p)[n] | 32) <= 'z'))
        n++;
    struct str word = {*p, n};
    char c = n == 1 ? (char)((*p)[0] & ~32) : 0;
    *p += n;
    if (n == 1) { /* RFC 822: A is -1, M is -12, N is +1, Y is +12; there is no J */
        int hours = c == 'Z' ? 0 : c <= 'I' ? 'A' - 1 - c : c == 'J' ? 99 : c <= 'M' ? 'A' - c : c - 'M';
        *seconds = hours * 3600;
        return hours != 99;
    }
    for (size_t i = 0; n && i < ARRAY_LEN(zones); i++)
        if (str_eq_fold(word, str_of(zones[i].name))) {
            *seconds = zones[i].minutes * 60;
            return true;
        }
    return false;
}

static int two(const char *p)
{
    unsigned char a = (unsigned char)(p[0] - '0'), b = (unsigned char)(p[1] - '0');

    return a > 9 || b > 9 ? -1 : a * 10 + b;
}

bool time_read_offset(const char **p, const char *end, int32_t *seconds)
{
    const char *q = *p;
    int hours, minutes = 0;

    if (q < end && *q == 'Z' && (q + 1 == end || !(((q[1] | 32) >= 'a' && (q[1] | 32) <= 'z')))) {
        *p = q + 1;
        *seconds = 0;
        return true;
    }
    if (q == end || (*q != '+' && *q != '-'))
        return read_zone_name(p, end, seconds);
    bool minus = *q++ == '-';
    if (end - q < 2 || (hours = two(q)) < 0 || hours > 23)
        return false;
    q += 2;
    bool colon = q < end && *q == ':';
    if (end - q >= 2 + colon && (minutes = two(q + colon)) >= 0)
        q += 2 + colon;
    else if (colon)
        return false;
    else
        minutes = 0;
    if (minutes > 59)
        return false;
    *seconds = (hours * 60 + minutes) * (minus ? -60 : 60);
    *p = q;
    return true;
}

static bool read_clock(const char *p, int *hour, int *minute, int *second)
{
    *hour = two(p);
    *minute = two(p + 3);
    *second = two(p + 6);
    return p[2] == ':' && p[5] == ':' && *hour >= 0 && *hour < 24 && *minute >= 0 && *minute < 60 && *second >= 0 &&
           *second <= 60;
}

bool time_read_rfc3339(struct str text, int64_t *ns)
{
    const char *p = text.p, *end = text.p + text.n;
    int hour, minute, second, fraction = 0;
    int32_t offset;

    if (text.n < 20 || p[4] != '-' || p[7] != '-' || (p[10] != 'T' && p[10] != 't' && p[10] != ' '))
        return false;
    int high = two(p), low = two(p + 2), month = two(p + 5), day = two(p + 8);
    if (high < 0 || low < 0 || month < 1 || month > 12 || day < 1 || day > time_month_days(high * 100 + low, month) ||
        !read_clock(p + 11, &hour, &minute, &second))
        return false;
    p += 19;
    if (*p == '.' || *p == ',') {
        int scale = 100000000;
        const char *first = ++p;
        for (; p < end && *p >= '0' && *p <= '9'; p++) {
            fraction += (*p - '0') * scale;
            scale /= 10;
        }
        if (p == first)
            return false;
    }
    if (p < end && (*p == 'z' || *p == 'Z') && p + 1 == end)
        offset = 0;
    else if (p == end || (*p != '+' && *p != '-') || !time_read_offset(&p, end, &offset) || p != end)
        return false;
    int64_t seconds = time_days(high * 100 + low, month, day) * 86400 + hour * 3600 + minute * 60 + second - offset;
    if (seconds > INT64_MAX / SECOND - 1 || seconds < INT64_MIN / SECOND + 1)
        return false;
    *ns = seconds * SECOND + fraction;
    return true;
}
