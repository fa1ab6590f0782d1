/* SPDX-License-Identifier: Apache-2.0 */
/* In which order things are made durable: every call that changes a file is written down. */
#include "dir.h"

static struct io spy;
static struct buf calls;
static struct play *spied;

/* "what:name " with names below the play's directory, the changing ones made the same. */
static void note(const char *what, int fd)
{
    char link[64], path[512];
    ssize_t n;
    const char *name = path;
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    n = readlink(link, path, sizeof(path) - 1);
    path[n > 0 ? n : 0] = 0;
    if (!strncmp(path, spied->base, strlen(spied->base)))
        name = path + strlen(spied->base);
    if (strstr(name, ".journal"))
        name = "journal";
    else if (strstr(name, ".part"))
        name = "part";
    buf_fmt(&calls, "%s:%s ", what, name);
}

static ssize_t spy_write(int fd, const void *p, size_t n)
{
    note("write", fd);
    return write(fd, p, n);
}

static int spy_fdatasync(int fd)
{
    note("fdatasync", fd);
    return fdatasync(fd);
}

static int spy_fsync(int fd)
{
    note("fsync", fd);
    return fsync(fd);
}

static int spy_truncate(int fd, off_t n)
{
    note("cut", fd);
    return ftruncate(fd, n);
}

static int64_t spy_wall(void)
{
    return io_system.wall() + 400 * SEC;
}

static void begin(struct play *p, const char *props)
{
    struct err e = {""};
    play_begin(p);
    CHECK(play_start(p, props, &e) && play_restore(p, &e));
    spied = p;
    spy = io_system;
    spy.write = spy_write;
    spy.fdatasync = spy_fdatasync;
    spy.fsync = spy_fsync;
    spy.ftruncate = spy_truncate;
    io = &spy;
    buf_clear(&calls);
}

static void end(struct play *p)
{
    io = &io_system;
    play_end(p);
    buf_free(&calls);
}
#define CALLS(want)                        \
    do {                                   \
        CHECK_STR(buf_view(&calls), want); \
        buf_clear(&calls);                 \
    } while (0)

TEST(a_new_file_is_in_the_journal_before_it_grows)
{
    struct fake_event events[] = {{"a", T0, "{}", NULL}, {"b", T0, "{}", NULL}, {"a", T0, "{}", NULL}};
    struct play p;
    struct err e = {""};
    begin(&p, "");
    CHECK_INT(fake_write(&p.f, events, 3, &e), DONE);
    CALLS("write:journal fdatasync:journal write:/root/a write:/root/b "); /* one write for a file and delivery */
    CHECK_INT(fake_write(&p.f, events, 3, &e), DONE);
    CALLS("write:/root/a write:/root/b ");
    CHECK(play_checkpoint(&p, false));
    CALLS("fdatasync:/root/a fsync:/root fdatasync:/root/b fsync:/root ");
    output_file.output->settled(p.f.instance);
    CALLS("cut:journal ");
    CHECK(play_checkpoint(&p, true)); /* nothing is dirty */
    CALLS("");
    CHECK_INT(fake_write(&p.f, events, 1, &e), DONE);
    CHECK(play_checkpoint(&p, true));
    CALLS("write:/root/a fdatasync:/root/a ");
    end(&p);
}

TEST(a_closed_file_is_durable_and_in_the_journal_when_it_comes_back)
{
    struct play p;
    begin(&p, "max_dynamic_files 1");
    CHECK_INT(put(&p, "a", T0, "{}"), DONE);
    buf_clear(&calls);
    CHECK_INT(put(&p, "b", T0, "{}"), DONE);
    CALLS("fdatasync:/root/a fsync:/root write:journal fdatasync:journal write:/root/b ");
    CHECK(play_checkpoint(&p, true));
    buf_clear(&calls);
    CHECK_INT(put(&p, "a", T0, "{}"), DONE);
    CALLS("write:journal fdatasync:journal write:/root/a ");
    end(&p);
}

TEST(a_rolled_file_is_durable_before_it_has_a_name_and_the_name_before_it_is_forgotten)
{
    struct play p;
    begin(&p, "path_template d/$TAG\ncompress gzip");
    CHECK_INT(put(&p, "a", T0, "{}"), DONE);
    CALLS("fsync:/root "); /* the directory for growing files; the line waits for its member */
    CHECK(play_checkpoint(&p, true));
    CALLS("write:part fdatasync:part fsync:/root/.growing ");
    spy.wall = spy_wall;
    output_file.output->tick(p.f.instance);
    CHECK(play_checkpoint(&p, false));
    CALLS("");
    output_file.output->settled(p.f.instance);
    CALLS("fsync:/root fsync:/root/d fsync:/root/.growing ");
    end(&p);
}

TEST(what_a_restart_cuts_is_made_durable)
{
    struct play p;
    begin(&p, "");
    CHECK_INT(put(&p, "a", T0, "{}"), DONE);
    CHECK(play_checkpoint(&p, true));
    CHECK_INT(put(&p, "a", T0, "{}"), DONE);
    play_stop(&p);
    buf_clear(&calls);
    play_again(&p);
    CALLS("cut:/root/a fsync:/root/a ");
    end(&p);
}

TEST(a_file_that_was_moved_away_is_made_durable_first)
{
    struct play p;
    char from[256], to[256];
    begin(&p, "");
    CHECK_INT(put(&p, "a", T0, "{}"), DONE);
    snprintf(from, sizeof(from), "%s/a", p.root);
    snprintf(to, sizeof(to), "%s/a.1", p.root);
    CHECK(!rename(from, to));
    buf_clear(&calls);
    CHECK_INT(put(&p, "a", T0, "{}"), DONE);
    CALLS("fdatasync:/root/a.1 fsync:/root write:journal fdatasync:journal write:/root/a ");
    end(&p);
}
