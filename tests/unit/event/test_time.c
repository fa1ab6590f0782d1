/* SPDX-License-Identifier: Apache-2.0 */
#include "event/time.h"
#include "event/time_internal.h"
#include "test.h"

#include <time.h>

static const int64_t now = 1700000000 * SECOND; /* 2023-11-14T22:13:20Z */

static int64_t parse_full(const char *format, const char *offset, const char *zone, bool strict, const char *text)
{
    struct err e = {0};
    int64_t out = -1;
    struct time_format *f = time_format_new(str_of(format), str_of(offset), str_of(zone), strict, &e);

    if (!f) {
        fprintf(stderr, "%s: %s\n", format, e.text);
        return -2;
    }
    bool ok = time_parse(f, str_of(text), now, &out);
    time_format_free(f);
    return ok ? out : -1;
}

static int64_t parse(const char *format, const char *text)
{
    return parse_full(format, "", "", true, text);
}

static const char *refused(const char *format, const char *offset, const char *zone)
{
    static struct err e;
    struct time_format *f = time_format_new(str_of(format), str_of(offset), str_of(zone), true, &e);

    time_format_free(f);
    return f ? "accepted" : e.text;
}

TEST(usual_formats)
{
    CHECK_INT(parse("%Y-%m-%dT%H:%M:%S.%LZ", "2023-11-14T22:13:20.123456789Z"), now + 123456789);
    CHECK_INT(parse("%d/%b/%Y:%H:%M:%S %z", "14/Nov/2023:23:13:20 +0100"), now);
    CHECK_INT(parse("%Y-%m-%d %H:%M:%S,%L", "2023-11-14 22:13:20,5"), now + 500000000);
    CHECK_INT(parse("%s", "1700000000"), now);
    CHECK_INT(parse("%s.%L", "1700000000.25"), now + 250000000);
    CHECK_INT(parse("%s", "-5"), -5 * SECOND);
    CHECK_INT(parse("%a %b %d %T %Y", "Tue Nov 14 22:13:20 2023"), now);
    CHECK_INT(parse("%A, %d %B %y %I:%M:%S %p", "tuesday, 14 november 23 10:13:20 PM"), now);
    CHECK_INT(parse("%D %R", "11/14/23 22:13"), now - 20 * SECOND);
    CHECK_INT(parse("%F%n%T", "2023-11-14  \t 22:13:20"), now);
    CHECK_INT(parse("%Y %j %H:%M:%S", "2023 318 22:13:20"), now);
    CHECK_INT(parse("%c", "Tue Nov 14 22:13:20 2023"), now);
    CHECK_INT(parse("100%% %s", "100% 1700000000"), now);
    CHECK_INT(parse("%I %p %Y", "12 AM 1970"), 0);
    CHECK_INT(parse("%I %p %Y", "12 pm 1970"), 12 * 3600 * SECOND);
    /* What follows the format is somebody else's. */
    CHECK_INT(parse("%Y-%m-%dT%H:%M:%S.%L", "2023-11-14T22:13:20.000000000Z"), now);
    /* More digits than a nanosecond has. */
    CHECK_INT(parse("%s.%L", "1.1234567899999"), SECOND + 123456789);
}

TEST(mismatches)
{
    CHECK_INT(parse("%Y-%m-%d", "2023-13-01"), -1);
    CHECK_INT(parse("%Y-%m-%d", "2023-02-29"), -1);
    CHECK_INT(parse("%Y-%m-%d", "2024-02-29") / SECOND, 1709164800);
    CHECK_INT(parse("%Y-%m-%d", ""), -1);
    CHECK_INT(parse("%Y-%m-%d", "2023/11/14"), -1);
    CHECK_INT(parse("%H:%M", "24:00"), -1);
    CHECK_INT(parse("%b %d", "Foo 12"), -1);
    CHECK_INT(parse("%b", "Ja"), -1);
    CHECK_INT(parse("%Y %j", "2023 366"), -1);
    CHECK_INT(parse("%s", "99999999999"), -1); /* beyond 64 bits of ns */
    CHECK_INT(parse("%Y", "9999"), -1);
    CHECK_INT(parse("%Y %z", "1970 XYZ"), -1);
    CHECK_INT(parse("%Y %z", "1970 +2460"), -1);
    CHECK_INT(parse("%S.%L", "20."), -1);
}

