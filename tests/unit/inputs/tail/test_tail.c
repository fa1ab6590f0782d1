/* SPDX-License-Identifier: Apache-2.0 */
#include "tail_test.h"

TEST(lines_of_a_file_from_its_head)
{
    struct scene s = scene_new();

    append(&s, "a.log", "one\ntwo\r\n\nthree");
    SCENE_START(&s, "path", in(&s, "*.log"), "read_from_head", "on");
    WANT(&s, 3);
    WANT_LINE(&s, 0, "one");
    WANT_LINE(&s, 1, "two");
    WANT_LINE(&s, 2, "");
    append(&s, "a.log", " and a half\n");
    WANT(&s, 4);
    WANT_LINE(&s, 3, "three and a half");
    CHECK_INT(fake_event(s.feed, 3)->client_id, false);
    CHECK_STR(fake_tag(s.feed, 0), "");
    scene_end(&s);
}

TEST(a_file_that_was_there_begins_at_its_end_and_a_later_one_at_its_head)
{
    struct scene s = scene_new();

    append(&s, "a.log", "old\nunfinished");
    SCENE_START(&s, "path", in(&s, "*.log"));
    fake_run(s.feed, 20);
    append(&s, "a.log", " line\nnew\n");
    append(&s, "b.log", "first\n");
    WANT(&s, 3);
    WANT_LINE(&s, 0, "unfinished line");
    WANT_LINE(&s, 1, "new");
    WANT_LINE(&s, 2, "first");
    scene_end(&s);
}

TEST(starting_position_of_a_skipped_file_is_durable)
{
    struct scene s = scene_new();

    append(&s, "a.log", "old\n");
    SCENE_START(&s, "path", in(&s, "*.log"));
    fake_run(s.feed, 20);
    CHECK_INT(s.feed->positions.live, 1);
    scene_stop(&s);
    append(&s, "a.log", "while away\n");
    SCENE_START(&s, "path", in(&s, "*.log"));
    WANT(&s, 1);
    WANT_LINE(&s, 0, "while away");
    scene_end(&s);
}

TEST(rotation_by_rename)
{
    struct scene s = scene_new();

    append(&s, "a.log", "1\n");
    SCENE_START(&s, "path", in(&s, "a.log"), "read_from_head", "on", "rotate_wait", "300ms", "progress_check_interval",
                "20ms");
    WANT(&s, 1);
    append(&s, "a.log", "2\n");
    move(&s, "a.log", "a.log.1");
    append(&s, "a.log.1", "3\n");
    append(&s, "a.log", "4\n");
    WANT(&s, 4);
    WANT_LINE(&s, 1, "2");
    WANT_LINE(&s, 2, "3");
    WANT_LINE(&s, 3, "4");
    append(&s, "a.log.1", "late");
    fake_run(s.feed, 600);
    WANT(&s, 5); /* the unterminated line of a file whose time is over */
    WANT_LINE(&s, 4, "late");
    CHECK_INT(s.tail->nfiles, 1);
    scene_end(&s);
}

TEST(several_rotations_before_anybody_looks)
{
    struct scene s = scene_new();

    append(&s, "a.log", "1\n");
    SCENE_START(&s, "path", in(&s, "a.log"), "read_from_head", "on");
    WANT(&s, 1);
    usleep(50000);
    append(&s, "a.log", "2\n");
    move(&s, "a.log", "a.log.1");
    append(&s, "a.log", "3\n");
    move(&s, "a.log.1", "a.log.2");
    move(&s, "a.log", "a.log.1");
    append(&s, "a.log", "4\n");
    move(&s, "a.log.2", "a.log.3");
    move(&s, "a.log.1", "a.log.2");
    move(&s, "a.log", "a.log.1");
    append(&s, "a.log", "5\n");
    WANT(&s, 5);
    for (unsigned i = 0; i < 5; i++) {
        char text[2] = {(char)('1' + i), 0};
        WANT_LINE(&s, i, text);
    }
    scene_end(&s);
}

TEST(deleted_while_open)
{
    struct scene s = scene_new();
    int fd;

    append(&s, "a.log", "1\n");
    SCENE_START(&s, "path", in(&s, "a.log"), "read_from_head", "on", "rotate_wait", "50ms", "progress_check_interval",
                "20ms");
    WANT(&s, 1);
    fd = open(in(&s, "a.log"), O_WRONLY | O_APPEND);
    unlink(in(&s, "a.log"));
    CHECK_INT(write(fd, "2\n3", 3), 3);
    close(fd);
    WANT(&s, 2);
    fake_run(s.feed, 200);
    WANT(&s, 3);
    WANT_LINE(&s, 2, "3");
    CHECK_INT(s.tail->nfiles, 0);
    CHECK_INT(s.feed->positions.live, 0); /* nothing of it is left: forgotten */
    scene_end(&s);
}

