/* SPDX-License-Identifier: Apache-2.0 */
/* Quarantined events sent through the rules again, and how a lane starts and stops. */
#include "lane_help.h"

/* [[7, {}], body] */
static struct str encoded(struct buf *out, const char *json)
{
    struct err e = {0};

    buf_clear(out);
    msgpack_array(out, 2);
    msgpack_array(out, 2);
    msgpack_time(out, 7);
    msgpack_map(out, 0);
    CHECK(json_read_whole(str_of(json), &json_limits_default, out, &e));
    return buf_view(out);
}

static struct replay_item item_of(uint64_t n, const char *output, struct str bytes)
{
    return (struct replay_item){.entry = {1, n},
                                .event_id = {2, n},
                                .tag = STR("a"),
                                .input = STR("in"),
                                .output = str_of(output),
                                .encoded = bytes};
}

static void start(struct rig *r)
{
    struct err e = {0};

    CHECK(ingest_start(r->lane, &e));
}

static bool replay_one_item(struct rig *r, struct replay_item item)
{
    ingest_replay(r->lane, &item, 1);
    return item.taken;
}

TEST(through_the_rules_under_the_old_id)
{
    struct rig r;
    struct buf bytes = {0};
    struct str body;
    struct replay_item item;

    rig_open(&r, "f", "out", NULL);
    start(&r);
    body = encoded(&bytes, "{\"f\":\"edit\"}");
    CHECK(replay_one_item(&r, item_of(1, "", body)));
    CHECK_LOG_IS(&r, "R a:{\"f\":\"edit\",\"by\":\"f\"}");
    /* The agent died before the mark was written: it says yes again and brings nothing. */
    CHECK(replay_one_item(&r, item_of(1, "", body)));
    CHECK_INT(counted(&r, "created"), 1);
    /* An input that is gone does not matter. */
    item = item_of(2, "", body);
    item.input = STR("gone");
    CHECK(replay_one_item(&r, item));
    /* Still bad: a new entry stands for it. */
    CHECK(replay_one_item(&r, item_of(3, "", encoded(&bytes, "{\"f\":\"fail\"}"))));
    CHECK_INT(counted(&r, "created"), 3);
    CHECK_INT(counted(&r, "logged"), 2);
    CHECK_INT(counted(&r, "quarantined"), 1);
    CHECK_INT(counted(&r, "in"), 0);
    ingest_stop(r.lane);
    buf_free(&bytes);
    rig_close(&r);
}

TEST(to_the_output_that_rejected_it_alone)
{
    struct rig r;
    struct buf bytes = {0};

    rig_open(&r, "f", "out other", NULL);
    start(&r);
    encoded(&bytes, "{\"f\":\"drop\"}");
    CHECK(replay_one_item(&r, item_of(1, "other", buf_view(&bytes))));
    CHECK_LOG_IS(&r, "R a:{\"f\":\"drop\"}"); /* past the rules, which it went through before */
    CHECK_INT(counted(&r, "routed/out"), 0);
    CHECK_INT(counted(&r, "routed/other"), 1);
    CHECK_INT(counted(&r, "created"), 1);
    CHECK_INT(counted(&r, "logged"), 1);
    ingest_stop(r.lane);
    buf_free(&bytes);
    rig_close(&r);
}

TEST(an_output_that_is_gone_keeps_its_entries)
{
    struct rig r;
    struct buf bytes = {0};

    rig_open(&r, "", "out", NULL);
    start(&r);
    encoded(&bytes, "{}");
    CHECK(!replay_one_item(&r, item_of(1, "gone", buf_view(&bytes))));
    CHECK_INT(counted(&r, "created"), 0);
    r.build.outputs[0]->name[0] = 'g'; /* it comes back */
    CHECK(replay_one_item(&r, item_of(1, "gut", buf_view(&bytes))));
    CHECK_INT(counted(&r, "created"), 1);
    CHECK_INT(counted(&r, "logged"), 1);
    ingest_stop(r.lane);
    buf_free(&bytes);
    rig_close(&r);
}

