/* SPDX-License-Identifier: Apache-2.0 */
/* What the store's tests share: a directory of their own, transactions that wait, a log read back as text. */
#pragma once
#include "test.h"

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/io.h"
#include "store/log_private.h"
#include "store/store.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdatomic.h>
#include <unistd.h>

__attribute__((unused)) static int help_remove(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)st, (void)flag, (void)ftw;
    return remove(path);
}

__attribute__((unused)) static void remove_tree(const char *dir)
{
    nftw(dir, help_remove, 16, FTW_DEPTH | FTW_PHYS);
}

__attribute__((unused)) static const char *fresh_dir(const char *name)
{
    static char path[8][128];
    static unsigned turn;
    char *p = path[turn++ % 8];

    /* In memory where that can be had: these tests are about bytes, not about the speed of a disk. */
    snprintf(p, sizeof path[0], "%s/weir-test-%d-%s", access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm", (int)getpid(),
             name);
    remove_tree(p);
    return p;
}

__attribute__((unused)) static struct store_options options_of(const char *dir)
{
    return (struct store_options){.dir = dir,
                                  .sync = STORE_DISK,
                                  .limit = 64 << 20,
                                  .segment_size = 64 << 10,
                                  .dedup_window = 600 * SECOND,
                                  .dedup_ids = 1000};
}

__attribute__((unused)) static struct store *must_open(const struct store_options *o)
{
    struct err e = {0};
    struct store *s = store_open(o, &e);

    if (!s) {
        fprintf(stderr, "store_open: %s\n", e.text);
        abort();
    }
    return s;
}

struct wait_txn {
    struct txn txn;
    _Atomic int answer; /* 0: none yet; 1: durable; 2: failed */
};

/* The first answer holds. */
__attribute__((unused)) static void wait_done(struct txn *txn, bool durable)
{
    int none = 0;

    if (!atomic_compare_exchange_strong(&((struct wait_txn *)txn)->answer, &none, durable ? 1 : 2))
        abort();
}

__attribute__((unused)) static bool wait_answer(struct wait_txn *w)
{
    for (int i = 0; !atomic_load(&w->answer); i++) {
        if (i > 1000000)
            abort();
        usleep(i < 100 ? 10 : 100);
    }
    return atomic_load(&w->answer) == 1;
}

/* One transaction with the frames given as QUARANTINE payloads. */
__attribute__((unused)) static bool put_frames(struct store *s, const char *const *texts, int n)
{
    struct wait_txn w = {.txn.done = wait_done};
    bool ok;

    for (int i = 0; i < n; i++)
        txn_add(&w.txn, FRAME_QUARANTINE, 1, str_of(texts[i]));
    log_append(store_log(s), &w.txn);
    ok = wait_answer(&w);
    txn_free(&w.txn);
    return ok;
}

__attribute__((unused)) static bool put(struct store *s, const char *text)
{
    return put_frames(s, &text, 1);
}

/* "one two three": what a reader finds from `lsn` on. */
__attribute__((unused)) static void read_all(struct store *s, uint64_t lsn, struct buf *out)
{
    struct log_reader *r = log_reader_new(store_log(s), lsn);
    struct frame f;
    struct err e = {0};
    enum log_read got;

    while ((got = log_reader_next(r, &f, &e)) == READ_FRAME) {
        if (out->n)
            buf_char(out, ' ');
        buf_str(out, str_head(f.payload, 24));
    }
    if (got == READ_ERROR)
        buf_fmt(out, " ERROR %s", e.text);
    log_reader_free(r);
}

#define CHECK_LOG(store, want)            \
    do {                                  \
        struct buf out_ = {0};            \
        read_all(store, 0, &out_);        \
        CHECK_STR(buf_view(&out_), want); \
        buf_free(&out_);                  \
    } while (0)

__attribute__((unused)) static int64_t counter_of(const char *family)
{
    return metric_read(metric_new(METRIC_COUNTER, family, "", ""));
}