TEST(not_strict)
{
    CHECK_INT(parse("%Y-%m-%dT%H:%M:%S.%LZ", "2023-11-14T22:13:20Z"), -1);
    CHECK_INT(parse_full("%Y-%m-%dT%H:%M:%S.%LZ", "", "", false, "2023-11-14T22:13:20Z"), now);
    CHECK_INT(parse_full("%Y-%m-%dT%H:%M:%S.%L %z", "", "", false, "2023-11-14T22:13:20.5 nowhere"), now + 500000000);
    CHECK_INT(parse_full("%Y-%m-%dT%H:%M:%S.%LZ", "", "", false, "nonsense"), -1);
}

TEST(offsets)
{
    CHECK_INT(parse("%Y%z", "1970+02:00"), -7200 * SECOND);
    CHECK_INT(parse("%Y%z", "1970-0330"), 12600 * SECOND);
    CHECK_INT(parse("%Y%z", "1970+02"), -7200 * SECOND);
    CHECK_INT(parse("%Y%z", "1970Z"), 0);
    CHECK_INT(parse("%Y %z", "1970 UTC"), 0);
    CHECK_INT(parse("%Y %Z", "1970 GMT"), 0);
    CHECK_INT(parse("%Y %z", "1970 EST"), 5 * 3600 * SECOND);
    CHECK_INT(parse("%Y %z", "1970 pdt"), 7 * 3600 * SECOND);
    CHECK_INT(parse("%Y %z", "1970 CET"), -3600 * SECOND);
    CHECK_INT(parse("%Y %Z", "1970 CEST"), -7200 * SECOND);
    CHECK_INT(parse("%Y %z", "1970 A"), 3600 * SECOND);
    CHECK_INT(parse("%Y %z", "1970 K"), 10 * 3600 * SECOND);
    CHECK_INT(parse("%Y %z", "1970 M"), 12 * 3600 * SECOND);
    CHECK_INT(parse("%Y %z", "1970 N"), -3600 * SECOND);
    CHECK_INT(parse("%Y %z", "1970 Y"), -12 * 3600 * SECOND);
    CHECK_INT(parse("%Y %z", "1970 J"), -1);
    CHECK_INT(parse_full("%Y", "+0200", "", true, "1970"), -7200 * SECOND);
    CHECK_INT(parse_full("%Y", "-0330", "", true, "1970"), 12600 * SECOND);
    CHECK_INT(parse_full("%Y%z", "+0200", "", true, "1970Z"), 0); /* the text knows better */
    CHECK_INT(parse_full("%s", "+0200", "", true, "5"), 5 * SECOND);
}

TEST(zones)
{
    const char *f = "%Y-%m-%d %H:%M:%S";

    CHECK_INT(parse_full(f, "", "Europe/Berlin", true, "2023-11-14 23:13:20"), now);
    CHECK_INT(parse_full(f, "+0900", "Europe/Berlin", true, "2023-11-14 23:13:20"), now); /* the zone wins */
    CHECK_INT(parse_full(f, "", "Europe/Berlin", true, "2023-07-01 02:00:00") / SECOND, 1688169600);
    CHECK_INT(parse_full(f, "", "America/New_York", true, "2023-07-01 00:00:00") / SECOND, 1688184000);
    CHECK_INT(parse_full(f, "", "America/New_York", true, "2090-07-01 00:00:00") / SECOND, 3802564800);
    CHECK_INT(parse_full(f, "", "Asia/Kolkata", true, "2023-01-01 05:30:00") / SECOND, 1672531200);
    CHECK_INT(parse_full(f, "", "UTC", true, "2023-11-14 22:13:20"), now);
    /* 02:30 comes twice on 2023-10-29 (the first is 00:30Z) and not at all on 2023-03-26 (01:30Z). */
    CHECK_INT(parse_full(f, "", "Europe/Berlin", true, "2023-10-29 02:30:00") / SECOND, 1698539400);
    CHECK_INT(parse_full(f, "", "Europe/Berlin", true, "2023-03-26 02:30:00") / SECOND, 1679794200);
    CHECK_INT(parse_full("%Y-%m-%d %H:%M:%S%z", "", "Europe/Berlin", true, "2023-11-14 22:13:20Z"), now);
}

