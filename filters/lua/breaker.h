/* SPDX-License-Identifier: Apache-2.0 */
/* A circuit breaker per event type: a rule that hits its caps again and again on one kind of event is not run on that
 * kind for a while, so that crafted events cannot stall the lane. */
#pragma once
#include "base/str.h"

enum {
    BREAKER_TRIPS = 5,      /* capped calls of one type ... */
    BREAKER_ALL_TRIPS = 20, /* or of one tag, whatever the types: an attacker may make them up */
    BREAKER_WINDOW_S = 10,  /* ... within this time open it */
    BREAKER_OPEN_S = 30,
    BREAKER_TYPES = 64, /* kinds that are counted at a time; the one unseen longest makes room */
};

struct breaker {
    unsigned live; /* entries in use: 0 is the way things are */
    struct {
        uint64_t type; /* a hash */
        int64_t first, open_until, seen;
        unsigned trips;
    } entry[BREAKER_TYPES];
};

/* Is it open for this type? */
bool breaker_open(struct breaker *b, uint64_t type, int64_t now);
/* The rule was capped; true: this was the `most`th time in the window and the circuit opens. */
bool breaker_trip(struct breaker *b, uint64_t type, unsigned most, int64_t now);
