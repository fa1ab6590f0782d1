/* SPDX-License-Identifier: Apache-2.0 */
/* An output's own limit: storage.total_limit_size. */
#include "lane_help.h"

#include "pipe/room.h"
#include "pipe/worker.h"

enum { LIMIT = 64 * 1024 };

static void push_some(struct rig *r, const char *tag, int n)
{
    struct buf json = {0};

    buf_str(&json, STR("{\"text\":\""));
    for (int i = 0; i < 100; i++)
        buf_str(&json, STR("0123456789"));
    buf_str(&json, STR("\"}"));
    for (int i = 0; i < n; i++)
        push(r, tag, buf_text(&json), 0);
    feed_commit(r->feed, NULL);
    lane_flush(r->lane);
    rig_settle(r);
    buf_free(&json);
}

static struct worker *limited_worker(struct rig *r)
{
    struct service service = {.scheduler_base = MILLISECOND, .scheduler_cap = MILLISECOND};
    struct err e = {0};
    struct worker *w = worker_new(r->build.outputs[0], r->store, &service, &e);

    CHECK(w != NULL);
    r->build.outputs[0]->common.total_limit_size = LIMIT;
    r->lane->feeds[0].unit->common.tag = STR("a");
    room_init(r->lane, &r->build);
    return w;
}

TEST(a_full_output_refuses_its_inputs_until_it_has_delivered)
{
    struct rig r;
    struct worker *w;
    struct fake_plugin *p;
    struct err e = {0};

    rig_open(&r, "", "out other", NULL);
    w = limited_worker(&r);
    p = fake_of(r.build.inputs[0]);
    r.feed->started = true;
    push_some(&r, "a", 30);
    CHECK_INT(feed_room(r.feed, NULL), ROOM);
    CHECK_INT(p->pauses, 0);
    push_some(&r, "a", 40);
    CHECK_INT(feed_room(r.feed, NULL), ROOM_QUOTA);
    CHECK_INT(p->pauses, 1);
    CHECK(store_room(r.store) == STORE_ROOM);
    CHECK(worker_start(w, &e));
    for (int i = 0; i < 100 && !p->resumes; i++) {
        usleep(20000);
        rig_settle(&r);
    }
    CHECK_INT(p->resumes, 1);
    CHECK_INT(feed_room(r.feed, NULL), ROOM);
    worker_drain(w);
    CHECK(worker_join(w, 5 * SECOND));
    worker_free(w);
    rig_close(&r);
}

TEST(an_input_that_does_not_feed_it_goes_on)
{
    struct rig r;
    struct worker *w;

    rig_open(&r, "", "out=b other=a", NULL);
    w = limited_worker(&r);
    push_some(&r, "a", 100); /* the backlog counts, for the output keeps the log from being given back */
    CHECK_INT(feed_room(r.feed, NULL), ROOM);
    r.lane->feeds[0].fills[0] = true;
    CHECK_INT(feed_room(r.feed, NULL), ROOM_QUOTA);
    worker_free(w);
    rig_close(&r);
}

TEST(bytes_of_the_log_from_an_lsn)
{
    struct rig r;
    uint64_t end;
    int64_t all, half;

    rig_open(&r, "", "out", NULL);
    push_some(&r, "a", 100);
    end = log_durable(store_log(r.store));
    all = store_bytes_from(r.store, 0);
    half = store_bytes_from(r.store, end / 2);
    CHECK_INT(all, store_bytes(r.store));
    CHECK(half > all * 4 / 10 && half < all * 6 / 10);
    CHECK_INT(store_bytes_from(r.store, end), 0);
    rig_close(&r);
}
