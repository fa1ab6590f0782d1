/* SPDX-License-Identifier: Apache-2.0 */
/* What was built on a transaction that failed is refused too. */
#include "store_help.h"

#include <errno.h>

static _Atomic int refusing;
static uint32_t failed; /* the log thread's */

static ssize_t refuse(int fd, const struct iovec *v, int n, off_t at)
{
    if (!atomic_load(&refusing))
        return io_system.pwritev(fd, v, n, at);
    errno = EIO;
    return -1;
}

static void fenced_done(struct txn *txn, bool durable)
{
    failed += !durable;
    wait_done(txn, durable);
}

static void append(struct store *s, struct wait_txn *w, const char *text, uint32_t heard)
{
    *w = (struct wait_txn){.txn = {.done = fenced_done, .fence = &failed, .fence_at = heard}};
    txn_add(&w->txn, FRAME_QUARANTINE, 1, str_of(text));
    log_append(store_log(s), &w->txn);
}

static void end(struct wait_txn *w, size_t n)
{
    for (size_t i = 0; i < n; i++)
        txn_free(&w[i].txn);
}

static void run(const char *dir)
{
    struct store_options o = options_of(dir);
    static struct io faulty;
    struct wait_txn w[7];
    struct store *s;

    faulty = io_system;
    faulty.pwritev = refuse;
    io = &faulty;
    atomic_store(&refusing, 0);
    failed = 0;
    s = must_open(&o);
    append(s, &w[0], "a", 0);
    CHECK(wait_answer(&w[0]));
    atomic_store(&refusing, 1);
    append(s, &w[1], "lost", 0);
    CHECK(!wait_answer(&w[1]));
    atomic_store(&refusing, 0);
    for (int i = 0; store_room(s) != STORE_ROOM && i < 5000; i++)
        usleep(1000);
    append(s, &w[2], "late", 0); /* built before its owner heard */
    CHECK(!wait_answer(&w[2]));
    append(s, &w[3], "later", 1); /* one of the two is still not heard of */
    CHECK(!wait_answer(&w[3]));
    CHECK(put(s, "other")); /* somebody else's */
    append(s, &w[4], "b", 3);
    append(s, &w[5], "old", 2); /* in between, so that its LSN is missing */
    append(s, &w[6], "after", 3);
    CHECK(wait_answer(&w[4]));
    CHECK(!wait_answer(&w[5]));
    CHECK(!wait_answer(&w[6]));
    CHECK(put(s, "c"));
    CHECK_LOG(s, "a other b c");
    store_close(s);
    if (dir) {
        s = must_open(&o);
        CHECK_LOG(s, "a other b c");
        store_close(s);
        remove_tree(dir);
    }
    CHECK_INT(counter_of("weir_log_corrupt_records_total"), 0);
    end(w, 7);
    io = &io_system;
}

TEST(in_memory)
{
    run(NULL);
}

TEST(on_disk)
{
    run(fresh_dir("fence"));
}
