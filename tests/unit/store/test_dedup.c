/* SPDX-License-Identifier: Apache-2.0 */
#include "store_help.h"

static struct id id_of(uint64_t n)
{
    return (struct id){n * UINT64_C(0x9e3779b97f4a7c15) + 1, n + 2};
}

TEST(answers)
{
    struct dedup *d = dedup_new(600 * SECOND, 1000);

    CHECK_INT(dedup_add(d, id_of(1), 5, 0), DEDUP_NEW);
    CHECK_INT(dedup_add(d, id_of(1), 5, 1), DEDUP_SEEN);
    CHECK_INT(dedup_add(d, id_of(1), 6, 2), DEDUP_CONFLICT);
    CHECK_INT(dedup_count(d), 1);
    dedup_forget(d, id_of(1));
    CHECK_INT(dedup_count(d), 0);
    CHECK_INT(dedup_add(d, id_of(1), 6, 2), DEDUP_NEW);
    CHECK_INT(dedup_add(d, (struct id){0, 0}, 6, 2), DEDUP_NEW);
    CHECK_INT(dedup_add(d, (struct id){0, 0}, 6, 2), DEDUP_NEW);
    dedup_free(d);
}

/* Ids that differ in one half only, or whose hashes would collide without the key. */
TEST(no_false_positive)
{
    struct dedup *d = dedup_new(600 * SECOND, 100000);

    for (uint64_t i = 0; i < 20000; i++) {
        CHECK_INT(dedup_add(d, (struct id){7, i + 2}, 0, 0), DEDUP_NEW);
        CHECK_INT(dedup_add(d, (struct id){i + 8, 7}, 0, 0), DEDUP_NEW);
    }
    CHECK_INT(dedup_count(d), 40000);
    dedup_free(d);
}

TEST(window_of_count)
{
    struct dedup *d = dedup_new(600 * SECOND, 1000);

    for (uint64_t i = 0; i < 5000; i++)
        CHECK_INT(dedup_add(d, id_of(i), 0, 0), DEDUP_NEW);
    for (uint64_t i = 4000; i < 5000; i++) /* at least the last thousand */
        CHECK_INT(dedup_add(d, id_of(i), 0, 0), DEDUP_SEEN);
    CHECK(dedup_count(d) <= 1300); /* and memory for not many more */
    CHECK_INT(dedup_add(d, id_of(1), 0, 0), DEDUP_NEW);
    dedup_free(d);
}

TEST(window_of_time)
{
    struct dedup *d = dedup_new(100 * SECOND, 100000);

    for (int i = 0; i < 200; i++)
        CHECK_INT(dedup_add(d, id_of((uint64_t)i), 0, i * SECOND), DEDUP_NEW);
    for (int i = 101; i < 200; i++)
        CHECK_INT(dedup_add(d, id_of((uint64_t)i), 0, 199 * SECOND), DEDUP_SEEN);
    CHECK_INT(dedup_add(d, id_of(0), 0, 199 * SECOND), DEDUP_NEW);
    CHECK_INT(dedup_add(d, id_of(150), 0, 400 * SECOND), DEDUP_NEW);
    CHECK_INT(dedup_count(d), 1);
    dedup_free(d);
}

static bool put_ids(struct store *s, uint64_t from, uint64_t to, size_t ballast)
{
    struct wait_txn w = {.txn.done = wait_done};
    bool ok;

    txn_open(&w.txn);
    for (uint64_t i = from; i < to; i++)
        dedup_write(&w.txn.bytes, id_of(i), (uint32_t)i);
    txn_close(&w.txn, FRAME_IDS, 1);
    txn_open(&w.txn);
    memset(buf_room(&w.txn.bytes, ballast), 'b', ballast);
    w.txn.bytes.n += ballast;
    txn_close(&w.txn, FRAME_QUARANTINE, 1);
    log_append(store_log(s), &w.txn);
    ok = wait_answer(&w);
    txn_free(&w.txn);
    return ok;
}

static void known(struct store *s, uint64_t from, uint64_t to, enum dedup_answer want)
{
    unsigned wrong = 0;

    for (uint64_t i = from; i < to; i++)
        wrong += dedup_add(store_dedup(s), id_of(i), (uint32_t)i, io->monotonic()) != want;
    CHECK_INT(wrong, 0);
}

static void many(const struct store_options *o, bool trim)
{
    struct store *s = must_open(o);
    struct cursor_state state = {0};
    bool fresh;
    struct cursor *c = cursor_open(s, STR("o"), &state, &fresh, NULL);

    for (uint64_t i = 0; i < 60; i++)
        CHECK(put_ids(s, i * 10, i * 10 + 10, 3000));
    CHECK(store_log(s)->nsegments > 5);
    state.lsn = trim ? log_durable(store_log(s)) : 1;
    CHECK(cursor_save(c, &state, true, NULL));
    store_trim(s);
    cursor_close(c);
    store_close(s);
}

TEST(ids_survive_a_restart)
{
    struct store_options o = options_of(fresh_dir("ids"));
    struct store *s;

    o.segment_size = 16 << 10;
    many(&o, false);
    s = must_open(&o);
    known(s, 0, 600, DEDUP_SEEN);
    known(s, 600, 620, DEDUP_NEW);
    store_close(s);
    remove_tree(o.dir);
}

/* The segments are gone, the window is not. */
TEST(ids_outlive_their_segments)
{
    struct store_options o = options_of(fresh_dir("outlive"));
    struct store *s;

    o.segment_size = 16 << 10;
    many(&o, true);
    s = must_open(&o);
    CHECK(store_log(s)->nsegments < 3);
    known(s, 0, 600, DEDUP_SEEN);
    store_close(s);
    remove_tree(o.dir);
}

/* Lost or cut id files are read out of the segments again. */
TEST(ids_are_rebuilt_from_segments)
{
    struct store_options o = options_of(fresh_dir("rebuilt"));
    struct store *s;
    char command[300];

    o.segment_size = 16 << 10;
    many(&o, false);
    snprintf(command, sizeof command, "cd %s/ids && for f in *; do truncate -s -7 $f; done; rm 0000000000000001.ids",
             o.dir);
    CHECK_INT(system(command), 0);
    s = must_open(&o);
    known(s, 0, 600, DEDUP_SEEN);
    store_close(s);
    s = must_open(&o);
    known(s, 0, 600, DEDUP_SEEN);
    store_close(s);
    remove_tree(o.dir);
}

static int64_t late;

static int64_t late_wall(void)
{
    return io_system.wall() + late;
}

TEST(ids_expire)
{
    struct store_options o = options_of(fresh_dir("expire"));
    struct store *s;
    struct io table = io_system;
    char command[300];

    table.wall = late_wall;
    io = &table;
    o.segment_size = 16 << 10;
    many(&o, true);
    late = 601 * SECOND;
    s = must_open(&o);
    known(s, 0, 500, DEDUP_NEW);
    for (uint64_t i = 100; i < 120; i++) /* rolls: old files go */
        CHECK(put_ids(s, i * 10, i * 10 + 10, 3000));
    store_close(s);
    snprintf(command, sizeof command, "test $(ls %s/ids | wc -l) -lt 10", o.dir);
    CHECK_INT(system(command), 0);
    io = &io_system;
    remove_tree(o.dir);
}
