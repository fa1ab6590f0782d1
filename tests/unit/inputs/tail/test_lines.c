/* SPDX-License-Identifier: Apache-2.0 */
#include "tail_test.h"

static char *repeat(char c, size_t n)
{
    char *p = alloc_new(n + 1);

    memset(p, c, n);
    return p;
}

TEST(long_lines_are_quarantined_and_the_next_goes_on)
{
    struct scene s = scene_new();
    char *just = repeat('x', 100), *over = repeat('y', 101), *far = repeat('z', 700000);

    append(&s, "a.log", just);
    append(&s, "a.log", "\r\n");
    append(&s, "a.log", over);
    append(&s, "a.log", "\nnext\n");
    append(&s, "a.log", far);
    SCENE_START(&s, "path", in(&s, "*.log"), "read_from_head", "on", "buffer_max_size", "100");
    WANT(&s, 2);
    CHECK_INT(fake_event(s.feed, 0)->body.n, 100 + 7);
    WANT_LINE(&s, 1, "next");
    append(&s, "a.log", "end\nafter\n");
    WANT(&s, 3);
    WANT_LINE(&s, 2, "after");
    CHECK_STR(fake_reject(s.feed, 0)->body, over);
    CHECK_STR(fake_reject(s.feed, 0)->tag, "Line-Too-Long");
    CHECK_STR(fake_reject(s.feed, 0)->meta, "a line is longer than buffer_max_size, 100 bytes");
    CHECK_INT(fake_reject(s.feed, 1)->body.n, 4096);
    CHECK(!fake_reject(s.feed, 2));
    CHECK_INT(metric_read(s.tail->long_lines), 2);
    free(just);
    free(over);
    free(far);
    scene_end(&s);
}

TEST(a_restart_in_the_middle_of_a_long_line_goes_on_skipping)
{
    struct scene s = scene_new();
    char *far = repeat('z', 1000);

    append(&s, "a.log", far);
    SCENE_START(&s, "path", in(&s, "*.log"), "read_from_head", "on", "buffer_max_size", "100");
    fake_run(s.feed, 30);
    CHECK(fake_reject(s.feed, 0));
    scene_stop(&s);
    append(&s, "a.log", "more of it\nnext\n");
    SCENE_START(&s, "path", in(&s, "*.log"), "buffer_max_size", "100");
    WANT(&s, 1);
    WANT_LINE(&s, 0, "next");
    free(far);
    scene_end(&s);
}

TEST(long_lines_can_be_skipped_or_truncated)
{
    struct scene s = scene_new();
    int64_t skipped;

    append(&s, "a.log", "0123456789\n0123456789a\nshort\n");
    SCENE_START(&s, "path", in(&s, "*.log"), "read_from_head", "on", "buffer_max_size", "10", "skip_long_lines", "on");
    skipped = metric_read(s.tail->skipped);
    WANT(&s, 2);
    WANT_LINE(&s, 0, "0123456789");
    WANT_LINE(&s, 1, "short");
    CHECK(!fake_reject(s.feed, 0));
    CHECK_INT(metric_read(s.tail->skipped), skipped + 1);
    scene_stop(&s);
    append(&s, "b.log", "0123456789a\nshort\n");
    fake_clear(s.feed);
    SCENE_START(&s, "path", in(&s, "*.log"), "read_from_head", "on", "buffer_max_size", "10", "truncate_long_lines",
                "on");
    WANT(&s, 2);
    WANT_LINE(&s, 0, "0123456789");
    scene_end(&s);
}

TEST(a_line_longer_than_one_read)
{
    struct scene s = scene_new();
    char *far = repeat('z', 600000);

    append(&s, "a.log", far);
    append(&s, "a.log", "\nnext\n");
    SCENE_START(&s, "path", in(&s, "*.log"), "read_from_head", "on", "buffer_max_size", "1M");
    WANT(&s, 2);
    CHECK_INT(fake_event(s.feed, 0)->body.n, 600000 + 10);
    WANT_LINE(&s, 1, "next");
    free(far);
    scene_end(&s);
}

TEST(empty_lines_can_be_left_out)
{
    struct scene s = scene_new();

    append(&s, "a.log", "\n\r\na\n\n");
    SCENE_START(&s, "path", in(&s, "*.log"), "read_from_head", "on", "skip_empty_lines", "on", "key", "line");
    WANT(&s, 1);
    CHECK_STR(fake_body(s.feed, 0), "{\"line\":\"a\"}");
    CHECK_INT(s.tail->files.next == s.tail->files.prev, 1);
    CHECK_INT(container_of(s.tail->files.next, struct file, link)->offset, 6);
    scene_end(&s);
}

