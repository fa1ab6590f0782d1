/* SPDX-License-Identifier: Apache-2.0 */
/* What becomes of an event between an input and the log. */
#include "lane_help.h"

TEST(what_is_pushed_is_logged_whole)
{
    struct rig r;
    struct told t;

    rig_open(&r, "", "out other=x", NULL);
    CHECK_INT(push(&r, "a", "{\"n\":1}", 0), ACCEPTED);
    CHECK_INT(push(&r, "ab", "{\"n\":2}", 0), ACCEPTED);
    CHECK_INT(push(&r, "a", "{\"n\":3}", 0), ACCEPTED);
    CHECK_LOG_IS(&r, "");
    CHECK_INT(atomic_load(&r.lane->held), 3);
    commit(&r, &t);
    CHECK_INT(t.times, 0);
    rig_settle(&r);
    CHECK_INT(t.times, 1);
    CHECK(t.durable);
    CHECK_INT(atomic_load(&r.lane->held), 0);
    CHECK_LOG_IS(&r, "R a:{\"n\":1} a:{\"n\":3} ab:{\"n\":2}");
    CHECK_INT(counted(&r, "in"), 3);
    CHECK_INT(counted(&r, "in/in"), 3);
    CHECK_INT(counted(&r, "logged"), 3);
    CHECK_INT(counted(&r, "routed/out"), 3);
    CHECK_INT(counted(&r, "routed/other"), 0);
    rig_close(&r);
}

TEST(an_event_without_a_tag_gets_its_inputs)
{
    struct rig r;

    rig_open(&r, "", "out=*", NULL);
    push(&r, "", "{\"n\":1}", 0);
    r.build.inputs[0]->common.tag = STR("own");
    push(&r, "", "{\"n\":2}", 0);
    feed_commit(r.feed, NULL);
    rig_settle(&r);
    CHECK_LOG_IS(&r, "R in:{\"n\":1} own:{\"n\":2}");
    rig_close(&r);
}

TEST(a_route_set_is_declared_once)
{
    struct rig r;

    rig_open(&r, "", "out", NULL);
    for (int i = 0; i < 3; i++) {
        push(&r, "a", "{}", 0);
        feed_commit(r.feed, NULL);
        rig_settle(&r);
    }
    CHECK_LOG_IS(&r, "R a:{} a:{} a:{}");
    rig_close(&r);
}

TEST(what_no_output_takes_is_counted)
{
    struct rig r;

    rig_open(&r, "", "out", NULL);
    CHECK_INT(push(&r, "x", "{}", 0), UNROUTED);
    feed_commit(r.feed, NULL);
    rig_settle(&r);
    CHECK_LOG_IS(&r, "");
    CHECK_INT(counted(&r, "in"), 1);
    CHECK_INT(counted(&r, "unrouted"), 1);
    rig_close(&r);
}

TEST(a_clients_id_is_taken_once)
{
    struct rig r;

    rig_open(&r, "", "out", NULL);
    CHECK_INT(push(&r, "a", "{\"n\":1}", 5), ACCEPTED);
    CHECK_INT(push(&r, "a", "{\"n\":1}", 5), DUPLICATE); /* in the same unit */
    feed_commit(r.feed, NULL);
    rig_settle(&r);
    CHECK_INT(push(&r, "a", "{\"n\":1}", 5), DUPLICATE); /* and later */
    CHECK_INT(push(&r, "a", "{\"n\":2}", 5), QUARANTINED);
    CHECK_STR(feed_reason(r.feed), "Id-Conflict: the same event id came before with another body");
    CHECK_INT(push(&r, "a", "{\"n\":2}", 6), ACCEPTED);
    feed_commit(r.feed, NULL);
    rig_settle(&r);
    CHECK_LOG_IS(&r, "R a:{\"n\":1} Q(input/in Id-Conflict) a:{\"n\":2}");
    CHECK_INT(counted(&r, "in"), 5);
    CHECK_INT(counted(&r, "deduplicated"), 2);
    CHECK_INT(counted(&r, "quarantined"), 1);
    CHECK_INT(counted(&r, "logged"), 2);
    rig_close(&r);
}

