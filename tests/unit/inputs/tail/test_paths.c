/* SPDX-License-Identifier: Apache-2.0 */
#include "tail_test.h"

#include <sys/resource.h>
#include <time.h>

static const char *tag_of(const char *tag, const char *regex, const char *path)
{
    static char text[256];
    struct buf out = {0};
    struct regex *r = regex ? regex_new(str_of(regex), NULL) : NULL;

    snprintf(text, sizeof text, "%s", tag_expand(str_of(tag), r, str_of(path), &out) ? buf_text(&out) : "(refused)");
    buf_free(&out);
    regex_free(r);
    return text;
}

TEST(tags)
{
    CHECK_STR(str_of(tag_of("app.*", NULL, "/var/log/a.log")), "app.var.log.a.log");
    CHECK_STR(str_of(tag_of("*", NULL, "/var/log/a.log")), "var.log.a.log");
    CHECK_STR(str_of(tag_of("app.*.end", NULL, "logs/a..log")), "app.logs.a.log.end");
    CHECK_STR(str_of(tag_of("plain..tag", NULL, "/x")), "plain..tag");
    CHECK_STR(str_of(tag_of("k.<pod>.<ns>.<none>", "(?<pod>[a-z]+)_(?<ns>[a-z]+)\\.log$", "/c/web_prod.log")),
              "k.web.prod.<none>");
    CHECK_STR(str_of(tag_of("k.<pod>.*", "(?<pod>[a-z]+)\\.log$", "/c/web.log")), "k.web.c.web.log");
    CHECK_STR(str_of(tag_of("k.<pod>", "(?<pod>[0-9]+)\\.log$", "/c/web.log")), "(refused)");
}

TEST(each_file_has_its_tag)
{
    struct scene s = scene_new();
    char want[128];

    append(&s, "a.log", "1\n");
    SCENE_START(&s, "path", in(&s, "*.log"), "read_from_head", "on", "tag", "app.*");
    WANT(&s, 1);
    snprintf(want, sizeof want, "app.tmp.%s.a.log", s.dir + 5);
    CHECK_STR(fake_tag(s.feed, 0), want);
    scene_stop(&s);
    append(&s, "b.log", "1\n");
    SCENE_START(&s, "path", in(&s, "*.log"), "read_from_head", "on", "tag", "app.<n>", "tag_regex",
                "/(?<n>[^/]+)\\.log$");
    WANT(&s, 2);
    CHECK_STR(fake_tag(s.feed, 1), "app.b");
    scene_end(&s);
}

TEST(patterns_and_exclusions)
{
    struct scene s = scene_new();
    char path[400];

    mkdir(in(&s, "d1"), 0700);
    mkdir(in(&s, "d2"), 0700);
    append(&s, "d1/a.log", "1\n");
    append(&s, "d2/a.log", "2\n");
    append(&s, "d2/b.txt", "no\n");
    append(&s, "d2/no.log", "no\n");
    append(&s, "d2/.hidden.log", "no\n");
    append(&s, "plain", "3\n");
    snprintf(path, sizeof path, "%s,%s", in(&s, "d[12]/*.log"), in(&s, "plain"));
    SCENE_START(&s, "path", path, "read_from_head", "on", "exclude_path", in(&s, "d?/no*"));
    WANT(&s, 3);
    append(&s, "d2/no.log", "no\n");
    append(&s, "d2/c.log", "4\n");
    WANT(&s, 4);
    mkdir(in(&s, "d1/e"), 0700); /* not of the pattern's depth */
    append(&s, "d1/e/a.log", "no\n");
    fake_run(s.feed, 200);
    WANT(&s, 4);
    scene_end(&s);
}

TEST(a_new_directory_of_the_pattern_is_found)
{
    struct scene s = scene_new();

    SCENE_START(&s, "path", in(&s, "*/a.log"));
    fake_run(s.feed, 10);
    mkdir(in(&s, "d"), 0700);
    append(&s, "d/a.log", "1\n");
    WANT(&s, 1);
    append(&s, "d/a.log", "2\n");
    WANT(&s, 2);
    scene_end(&s);
}

TEST(symbolic_links_stay_below)
{
    struct scene s = scene_new(), other = scene_new();
    char path[128];

    mkdir(in(&s, "logs"), 0700);
    mkdir(in(&s, "logs/sub"), 0700);
    append(&s, "logs/sub/real", "1\n");
    append(&other, "secret", "secret\n");
    CHECK_INT(symlink("sub/real", in(&s, "logs/a.log")), 0);
    CHECK_INT(symlink(in(&other, "secret"), in(&s, "logs/b.log")), 0);
    CHECK_INT(symlink(in(&s, "logs/sub/real"), in(&s, "logs/c.log")), 0); /* the same file again: once */
    snprintf(path, sizeof path, "%s", in(&s, "logs/*.log"));
    SCENE_START(&s, "path", path, "read_from_head", "on");
    WANT(&s, 1);
    append(&s, "logs/sub/real", "2\n");
    CHECK(fake_wait(s.feed, 2, 3000));
    scene_stop(&s);
    SCENE_START(&s, "path", path, "read_from_head", "on", "symlink_dirs", other.dir);
    WANT(&s, 3);
    WANT_LINE(&s, 2, "secret");
    scene_end(&other);
    scene_end(&s);
}

