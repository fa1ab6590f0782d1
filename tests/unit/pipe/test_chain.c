/* SPDX-License-Identifier: Apache-2.0 */
/* What filters do with an event, what is counted of it, and what the quarantine keeps. */
#include "lane_help.h"

/* The events a, {"F": what} through the filters; the log afterwards. */
static void runs(const char *filters, const char *json, enum outcome want, const char *log)
{
    struct rig r;

    rig_open(&r, filters, "out=*", NULL);
    CHECK_INT(push(&r, "a", json, 0), want);
    feed_commit(r.feed, NULL);
    rig_settle(&r);
    CHECK_LOG_IS(&r, log);
    CHECK_INT(counted(&r, "in") + counted(&r, "created"), counted(&r, "filtered") + counted(&r, "quarantined") +
                                                              counted(&r, "dropped") + counted(&r, "unrouted") +
                                                              counted(&r, "logged"));
    rig_close(&r);
}

TEST(outcomes_of_one_filter)
{
    runs("f", "{\"n\":1}", ACCEPTED, "R a:{\"n\":1}");
    runs("f", "{\"f\":\"edit\"}", ACCEPTED, "R a:{\"f\":\"edit\",\"by\":\"f\"}");
    runs("f", "{\"f\":\"drop\"}", FILTERED, "");
    runs("f", "{\"f\":\"discard\"}", DROPPED, "");
    runs("f", "{\"f\":\"quarantine\"}", QUARANTINED, "Q(filter/f Filter-Failed)");
    runs("f", "{\"f\":\"fail\"}", QUARANTINED, "Q(filter/f Rule-Bad)");
}

TEST(filters_run_in_order_and_only_on_their_tags)
{
    runs("f=x f=a g=a*", "{\"f\":\"edit\",\"g\":\"edit\"}", ACCEPTED,
         "R a:{\"f\":\"edit\",\"g\":\"edit\",\"by\":\"g\"}");
    runs("f=x", "{\"f\":\"drop\"}", ACCEPTED, "R a:{\"f\":\"drop\"}");
    runs("f g", "{\"f\":\"drop\",\"g\":\"quarantine\"}", FILTERED, "");
    runs("f g", "{\"f\":\"edit\",\"g\":\"drop\"}", FILTERED, "");
}

TEST(children_follow_their_parent)
{
    runs("f", "{\"f\":\"emit\"}", ACCEPTED, "R a:{\"f\":\"emit\",\"by\":\"f\"} a:{\"child\":1} a:{\"child\":2}");
    runs("f", "{\"f\":\"emit-fail\"}", QUARANTINED, "Q(filter/f Rule-Bad)"); /* a replay makes the children again */
    runs("f", "{\"f\":\"emit-drop\"}", FILTERED, "R a:{\"child\":1} a:{\"child\":2}");
    /* The parent's fate further on is its own. */
    runs("f g", "{\"f\":\"emit\",\"g\":\"drop\"}", FILTERED, "R a:{\"child\":1} a:{\"child\":2}");
    runs("f g", "{\"f\":\"emit\",\"g\":\"quarantine\"}", QUARANTINED,
         "Q(filter/g Filter-Failed) R a:{\"child\":1} a:{\"child\":2}");
}

/* c drops every event that an earlier filter has made. */
static enum pass drop_children(void *self, struct event *ev, struct emit *out)
{
    (void)out;
    ((struct fake_plugin *)self)->pauses++; /* calls */
    return event_get(ev, STR("child")) ? DROP : KEEP;
}

static const struct filter children_filter = {.apply = drop_children};
static const struct plugin plugin_children = {.name = "children",
                                              .summary = "For tests.",
                                              .options = no_options,
                                              .size = sizeof(struct fake_plugin),
                                              .filter = &children_filter};

static void replace_filter(struct rig *r, size_t i, const char *spec)
{
    unit_free(r->lane->filters[i]);
    r->lane->filters[i] = fake_unit(&plugin_children, str_of(spec));
}

