/* SPDX-License-Identifier: Apache-2.0 */
/* More files than descriptors, folders that go, and files that are not one's own. */
#include "tail_test.h"

static void append_line(const struct scene *s, const char *folder, int i, const char *text)
{
    char name[64];

    snprintf(name, sizeof name, "%sf%d.log", folder, i);
    append(s, name, text);
}

TEST(few_descriptors_for_many_files)
{
    enum { FILES = 6 };
    struct scene s = scene_new();

    for (int i = 0; i < FILES; i++)
        append_line(&s, "", i, "1\n");
    SCENE_START(&s, "path", in(&s, "*.log"), "read_from_head", "on", "refresh_interval", "1");
    s.tail->fd_budget = 2;
    WANT(&s, FILES);
    for (int round = 2; round < 5; round++) {
        for (int i = 0; i < FILES; i++) {
            append_line(&s, "", i, "next\n");
            fake_run(s.feed, 2);
        }
        WANT(&s, (size_t)FILES * (size_t)round);
        CHECK(s.tail->nopened <= FILES);
    }
    scene_stop(&s);
    /* Nothing of what was open stays open. */
    append_line(&s, "", 0, "later\n");
    SCENE_START(&s, "path", in(&s, "*.log"), "read_from_head", "on");
    s.tail->fd_budget = 1;
    WANT(&s, (size_t)FILES * 4 + 1);
    WANT_LINE(&s, (size_t)FILES * 4, "later");
    scene_end(&s);
}

TEST(a_name_that_another_file_took_while_it_was_closed)
{
    struct scene s = scene_new();

    append(&s, "a.log", "a1\n");
    append(&s, "b.log", "b1\n");
    SCENE_START(&s, "path", in(&s, "*.log"), "read_from_head", "on", "refresh_interval", "1");
    WANT(&s, 2);
    s.tail->fd_budget = 1;
    append(&s, "b.log", "b2\n");
    WANT(&s, 3);
    move(&s, "a.log", "a.old");
    append(&s, "a.log", "a2\n");
    WANT(&s, 4);
    WANT_LINE(&s, 3, "a2");
    append(&s, "b.log", "b3\n");
    WANT(&s, 5);
    scene_end(&s);
}

TEST(a_folder_that_goes_and_comes_back)
{
    struct scene s = scene_new();

    CHECK(mkdir(in(&s, "sub"), 0700) == 0);
    append(&s, "sub/x.log", "1\n");
    CHECK(mkdir(in(&s, "sub2"), 0700) == 0);
    append(&s, "sub2/z.log", "");
    SCENE_START(&s, "path", in(&s, "*/*.log"), "read_from_head", "on", "refresh_interval", "1", "rotate_wait", "1");
    WANT(&s, 1);
    CHECK(unlink(in(&s, "sub/x.log")) == 0);
    CHECK(rmdir(in(&s, "sub")) == 0);
    fake_run(s.feed, 50);
    CHECK(mkdir(in(&s, "sub"), 0700) == 0);
    append(&s, "sub/y.log", "2\n");
    WANT(&s, 2);
    WANT_LINE(&s, 1, "2");
    append(&s, "sub/y.log", "3\n");
    WANT(&s, 3);
    fake_run(s.feed, 2500); /* the old file is let go, and its folder with it */
    append(&s, "sub/y.log", "4\n");
    append(&s, "sub/new.log", "5\n");
    append(&s, "sub2/z.log", "6\n");
    WANT(&s, 6);
    scene_end(&s);
}

/* Whoever may write in a folder can link a file there that he may not read himself. */
TEST(a_link_to_the_file_of_somebody_else)
{
    struct scene s = scene_new();

    if (geteuid()) {
        fprintf(stderr, "skipped: only root can give files away\n");
        scene_end(&s);
        return;
    }
    CHECK(mkdir(in(&s, "theirs"), 0755) == 0);
    append(&s, "secret", "secret\n");
    CHECK(link(in(&s, "secret"), in(&s, "theirs/x.log")) == 0);
    append(&s, "theirs/y.log", "1\n");
    CHECK(chown(in(&s, "theirs/y.log"), 12345, 12345) == 0);
    CHECK(chown(in(&s, "theirs"), 12345, 12345) == 0);
    SCENE_START(&s, "path", in(&s, "theirs/*.log"), "read_from_head", "on");
    WANT(&s, 1);
    WANT_LINE(&s, 0, "1");
    scene_end(&s);
}

TEST(what_is_no_file)
{
    struct scene s = scene_new();

    CHECK(mkdir(in(&s, "d.log"), 0700) == 0);
    CHECK(mkfifo(in(&s, "p.log"), 0600) == 0);
    CHECK(symlink(in(&s, "nowhere"), in(&s, "l.log")) == 0);
    append(&s, "a.log", "1\n");
    SCENE_START(&s, "path", in(&s, "*.log"), "read_from_head", "on");
    WANT(&s, 1);
    scene_end(&s);
}