TEST(a_linked_directory_does_not_lead_out)
{
    struct scene s = scene_new(), other = scene_new();

    append(&other, "a.log", "secret\n");
    CHECK_INT(symlink(other.dir, in(&s, "d")), 0);
    SCENE_START(&s, "path", in(&s, "*/a.log"), "read_from_head", "on");
    fake_run(s.feed, 50);
    WANT(&s, 0);
    scene_end(&other);
    scene_end(&s);
}

TEST(only_regular_files)
{
    struct scene s = scene_new();

    CHECK_INT(mkfifo(in(&s, "fifo.log"), 0600), 0);
    mkdir(in(&s, "dir.log"), 0700);
    CHECK_INT(symlink("/dev/zero", in(&s, "zero.log")), 0);
    append(&s, "a.log", "1\n");
    SCENE_START(&s, "path", in(&s, "*.log"), "read_from_head", "on", "symlink_dirs", "/dev");
    WANT(&s, 1);
    CHECK_INT(s.tail->nfiles, 1);
    scene_end(&s);
}

TEST(old_files_are_ignored)
{
    struct scene s = scene_new();
    struct timespec old[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};

    append(&s, "a.log", "old\n");
    append(&s, "b.log", "1\n");
    utimensat(AT_FDCWD, in(&s, "a.log"), old, 0);
    SCENE_START(&s, "path", in(&s, "*.log"), "read_from_head", "on", "ignore_older", "1h", "ignore_active_older_files",
                "on", "progress_check_interval", "20ms");
    WANT(&s, 1);
    CHECK_INT(s.tail->nfiles, 1);
    utimensat(AT_FDCWD, in(&s, "b.log"), old, 0);
    fake_run(s.feed, 100);
    CHECK_INT(s.tail->nfiles, 0);
    append(&s, "b.log", "2\n");
    s.tail->refresh.fire(&s.tail->refresh);
    WANT(&s, 2);
    WANT_LINE(&s, 1, "2");
    scene_end(&s);
}

/* More files than descriptors: those that are idle are closed and opened again. */
TEST(more_files_than_descriptors)
{
    struct scene s = scene_new();
    char name[32];

    for (int i = 0; i < 200; i++) {
        snprintf(name, sizeof name, "%d.log", i);
        append(&s, name, "1\n");
    }
    SCENE_START(&s, "path", in(&s, "*.log"));
    s.tail->fd_budget = 20;
    fake_run(s.feed, 50);
    for (int round = 0; round < 3; round++)
        for (int i = 0; i < 200; i += 3) {
            snprintf(name, sizeof name, "%d.log", i);
            append(&s, name, "2\n");
        }
    WANT(&s, 201);
    scene_stop(&s);
    fake_clear(s.feed);
    SCENE_START(&s, "path", in(&s, "*.log"));
    s.tail->fd_budget = 20;
    for (int i = 0; i < 200; i++) {
        snprintf(name, sizeof name, "%d.log", i);
        append(&s, name, "3\n");
    }
    WANT(&s, 200);
    CHECK(s.tail->nopened <= 200);
    for (int i = 0; i < 200; i += 7) { /* also where a closed file is renamed with something unread in it */
        char to[48];
        snprintf(name, sizeof name, "%d.log", i);
        snprintf(to, sizeof to, "%d.log.1", i);
        append(&s, name, "4\n");
        move(&s, name, to);
        append(&s, name, "5\n");
    }
    WANT(&s, 200 + 29 * 2);
    scene_end(&s);
}

static double cpu(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
    return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

TEST(thousands_of_files)
{
    enum { FILES = 5000 };
    struct scene s = scene_new();
    char name[32];
    double before;

    for (int i = 0; i < FILES; i++) {
        snprintf(name, sizeof name, "%d.log", i);
        append(&s, name, "old\n");
    }
    before = cpu();
    SCENE_START(&s, "path", in(&s, "*.log"));
    fprintf(stderr, "%d files found in %.0f ms of processor\n", FILES, cpu() - before);
    fake_run(s.feed, 300);
    CHECK_INT(s.tail->nfiles, FILES);
    before = cpu();
    fake_run(s.feed, 2000);
    fprintf(stderr, "%.2f ms of processor per second when idle\n", (cpu() - before) / 2);
    for (int i = 0; i < FILES; i += 10) {
        snprintf(name, sizeof name, "%d.log", i);
        append(&s, name, "new\n");
    }
    WANT(&s, FILES / 10);
    scene_end(&s);
}

TEST(without_inotify)
{
    struct scene s = scene_new();

    append(&s, "a.log", "1\n");
    SCENE_START(&s, "path", in(&s, "*.log"), "read_from_head", "on", "inotify_watcher", "off", "refresh_interval", "1");
    WANT(&s, 1);
    append(&s, "a.log", "2\n");
    WANT(&s, 2);
    append(&s, "b.log", "3\n");
    WANT(&s, 3);
    scene_end(&s);
}