TEST(copytruncate)
{
    struct scene s = scene_new();
    int fd;

    append(&s, "a.log", "1\n2\nhalf");
    SCENE_START(&s, "path", in(&s, "a.log"), "read_from_head", "on");
    WANT(&s, 2);
    CHECK_INT(truncate(in(&s, "a.log"), 0), 0);
    append(&s, "a.log", "3\n");
    WANT(&s, 4);
    WANT_LINE(&s, 2, "half"); /* it could be read before */
    WANT_LINE(&s, 3, "3");
    /* Grown beyond the old offset before anybody looks. */
    fd = open(in(&s, "a.log"), O_WRONLY | O_TRUNC | O_APPEND);
    CHECK_INT(write(fd, "4\n5\n6\n7\n8\n9\n", 12), 12);
    close(fd);
    WANT(&s, 10);
    WANT_LINE(&s, 4, "4");
    WANT_LINE(&s, 9, "9");
    CHECK(!id_eq(fake_event(s.feed, 0)->id, fake_event(s.feed, 3)->id));
    CHECK(!id_eq(fake_event(s.feed, 3)->id, fake_event(s.feed, 4)->id));
    scene_end(&s);
}

TEST(what_a_truncation_took_away_unread_is_said)
{
    struct scene s = scene_new();
    int64_t lost;

    append(&s, "a.log", "1\n");
    SCENE_START(&s, "path", in(&s, "a.log"), "read_from_head", "on", "progress_check_interval", "20ms");
    WANT(&s, 1);
    lost = metric_read(s.tail->lost);
    input_tail.input->pause(s.tail, true);
    append(&s, "a.log", "never read\n");
    fake_run(s.feed, 60);
    CHECK_INT(truncate(in(&s, "a.log"), 0), 0);
    append(&s, "a.log", "2\n");
    input_tail.input->pause(s.tail, false);
    WANT(&s, 2);
    WANT_LINE(&s, 1, "2");
    CHECK_INT(metric_read(s.tail->lost), lost + 11);
    scene_end(&s);
}

TEST(truncated_and_regrown_while_stopped)
{
    struct scene s = scene_new();

    append(&s, "a.log", "1\n2\n");
    SCENE_START(&s, "path", in(&s, "a.log"), "read_from_head", "on");
    WANT(&s, 2);
    scene_stop(&s);
    CHECK_INT(truncate(in(&s, "a.log"), 0), 0);
    append(&s, "a.log", "3\n4\n5\n");
    SCENE_START(&s, "path", in(&s, "a.log"), "read_from_head", "on");
    WANT(&s, 5);
    WANT_LINE(&s, 2, "3");
    CHECK(!id_eq(fake_event(s.feed, 0)->id, fake_event(s.feed, 2)->id));
    scene_end(&s);
}

TEST(rotated_while_stopped)
{
    struct scene s = scene_new();

    append(&s, "a.log", "1\n");
    SCENE_START(&s, "path", in(&s, "a.log"));
    fake_run(s.feed, 50);
    scene_stop(&s);
    append(&s, "a.log", "2\n");
    move(&s, "a.log", "a.log.2");
    usleep(50000);
    append(&s, "a.log", "3\n");
    move(&s, "a.log", "a.log.1");
    append(&s, "a.log", "4\n");
    append(&s, "a.log.3.gz", "not me\n");
    SCENE_START(&s, "path", in(&s, "a.log"));
    WANT(&s, 3);
    WANT_LINE(&s, 0, "2");
    WANT_LINE(&s, 1, "3");
    WANT_LINE(&s, 2, "4");
    scene_end(&s);
}

TEST(an_inode_used_again)
{
    struct scene s = scene_new();
    struct seen before, after;
    char name[16];

    append(&s, "a.log", "1\n2\n3\n");
    SCENE_START(&s, "path", in(&s, "a.log"), "read_from_head", "on");
    WANT(&s, 3);
    scene_stop(&s);
    CHECK(file_stat(AT_FDCWD, in(&s, "a.log"), false, &before));
    unlink(in(&s, "a.log"));
    for (int i = 0; i < 50; i++) { /* most file systems give the number to the next one */
        snprintf(name, sizeof name, "new%d", i);
        append(&s, name, "one\n2\n3\nfour\n");
        CHECK(file_stat(AT_FDCWD, in(&s, name), false, &after));
        if (after.inode == before.inode)
            break;
    }
    if (after.inode != before.inode)
        fprintf(stderr, "this file system does not use inodes again at once\n");
    move(&s, name, "a.log");
    SCENE_START(&s, "path", in(&s, "a.log"), "read_from_head", "on");
    WANT(&s, 7);
    WANT_LINE(&s, 3, "one");
    CHECK(!id_eq(fake_event(s.feed, 0)->id, fake_event(s.feed, 3)->id));
    scene_end(&s);
}

