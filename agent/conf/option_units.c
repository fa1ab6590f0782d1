/* SPDX-License-Identifier: Apache-2.0 */
/* Sizes, durations and booleans as they are written in files. */
#include "base/cleanup.h"
#include "base/io.h"
#include "conf/options_internal.h"

#include <inttypes.h>
#include <stdio.h>

struct unit_name {
    const char *name;
    int64_t factor;
};

/* The first unit of a factor is how it is written back. */
static const struct unit_name sizes[] = {
    {"", 1},
    {"B", 1},
    {"k", 1000},
    {"kB", 1000},
    {"M", 1000000},
    {"MB", 1000000},
    {"G", 1000000000},
    {"GB", 1000000000},
    {"T", 1000000000000},
    {"TB", 1000000000000},
    {"KiB", 1 << 10},
    {"MiB", 1 << 20},
    {"GiB", 1 << 30},
    {"TiB", INT64_C(1) << 40},
};
static const struct unit_name durations[] = {
    {"ns", 1},
    {"us", 1000},
    {"ms", MILLISECOND},
    {"s", SECOND},
    {"", SECOND},
    {"m", 60 * SECOND},
    {"h", 3600 * SECOND},
    {"d", 86400 * SECOND},
    {"w", 7 * 86400 * SECOND},
};

/* digits[.digits]unit; at most nine digits behind the point count. */
static bool quantity(struct str text, const struct unit_name *units, size_t n, int64_t *out)
{
    int64_t whole = 0, part = 0, scale = 1;
    size_t i = 0, digits = 0;
    struct str unit;

    for (; i < text.n && text.p[i] >= '0' && text.p[i] <= '9'; i++, digits++)
        if (__builtin_mul_overflow(whole, 10, &whole) || __builtin_add_overflow(whole, text.p[i] - '0', &whole))
            return false;
    if (i < text.n && text.p[i] == '.')
        for (i++; i < text.n && text.p[i] >= '0' && text.p[i] <= '9'; i++, digits++)
            if (scale < 1000000000) {
                part = part * 10 + (text.p[i] - '0');
                scale *= 10;
            }
    unit = str_trim(str_from(text, i));
    for (size_t u = 0; digits && u < n; u++)
        if (str_eq_fold(unit, str_of(units[u].name))) {
            int64_t fraction = (int64_t)((__int128)part * units[u].factor / scale);
            return !__builtin_mul_overflow(whole, units[u].factor, out) && !__builtin_add_overflow(*out, fraction, out);
        }
    return false;
}

bool size_parse(struct str text, int64_t *out)
{
    if (str_eq_fold(text, STR("off"))) { /* storage.total_limit_size off */
        *out = 0;
        return true;
    }
    return quantity(text, sizes, ARRAY_LEN(sizes), out);
}

bool duration_parse(struct str text, int64_t *out)
{
    return quantity(text, durations, ARRAY_LEN(durations), out);
}

/* In the biggest unit that divides it. */
static void write_back(int64_t n, const struct unit_name *units, size_t count, char *out, size_t room)
{
    const struct unit_name *best = &units[0];

    for (size_t u = 0; n && u < count; u++)
        if (units[u].factor > best->factor && n % units[u].factor == 0)
            best = &units[u];
    snprintf(out, room, "%" PRId64 "%s", n / best->factor, best->name);
}

void size_text(int64_t bytes, char *out, size_t n)
{
    write_back(bytes, sizes, ARRAY_LEN(sizes), out, n);
}

void duration_text(int64_t ns, char *out, size_t n)
{
    if (ns)
        write_back(ns, durations, ARRAY_LEN(durations), out, n);
    else
        snprintf(out, n, "0s");
}

bool bool_parse(struct str text, bool *out)
{
    static const char *const yes[] = {"true", "on", "yes", "1"}, *const no[] = {"false", "off", "no", "0"};

    for (size_t i = 0; i < ARRAY_LEN(yes); i++) {
        if (str_eq_fold(text, str_of(yes[i])))
            return *out = true;
        if (str_eq_fold(text, str_of(no[i]))) {
            *out = false;
            return true;
        }
    }
    return false;
}