TEST(ids_of_the_machine_do_not_deduplicate)
{
    struct rig r;
    struct event ev = {.tag = STR("a"), .id = {1, 1}};

    rig_open(&r, "", "out", NULL);
    ev.body = value_raw(STR("\x80"));
    CHECK_INT(feed_push(r.feed, &ev, false), ACCEPTED);
    ev.body = value_raw(STR("\x80"));
    CHECK_INT(feed_push(r.feed, &ev, false), ACCEPTED);
    /* Without an id there is nothing that the client could have chosen. */
    ev = (struct event){.tag = STR("a"), .body = value_raw(STR("\x80"))};
    CHECK_INT(feed_push(r.feed, &ev, true), ACCEPTED);
    CHECK(!id_none(ev.id));
    CHECK_INT(dedup_count(store_dedup(r.store)), 0);
    rig_close(&r);
}

TEST(bytes_that_are_no_event_are_quarantined)
{
    struct rig r;
    int64_t errors = metric_read(&help_metrics[2]);

    rig_open(&r, "", "out", NULL);
    feed_reject(r.feed, STR("garbage"), "Json-Bad", "at byte 0");
    CHECK_STR(feed_reason(r.feed), "Json-Bad: at byte 0");
    feed_commit(r.feed, NULL);
    rig_settle(&r);
    CHECK_LOG_IS(&r, "Q(input/in Json-Bad)");
    CHECK_INT(counted(&r, "in"), 1);
    CHECK_INT(counted(&r, "quarantined"), 1);
    CHECK_INT(metric_read(&help_metrics[2]) - errors, 1);
    rig_close(&r);
}

TEST(a_failed_commit_took_nothing)
{
    struct rig r;
    struct told t;

    rig_open(&r, "", "out", NULL);
    disk_refuses(true);
    CHECK_INT(push(&r, "a", "{\"n\":1}", 5), ACCEPTED);
    feed_reject(r.feed, STR("x"), "Json-Bad", "bad");
    feed_position(r.feed, STR("k"), STR("v"));
    commit(&r, &t);
    rig_settle(&r);
    CHECK_INT(t.times, 1);
    CHECK(!t.durable);
    CHECK_INT(atomic_load(&r.lane->held), 0);
    CHECK_INT(dedup_count(store_dedup(r.store)), 0);
    CHECK_INT(feed_room(r.feed, NULL), ROOM_DISK);
    disk_refuses(false);
    wait_for_room(&r);
    CHECK_LOG_IS(&r, "");
    CHECK_INT(counted(&r, "in"), 0);
    CHECK_INT(counted(&r, "logged"), 0);
    /* Sent again, it is new; and the route set, lost with the transaction, is declared again. */
    CHECK_INT(push(&r, "a", "{\"n\":1}", 5), ACCEPTED);
    commit(&r, &t);
    rig_settle(&r);
    CHECK(t.durable);
    CHECK_LOG_IS(&r, "R a:{\"n\":1}");
    CHECK_INT(counted(&r, "in"), 1);
    CHECK_INT(counted(&r, "routed/out"), 1);
    rig_close(&r);
    io = &io_system;
}

/* The lane is busy for so long that the log fails, recovers, and takes the second transaction, before the lane hears of
 * the first. */