TEST(a_copy_made_before_the_file_went_away_is_not_read)
{
    struct scene s = scene_new();
    char line[102];

    memset(line, 'x', 100);
    memcpy(line + 100, "\n", 2);
    for (int i = 0; i < 20; i++)
        append(&s, "a.log", line);
    SCENE_START(&s, "path", in(&s, "a.log"), "read_from_head", "on");
    WANT(&s, 20);
    usleep(30000);
    for (int i = 0; i < 20; i++)
        append(&s, "a.log.bak", line);
    unlink(in(&s, "a.log"));
    append(&s, "a.log", "1\n");
    WANT(&s, 21);
    scene_end(&s);
}

TEST(positions_of_vanished_files_are_forgotten_and_of_others_kept)
{
    struct scene s = scene_new();

    append(&s, "a.log", "1\n");
    append(&s, "b.log", "2\n");
    SCENE_START(&s, "path", in(&s, "*.log"), "read_from_head", "on");
    WANT(&s, 2);
    scene_stop(&s);
    CHECK_INT(s.feed->positions.live, 2);
    unlink(in(&s, "a.log"));
    SCENE_START(&s, "path", in(&s, "none.log"));
    CHECK_INT(s.tail->nretired, 2);
    known_expire(s.tail, io->monotonic() + known_keep + SECOND);
    fake_run(s.feed, 20);
    CHECK_INT(s.feed->positions.live, 1);
    CHECK_INT(s.tail->nretired, 1);
    scene_end(&s);
}

TEST(a_commit_that_fails_is_read_again_with_the_same_ids)
{
    struct scene s = scene_new();
    struct id first, second;

    s.feed->manual = true;
    append(&s, "a.log", "1\n2\n");
    SCENE_START(&s, "path", in(&s, "a.log"), "read_from_head", "on");
    fake_run(s.feed, 30);
    CHECK_INT(fake_count(s.feed, false), 2);
    first = fake_event(s.feed, 0)->id;
    second = fake_event(s.feed, 1)->id;
    append(&s, "a.log", "3\n");
    fake_run(s.feed, 30);
    CHECK_INT(fake_count(s.feed, false), 3);
    CHECK(fake_settle(s.feed, SIZE_MAX, false) >= 2);
    CHECK_INT(fake_count(s.feed, false), 0);
    s.feed->manual = false;
    WANT(&s, 3);
    CHECK(id_eq(fake_event(s.feed, 0)->id, first));
    CHECK(id_eq(fake_event(s.feed, 1)->id, second));
    WANT_LINE(&s, 2, "3");
    scene_end(&s);
}

TEST(a_crash_before_the_commit_reads_again_with_the_same_ids)
{
    struct scene s = scene_new();
    struct id id;

    append(&s, "a.log", "1\n");
    SCENE_START(&s, "path", in(&s, "a.log"), "read_from_head", "on");
    WANT(&s, 1);
    s.feed->manual = true;
    append(&s, "a.log", "2\n");
    fake_run(s.feed, 30);
    CHECK_INT(fake_count(s.feed, false), 2);
    id = fake_event(s.feed, 1)->id;
    scene_crash(&s);
    CHECK_INT(fake_count(s.feed, false), 1);
    SCENE_START(&s, "path", in(&s, "a.log"));
    WANT(&s, 2);
    WANT_LINE(&s, 1, "2");
    CHECK(id_eq(fake_event(s.feed, 1)->id, id));
    scene_end(&s);
}

TEST(pause_stops_reading)
{
    struct scene s = scene_new();

    SCENE_START(&s, "path", in(&s, "a.log"), "read_from_head", "on");
    input_tail.input->pause(s.tail, true);
    append(&s, "a.log", "1\n");
    fake_run(s.feed, 50);
    CHECK_INT(fake_count(s.feed, false), 0);
    input_tail.input->pause(s.tail, false);
    WANT(&s, 1);
    scene_end(&s);
}

TEST(exit_on_eof)
{
    struct scene s = scene_new();

    append(&s, "a.log", "1\n2");
    append(&s, "b.log", "3\n");
    SCENE_START(&s, "path", in(&s, "*.log"), "read_from_head", "on", "exit_on_eof", "on");
    WANT(&s, 3);
    CHECK_INT(s.feed->finished, 1);
    scene_end(&s);
}

TEST(exit_on_eof_without_files)
{
    struct scene s = scene_new();

    SCENE_START(&s, "path", in(&s, "*.log"), "exit_on_eof", "on");
    fake_run(s.feed, 50);
    CHECK_INT(s.feed->finished, 1);
    scene_end(&s);
}
