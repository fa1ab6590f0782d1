/* SPDX-License-Identifier: Apache-2.0 */
/* UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing above U+10FFFF. */
#pragma once
#include "base/str.h"

#define UTF8_REPLACEMENT "\xef\xbf\xbd"

/* The length of the well-formed sequence that begins at p with a byte >= 0x80, or 0.  *bad: how many bytes the
 * ill-formed one takes, at least 1: as much of it as could have begun a well-formed one (Unicode 15, 3.9, U+FFFD
 * substitution of maximal subparts). */
unsigned utf8_sequence(const char *p, const char *end, unsigned *bad);
bool utf8_valid(struct str s);
/* Writes the code point's 1 to 4 bytes; returns how many. */
unsigned utf8_encode(uint32_t point, char *out);