TEST(a_duplicate_of_what_failed_is_not_told_durable)
{
    struct rig r;
    struct told first, again, other;

    rig_open(&r, "", "out", NULL);
    disk_refuses(true);
    CHECK_INT(push(&r, "a", "{\"n\":1}", 5), ACCEPTED);
    commit(&r, &first);
    lane_flush(r.lane);
    for (int i = 0; store_room(r.store) != STORE_TROUBLE && i < 5000; i++)
        usleep(1000);
    disk_refuses(false);
    wait_for_room(&r);
    CHECK_INT(push(&r, "a", "{\"n\":1}", 5), DUPLICATE);
    commit(&r, &again);
    CHECK_INT(push(&r, "a", "{\"n\":2}", 6), ACCEPTED);
    commit(&r, &other);
    lane_flush(r.lane);
    rig_settle(&r);
    CHECK(!first.durable);
    CHECK_INT(again.times, 1);
    CHECK(!again.durable);
    CHECK(!other.durable); /* it was built before the lane heard */
    CHECK_INT(push(&r, "a", "{\"n\":1}", 5), ACCEPTED);
    commit(&r, &again);
    rig_settle(&r);
    CHECK(again.durable);
    CHECK_INT(push(&r, "a", "{\"n\":1}", 5), DUPLICATE);
    commit(&r, &again);
    rig_settle(&r);
    CHECK(again.durable);
    rig_close(&r);
    io = &io_system;
}

TEST(answers_come_in_order)
{
    struct rig r;
    struct told t[3];

    rig_open(&r, "", "out", NULL);
    commit(&r, &t[0]); /* nothing to wait for */
    lane_flush(r.lane);
    CHECK_INT(t[0].times, 1);
    CHECK(t[0].durable);
    push(&r, "a", "{}", 0);
    commit(&r, &t[1]);
    lane_flush(r.lane);
    commit(&r, &t[2]); /* an empty unit behind one that is on its way */
    lane_flush(r.lane);
    CHECK_INT(t[2].times, 0);
    rig_settle(&r);
    CHECK_INT(t[1].times, 1);
    CHECK_INT(t[2].times, 1);
    CHECK(t[1].order < t[2].order);
    rig_close(&r);
}

TEST(nobody_is_told_when_inputs_are_gone)
{
    struct rig r;
    struct told t;

    rig_open(&r, "", "out", NULL);
    push(&r, "a", "{}", 0);
    commit(&r, &t);
    r.lane->silent = true;
    rig_settle(&r);
    CHECK_INT(t.times, 0);
    CHECK_LOG_IS(&r, "R a:{}");
    rig_close(&r);
}

static size_t frames_of(struct rig *r, enum frame_type type)
{
    struct log_reader *reader = log_reader_new(store_log(r->store), 0);
    struct frame f;
    size_t n = 0;

    while (log_reader_next(reader, &f, NULL) == READ_FRAME)
        n += f.type == type;
    log_reader_free(reader);
    return n;
}

TEST(much_is_flushed_by_its_size)
{
    struct rig r;
    struct buf json = {0};

    rig_open(&r, "", "out", NULL);
    buf_str(&json, STR("{\"text\":\""));
    for (int i = 0; i < 1000; i++)
        buf_str(&json, STR("0123456789"));
    buf_str(&json, STR("\"}"));
    for (int i = 0; i < 100; i++) /* a unit of 1 MB is one transaction of several frames */
        push(&r, "a", buf_text(&json), 0);
    CHECK_INT(r.lane->in_flight, 0);
    feed_commit(r.feed, NULL);
    CHECK_INT(r.lane->in_flight, 1);
    rig_settle(&r);
    CHECK_INT(counted(&r, "logged"), 100);
    CHECK_INT(frames_of(&r, FRAME_EVENTS), 4);
    buf_free(&json);
    rig_close(&r);
}

TEST(many_tags_do_not_gather)
{
    struct rig r;
    char tag[16];

    rig_open(&r, "", "out", NULL);
    for (int i = 0; i <= LANE_TAGS; i++) {
        snprintf(tag, sizeof tag, "a%d", i);
        push(&r, tag, "{}", 0);
    }
    CHECK_INT(r.lane->routes.live, LANE_TAGS + 1);
    feed_commit(r.feed, NULL);
    rig_settle(&r);
    CHECK_INT(r.lane->routes.live, 0);
    CHECK_INT(counted(&r, "routed/out"), LANE_TAGS + 1);
    push(&r, "a0", "{}", 0);
    feed_commit(r.feed, NULL);
    rig_settle(&r);
    CHECK_INT(counted(&r, "routed/out"), LANE_TAGS + 2);
    CHECK_INT(frames_of(&r, FRAME_ROUTES), 1);
    rig_close(&r);
}

