/* SPDX-License-Identifier: Apache-2.0 */
#include "store_help.h"
#include "store/cursor_format.h"

static void scribble(const char *dir, const char *file, long at, size_t n, int byte)
{
    char path[256];
    FILE *f;

    snprintf(path, sizeof path, "%s/cur/%s", dir, file);
    f = fopen(path, "r+b");
    if (!f || fseek(f, at, SEEK_SET))
        abort();
    while (n--)
        fputc(byte, f);
    fclose(f);
}

static uint64_t saved(const struct store_options *o, const char *output, bool *fresh, bool *lost)
{
    struct store *s = must_open(o);
    CLEANUP(cursor_state_free) struct cursor_state state = {0};
    struct err e = {0};
    struct cursor *c = cursor_open(s, str_of(output), &state, fresh, &e);
    uint64_t lsn = state.lsn;

    CHECK(c != NULL);
    *lost = state.lost;
    cursor_close(c);
    store_close(s);
    return lsn;
}

TEST(save_and_open)
{
    struct store_options o = options_of(fresh_dir("cursor"));
    struct store *s = must_open(&o);
    struct cursor_state state = {0}, back = {0};
    bool fresh, lost;
    struct err e = {0};
    struct cursor *c = cursor_open(s, STR("http/0 \xc3\xa9"), &state, &fresh, &e);

    CHECK(fresh);
    CHECK(!cursor_open(s, STR("http/0 \xc3\xa9"), &back, &fresh, &e));
    CHECK(strstr(e.text, "in use"));
    CHECK(!cursor_open(s, STR(""), &back, &fresh, &e));
    state = (struct cursor_state){.lsn = 7, .consumed = 6, .delivered = 3, .quarantined = 2, .dropped = 1};
    state.plan.open = true;
    state.plan.id = (struct id){1, 2};
    state.plan.from = 7;
    state.plan.to = 9;
    state.plan.starts = 3;
    buf_str(&state.plan.done, STR("done"));
    buf_str(&state.output, STR("files"));
    CHECK(cursor_save(c, &state, true, &e));
    cursor_close(c);
    store_close(s);
    s = must_open(&o);
    c = cursor_open(s, STR("http/0 \xc3\xa9"), &back, &fresh, &e);
    CHECK(!fresh && !back.lost);
    CHECK_INT(back.lsn, 7);
    CHECK_INT(back.consumed, 6);
    CHECK_INT(back.delivered, 3);
    CHECK_INT(back.quarantined, 2);
    CHECK_INT(back.dropped, 1);
    CHECK(back.plan.open && back.plan.id.lo == 2 && back.plan.to == 9 && back.plan.starts == 3);
    CHECK_STR(buf_view(&back.plan.done), "done");
    CHECK_STR(buf_view(&back.output), "files");
    /* It grows into larger slots, and out of them again after a restart. */
    for (int i = 0; i < 3000; i++)
        buf_str(&state.output, STR("0123456789"));
    state.lsn = 8;
    CHECK(cursor_save(c, &state, false, &e));
    state.lsn = 9;
    CHECK(cursor_save(c, &state, true, &e));
    cursor_close(c);
    store_close(s);
    CHECK_INT(saved(&o, "http/0 \xc3\xa9", &fresh, &lost), 9);
    cursor_state_free(&state);
    cursor_state_free(&back);
    remove_tree(o.dir);
}

TEST(torn_slot_leaves_the_other)
{
    struct store_options o = options_of(fresh_dir("torn"));
    struct store *s = must_open(&o);
    struct cursor_state state = {0};
    bool fresh, lost;
    struct cursor *c = cursor_open(s, STR("out"), &state, &fresh, NULL);

    for (state.lsn = 1; state.lsn <= 3; state.lsn++) /* slots 0, 1, 0 */
        CHECK(cursor_save(c, &state, true, NULL));
    cursor_close(c);
    store_close(s);
    CHECK_INT(saved(&o, "out", &fresh, &lost), 3);
    scribble(o.dir, "out.cur", 40, 4, 0x55);
    CHECK_INT(saved(&o, "out", &fresh, &lost), 2);
    CHECK(!fresh && !lost);
    scribble(o.dir, "out.cur", 4096 + 25, 1, 0x55);
    CHECK_INT(saved(&o, "out", &fresh, &lost), 0);
    CHECK(!fresh && lost); /* from the oldest: duplicates, no loss */
    remove_tree(o.dir);
}

/* Saves without a sync never touch the slot that is durable. */
TEST(unsynced_saves_spare_the_durable_slot)
{
    struct store_options o = options_of(fresh_dir("spare"));
    struct store *s = must_open(&o);
    struct cursor_state state = {.lsn = 10};
    bool fresh, lost;
    struct cursor *c = cursor_open(s, STR("out"), &state, &fresh, NULL);

    state.lsn = 10;
    CHECK(cursor_save(c, &state, true, NULL));
    for (state.lsn = 11; state.lsn < 15; state.lsn++)
        CHECK(cursor_save(c, &state, false, NULL));
    cursor_close(c);
    store_close(s);
    scribble(o.dir, "out.cur", 4096, 100, 0); /* whatever was not synced */
    CHECK_INT(saved(&o, "out", &fresh, &lost), 10);
    remove_tree(o.dir);
}

static void collect(void *arg, struct str output, const struct cursor_state *state)
{
    buf_fmt(arg, STR_FMT "=%d ", STR_ARG(output), (int)state->lsn);
}

TEST(each_and_forget)
{
    struct store_options o = options_of(fresh_dir("each"));
    struct store *s = must_open(&o);
    struct cursor_state state = {0};
    struct buf text = {0};
    bool fresh;
    struct err e = {0};
    struct cursor *c = cursor_open(s, STR("gone"), &state, &fresh, &e);

    state.lsn = 4;
    CHECK(cursor_save(c, &state, true, &e));
    CHECK(!cursor_forget(s, STR("gone"), &e));
    CHECK(strstr(e.text, "is in the configuration"));
    cursor_close(c);
    store_close(s);
    s = must_open(&o);
    cursor_each(s, collect, &text);
    CHECK_STR(buf_view(&text), "gone=4 ");
    CHECK(!cursor_forget(s, STR("other"), &e));
    CHECK(cursor_forget(s, STR("gone"), &e));
    buf_clear(&text);
    cursor_each(s, collect, &text);
    CHECK_STR(buf_view(&text), "");
    store_close(s);
    s = must_open(&o);
    cursor_each(s, collect, &text);
    CHECK_STR(buf_view(&text), "");
    store_close(s);
    buf_free(&text);
    remove_tree(o.dir);
}

TEST(in_memory)
{
    struct store_options o = options_of(NULL);
    struct store *s = must_open(&o);
    struct cursor_state state = {0};
    bool fresh;
    struct cursor *c = cursor_open(s, STR("m"), &state, &fresh, NULL);

    CHECK(fresh);
    state.lsn = 3;
    CHECK(cursor_save(c, &state, false, NULL));
    cursor_close(c);
    c = cursor_open(s, STR("m"), &state, &fresh, NULL);
    CHECK(!fresh);
    CHECK_INT(state.lsn, 3);
    cursor_close(c);
    store_close(s);
}
