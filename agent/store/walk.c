/* SPDX-License-Identifier: Apache-2.0 */
#include "store/walk.h"

#include "base/crc32c.h"
#include "base/io.h"

#include <errno.h>
#include <unistd.h>

enum { READ_AHEAD = 256 << 10, READ_HEADERS = 32 << 10 };

/* n bytes at `at` as a borrowed string; shorter where the file or `end` comes first; p NULL: errno. */
static struct str bytes_at(struct walk *w, uint64_t at, uint64_t n)
{
    ssize_t got;
    uint64_t want;

    if (at >= w->end)
        return STR("");
    if (n > w->end - at)
        n = w->end - at;
    if (at < w->window_at || at + n > w->window_at + w->window.n) {
        want = w->skip ? READ_HEADERS : READ_AHEAD;
        if (want < n)
            want = n;
        if (want > w->end - at)
            want = w->end - at;
        buf_clear(&w->window);
        got = io_pread_all(w->fd, buf_room(&w->window, want), want, (off_t)at);
        if (got < 0)
            return (struct str){0};
        w->window.n = (size_t)got;
        w->window_at = at;
        if (n > (uint64_t)got)
            n = (uint64_t)got;
    }
    return (struct str){w->window.p + (at - w->window_at), n};
}

enum walk_check walk_check(struct walk *w, uint64_t at, struct frame_header *h, struct str *payload)
{
    struct str s = bytes_at(w, at, FRAME_HEADER);

    if (!s.p)
        return CHECK_ERROR;
    if (s.n < FRAME_HEADER || !frame_header_read(s.p, w->generation, h))
        return CHECK_HEADER;
    if (FRAME_HEADER + (uint64_t)h->payload_len > w->end - at)
        return CHECK_HEADER;
    *payload = STR("");
    if (h->type < 32 && w->skip >> h->type & 1)
        return CHECK_GOOD;
    s = bytes_at(w, at, FRAME_HEADER + (uint64_t)h->payload_len);
    if (!s.p)
        return CHECK_ERROR;
    *payload = str_from(s, FRAME_HEADER);
    return payload->n == h->payload_len && crc32c(0, payload->p, payload->n) == h->payload_crc ? CHECK_GOOD
                                                                                               : CHECK_PAYLOAD;
}

void walk_find_hole(struct walk *w)
{
    off_t from = io->lseek ? io->lseek(w->fd, (off_t)w->at, SEEK_HOLE) : -1, to;

    if (from < 0 || (uint64_t)from >= w->end)
        return;
    to = io->lseek(w->fd, from, SEEK_DATA);
    if (to < 0 && errno != ENXIO)
        return;
    w->hole = (uint64_t)from;
    w->beyond = to < 0 || (uint64_t)to > w->end ? w->end : (uint64_t)to / FRAME_ALIGN * FRAME_ALIGN;
}

uint64_t walk_search(struct walk *w, uint64_t at, struct frame_header *h, bool *failed)
{
    *failed = false;
    while (at < w->end && w->end - at >= FRAME_HEADER) {
        /* As much as the window has, so that zeros pass quickly. */
        uint64_t have = at >= w->window_at && at < w->window_at + w->window.n ? w->window_at + w->window.n - at : 0;
        struct str s;
        if (at >= w->hole && at < w->beyond) {
            at = w->beyond;
            continue;
        }
        s = bytes_at(w, at, have >= FRAME_HEADER ? have : FRAME_HEADER);
        if (!s.p) {
            *failed = true;
            return at;
        }
        if (s.n < FRAME_HEADER)
            break;
        for (; s.n >= FRAME_HEADER; s.p += FRAME_ALIGN, s.n -= FRAME_ALIGN, at += FRAME_ALIGN)
            if (frame_header_likely(s.p) && frame_header_read(s.p, w->generation, h) && h->first_lsn >= w->lsn &&
                h->first_lsn <= w->end_lsn && FRAME_HEADER + (uint64_t)h->payload_len <= w->end - at)
                return at;
    }
    return w->end;
}

static void tell(struct walk *w, uint64_t from, uint64_t to, uint64_t records)
{
    if (w->damaged)
        w->damaged(w->arg, from, to, records);
}

/* Passes over what is at w->at.  False: errno. */
static bool pass_damage(struct walk *w, enum walk_check check, const struct frame_header *bad)
{
    uint64_t from = w->at, next, lsn;
    struct frame_header h;
    bool failed;

    if (check == CHECK_PAYLOAD && bad->first_lsn >= w->lsn && bad->first_lsn <= w->end_lsn) {
        w->at = from + frame_size(bad->payload_len);
        lsn = bad->first_lsn + bad->records;
        if (lsn > w->end_lsn)
            lsn = w->end_lsn;
        tell(w, from, w->at, lsn - w->lsn);
        w->lsn = lsn;
        return true;
    }
    next = walk_search(w, from + FRAME_ALIGN, &h, &failed);
    if (failed)
        return false;
    lsn = next < w->end ? h.first_lsn : w->end_lsn;
    tell(w, from, next, lsn - w->lsn);
    w->at = next;
    w->lsn = lsn;
    return true;
}

enum walk_result walk_next(struct walk *w, struct frame_header *h, struct str *payload)
{
    while (w->lsn < w->end_lsn) {
        enum walk_check check;
        if (w->at >= w->end) {
            tell(w, w->end, w->end, w->end_lsn - w->lsn);
            w->lsn = w->end_lsn;
            break;
        }
        check = walk_check(w, w->at, h, payload);
        if (check == CHECK_ERROR)
            return WALK_ERROR;
        if (check == CHECK_GOOD && h->first_lsn >= w->lsn && h->first_lsn <= w->end_lsn) {
            if (h->first_lsn > w->lsn)
                tell(w, w->at, w->at, h->first_lsn - w->lsn);
            w->at += frame_size(h->payload_len);
            w->lsn = h->first_lsn + h->records;
            return WALK_FRAME;
        }
        if (!pass_damage(w, check == CHECK_PAYLOAD ? CHECK_PAYLOAD : CHECK_HEADER, h))
            return WALK_ERROR;
    }
    return WALK_END;
}

void walk_free(struct walk *w)
{
    buf_free(&w->window);
}
