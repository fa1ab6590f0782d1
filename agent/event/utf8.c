/* SPDX-License-Identifier: Apache-2.0 */
#include "event/utf8.h"

static bool between(unsigned char c, unsigned char low, unsigned char high)
{
    return c >= low && c <= high;
}

unsigned utf8_sequence(const char *text, const char *end, unsigned *bad)
{
    const unsigned char *p = (const unsigned char *)text;
    size_t left = (size_t)(end - text);
    unsigned char lead = p[0], low = 0x80, high = 0xbf;
    unsigned want;

    *bad = 1;
    if (between(lead, 0xc2, 0xdf))
        want = 2;
    else if (between(lead, 0xe0, 0xef))
        want = 3;
    else if (between(lead, 0xf0, 0xf4))
        want = 4;
    else
        return 0;
    if (lead == 0xe0)
        low = 0xa0;
    else if (lead == 0xed)
        high = 0x9f;
    else if (lead == 0xf0)
        low = 0x90;
    else if (lead == 0xf4)
        high = 0x8f;
    if (left < 2 || !between(p[1], low, high))
        return 0;
    for (unsigned i = 2; i < want; i++) {
        *bad = i;
        if (left <= i || !between(p[i], 0x80, 0xbf))
            return 0;
    }
    return want;
}

bool utf8_valid(struct str s)
{
    const char *p = s.p, *end = s.p + s.n;
    unsigned bad, n;

    while (p < end) {
        uint64_t word;
        if (end - p >= 8) {
            memcpy(&word, p, 8);
            if (!(word & 0x8080808080808080ull)) {
                p += 8;
                continue;
            }
        }
        if (!(*p & 0x80)) {
            p++;
            continue;
        }
        n = utf8_sequence(p, end, &bad);
        if (!n)
            return false;
        p += n;
    }
    return true;
}

unsigned utf8_encode(uint32_t c, char *out)
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (char)(0xc0 | c >> 6);
        out[1] = (char)(0x80 | (c & 0x3f));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (char)(0xe0 | c >> 12);
        out[1] = (char)(0x80 | (c >> 6 & 0x3f));
        out[2] = (char)(0x80 | (c & 0x3f));
        return 3;
    }
    out[0] = (char)(0xf0 | c >> 18);
    out[1] = (char)(0x80 | (c >> 12 & 0x3f));
    out[2] = (char)(0x80 | (c >> 6 & 0x3f));
    out[3] = (char)(0x80 | (c & 0x3f));
    return 4;
}
