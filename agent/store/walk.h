/* SPDX-License-Identifier: Apache-2.0 */
/* Walks the frames of one segment file from a known offset, checking every checksum.  Readers and recovery share it. */
#pragma once
#include "store/segment.h"

struct walk {
    int fd;
    uint64_t generation;
    uint64_t at, end;      /* bytes: the next frame, and where reading must stop */
    uint64_t lsn, end_lsn; /* the same in LSNs */
    struct buf window;     /* bytes of the file from window_at */
    uint64_t window_at;
    uint32_t skip;         /* a bit per frame type that is passed over by its header: no payload, and no check of it */
    uint64_t hole, beyond; /* see walk_find_hole */
    /* Told of each range that could not be used, and how many records its LSN gap stands for. */
    void (*damaged)(void *arg, uint64_t from, uint64_t to, uint64_t records);
    void *arg;
};

enum walk_result { WALK_FRAME, WALK_END, WALK_ERROR };

/* The next frame whatever its type; *payload is borrowed until the next call.  WALK_END: lsn reached end_lsn, or
 * nothing more can be read before `end` (then the gap was told and lsn is end_lsn).  WALK_ERROR: errno. */
enum walk_result walk_next(struct walk *w, struct frame_header *h, struct str *payload);

enum walk_check { CHECK_GOOD, CHECK_PAYLOAD, CHECK_HEADER, CHECK_ERROR };
/* Looks at one offset.  CHECK_PAYLOAD: the header is good, what it describes is not. */
enum walk_check walk_check(struct walk *w, uint64_t at, struct frame_header *h, struct str *payload);
/* The next offset from `at` on with a good header that could follow w->lsn; `end` where there is none. */
uint64_t walk_search(struct walk *w, uint64_t at, struct frame_header *h, bool *failed);
/* Most of the newest segment is allocated and was never written; reading its zeros would be most of a start.  A search
 * passes over the first such hole behind w->at.  Call it before anything is read (what the kernel reads ahead is no
 * hole any more), and only where nobody writes meanwhile. */
void walk_find_hole(struct walk *w);
void walk_free(struct walk *w); /* not the descriptor */
