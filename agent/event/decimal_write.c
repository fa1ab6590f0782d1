/* SPDX-License-Identifier: Apache-2.0 */
#include "event/decimal.h"

#include <stdio.h>
#include <stdlib.h>

static const char pairs[] =
    "00010203040506070809101112131415161718192021222324252627282930313233343536373839404142434445"
    "46474849505152535455565758596061626364656667686970717273747576777879808182838485868788899091"
    "9293949596979899";

const uint64_t decimal_tens[20] = {
    1ull,
    10ull,
    100ull,
    1000ull,
    10000ull,
    100000ull,
    1000000ull,
    10000000ull,
    100000000ull,
    1000000000ull,
    10000000000ull,
    100000000000ull,
    1000000000000ull,
    10000000000000ull,
    100000000000000ull,
    1000000000000000ull,
    10000000000000000ull,
    100000000000000000ull,
    1000000000000000000ull,
    10000000000000000000ull,
};

static unsigned count_digits(uint64_t u)
{
    unsigned about = ((64 - (unsigned)__builtin_clzll(u | 1)) * 1233) >> 12;

    return about + (u >= decimal_tens[about] || about == 0);
}

static void digits(char *w, uint64_t u, unsigned n)
{
    while (n >= 2) {
        n -= 2;
        memcpy(w + n, pairs + u % 100 * 2, 2);
        u /= 100;
    }
    if (n)
        *w = (char)('0' + u % 10);
}

char *decimal_uint(char *w, uint64_t u)
{
    unsigned n = count_digits(u);

    digits(w, u, n);
    return w + n;
}

char *decimal_int(char *w, int64_t i)
{
    if (i >= 0)
        return decimal_uint(w, (uint64_t)i);
    *w = '-';
    return decimal_uint(w + 1, 0 - (uint64_t)i);
}

/* w / 10^places, places >= 1 */
static char *pointed(char *out, uint64_t w, unsigned places)
{
    unsigned n = count_digits(w);

    if (places >= n) {
        *out++ = '0';
        *out++ = '.';
        memset(out, '0', places - n);
        digits(out + places - n, w, n);
        return out + places;
    }
    digits(out, w, n);
    out += n - places;
    memmove(out + 1, out, places);
    *out = '.';
    return out + 1 + places;
}

/* Few decimals, as prices and durations have: up to 15 digits name one double each, and the division is exact enough by
 * IEEE 754 to prove that it is this one. */
static unsigned few_places(double f, uint64_t *w)
{
    static const double powers[] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6};

    for (unsigned places = 1; places <= 6; places++) {
        double scaled = f * powers[places] + 0.5;
        if (scaled >= 1e15)
            return 0;
        *w = (uint64_t)scaled;
        if ((double)*w / powers[places] == f)
            return places;
    }
    return 0;
}

/* f = mantissa * 2^exponent with exponent2 = floor(log2 f), 2^-16 <= f < 2^53, f not whole.  Every decimal between the
 * midpoints to its neighbours reads back as f; in 128 bits all of it is exact.  Drops digits as long as a decimal stays
 * between, then takes the one nearest to f. */
static unsigned many_places(uint64_t mantissa, int exponent, int exponent2, uint64_t *w)
{
    int below = exponent2 * 30103 / 100000 - (exponent2 < 0); /* at most floor(log10 f), at least one less */
    unsigned places = (unsigned)(16 - below), shift = (unsigned)(2 - exponent), dropped = 0;
    unsigned __int128 power =
        (unsigned __int128)decimal_tens[places > 19 ? 19 : places] * (places > 19 ? decimal_tens[places - 19] : 1);
    unsigned __int128 mask = ((unsigned __int128)1 << shift) - 1, exact = mantissa * 4 * power;
    unsigned __int128 least = (mantissa * 4 - (mantissa == 1ull << 52 ? 1 : 2)) * power;
    unsigned __int128 most = (mantissa * 4 + 2) * power;
    bool even = !(mantissa & 1), up;
    uint64_t low = (uint64_t)(least >> shift) + ((least & mask) != 0 || !even);
    uint64_t high = (uint64_t)(most >> shift) - ((most & mask) == 0 && !even);
    uint64_t whole = (uint64_t)(exact >> shift), rest, unit;
    unsigned __int128 part = exact & mask;

    while (high / 10 * 10 >= low) {
        high /= 10;
        low = (low + 9) / 10;
        dropped++;
    }
    unit = decimal_tens[dropped];
    rest = whole % unit;
    *w = whole / unit;
    if (dropped)
        up = rest > unit / 2 || (rest == unit / 2 && (part || *w & 1));
    else
        up = part > (mask >> 1) + 1 || (part == (mask >> 1) + 1 && *w & 1);
    *w += up;
    if (*w < low)
        *w = low;
    if (*w > high)
        *w = high;
    return places - dropped;
}

static char *scientific(char *out, const char *digit, unsigned n, int exponent)
{
    *out++ = digit[0];
    if (n > 1) {
        *out++ = '.';
        memcpy(out, digit + 1, n - 1);
        out += n - 1;
    }
    *out++ = 'e';
    return decimal_int(out, exponent);
}

/* The very big and the very small, with the C library's correctly rounded digits. */
static char *by_trial(char *out, double f, bool power_of_two)
{
    char text[40], digit[20] = "0";
    unsigned n = 0;
    int exponent;

    /* Up to 15 digits come back as they were, so that fewer are the same with zeros; but the least of all have less. */
    for (int places = f < 0x1p-1022 ? 0 : 14; places <= 16; places++) {
        int length = snprintf(text, sizeof text, "%.*e", places, f);
        char *last = memchr(text, 'e', (size_t)length);
        if (strtod(text, NULL) == f)
            break;
        /* Below a power of two doubles lie twice as close: the nearest decimal may miss and its neighbour hit. */
        if (power_of_two && last[-1] != '9') {
            last[-1]++;
            if (strtod(text, NULL) == f)
                break;
        }
    }
    exponent = atoi(strchr(text, 'e') + 1);
    for (const char *p = text; *p != 'e'; p++)
        if (*p >= '0' && *p <= '9' && n < sizeof digit)
            digit[n++] = *p;
    while (n > 1 && digit[n - 1] == '0')
        n--;
    if (exponent < 0 || exponent > 16)
        return scientific(out, digit, n, exponent);
    memcpy(out, digit, n);
    memset(out + n, '0', (size_t)exponent + 1 > n ? (size_t)exponent + 1 - n : 0);
    out += exponent + 1;
    memcpy(out, ".0", 2);
    return out + 2;
}

char *decimal_double(char *out, double f)
{
    uint64_t bits, w, mantissa;
    unsigned places;
    int exponent;

    memcpy(&bits, &f, sizeof bits);
    if (bits >> 63) {
        *out++ = '-';
        f = -f;
    }
    if (f < 0x1p53 && (double)(uint64_t)f == f) {
        out = decimal_uint(out, (uint64_t)f);
        memcpy(out, ".0", 2);
        return out + 2;
    }
    mantissa = bits & ((1ull << 52) - 1);
    exponent = (int)(bits >> 52 & 0x7ff);
    if (f < 0x1p-16 || f >= 0x1p53)
        return by_trial(out, f, mantissa == 0);
    places = few_places(f, &w);
    if (!places)
        places = many_places(mantissa | 1ull << 52, exponent - 1075, exponent - 1023, &w);
    return pointed(out, w, places);
}
