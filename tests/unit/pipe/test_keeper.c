/* SPDX-License-Identifier: Apache-2.0 */
/* From the log to the files of the quarantine. */
#include "lane_help.h"

#include "pipe/keeper.h"

#include <fcntl.h>
#include <ftw.h>

static int help_remove(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)st, (void)flag, (void)ftw;
    return remove(path);
}

static char dir[64];

static void fresh_dir(void)
{
    snprintf(dir, sizeof dir, "/tmp/weir-test-keeper-%d", (int)getpid());
    nftw(dir, help_remove, 16, FTW_DEPTH | FTW_PHYS);
}

static const struct service service = {.quarantine_keep = 3600 * SECOND, .quarantine_limit = 1 << 30};

static void open_on_disk(struct rig *r)
{
    struct err e = {0};

    rig_open(r, "", "out", NULL);
    ingest_free(r->lane);
    store_close(r->store);
    r->store = store_open(
        &(struct store_options){
            .dir = dir, .limit = 1 << 30, .segment_size = 1 << 20, .dedup_window = SECOND, .dedup_ids = 100},
        &e);
    CHECK(r->store != NULL);
    r->lane = ingest_new(&r->build, r->store, NULL);
    r->feed = &r->lane->feeds[0];
}

static void reject(struct rig *r, const char *code)
{
    feed_reject(r->feed, STR("x"), code, "of the test");
    feed_commit(r->feed, NULL);
    rig_settle(r);
}

struct found {
    int n, replayed;
    struct id last;
};

static bool find(void *arg, const struct quarantine_entry *entry, bool replayed)
{
    struct found *f = arg;

    f->n++;
    f->replayed += replayed;
    f->last = entry->id;
    return true;
}

static struct found kept(struct keeper *k, int want)
{
    struct found f = {0};
    struct err e = {0};

    for (int i = 0; i < 500; i++) {
        f = (struct found){0};
        CHECK(keeper_each(k, find, &f, &e));
        if (f.n >= want)
            break;
        usleep(10000);
    }
    return f;
}

TEST(what_is_refused_reaches_the_files_once)
{
    struct rig r;
    struct err e = {0};
    struct keeper *k;
    struct found f;

    fresh_dir();
    open_on_disk(&r);
    reject(&r, "Before-Start");
    k = keeper_new(r.store, &service, &e);
    CHECK(k && keeper_start(k, &e));
    CHECK_INT(kept(k, 1).n, 1);
    reject(&r, "Later");
    f = kept(k, 2);
    CHECK_INT(f.n, 2);
    CHECK(keeper_mark_replayed(k, f.last, &e));
    CHECK_INT(kept(k, 2).replayed, 1);
    reject(&r, "Last"); /* what is durable when it stops is taken */
    keeper_stop(k);
    CHECK_INT(kept(k, 3).n, 3);
    keeper_stop(k);
    keeper_free(k);
    /* Started again, it brings nothing twice. */
    k = keeper_new(r.store, &service, &e);
    CHECK(k && keeper_start(k, &e));
    keeper_stop(k);
    f = kept(k, 3);
    CHECK_INT(f.n, 3);
    CHECK_INT(f.replayed, 1);
    keeper_free(k);
    rig_close(&r);
    fresh_dir();
}

TEST(a_disk_that_refuses_for_a_while)
{
    struct rig r;
    struct err e = {0};
    struct keeper *k;

    fresh_dir();
    open_on_disk(&r);
    k = keeper_new(r.store, &service, &e);
    CHECK(k != NULL);
    reject(&r, "Kept");
    disk_refuses(true);
    CHECK(keeper_start(k, &e));
    usleep(50000);
    CHECK_INT(kept(k, 0).n, 0);
    disk_refuses(false);
    CHECK_INT(kept(k, 1).n, 1); /* a second later */
    keeper_stop(k);
    CHECK_INT(kept(k, 1).n, 1);
    keeper_free(k);
    rig_close(&r);
    io = &io_system;
    fresh_dir();
}

TEST(in_memory_nothing_is_kept)
{
    struct rig r;
    struct err e = {0};
    struct keeper *k;
    struct found f = {0};

    rig_open(&r, "", "out", NULL);
    k = keeper_new(r.store, &service, &e);
    CHECK(k && keeper_start(k, &e));
    reject(&r, "Gone");
    CHECK(!keeper_each(k, find, &f, &e));
    CHECK_STR(str_of(e.text), "nothing is kept in quarantine: storage.type is memory");
    keeper_stop(k);
    keeper_free(k);
    keeper_stop(NULL);
    keeper_free(NULL);
    rig_close(&r);
}

TEST(a_store_without_a_place_for_it)
{
    struct rig r;
    struct err e = {0};
    char path[96];
    int fd;

    fresh_dir();
    open_on_disk(&r);
    snprintf(path, sizeof path, "%s/quarantine", dir);
    nftw(path, help_remove, 16, FTW_DEPTH | FTW_PHYS);
    fd = open(path, O_CREAT | O_WRONLY, 0600); /* a file where the directory should be */
    close(fd);
    CHECK(keeper_new(r.store, &service, &e) == NULL);
    CHECK(e.text[0]);
    rig_close(&r);
    fresh_dir();
}
