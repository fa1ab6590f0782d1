/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers as decimal text and back, exactly and whatever the locale. */
#pragma once
#include "base/str.h"

extern const uint64_t decimal_tens[20]; /* 10^0 to 10^19 */

enum { DECIMAL_MAX = 32 }; /* no number takes more bytes */

/* Each returns where the next byte goes. */
char *decimal_uint(char *w, uint64_t u);
char *decimal_int(char *w, int64_t i);
/* The shortest digits that read back the same, the nearest of those; always with a point or an exponent.  f is
 * finite. */
char *decimal_double(char *w, double f);

/* The double nearest to digits * 10^exponent (ties to even); false: not decided here, ask decimal_slow. */
bool decimal_fast(uint64_t digits, int64_t exponent, double *out);
/* The nearest double to a number as JSON writes it, of any length, without its sign.  Infinite where it overflows. */
double decimal_slow(struct str text);
