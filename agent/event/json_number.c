/* SPDX-License-Identifier: Apache-2.0 */
#include "event/decimal.h"
#include "event/json_parse.h"
#include "event/msgpack_put.h"

struct digits {
    uint64_t value;   /* of the first 19 that count */
    int64_t exponent; /* what value is to be multiplied with */
    unsigned n;
    bool more;     /* there were others than zeros behind the 19 */
    bool fraction; /* counting down the exponent */
};

/* Reads digits from p; returns where they end. */
static const char *take(struct digits *d, const char *p, const char *end)
{
    for (; p < end && (unsigned char)(*p - '0') <= 9; p++) {
        if (d->n < 19) {
            d->value = d->value * 10 + (unsigned)(*p - '0');
            d->n += d->value != 0;
            d->exponent -= d->fraction;
        } else {
            d->more |= *p != '0';
            d->exponent += !d->fraction;
        }
    }
    return p;
}

/* The exponent behind an 'e'; NULL: there is none. */
static const char *exponent(int64_t *out, const char *p, const char *end)
{
    bool negative = p < end && *p == '-';
    const char *first;
    int64_t v = 0;

    if (p < end && (*p == '-' || *p == '+'))
        p++;
    for (first = p; p < end && (unsigned char)(*p - '0') <= 9; p++)
        if (v < INT64_C(1) << 40) /* beyond what any length of digits makes up for */
            v = v * 10 + (*p - '0');
    *out += negative ? -v : v;
    return p == first ? NULL : p;
}

static bool fits(struct str digits, bool negative, char **w)
{
    uint64_t u;

    if (!str_u64(digits, &u) || (negative && u > (uint64_t)1 << 63))
        return false;
    *w = negative ? put_int(*w, (int64_t)(0 - u)) : put_uint(*w, u);
    return true;
}

char *json_number(struct json_reader *r, const char *first, char *w)
{
    bool negative = *first == '-', whole = true;
    const char *start = first + negative, *p, *end = r->end;
    struct digits d = {0};
    double f;

    p = take(&d, start, end);
    if (p == start)
        return json_fail(r, p, "a digit is missing");
    if (*start == '0' && p > start + 1)
        return json_fail(r, start, "a number begins with 0");
    if (p < end && *p == '.') {
        const char *point = p++;
        d.fraction = true;
        whole = false;
        p = take(&d, p, end);
        if (p == point + 1)
            return json_fail(r, p, "a digit is missing behind the point");
    }
    if (p < end && (*p | 0x20) == 'e') {
        whole = false;
        p = exponent(&d.exponent, p + 1, end);
        if (!p)
            return json_fail(r, first, "a digit is missing in the exponent");
    }
    r->p = p;
    if (whole && !(negative && d.value == 0) && fits((struct str){start, (size_t)(p - start)}, negative, &w))
        return w;
    if (d.more || !decimal_fast(d.value, d.exponent, &f))
        f = decimal_slow((struct str){start, (size_t)(p - start)});
    if (!__builtin_isfinite(f))
        return json_fail(r, first, "a number beyond the range of doubles");
    return put_float(w, negative ? -f : f);
}

char *json_fraction(struct json_reader *r, const char *first, const char *point, uint64_t whole, char *w)
{
    bool negative = first > r->text && first[-1] == '-';
    const char *p = point + 1, *stop = r->end - p > 18 - (point - first) ? p + 18 - (point - first) : r->end;
    double f;

    while (p < stop && (unsigned char)(*p - '0') <= 9)
        whole = whole * 10 + (unsigned char)(*p++ - '0');
    /* No digits, more than 18, an exponent: all that is less usual. */
    if (point == first || p == point + 1 || (*first == '0' && point > first + 1) ||
        (p < r->end && ((unsigned char)(*p - '0') <= 9 || (*p | 0x20) == 'e')) ||
        !decimal_fast(whole, point + 1 - p, &f))
        return json_number(r, first - negative, w);
    r->p = p;
    return put_float(w, negative ? -f : f);
}