TEST(children_go_through_the_filters_behind)
{
    struct rig r;

    rig_open(&r, "x f x", "out=*", NULL);
    replace_filter(&r, 0, "before=*");
    replace_filter(&r, 2, "behind=*");
    push(&r, "a", "{\"f\":\"emit\"}", 0);
    feed_commit(r.feed, NULL);
    rig_settle(&r);
    CHECK_LOG_IS(&r, "R a:{\"f\":\"emit\",\"by\":\"f\"}");
    CHECK_INT(fake_of(r.lane->filters[0])->pauses, 1); /* the parent alone */
    CHECK_INT(fake_of(r.lane->filters[2])->pauses, 3);
    CHECK_INT(counted(&r, "in"), 1);
    CHECK_INT(counted(&r, "created"), 2);
    CHECK_INT(counted(&r, "filtered"), 2);
    CHECK_INT(counted(&r, "logged"), 1);
    rig_close(&r);
}

/* A child under another tag has another route; it goes through all of its filters that stand behind. */
TEST(children_of_another_tag_take_its_route)
{
    struct rig r;

    rig_open(&r, "f=a x", "out=*", NULL);
    replace_filter(&r, 1, "behind=b");
    push(&r, "a", "{\"f\":\"retag\"}", 0);
    feed_commit(r.feed, NULL);
    rig_settle(&r);
    CHECK_INT(fake_of(r.lane->filters[1])->pauses, 1);
    CHECK_LOG_IS(&r, "R a:{\"f\":\"retag\",\"by\":\"f\"}");
    rig_close(&r);
    rig_open(&r, "x x f=*", "out=*", NULL);
    replace_filter(&r, 0, "before=b");
    replace_filter(&r, 1, "before2=b");
    push(&r, "a", "{\"f\":\"retag\"}", 0);
    feed_commit(r.feed, NULL);
    rig_settle(&r);
    CHECK_INT(fake_of(r.lane->filters[0])->pauses, 0);
    CHECK_LOG_IS(&r, "R a:{\"f\":\"retag\",\"by\":\"f\"} b:{\"child\":1}");
    rig_close(&r);
}

TEST(children_have_ids_of_their_own)
{
    struct rig r;
    struct log_reader *reader;
    struct frame f;
    struct batch_view view = {.count = 0};

    rig_open(&r, "f", "out=*", NULL);
    push(&r, "a", "{\"f\":\"emit\"}", 5);
    feed_commit(r.feed, NULL);
    rig_settle(&r);
    reader = log_reader_new(store_log(r.store), 0);
    log_reader_only(reader, FRAME_EVENTS);
    while (log_reader_next(reader, &f, NULL) == READ_FRAME)
        if (f.type == FRAME_EVENTS)
            CHECK(batch_view(f.payload, &view));
    CHECK_INT(view.count, 3);
    if (view.count == 3) {
        struct id parent = {9, 5};
        CHECK(id_eq(batch_id(&view, 0), parent));
        CHECK(id_eq(batch_id(&view, 1), event_child_id(parent, 1)));
        CHECK(id_eq(batch_id(&view, 2), event_child_id(parent, 2)));
    }
    log_reader_free(reader);
    rig_close(&r);
}

