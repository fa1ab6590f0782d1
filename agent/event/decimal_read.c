/* SPDX-License-Identifier: Apache-2.0 */
#include "event/decimal.h"

#include <stdio.h>
#include <stdlib.h>

/* More digits than can decide how a double rounds (767); of those behind them it only matters whether any is not 0. */
enum { DIGITS = 800, EXPONENT = 100000 };

static double power_of_two(int exponent)
{
    uint64_t bits = (uint64_t)(1023 + exponent) << 52;
    double f;

    memcpy(&f, &bits, sizeof f);
    return f;
}

/* digits / 10^places in 128 bits: 63 bits of the quotient and whether anything is left are all that rounding asks. */
static double divided(uint64_t digits, unsigned places)
{
    int up = __builtin_clzll(digits), up_divisor = __builtin_clzll(decimal_tens[places]);
    unsigned __int128 n = (unsigned __int128)(digits << up) << 63;
    uint64_t divisor = decimal_tens[places] << up_divisor, quotient = (uint64_t)(n / divisor);

    quotient |= (unsigned __int128)quotient * divisor != n;
    return (double)quotient * power_of_two(up_divisor - up - 63);
}

static double multiplied(uint64_t digits, unsigned places)
{
    unsigned __int128 n = (unsigned __int128)digits * decimal_tens[places];
    uint64_t high = (uint64_t)(n >> 64);
    int over;

    if (!high)
        return (double)(uint64_t)n;
    over = 64 - __builtin_clzll(high);
    high = (uint64_t)(n >> over) | ((n & (((unsigned __int128)1 << over) - 1)) != 0);
    return (double)high * power_of_two(over);
}

bool decimal_fast(uint64_t digits, int64_t exponent, double *out)
{
    static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                    1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

    /* Both exact, so that the one operation rounds once (Clinger 1990). */
    if (digits <= 1ull << 53 && exponent >= -22 && exponent <= 22) {
        *out = exponent < 0 ? (double)digits / powers[-exponent] : (double)digits * powers[exponent];
        return true;
    }
    if (exponent < -19 || exponent > 19 || !digits)
        return false;
    *out = exponent < 0 ? divided(digits, (unsigned)-exponent) : multiplied(digits, (unsigned)exponent);
    return true;
}

/* The bounded copy has no point in it, so that the locale does not matter. */
double decimal_slow(struct str text)
{
    char copy[DIGITS + 32];
    int64_t exponent = 0, written = 0;
    size_t n = 0, i = 0;
    bool point = false, more = false;

    for (; i < text.n && (text.p[i] | 0x20) != 'e'; i++) {
        char c = text.p[i];
        if (c == '.') {
            point = true;
            continue;
        }
        exponent -= point;
        if (n == 0 && c == '0')
            continue;
        if (n < DIGITS) {
            copy[n++] = c;
        } else {
            exponent++;
            more |= c != '0';
        }
    }
    if (n == 0)
        return 0.0;
    if (more) {
        copy[n++] = '1';
        exponent--;
    }
    if (i < text.n) {
        bool negative = text.p[++i] == '-';
        i += text.p[i] == '-' || text.p[i] == '+';
        for (; i < text.n; i++)
            if (written < EXPONENT * INT64_C(100000))
                written = written * 10 + (text.p[i] - '0');
        exponent += negative ? -written : written;
    }
    if (exponent > EXPONENT)
        exponent = EXPONENT;
    if (exponent < -EXPONENT)
        exponent = -EXPONENT;
    snprintf(copy + n, sizeof copy - n, "e%d", (int)exponent);
    return strtod(copy, NULL);
}