/* Every hour step over a hundred years of some zones, against the C library in a process of its own zone. */
TEST(zones_as_the_c_library)
{
    static const char *const names[] = {"Europe/Dublin",     "America/Sao_Paulo", "Australia/Lord_Howe", "Asia/Tehran",
                                        "Africa/Casablanca", "Antarctica/Troll",  "Pacific/Apia"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct err e = {0};
        struct zone *z = zone_new(str_of(names[i]), &e);
        unsigned wrong = 0;
        CHECK(z);
        setenv("TZ", names[i], 1);
        tzset();
        for (int64_t t = 0; z && t < 4000000000LL; t += 86400 + 3600) {
            struct tm tm;
            time_t tt = t;
            localtime_r(&tt, &tm);
            wrong += zone_offset(z, t) != tm.tm_gmtoff;
            int64_t back = zone_to_utc(z, t + tm.tm_gmtoff);
            wrong += zone_offset(z, back) + back != t + tm.tm_gmtoff;
        }
        CHECK_INT(wrong, 0);
        zone_free(z);
    }
    /* The system's own zone is $TZ, as a name or a rule. */
    setenv("TZ", "Asia/Kolkata", 1);
    CHECK_INT(parse_full("%Y", "", "localtime", true, "1971") / SECOND, 31536000 - 19800);
    setenv("TZ", "XXX-3", 1);
    CHECK_INT(parse_full("%Y", "", "localtime", true, "1971") / SECOND, 31536000 - 10800);
    unsetenv("TZ");
    tzset();
}

TEST(tz_rules)
{
    struct tz_rule r;
    static const char *const bad[] = {"",
                                      "X",
                                      "CET",
                                      "CET-1CEST,M3",
                                      "CET-1CEST,M13.5.0,M1.1.1",
                                      "<A",
                                      "CET-1CEST,J0,J1",
                                      "CET-1CEST,M3.5.0,M10.5.0/3x"};

    CHECK(tz_rule_parse(STR("<-03>3"), &r));
    CHECK_INT(tz_rule_offset(&r, 0), -10800);
    CHECK(tz_rule_parse(STR("IST-1GMT0,M10.5.0,M3.5.0/1"), &r)); /* winter time as the exception */
    CHECK_INT(tz_rule_offset(&r, 1700000000), 0);
    CHECK_INT(tz_rule_offset(&r, 1690000000), 3600);
    CHECK(tz_rule_parse(STR("AAA0BBB,J60,300"), &r));
    CHECK_INT(tz_rule_offset(&r, 1709251200 - 1), 0); /* 2024-03-01, though a leap day lies before */
    CHECK_INT(tz_rule_offset(&r, 1709251200 + 7200), 3600);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK(!tz_rule_parse(str_of(bad[i]), &r));
}

TEST(without_a_year)
{
    CHECK_INT(parse("%b %d %H:%M:%S", "Nov 14 22:13:20"), now);
    CHECK_INT(parse("%b %e %H:%M:%S", "Nov  4 22:13:20"), now - 10 * 86400 * SECOND);
    CHECK_INT(parse("%H:%M:%S", "22:13:20"), now);
    CHECK_INT(parse("%b %d", "Dec 24") / SECOND, 1703376000); /* a month ahead is still this year */
    CHECK_INT(parse("%b %d", "Jan 1") / SECOND, 1672531200);
    struct time_format *f = time_format_new(STR("%b %d %H:%M:%S"), STR(""), STR(""), true, NULL);
    int64_t t = 0, new_year = 1704067200 * SECOND; /* 2024 */
    CHECK(time_parse(f, STR("Dec 31 23:59:59"), new_year + SECOND, &t));
    CHECK_INT(t, new_year - SECOND);
    CHECK(time_parse(f, STR("Jan 01 00:00:01"), new_year - SECOND, &t)); /* a clock that is ahead of ours */
    CHECK_INT(t, new_year + SECOND);
    CHECK(time_parse(f, STR("Feb 29 00:00:00"), 1740000000 * SECOND, &t)); /* 2025 has none: the year before */
    CHECK_INT(t / SECOND, 1709164800);
    time_format_free(f);
}

TEST(mistakes_are_named)
{
    CHECK(strstr(refused("%Q", "", ""), "%Q"));
    CHECK(strstr(refused("%H:%M:%S.%f", "", ""), "`%L`"));
    CHECK(strstr(refused("%Y%", "", ""), "single"));
    CHECK(strstr(refused("", "", ""), "empty"));
    CHECK(strstr(refused("%Y", "2 hours", ""), "+0200"));
    CHECK(strstr(refused("%Y", "", "Europe/Berln"), "did you mean `Europe/Berlin`"));
    CHECK(strstr(refused("%Y", "", "../../etc/passwd"), "no time zone"));
    CHECK(strstr(refused("%Y", "", "/etc/passwd"), "no time zone"));
    CHECK(strstr(refused("%Y", "", "zone.tab"), "damaged"));
    char many[402] = {0};
    memset(many, 'x', 401);
    CHECK(strstr(refused(many, "", ""), "longer"));
}

static const char *written(int64_t ns, enum json_date d)
{
    static struct buf b;

    buf_clear(&b);
    time_write_json(&b, ns, d);
    return buf_text(&b);
}

#define CHECK_TEXT(got, want) CHECK_STR(str_of(got), want)