TEST(what_on_error_says)
{
    static const struct {
        int on_error;
        enum outcome outcome;
        const char *log;
    } cases[] = {
        {ON_ERROR_QUARANTINE, QUARANTINED, "Q(filter/f Rule-Bad)"},
        {ON_ERROR_DROP, DROPPED, ""},
        {ON_ERROR_PASS, ACCEPTED, "R a:{\"f\":\"fail\",\"by\":\"f\"}"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct rig r;
        rig_open(&r, "f", "out=*", NULL);
        r.lane->filters[0]->common.on_error = cases[i].on_error;
        CHECK_INT(push(&r, "a", "{\"f\":\"fail\"}", 0), cases[i].outcome);
        feed_commit(r.feed, NULL);
        rig_settle(&r);
        CHECK_LOG_IS(&r, cases[i].log);
        rig_close(&r);
    }
}

/* The only entry of the log; *payload is opened with the key, where there is one. */
static bool only_entry(struct rig *r, const struct quarantine_key *key, struct quarantine_entry *entry,
                       struct buf *copy, struct buf *payload)
{
    struct log_reader *reader = log_reader_new(store_log(r->store), 0);
    struct frame f;
    struct err e = {0};
    size_t n = 0;

    buf_clear(copy);
    buf_clear(payload);
    while (log_reader_next(reader, &f, &e) == READ_FRAME)
        if (f.type == FRAME_QUARANTINE && n++ == 0)
            buf_str(copy, f.payload);
    log_reader_free(reader);
    return n == 1 && quarantine_read(buf_view(copy), entry) &&
           (!key || quarantine_unseal(key, entry->payload, payload, &e));
}

static struct quarantine_key *new_key(void)
{
    char path[64];
    struct err e = {0};
    struct quarantine_key *key;

    snprintf(path, sizeof path, "/tmp/weir-test-key-%d", (int)getpid());
    key = quarantine_key_load(path, true, &e);
    CHECK(key != NULL);
    unlink(path);
    return key;
}

TEST(quarantine_keeps_the_event_as_it_came)
{
    struct quarantine_key *key = new_key();
    struct quarantine_entry q;
    struct buf copy = {0}, payload = {0}, json = {0};
    struct value v;
    struct rig r;

    rig_open(&r, "f", "out=*", key);
    CHECK_INT(push(&r, "a", "{\"f\":\"fail\",\"mail\":\"secret@example.org\"}", 5), QUARANTINED);
    CHECK_STR(feed_reason(r.feed), "Rule-Bad: it was meant to");
    feed_commit(r.feed, NULL);
    rig_settle(&r);
    CHECK(only_entry(&r, key, &q, &copy, &payload));
    CHECK_STR(q.stage, "filter");
    CHECK_STR(q.plugin, "f");
    CHECK_STR(q.input, "in");
    CHECK_STR(q.tag, "a");
    CHECK_STR(q.code, "Rule-Bad");
    CHECK_STR(q.text, "it was meant to");
    CHECK(id_eq(q.event_id, (struct id){9, 5}));
    CHECK_INT(q.kind, QUARANTINE_EVENT);
    CHECK(q.sealed);
    /* The field that the rule had set before it failed is not there; no value can be read without the key. */
    msgpack_read(buf_view(&payload), &v);
    json_write(&json, &v);
    CHECK(str_find(buf_view(&json), STR("{\"f\":\"fail\",\"mail\":\"secret@example.org\"}")) != SIZE_MAX);
    CHECK(str_find(buf_view(&json), STR("\"by\"")) == SIZE_MAX);
    CHECK(str_find(buf_view(&copy), STR("secret")) == SIZE_MAX);
    CHECK(str_find(q.listing, STR("mail: str 18")) != SIZE_MAX);
    buf_free(&copy);
    buf_free(&payload);
    buf_free(&json);
    rig_close(&r);
    quarantine_key_free(key);
}

TEST(quarantine_keeps_bytes_or_with_raw_off_nothing)
{
    struct quarantine_key *key = new_key();
    struct quarantine_entry q;
    struct buf copy = {0}, payload = {0};
    struct rig r;

    for (int raw = 0; raw < 2; raw++) {
        rig_open(&r, "", "out=*", raw ? key : NULL);
        feed_reject(r.feed, STR("half an even"), "Json-Bad", "at byte 12");
        feed_commit(r.feed, NULL);
        rig_settle(&r);
        CHECK(only_entry(&r, raw ? key : NULL, &q, &copy, &payload));
        CHECK_INT(q.kind, raw ? QUARANTINE_BYTES : QUARANTINE_NONE);
        CHECK_STR(q.listing, "12 bytes");
        CHECK_STR(q.tag, "in");
        CHECK_STR(buf_view(&payload), raw ? "half an even" : "");
        CHECK(str_find(buf_view(&copy), STR("half")) == SIZE_MAX);
        rig_close(&r);
    }
    buf_free(&copy);
    buf_free(&payload);
    quarantine_key_free(key);
}
