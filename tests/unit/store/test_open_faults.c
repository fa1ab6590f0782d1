/* SPDX-License-Identifier: Apache-2.0 */
/* A store that is opened, read and trimmed while one call of the disk fails, for every call: it says so, or it does not
 * matter; and afterwards everything is there. */
#include "one_fault.h"
#include "store_help.h"

#include "base/log.h"

enum { TXNS = 24, TEXT = 9000, KEPT = 16 };

static void text_of(int i, char text[TEXT])
{
    memset(text, 'x', TEXT - 1);
    text[TEXT - 1] = 0;
    text[(size_t)snprintf(text, 16, "%d ", i)] = 'x';
}

/* Several segments, ids, and a cursor in the middle. */
static void fill(const struct store_options *o)
{
    struct store *s = must_open(o);
    struct cursor_state state = {0};
    struct err e = {0};
    struct cursor *c;
    char text[TEXT];
    bool fresh;

    c = cursor_open(s, STR("out"), &state, &fresh, &e);
    state.lsn = 1;
    CHECK(c && cursor_save(c, &state, true, &e));
    for (int i = 0; i < TXNS; i++) {
        text_of(i, text);
        CHECK(put(s, text));
    }
    state.lsn = TXNS - KEPT + 1;
    CHECK(cursor_save(c, &state, true, &e));
    cursor_state_free(&state);
    cursor_close(c);
    store_close(s);
}

/* The number of each transaction from the cursor on; errors are tried again, as an output does. */
static int read_on(struct store *s, uint64_t lsn, bool quiet)
{
    struct log_reader *r = log_reader_new(store_log(s), lsn);
    struct frame f;
    struct err e = {0};
    int n = 0, errors = 0;

    for (;;) {
        enum log_read got = log_reader_next(r, &f, &e);
        if (got == READ_END)
            break;
        if (got == READ_ERROR) {
            CHECK(e.text[0]);
            if (++errors > 20)
                break;
            continue;
        }
        if (f.type == FRAME_QUARANTINE)
            n++;
    }
    CHECK(quiet || errors <= 1);
    log_reader_free(r);
    return n;
}

static void scene(const struct store_options *o, int at)
{
    struct cursor_state state = {0};
    struct err e = {0};
    struct store *s = store_open(o, &e);
    struct cursor *c;
    bool fresh;

    if (!s) {
        CHECK(e.text[0]);
        return;
    }
    e.text[0] = 0;
    c = cursor_open(s, STR("out"), &state, &fresh, &e);
    CHECK(c || e.text[0]);
    if (c && !state.lost) {
        CHECK_INT(state.lsn, TXNS - KEPT + 1);
        if (read_on(s, state.lsn, false) != KEPT) {
            fprintf(stderr, "call %d failed: not all was read\n", at);
            CHECK(!"all");
        }
        store_trim(s);
    }
    if (c)
        cursor_close(c);
    cursor_state_free(&state);
    store_close(s);
}

static void nothing_is_gone(const struct store_options *o, int at)
{
    struct cursor_state state = {0};
    struct err e = {0};
    struct store *s = must_open(o);
    bool fresh;
    struct cursor *c = cursor_open(s, STR("out"), &state, &fresh, &e);

    CHECK(c && !fresh && !state.lost);
    if (state.lsn != TXNS - KEPT + 1 || read_on(s, state.lsn, true) != KEPT) {
        fprintf(stderr, "call %d failed: afterwards %d are there from %d on\n", at, read_on(s, state.lsn, true),
                (int)state.lsn);
        CHECK(!"all");
    }
    CHECK(put(s, "one more"));
    if (c)
        cursor_close(c);
    cursor_state_free(&state);
    store_close(s);
}

TEST(every_call_fails_once)
{
    int points = 0;
    bool fired = true;

    log_setup(LOG_OFF, NULL, false, NULL);
    for (int at = 1; fired && at < 2000; at++) {
        struct store_options o = options_of(fresh_dir("open-faults"));
        fill(&o);
        faults(at);
        scene(&o, at);
        fired = faults_off();
        points += fired;
        nothing_is_gone(&o, at);
        remove_tree(o.dir);
    }
    CHECK(points > 40);
}
