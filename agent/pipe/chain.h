/* SPDX-License-Identifier: Apache-2.0 */
/* What a filter sees of the machine while it works on one event. */
#pragma once
#include "pipe/lane.h"

struct emitted {
    struct event event;
    struct emitted *next;
};

struct emit {
    struct lane *lane;
    struct unit *filter;
    struct emitted *first, **last;
    struct id parent;
    uint32_t children;
    const char *code; /* of filter_fail */
    char text[192];
};