/* A writer that does not append goes on at its old offset when the file is truncated. */
TEST(zeros_of_a_sparse_file_are_passed_over)
{
    struct scene s = scene_new();
    int fd;

    append(&s, "a.log", "1\n");
    SCENE_START(&s, "path", in(&s, "*.log"), "read_from_head", "on");
    WANT(&s, 1);
    CHECK_INT(truncate(in(&s, "a.log"), 0), 0);
    fd = open(in(&s, "a.log"), O_WRONLY);
    CHECK_INT(pwrite(fd, "2\n", 2, 1000000), 2);
    close(fd);
    WANT(&s, 2);
    WANT_LINE(&s, 1, "2");
    scene_end(&s);
}

TEST(keys_for_path_and_offset)
{
    struct scene s = scene_new();
    char want[256];

    append(&s, "a.log", "one\ntwo\n");
    SCENE_START(&s, "path", in(&s, "*.log"), "read_from_head", "on", "path_key", "file", "offset_key", "at");
    WANT(&s, 2);
    snprintf(want, sizeof want, "{\"log\":\"two\",\"file\":\"%s/a.log\",\"at\":4}", s.dir);
    CHECK_STR(fake_body(s.feed, 1), want);
    scene_end(&s);
}

TEST(lines_of_a_parser)
{
    static const struct parser_def parsers[] = {
        {.name = {"j", 1}, .format = PARSE_JSON, .skip_empty_values = true, .time_strict = true}, {.name = {NULL, 0}}};
    struct scene s = scene_new();
    char want[600];

    fake_env.parsers = parsers;
    append(&s, "a.log", "{\"a\":1}\nnot json\n{}\n");
    append(&s, "a.log",
           "{\"1\":1,\"2\":1,\"3\":1,\"4\":1,\"5\":1,\"6\":1,\"7\":1,\"8\":1,\"9\":1,\"10\":1,\"11\":1,"
           "\"12\":1,\"13\":1,\"14\":1,\"15\":1}\n");
    SCENE_START(&s, "path", in(&s, "*.log"), "read_from_head", "on", "parser", "j", "path_key", "f", "offset_key", "o");
    WANT(&s, 4);
    snprintf(want, sizeof want, "{\"a\":1,\"f\":\"%s/a.log\",\"o\":0}", s.dir);
    CHECK_STR(fake_body(s.feed, 0), want);
    snprintf(want, sizeof want, "{\"log\":\"not json\",\"f\":\"%s/a.log\",\"o\":8}", s.dir);
    CHECK_STR(fake_body(s.feed, 1), want);
    snprintf(want, sizeof want, "{\"f\":\"%s/a.log\",\"o\":17}", s.dir);
    CHECK_STR(fake_body(s.feed, 2), want);
    snprintf(want, sizeof want,
             "{\"1\":1,\"2\":1,\"3\":1,\"4\":1,\"5\":1,\"6\":1,\"7\":1,\"8\":1,\"9\":1,\"10\":1,\"11\":1,\"12\":1,"
             "\"13\":1,\"14\":1,\"15\":1,\"f\":\"%s/a.log\",\"o\":20}",
             s.dir);
    CHECK_STR(fake_body(s.feed, 3), want);
    scene_stop(&s);
    s.tail = fake_instance(&input_tail, "path", in(&s, "*.log"), "parser", "k", NULL);
    CHECK(!input_tail.input->start(s.tail, s.feed, &fake_err));
    CHECK(strstr(fake_err.text, "no parser `k`"));
    scene_end(&s);
    fake_env.parsers = NULL;
}

TEST(options_that_would_change_the_events_are_refused)
{
    static const char *const refused[][2] = {{"multiline", "on"},          {"docker_mode", "on"},
                                             {"multiline.parser", "cri"},  {"parser_firstline", "x"},
                                             {"unicode.encoding", "auto"}, {"generic.encoding", "SJIS"}};
    struct scene s = scene_new();

    for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
        struct err e = {{0}};
        char want[64];
        s.tail = fake_instance(&input_tail, "path", "/x", refused[i][0], refused[i][1], NULL);
        CHECK(s.tail && !input_tail.input->start(s.tail, s.feed, &e));
        snprintf(want, sizeof want, "`%s` is not supported yet", refused[i][0]);
        CHECK(strstr(e.text, want));
        scene_stop(&s);
    }
    scene_end(&s);
}
