/* SPDX-License-Identifier: Apache-2.0 */
#include "breaker.h"
#include "base/io.h"

/* Forgets what is neither open nor recent. */
static void forget(struct breaker *b, int64_t now)
{
    for (unsigned i = 0; i < b->live;) {
        if (b->entry[i].open_until <= now && now - b->entry[i].seen > BREAKER_WINDOW_S * SECOND)
            b->entry[i] = b->entry[--b->live];
        else
            i++;
    }
}

bool breaker_open(struct breaker *b, uint64_t type, int64_t now)
{
    forget(b, now);
    for (unsigned i = 0; i < b->live; i++)
        if (b->entry[i].type == type)
            return b->entry[i].open_until > now;
    return false;
}

static unsigned find(struct breaker *b, uint64_t type, int64_t now)
{
    unsigned oldest = 0;

    for (unsigned i = 0; i < b->live; i++) {
        if (b->entry[i].type == type)
            return i;
        if (b->entry[i].seen < b->entry[oldest].seen)
            oldest = i;
    }
    if (b->live < BREAKER_TYPES)
        oldest = b->live++;
    b->entry[oldest].type = type;
    b->entry[oldest].first = now;
    b->entry[oldest].trips = 0;
    b->entry[oldest].open_until = 0;
    return oldest;
}

bool breaker_trip(struct breaker *b, uint64_t type, unsigned most, int64_t now)
{
    unsigned i = find(b, type, now);

    b->entry[i].seen = now;
    if (now - b->entry[i].first > BREAKER_WINDOW_S * SECOND) {
        b->entry[i].first = now;
        b->entry[i].trips = 0;
    }
    if (++b->entry[i].trips < most)
        return false;
    b->entry[i].trips = 0;
    b->entry[i].first = now;
    b->entry[i].open_until = now + BREAKER_OPEN_S * SECOND;
    return true;
}
