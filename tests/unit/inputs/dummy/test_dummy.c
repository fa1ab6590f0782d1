/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_feed.h"

extern const struct plugin input_dummy;

static struct feed *feed;
static void *self;

#define START(...)                                               \
    do {                                                         \
        struct err e_ = {0};                                     \
        feed = fake_feed(loop_new());                            \
        self = fake_instance(&input_dummy, __VA_ARGS__, NULL);   \
        CHECK(self &&input_dummy.input->start(self, feed, &e_)); \
    } while (0)

static void stop(void)
{
    input_dummy.input->stop(self);
    fake_instance_free(self);
    fake_feed_free(feed);
}

#define REFUSED(key, value, part)                                   \
    do {                                                            \
        struct err e_ = {0};                                        \
        feed = fake_feed(loop_new());                               \
        self = fake_instance(&input_dummy, key, value, NULL);       \
        CHECK(!self || !input_dummy.input->start(self, feed, &e_)); \
        CHECK(strstr(self ? e_.text : fake_err.text, part));        \
        if (self)                                                   \
            stop();                                                 \
        else                                                        \
            fake_feed_free(feed);                                   \
    } while (0)

TEST(samples_and_copies)
{
    START("rate", "1000", "samples", "3", "copies", "2", "dummy", "{\"a\":1}", "metadata", "{\"m\":2}");
    CHECK(fake_wait(feed, 6, 2000));
    fake_run(feed, 30);
    CHECK_INT(fake_count(feed, false), 6); /* then it is quiet */
    CHECK_STR(fake_body(feed, 5), "{\"a\":1}");
    CHECK_STR(fake_json(feed, fake_event(feed, 5)->meta), "{\"m\":2}");
    int64_t age = io->wall() - fake_event(feed, 0)->time;
    CHECK(age >= 0 && age < 10 * SECOND);
    CHECK_INT(feed->finished, 0);
    stop();
}

TEST(default_record)
{
    START("flush_on_startup", "on");
    fake_run(feed, 20);
    CHECK_INT(fake_count(feed, false), 1);
    CHECK_STR(fake_body(feed, 0), "{\"message\":\"dummy\"}");
    stop();
    START("samples", "0");
    fake_run(feed, 20);
    CHECK_INT(fake_count(feed, false), 0); /* the first comes after a second */
    stop();
}

TEST(high_rates_are_met)
{
    int64_t from = io->monotonic();

    START("rate", "100000", "samples", "20000");
    CHECK(fake_wait(feed, 20000, 10000));
    CHECK(io->monotonic() - from >= 190 * MILLISECOND); /* and not overdone */
    stop();
}

TEST(interval)
{
    int64_t from = io->monotonic();

    START("interval_nsec", "20000000", "rate", "100000");
    CHECK(fake_wait(feed, 3, 2000));
    CHECK(io->monotonic() - from >= 59 * MILLISECOND);
    stop();
}

TEST(times)
{
    START("rate", "200", "samples", "3", "start_time_sec", "5", "start_time_nsec", "7", "fixed_timestamp", "on");
    CHECK(fake_wait(feed, 3, 2000));
    CHECK_INT(fake_event(feed, 0)->time, 5 * SECOND + 7);
    CHECK_INT(fake_event(feed, 2)->time, 5 * SECOND + 7);
    stop();
    START("rate", "200", "samples", "3", "start_time_sec", "5");
    CHECK(fake_wait(feed, 3, 2000));
    CHECK_INT(fake_event(feed, 0)->time, 5 * SECOND);
    CHECK(fake_event(feed, 2)->time > 5 * SECOND && fake_event(feed, 2)->time < 8 * SECOND);
    stop();
    START("rate", "200", "samples", "3", "fixed_timestamp", "on");
    CHECK(fake_wait(feed, 3, 2000));
    CHECK_INT(fake_event(feed, 0)->time, fake_event(feed, 2)->time);
    CHECK(fake_event(feed, 0)->time > 1600000000 * SECOND);
    stop();
}

TEST(pause)
{
    START("rate", "1000");
    input_dummy.input->pause(self, true);
    fake_run(feed, 20);
    CHECK_INT(fake_count(feed, false), 0);
    input_dummy.input->pause(self, false);
    CHECK(fake_wait(feed, 5, 2000));
    stop();
}

TEST(mistakes_are_named)
{
    struct err e = {0};
    self = fake_instance(&input_dummy, "dummy", "5", NULL);
    CHECK(!input_dummy.input->check(self, &e) && strstr(e.text, "must be"));
    fake_instance_free(self);
    self = fake_instance(&input_dummy, NULL);
    CHECK(input_dummy.input->check(self, &e));
    fake_instance_free(self);
    REFUSED("dummy", "{", "not JSON");
    REFUSED("dummy", "[1]", "must be a JSON object");
    REFUSED("metadata", "1", "metadata must be");
    REFUSED("rate", "0", "rate");
    REFUSED("copies", "-1", "copies");
}
