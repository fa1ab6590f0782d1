/* SPDX-License-Identifier: Apache-2.0 */
/* The lines of standard input.  Each read's whole lines are a unit, which is kept until the log has answered: one that
 * failed is pushed again. */
#pragma once
#include "base/buf.h"
#include "base/list.h"
#include "net/loop.h"
#include "plugin.h"

struct stdin_input {
    struct instance instance;
    struct str parser_name;
    int64_t buffer_size, buffer_max_size;

    struct parser *parser; /* NULL: lines are JSON */
    struct feed *feed;
    struct loop *loop;
    struct watch watch;
    struct timer turn, retry;   /* turn: of what cannot be watched */
    struct buf rest;            /* what was read behind the last whole line */
    struct buf map;             /* the encoded record */
    struct link flight, failed; /* of units */
    size_t flight_bytes;
    int flags; /* of the descriptor, which is shared with whoever started the agent */
    bool started, watched, paused, skipping, ended, finished;
};

struct unit {
    struct commit commit;
    struct link link;
    struct stdin_input *in; /* NULL: it has stopped */
    struct buf lines;
    int64_t now;   /* of the first attempt: the time of events that have none */
    bool too_long; /* the head of a line, to be quarantined */
};

/* Pushes every line of the unit; what no event could be made of is quarantined by itself. */
void unit_push(struct unit *u);