static void show_position(void *arg, struct str key, struct str value)
{
    buf_fmt(arg, STR_FMT "=" STR_FMT " ", STR_ARG(key), STR_ARG(value));
}

TEST(an_input_finds_its_own_positions)
{
    struct rig r;
    struct txn txn = {0};
    struct buf seen = {0};

    rig_open(&r, "", "out", NULL);
    feed_position(r.feed, STR("file"), STR("10"));
    feed_position(r.feed, STR("gone"), STR("1"));
    feed_commit(r.feed, NULL);
    rig_settle(&r);
    feed_position(r.feed, STR("file"), STR("20"));
    feed_position(r.feed, STR("gone"), (struct str){0});
    txn_open(&r.lane->open->txn);
    image_write_position(&r.lane->open->txn.bytes, STR("in2"), STR("file"), STR("30"));
    txn_close(&r.lane->open->txn, FRAME_TAILPOS, 1);
    feed_commit(r.feed, NULL);
    rig_settle(&r);
    feed_positions(r.feed, show_position, &seen);
    CHECK_STR(buf_view(&seen), "file=20 ");
    buf_free(&seen);
    txn_free(&txn);
    rig_close(&r);
}

TEST(trouble_pauses_the_inputs_until_there_is_room)
{
    struct rig r;
    struct fake_plugin *p;
    int retry = -1;

    rig_open(&r, "", "out", NULL);
    p = fake_of(r.build.inputs[0]);
    r.feed->started = true;
    CHECK_INT(feed_room(r.feed, &retry), ROOM);
    CHECK_INT(retry, 0);
    disk_refuses(true);
    for (int i = 0; i < 2; i++) { /* the second one finds the trouble of the first */
        push(&r, "a", "{}", 0);
        feed_commit(r.feed, NULL);
        rig_settle(&r);
    }
    CHECK_INT(p->pauses, 1);
    CHECK_INT(feed_room(r.feed, &retry), ROOM_DISK);
    CHECK(retry >= 1 && retry <= 5);
    disk_refuses(false);
    for (int i = 0; i < 100 && !p->resumes; i++) {
        usleep(20000);
        rig_settle(&r);
    }
    CHECK_INT(p->resumes, 1);
    CHECK_INT(p->pauses, 1);
    CHECK_INT(feed_room(r.feed, NULL), ROOM);
    r.lane->stopping = true;
    CHECK_INT(feed_room(r.feed, NULL), ROOM_DISK);
    rig_close(&r);
    io = &io_system;
}

static void count_end(void *arg)
{
    ++*(int *)arg;
}

TEST(the_run_ends_with_its_last_input)
{
    struct rig r;
    int ends = 0;

    rig_open(&r, "", "out", NULL);
    feed_finish(r.feed); /* nobody asked */
    r.feed->finished = false;
    r.lane->finished = count_end;
    r.lane->finished_arg = &ends;
    r.lane->feeds = alloc_resize(r.lane->feeds, 2 * sizeof *r.lane->feeds);
    r.lane->feeds[1] = r.lane->feeds[0];
    r.lane->nfeeds = 2;
    feed_finish(&r.lane->feeds[1]);
    CHECK_INT(ends, 0);
    feed_finish(&r.lane->feeds[0]);
    CHECK_INT(ends, 1);
    r.lane->nfeeds = 1;
    CHECK_STR(str_of(feed_durability(&r.lane->feeds[0])), "memory");
    rig_close(&r);
}