TEST(what_cannot_be_read_is_not_taken)
{
    static const char *const bad[] = {
        "",                         /* nothing */
        "\xc1",                     /* no msgpack */
        "\x80",                     /* a map */
        "\x93\x92\x07\x80\x80\x80", /* three members */
        "\x92\x80\x80",             /* no head */
        "\x92\x91\x07\x80",         /* a short head */
        "\x92\x92\xa1x\x80\x80",    /* a time that is none */
        "\x92\x92\x07\x07\x80",     /* metadata that is no map */
        "\x92\x92\x07\x80\x07",     /* a body that is no map */
    };
    struct rig r;

    rig_open(&r, "", "out", NULL);
    start(&r);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        CHECK(!replay_one_item(&r, item_of(i + 1, "", str_of(bad[i]))));
    CHECK(replay_one_item(&r, item_of(99, "", STR("\x92\x92\x07\x80\x80"))));
    CHECK_LOG_IS(&r, "R a:{}");
    ingest_stop(r.lane);
    rig_close(&r);
}

TEST(a_failed_commit_takes_none)
{
    struct rig r;
    struct buf bytes = {0};

    rig_open(&r, "", "out", NULL);
    start(&r);
    encoded(&bytes, "{}");
    disk_refuses(true);
    CHECK(!replay_one_item(&r, item_of(1, "", buf_view(&bytes))));
    disk_refuses(false);
    wait_for_room(&r);
    CHECK(replay_one_item(&r, item_of(1, "", buf_view(&bytes))));
    CHECK_LOG_IS(&r, "R a:{}");
    ingest_stop(r.lane);
    buf_free(&bytes);
    rig_close(&r);
    io = &io_system;
}

/* ---- start and stop ---- */

TEST(what_was_started_is_stopped_again)
{
    struct rig r;
    struct err e = {0};

    for (int refuse = 0; refuse < 2; refuse++) {
        struct fake_plugin *first, *second, *in;
        rig_open(&r, "f g", "out", NULL);
        first = fake_of(r.lane->filters[0]);
        second = fake_of(r.lane->filters[1]);
        in = fake_of(r.build.inputs[0]);
        second->refuse = refuse == 0;
        in->refuse = refuse == 1;
        CHECK(!ingest_start(r.lane, &e));
        CHECK_STR(str_of(e.text), refuse ? "the input refuses" : "the filter refuses");
        CHECK_INT(first->started, 1);
        CHECK_INT(first->stopped, 1);
        CHECK_INT(second->stopped, refuse);
        CHECK_INT(in->started, 0);
        CHECK_INT(in->stopped, 0);
        ingest_stop(r.lane); /* nothing runs */
        rig_close(&r);
    }
    ingest_stop(NULL);
    ingest_free(NULL);
}

TEST(stopping_answers_what_is_open)
{
    struct rig r;
    struct told t;
    struct fake_plugin *in, *f;

    rig_open(&r, "f", "out", NULL);
    in = fake_of(r.build.inputs[0]);
    f = fake_of(r.lane->filters[0]);
    push(&r, "a", "{\"n\":1}", 0); /* before the thread runs: it is ours */
    commit(&r, &t);
    start(&r);
    ingest_stop(r.lane);
    CHECK_INT(t.times, 1);
    CHECK(t.durable);
    CHECK_INT(in->pauses, 1);
    CHECK_INT(in->stopped, 1);
    CHECK_INT(f->stopped, 1);
    CHECK_LOG_IS(&r, "R a:{\"n\":1}");
    rig_close(&r);
}

TEST(a_store_that_knows_route_sets_teaches_the_lane)
{
    struct rig r;
    struct build again = {0};
    struct lane *lane;

    rig_open(&r, "", "one two", NULL);
    push(&r, "a", "{}", 0);
    feed_commit(r.feed, NULL);
    rig_settle(&r);
    fake_units(&plugin_input, "in", &again.inputs, &again.ninputs);
    fake_units(&plugin_output, "two one", &again.outputs, &again.noutputs);
    lane = ingest_new(&again, r.store, NULL);
    CHECK_INT(route_sets_number(lane->sets, again.outputs, 2), 1);
    CHECK_INT(route_sets_number(lane->sets, again.outputs, 1), 2);
    ingest_free(lane);
    build_free(&again);
    rig_close(&r);
}
