/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_feed.h"

#include <fcntl.h>
#include <unistd.h>

extern const struct plugin input_stdin;

static struct feed *feed;
static void *self;
static int writer = -1;

static void set_stdin(int fd)
{
    dup2(fd, 0);
    close(fd);
}

static void use_pipe(void)
{
    int ends[2];

    if (pipe(ends))
        abort();
    set_stdin(ends[0]);
    writer = ends[1];
}

static void use_file(const char *text)
{
    char path[] = "/tmp/test_stdin_XXXXXX";
    int fd = mkstemp(path);

    unlink(path);
    CHECK(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    lseek(fd, 0, SEEK_SET);
    set_stdin(fd);
}

static void put(const char *text)
{
    CHECK(write(writer, text, strlen(text)) == (ssize_t)strlen(text));
}

static void end(void)
{
    close(writer);
    writer = -1;
}

static void start(const char *key, const char *value)
{
    struct err e = {0};

    feed = fake_feed(loop_new());
    self = fake_instance(&input_stdin, key ? key : "buffer_size", key ? value : "16000", NULL);
    CHECK(self);
    bool ok = input_stdin.input->start(self, feed, &e);
    if (!ok)
        fprintf(stderr, "%s\n", e.text);
    CHECK(ok);
}

static bool finished(void)
{
    for (int i = 0; i < 200 && !feed->finished; i++)
        fake_run(feed, 5);
    return feed->finished == 1;
}

static void stop(void)
{
    input_stdin.input->stop(self);
    fake_instance_free(self);
    fake_feed_free(feed);
    if (writer >= 0)
        end();
}

TEST(file_to_its_end)
{
    use_file("{\"a\":1}\n\n{\"a\":2}\r\n{\"a\":3}");
    start(NULL, NULL);
    CHECK(finished());
    CHECK_INT(fake_count(feed, true), 3);
    CHECK_STR(fake_body(feed, 0), "{\"a\":1}");
    CHECK_STR(fake_body(feed, 2), "{\"a\":3}"); /* without a newline */
    int64_t age = io->wall() - fake_event(feed, 0)->time;
    CHECK(age >= 0 && age < 10 * SECOND);
    stop();
}

TEST(nothing_at_all)
{
    set_stdin(open("/dev/null", O_RDONLY));
    start(NULL, NULL);
    CHECK(finished());
    CHECK_INT(fake_count(feed, true), 0);
    stop();
}

TEST(pipe_line_by_line)
{
    use_pipe();
    int flags = fcntl(0, F_GETFL);
    start(NULL, NULL);
    put("{\"a\":1}\n{\"a\"");
    CHECK(fake_wait(feed, 1, 1000));
    fake_run(feed, 10);
    CHECK_INT(fake_count(feed, true), 1);
    CHECK_INT(feed->finished, 0);
    put(":2}\n");
    CHECK(fake_wait(feed, 2, 1000));
    put("{\"a\":3}");
    end();
    CHECK(finished());
    CHECK_STR(fake_body(feed, 2), "{\"a\":3}");
    stop();
    CHECK_INT(fcntl(0, F_GETFL), flags); /* as it was */
}

TEST(times_and_several_on_a_line)
{
    use_file("[5, {\"a\":1}]{\"b\":2} [[6.5, {\"m\":1}], {\"c\":3}]\n");
    start(NULL, NULL);
    CHECK(finished());
    CHECK_INT(fake_count(feed, true), 3);
    CHECK_INT(fake_event(feed, 0)->time, 5 * SECOND);
    CHECK_STR(fake_body(feed, 1), "{\"b\":2}");
    CHECK_INT(fake_event(feed, 2)->time, 6 * SECOND + SECOND / 2);
    CHECK_STR(fake_json(feed, fake_event(feed, 2)->meta), "{\"m\":1}");
    stop();
}

TEST(only_the_bad_is_quarantined)
{
    use_file("{\"a\":1}\n{bad\n{\"a\":2} tail\n[1,2]\n7\n[[1],{}]\n[\"x\",{}]\n{\"a\":3}\n");
    start(NULL, NULL);
    CHECK(finished());
    CHECK_INT(fake_count(feed, true), 3);
    CHECK_STR(fake_body(feed, 2), "{\"a\":3}");
    static const char *const want[][2] = {{"{bad", "Invalid-JSON"},     {"tail", "Invalid-JSON"},
                                          {"[1,2]", "Not-A-Record"},    {"7", "Not-A-Record"},
                                          {"[[1],{}]", "Not-A-Record"}, {"[\"x\",{}]", "Not-A-Record"}};
    for (size_t i = 0; i < 6; i++) {
        struct fake_event *r = fake_reject(feed, i);
        CHECK(r);
        if (r) {
            CHECK_STR(r->body, want[i][0]);
            CHECK_STR(r->tag, want[i][1]);
        }
    }
    CHECK(!fake_reject(feed, 6));
    stop();
}

TEST(parser)
{
    static const struct parser_def defs[] = {{.name = {"kv", 2},
                                              .format = PARSE_REGEX,
                                              .regex = {"^(?<time>\\d+) (?<m>.*)$", 23},
                                              .time_format = {"%s", 2},
                                              .time_strict = true},
                                             {.name = {0}}};
    fake_env.parsers = defs;
    use_file("5 hello\nnonsense\n6 world\n");
    start("parser", "kv");
    CHECK(finished());
    CHECK_INT(fake_count(feed, true), 2);
    CHECK_STR(fake_body(feed, 1), "{\"m\":\"world\"}");
    CHECK_INT(fake_event(feed, 1)->time, 6 * SECOND);
    CHECK_STR(fake_reject(feed, 0)->tag, "Parse-Failed");
    CHECK_STR(fake_reject(feed, 0)->body, "nonsense");
    stop();
    struct err e = {0};
    feed = fake_feed(loop_new());
    self = fake_instance(&input_stdin, "parser", "nope", NULL);
    CHECK(!input_stdin.input->start(self, feed, &e));
    CHECK(strstr(e.text, "nope"));
    CHECK(!input_stdin.input->check(self, &e));
    stop();
}

TEST(long_lines)
{
    struct buf text = {0};

    buf_str(&text, STR("{\"a\":1}\n{\"long\":\""));
    for (int i = 0; i < 50000; i++)
        buf_char(&text, 'x');
    buf_str(&text, STR("\"}\n{\"a\":2}\n"));
    use_file(buf_text(&text));
    start("buffer_max_size", "20000");
    CHECK(finished());
    CHECK_INT(fake_count(feed, true), 2);
    CHECK_STR(fake_body(feed, 1), "{\"a\":2}");
    CHECK_STR(fake_reject(feed, 0)->tag, "Line-Too-Long");
    CHECK_INT(fake_reject(feed, 0)->body.n, 4096);
    CHECK(!fake_reject(feed, 1));
    stop();
    /* Longer than a read, within the limit. */
    use_file(buf_text(&text));
    start(NULL, NULL);
    CHECK(finished());
    CHECK_INT(fake_count(feed, true), 3);
    stop();
    buf_free(&text);
}

TEST(pause_stops_reading)
{
    use_pipe();
    start(NULL, NULL);
    input_stdin.input->pause(self, true);
    put("{\"a\":1}\n");
    fake_run(feed, 30);
    CHECK_INT(fake_count(feed, false), 0);
    input_stdin.input->pause(self, false);
    CHECK(fake_wait(feed, 1, 1000));
    stop();
}

TEST(what_failed_is_pushed_again)
{
    use_file("{\"a\":1}\n");
    start(NULL, NULL);
    feed->fail = true;
    fake_run(feed, 50);
    CHECK_INT(fake_count(feed, true), 0);
    CHECK_INT(feed->finished, 0); /* not as long as it is not stored */
    input_stdin.input->pause(self, true);
    feed->fail = false;
    input_stdin.input->pause(self, false);
    CHECK(finished());
    CHECK_INT(fake_count(feed, true), 1);
    CHECK_STR(fake_body(feed, 0), "{\"a\":1}");
    stop();
}

TEST(no_more_is_read_than_may_wait)
{
    struct buf text = {0};

    for (int i = 0; i < 600000; i++)
        buf_str(&text, STR("{\"abc\":123}\n")); /* 7 MB */
    use_file(buf_text(&text));
    start(NULL, NULL);
    feed->manual = true;
    fake_run(feed, 3000);
    size_t taken = fake_count(feed, false);
    CHECK(taken > 300000 && taken < 400000);
    while (!feed->finished) {
        fake_settle(feed, 1000, true);
        fake_run(feed, 20);
    }
    CHECK_INT(fake_count(feed, true), 600000);
    stop();
    buf_free(&text);
}

TEST(what_cannot_be_read)
{
    struct err e = {0};

    set_stdin(open("/", O_RDONLY | O_DIRECTORY));
    feed = fake_feed(loop_new());
    self = fake_instance(&input_stdin, NULL);
    CHECK(!input_stdin.input->start(self, feed, &e));
    CHECK(strstr(e.text, "directory"));
    input_stdin.input->stop(self);
    close(0);
    CHECK(!input_stdin.input->start(self, feed, &e));
    CHECK(strstr(e.text, "cannot be read"));
    stop();
}