TEST(json_dates)
{
    const int64_t t = 1448403340123456789;

    CHECK_TEXT(written(t, DATE_DOUBLE), "1448403340.123456789");
    CHECK_TEXT(written(1448403340 * SECOND, DATE_DOUBLE), "1448403340.0");
    CHECK_TEXT(written(1448403340 * SECOND + 500000000, DATE_DOUBLE), "1448403340.5");
    CHECK_TEXT(written(-500000000, DATE_DOUBLE), "-0.5");
    CHECK_TEXT(written(INT64_MIN, DATE_DOUBLE), "-9223372036.854775808");
    CHECK_TEXT(written(t, DATE_EPOCH), "1448403340");
    CHECK_TEXT(written(-1, DATE_EPOCH), "-1");
    CHECK_TEXT(written(t, DATE_EPOCH_MS), "1448403340123");
    CHECK_TEXT(written(t, DATE_ISO8601), "\"2015-11-24T22:15:40.123456Z\"");
    CHECK_TEXT(written(t, DATE_JAVA_SQL), "\"2015-11-24 22:15:40.123456\"");
    CHECK_TEXT(written(INT64_MIN, DATE_ISO8601), "\"1677-09-21T00:12:43.145224Z\"");
    CHECK_TEXT(written(INT64_MAX, DATE_ISO8601), "\"2262-04-11T23:47:16.854775Z\"");
}

TEST(strftime_and_rfc3339)
{
    struct buf b = {0};
    int64_t t = 0;

    time_write(&b, now + 7000001, STR("%Y/%m/%d %H:%M:%S.%L %N %F %T %j %a %s %z %% %Q %y-%U%"));
    CHECK_STR(buf_view(&b),
              "2023/11/14 22:13:20.007 007000001 2023-11-14 22:13:20 318 Tue 1700000000 +0000 % %Q 23-46%");
    buf_clear(&b);
    time_write_rfc3339(&b, now + 678000000, 3);
    CHECK_STR(buf_view(&b), "2023-11-14T22:13:20.678Z");
    buf_clear(&b);
    time_write_rfc3339(&b, now, 0);
    CHECK_STR(buf_view(&b), "2023-11-14T22:13:20Z");
    CHECK(time_read_rfc3339(STR("2023-11-14T22:13:20Z"), &t));
    CHECK_INT(t, now);
    CHECK(time_read_rfc3339(STR("2023-11-15 03:43:20.000000001+05:30"), &t));
    CHECK_INT(t, now + 1);
    static const char *const bad[] = {"",
                                      "2023-11-14T22:13:20",
                                      "2023-11-14T22:13:20.Z",
                                      "2023-02-30T22:13:20Z",
                                      "2023-11-14T22:13:20Zx",
                                      "2023-11-14T25:13:20Z",
                                      "9999-11-14T22:13:20Z",
                                      "2023-11-14T22:13:20+",
                                      "2023-11-14T22:13:20EST"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK(!time_read_rfc3339(str_of(bad[i]), &t));
    for (int64_t v = INT64_MIN + 3 * SECOND; v < INT64_MAX - 400000000 * SECOND; v += 39999999 * SECOND + 123456789) {
        buf_clear(&b);
        time_write_rfc3339(&b, v, 9);
        CHECK(time_read_rfc3339(buf_view(&b), &t) && t == v);
    }
    buf_free(&b);
}

/* The bytes that are read at once, and those beside them that the steps must judge. */
TEST(iso_either_way)
{
    static const struct {
        const char *text;
        int64_t want; /* seconds; -1: refused */
    } cases[] = {
        {"2023-11-14T22:13:20", 1700000000}, {"2023-1-4T2:3:2", 1672797782}, {"2023-11-14T22:13:2x", 1699999982},
        {"2023-11-14 22:13:20", -1},         {"2023-11-14T22:13:61", -1},    {"2023-00-14T22:13:20", -1},
        {"2023-11-31T22:13:20", -1},         {"2023-11-14T22:60:20", -1},    {"2023-11-14T24:13:20", -1},
        {"2023-11-14T22:13:2", 1699999982},  {"2023-11-14T22-13:20", -1},    {"\xb2\x30-11-14T22:13:20", -1},
        {"2023-11-14T22:13:60", 1700000040},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t t = parse("%Y-%m-%dT%H:%M:%S", cases[i].text);
        CHECK_INT(t < 0 ? t : t / SECOND, cases[i].want);
    }
    CHECK_INT(parse("%Y-%m-%d %H:%M:%S", "2023-11-14   22:13:20"), now);
    CHECK_INT(parse("%Y-%m-%d %H:%M:%S", "2023-11-14\t22:13:20"), now);
}
