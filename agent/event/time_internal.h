/* SPDX-License-Identifier: Apache-2.0 */
/* The calendar and the time zones behind time.h. */
#pragma once
#include "base/err.h"
#include "base/io.h"
#include "base/str.h"

struct civil {
    int64_t year;
    int month, day, hour, minute, second, ns; /* month and day from 1 */
};

/* Days since 1970-01-01 of the proleptic Gregorian calendar: counting years from March puts the leap day last. */
static inline int64_t time_days(int64_t year, int month, int day)
{
    int64_t y = year - (month <= 2);
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    unsigned of_era = (unsigned)(y - era * 400);
    unsigned of_year = (153u * (unsigned)(month + (month > 2 ? -3 : 9)) + 2) / 5 + (unsigned)day - 1;

    return era * 146097 + (int64_t)(of_era * 365 + of_era / 4 - of_era / 100 + of_year) - 719468;
}

static inline bool time_leap(int64_t year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static inline int64_t time_floor(int64_t a, int64_t b) /* division that rounds down; b > 0 */
{
    return a / b - (a % b < 0);
}

int time_month_days(int64_t year, int month);
void time_civil(int64_t ns, struct civil *out); /* in UTC */
void time_civil_seconds(int64_t seconds, struct civil *out);

extern const char *const time_months[12];  /* January ... */
extern const char *const time_weekdays[7]; /* Sunday ... */

/* A zone of the IANA database, read from its TZif file (RFC 8536); "localtime" is the system's own ($TZ, else
 * /etc/localtime).  Never touches the process's time zone. */
struct zone;
struct zone *zone_new(struct str name, struct err *e);
void zone_free(struct zone *z);
int32_t zone_offset(const struct zone *z, int64_t utc); /* seconds east of UTC, at seconds since the epoch */
/* Local seconds -> seconds since the epoch.  A time that comes twice is the first of both; one that is skipped is read
 * with the offset from before. */
int64_t zone_to_utc(const struct zone *z, int64_t local);

/* A POSIX TZ string ("CET-1CEST,M3.5.0,M10.5.0/3"), which says what holds after a file's last transition. */
struct tz_edge {
    char kind; /* M: day of the week; J: day of the year from 1 without leap day; 0: day of the year from 0 */
    int month, week, day;
    int32_t time;
};
struct tz_rule {
    int32_t standard, daylight; /* seconds east of UTC */
    bool has_daylight;
    struct tz_edge start, end;
};
bool tz_rule_parse(struct str text, struct tz_rule *out);
int32_t tz_rule_offset(const struct tz_rule *r, int64_t utc);

/* `+0200`, `+02:00`, `+02`, `Z`, `UTC`, `EST`, `CET`, a military letter (with the signs of RFC 822).  Moves *p behind
 * it; false: none of these. */
bool time_read_offset(const char **p, const char *end, int32_t *seconds);
