/* SPDX-License-Identifier: Apache-2.0 */
#include "dir.h"

#include <errno.h>
#include <sys/resource.h>

#define LINE(tag, n) tag ": [1700000000.000000000, {\"n\":" #n "}]\n"

TEST(one_file_per_tag)
{
    struct play p;
    struct err e = {""};
    struct fake_event events[] = {
        {"app", T0, "{\"n\":1}", NULL}, {"web/x", T0 + 1, "{\"n\":2}", NULL}, {"app", T0 + SEC / 2, "{\"n\":3}", NULL}};
    play_begin(&p);
    CHECK(play_start(&p, "", &e));
    CHECK_INT(fake_write(&p.f, events, 3, &e), DONE);
    CHECK_FILE(&p, "app", "app: [1700000000.000000000, {\"n\":1}]\napp: [1700000000.500000000, {\"n\":3}]\n");
    CHECK_FILE(&p, "web%2Fx", "web/x: [1700000000.000000001, {\"n\":2}]\n");
    play_end(&p);
}

TEST(formats)
{
    static const struct {
        const char *props, *json, *want;
    } cases[] = {
        {"format plain", "{\"a\":\"x\\ny\",\"b\":1.5}", "{\"a\":\"x\\ny\",\"b\":1.5}\n"},
        {"format json_lines", "{}", "{}\n"},
        {"format json_lines\njson_date_key ts\njson_date_format iso8601", "{\"a\":1}",
         "{\"ts\":\"2023-11-14T22:13:20.000000Z\",\"a\":1}\n"},
        {"format json_lines\njson_date_key ts\njson_date_format epoch", "{}", "{\"ts\":1700000000}\n"},
        {"format csv", "{\"a\":\"q\\\"q\",\"b\":2,\"c\":null,\"d\":\"=1+1\",\"e\":[1]}",
         "1700000000.000000000,\"q\"\"q\",2,,\"'=1+1\",\"[1]\"\n"},
        {"format csv\ncsv_escape_formulas off\ndelimiter tab", "{\"d\":\"=1\",\"e\":true}",
         "1700000000.000000000\t\"=1\"\ttrue\n"},
        {"format csv\ncsv_column_names on", "{\"a\":1,\"b\":2}", "timestamp,\"a\",\"b\"\n1700000000.000000000,1,2\n"},
        {"format ltsv", "{\"a\":\"x\",\"b\":2}", "\"time\":1700000000.000000\t\"a\":\"x\"\t\"b\":2\n"},
        {"format ltsv\nlabel_delimiter =\ndelimiter space", "{\"b\":2}", "\"time\"=1700000000.000000 \"b\"=2\n"},
        {"format template\ntemplate {time} <{a}> {gone} {", "{\"a\":\"x\\u001b[2J\\ny\"}",
         "1700000000.000000 <x\\u001b[2J\\ny> {gone} {\n"},
        {"format msgpack", "{\"a\":1}", "\x92\x92\xd7\x00\x65\x53\xf1\x00"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct play p;
        struct err e = {""};
        char props[256];
        play_begin(&p);
        snprintf(props, sizeof(props), "file f\n%s", cases[i].props);
        CHECK(play_start(&p, props, &e));
        CHECK_INT(put(&p, "t", T0, cases[i].json), DONE);
        if (!strcmp(cases[i].props, "format msgpack")) {
            struct buf b = {0};
            CHECK(str_starts(slurp(&p, p.root, "f", &b), (struct str){"\x92\x92\xd7\x00\x65\x53\xf1\x00", 8}));
            buf_free(&b);
        } else {
            CHECK_FILE(&p, "f", cases[i].want);
        }
        play_end(&p);
    }
}

TEST(column_names_stand_once)
{
    struct play p;
    struct err e = {""};
    play_begin(&p);
    CHECK(play_start(&p, "file f\nformat csv\ncsv_column_names on", &e));
    CHECK_INT(put(&p, "t", T0, "{\"a\":1}"), DONE);
    CHECK_INT(put(&p, "t", T0, "{\"a\":2}"), DONE);
    CHECK_FILE(&p, "f", "timestamp,\"a\"\n1700000000.000000000,1\n1700000000.000000000,2\n");
    play_end(&p);
}

static void first_crash(struct play *p)
{
    struct err e;
    CHECK(play_start(p, "", &e) && play_restore(p, &e));
    CHECK_INT(put(p, "app", T0, "{\"n\":1}"), DONE);
    CHECK(play_checkpoint(p, true));
    CHECK_INT(put(p, "app", T0, "{\"n\":2}"), DONE);
    CHECK_INT(put(p, "new", T0, "{\"n\":3}"), DONE);
}

TEST(a_crash_takes_back_what_came_after_the_checkpoint)
{
    struct play p;
    play_begin(&p);
    play_crash(&p, first_crash);
    CHECK_FILE(&p, "app", LINE("app", 1) LINE("app", 2));
    play_again(&p);
    CHECK_FILE(&p, "app", LINE("app", 1));
    CHECK_FILE(&p, "new", "");
    CHECK_INT(put(&p, "app", T0, "{\"n\":2}"), DONE);
    CHECK_INT(put(&p, "new", T0, "{\"n\":3}"), DONE);
    CHECK_FILE(&p, "app", LINE("app", 1) LINE("app", 2));
    CHECK_FILE(&p, "new", LINE("new", 3));
    play_end(&p);
}

static void crash_without_checkpoint(struct play *p)
{
    struct err e;
    CHECK(play_start(p, "", &e) && play_restore(p, &e));
    CHECK_INT(put(p, "app", T0, "{\"n\":1}"), DONE);
    CHECK_INT(put(p, "app", T0, "{\"n\":2}"), DONE);
}

/* What stood in the file before the agent's first line is not the agent's to cut. */
TEST(a_crash_before_the_first_checkpoint)
{
    struct play p;
    play_begin(&p);
    spit(&p, "app", "old\n");
    play_crash(&p, crash_without_checkpoint);
    CHECK_FILE(&p, "app", "old\n" LINE("app", 1) LINE("app", 2));
    play_crash(&p, crash_without_checkpoint); /* and once more, before the first checkpoint still */
    CHECK_FILE(&p, "app", "old\n" LINE("app", 1) LINE("app", 2));
    play_again(&p);
    CHECK_FILE(&p, "app", "old\n");
    play_end(&p);
}

/* A checkpoint that was taken and never became durable does not count. */
static void crash_before_durable(struct play *p)
{
    struct err e;
    CLEANUP(buf_free) struct buf lost = {0};
    first_crash(p);
    CHECK(output_file.output->checkpoint(p->f.instance, &lost, &e));
    CHECK_INT(put(p, "third", T0, "{\"n\":4}"), DONE);
}

TEST(a_checkpoint_that_was_lost)
{
    struct play p;
    play_begin(&p);
    play_crash(&p, crash_before_durable);
    play_again(&p);
    CHECK_FILE(&p, "app", LINE("app", 1));
    CHECK_FILE(&p, "new", "");
    CHECK_FILE(&p, "third", "");
    play_end(&p);
}

static void many_checkpoints(struct play *p)
{
    struct err e;
    CHECK(play_start(p, "max_dynamic_files 1", &e) && play_restore(p, &e));
    CHECK_INT(put(p, "a", T0, "{\"n\":1}"), DONE);
    CHECK_INT(put(p, "b", T0, "{\"n\":1}"), DONE); /* closes a */
    CHECK(play_checkpoint(p, true));               /* forgets a */
    CHECK(play_checkpoint(p, true));
    CHECK_INT(put(p, "a", T0, "{\"n\":2}"), DONE);
    CHECK_INT(put(p, "b", T0, "{\"n\":2}"), DONE);
    CHECK_INT(put(p, "a", T0, "{\"n\":3}"), DONE);
}

TEST(files_that_were_closed_in_between)
{
    struct play p;
    play_begin(&p);
    play_crash(&p, many_checkpoints);
    CHECK_FILE(&p, "a", LINE("a", 1) LINE("a", 2) LINE("a", 3));
    play_again(&p);
    CHECK_FILE(&p, "a", LINE("a", 1));
    CHECK_FILE(&p, "b", LINE("b", 1));
    play_end(&p);
}

TEST(a_torn_journal_is_read_up_to_the_tear)
{
    struct play p;
    char path[256];
    struct buf all = {0};
    int fd;
    play_begin(&p);
    play_crash(&p, crash_without_checkpoint);
    list_into(p.state_dir, "", &all);
    snprintf(path, sizeof(path), "%s/%.*s", p.state_dir, (int)all.n - 1, all.p);
    fd = open(path, O_WRONLY | O_APPEND);
    CHECK(fd >= 0 && write(fd, "\x40\0\0\0garbage", 11) == 11);
    close(fd);
    play_again(&p);
    CHECK_FILE(&p, "app", "");
    CHECK_INT(put(&p, "app", T0, "{\"n\":1}"), DONE);
    play_stop(&p);
    play_again(&p); /* the entry behind the tear is found: the tear was overwritten */
    CHECK_FILE(&p, "app", "");
    buf_free(&all);
    play_end(&p);
}

static void rename_app(struct play *p)
{
    char from[256], to[256];
    snprintf(from, sizeof(from), "%s/app", p->root);
    snprintf(to, sizeof(to), "%s/app.1", p->root);
    CHECK(!rename(from, to));
}

TEST(a_file_that_somebody_rotates_is_opened_anew)
{
    struct play p;
    struct err e = {""};
    play_begin(&p);
    CHECK(play_start(&p, "", &e));
    CHECK_INT(put(&p, "app", T0, "{\"n\":1}"), DONE);
    rename_app(&p);
    CHECK_INT(put(&p, "app", T0, "{\"n\":2}"), DONE);
    CHECK_FILE(&p, "app.1", LINE("app", 1));
    CHECK_FILE(&p, "app", LINE("app", 2));
    play_end(&p);
}

static void rotate_and_crash(struct play *p)
{
    first_crash(p);
    rename_app(p);
    spit(p, "app", "somebody else's, and rather long, so that it could be cut\n");
}

TEST(another_file_of_the_name_is_left_alone)
{
    struct play p;
    play_begin(&p);
    play_crash(&p, rotate_and_crash);
    play_again(&p);
    CHECK_FILE(&p, "app", "somebody else's, and rather long, so that it could be cut\n");
    CHECK_FILE(&p, "app.1", LINE("app", 1) LINE("app", 2));
    play_end(&p);
}

static void cut_and_crash(struct play *p)
{
    char path[256];
    first_crash(p);
    snprintf(path, sizeof(path), "%s/app", p->root);
    CHECK(!truncate(path, 3));
}

TEST(a_shorter_file_is_left_alone)
{
    struct play p;
    play_begin(&p);
    play_crash(&p, cut_and_crash);
    play_again(&p);
    CHECK_FILE(&p, "app", "app");
    play_end(&p);
}

TEST(a_failed_write_leaves_nothing_of_the_delivery)
{
    struct play p;
    struct err e = {""};
    struct rlimit limit;
    char json[4096];
    struct fake_event events[] = {{"small", T0, "{\"n\":1}", NULL}, {"big", T0, json, NULL}};
    snprintf(json, sizeof(json), "{\"x\":\"%0*d\"}", 3000, 1);
    play_begin(&p);
    CHECK(play_start(&p, "format plain", &e));
    CHECK_INT(put(&p, "small", T0, "{\"n\":0}"), DONE);
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &limit);
    setrlimit(RLIMIT_FSIZE, &(struct rlimit){1000, limit.rlim_max});
    CHECK_INT(fake_write(&p.f, events, 2, &e), RETRY);
    CHECK(strstr(e.text, "cannot write to big"));
    setrlimit(RLIMIT_FSIZE, &limit);
    CHECK_FILE(&p, "small", "{\"n\":0}\n");
    CHECK_FILE(&p, "big", "");
    CHECK_INT(fake_write(&p.f, events, 2, &e), DONE);
    CHECK_FILE(&p, "small", "{\"n\":0}\n{\"n\":1}\n");
    play_end(&p);
}

static struct io broken;
static int fail_write, fail_truncate, fail_sync;

static ssize_t broken_write(int fd, const void *b, size_t n)
{
    if (!fail_write)
        return write(fd, b, n);
    if (fail_write-- > 1)
        return write(fd, b, n > 3 ? 3 : n);
    errno = ENOSPC;
    return -1;
}

static int broken_truncate(int fd, off_t n)
{
    if (!fail_truncate)
        return ftruncate(fd, n);
    fail_truncate--;
    errno = EIO;
    return -1;
}

static int broken_sync(int fd)
{
    if (!fail_sync)
        return fdatasync(fd);
    fail_sync--;
    errno = EIO;
    return -1;
}

static void break_io(void)
{
    broken = io_system;
    broken.write = broken_write;
    broken.ftruncate = broken_truncate;
    broken.fdatasync = broken_sync;
    io = &broken;
}

TEST(a_disk_that_fills_in_the_middle_of_a_line)
{
    struct play p;
    struct err e = {""};
    play_begin(&p);
    CHECK(play_start(&p, "format plain\nfile f", &e));
    CHECK_INT(put(&p, "t", T0, "{\"n\":0}"), DONE);
    break_io();
    fail_write = 3;
    CHECK_INT(put(&p, "t", T0, "{\"n\":1}"), RETRY);
    CHECK_FILE(&p, "f", "{\"n\":0}\n");
    fail_write = 2; /* and the cut fails too: it is made up for */
    fail_truncate = 1;
    CHECK_INT(put(&p, "t", T0, "{\"n\":1}"), RETRY);
    CHECK_FILE(&p, "f", "{\"n\":0}\n{\"n");
    CHECK_INT(put(&p, "t", T0, "{\"n\":1}"), DONE);
    CHECK_FILE(&p, "f", "{\"n\":0}\n{\"n\":1}\n");
    fail_write = 2;
    fail_truncate = 2; /* before a checkpoint */
    CHECK_INT(put(&p, "t", T0, "{\"n\":2}"), RETRY);
    CHECK(!play_checkpoint(&p, true));
    CHECK(play_checkpoint(&p, true));
    CHECK_FILE(&p, "f", "{\"n\":0}\n{\"n\":1}\n");
    io = &io_system;
    play_end(&p);
}

TEST(a_failed_fdatasync_is_never_believed_again)
{
    struct play p;
    struct err e = {""};
    play_begin(&p);
    CHECK(play_start(&p, "file f", &e));
    CHECK_INT(put(&p, "t", T0, "{\"n\":0}"), DONE);
    break_io();
    fail_sync = 1;
    CHECK(!play_checkpoint(&p, true));
    CHECK(!play_checkpoint(&p, true));
    CHECK_INT(put(&p, "t", T0, "{\"n\":0}"), HOLD);
    io = &io_system;
    play_end(&p);
}

TEST(directories)
{
    struct play p;
    struct err e = {""};
    play_begin(&p);
    strcat(p.root, "/deep/er");
    CHECK(play_start(&p, "file f", &e));
    CHECK_INT(put(&p, "t", T0, "{}"), RETRY);
    play_stop(&p);
    CHECK(play_start(&p, "file sub/f\nmkdir on\nformat plain", &e));
    CHECK_INT(put(&p, "t", T0, "{}"), DONE);
    CHECK_FILE(&p, "sub/f", "{}\n");
    play_end(&p);
}

TEST(a_link_is_not_followed)
{
    struct play p;
    struct err e = {""};
    char link[256], target[256];
    struct stat st;
    play_begin(&p);
    snprintf(link, sizeof(link), "%s/t", p.root);
    snprintf(target, sizeof(target), "%s/victim", p.base);
    CHECK(!symlink(target, link));
    CHECK(play_start(&p, "", &e));
    CHECK_INT(put(&p, "t", T0, "{}"), RETRY);
    CHECK(stat(target, &st) < 0);
    unlink(link);
    mkfifo(link, 0600);
    CHECK_INT(put(&p, "t", T0, "{}"), RETRY); /* and does not hang */
    unlink(link);
    CHECK_INT(put(&p, "t", T0, "{}"), DONE);
    play_end(&p);
}

TEST(few_descriptors_many_files)
{
    struct play p;
    struct err e = {""};
    struct fake_event events[5];
    char tags[5][16];
    play_begin(&p);
    CHECK(play_start(&p, "max_dynamic_files 3\nformat plain", &e));
    for (int round = 0; round < 3; round++)
        for (int i = 0; i < 10; i++) {
            char tag[16], json[32];
            snprintf(tag, sizeof(tag), "t%d", i);
            snprintf(json, sizeof(json), "{\"n\":%d}", round);
            CHECK_INT(put(&p, tag, T0, json), DONE);
        }
    CHECK_FILE(&p, "t0", "{\"n\":0}\n{\"n\":1}\n{\"n\":2}\n");
    CHECK_FILE(&p, "t9", "{\"n\":0}\n{\"n\":1}\n{\"n\":2}\n");
    /* more than that in one delivery: those events alone are refused */
    for (int i = 0; i < 5; i++) {
        snprintf(tags[i], sizeof(tags[i]), "u%d", i);
        events[i] = (struct fake_event){tags[i], T0, "{}", NULL};
    }
    struct delivery d;
    fake_delivery_init(&d, events, 5);
    CHECK_INT(output_file.output->write(p.f.instance, &d, &e), DONE);
    CHECK_INT(d.nfails, 2);
    CHECK_INT(d.fails[0].index, 3);
    CHECK_INT(d.fails[0].verdict, REJECT);
    fake_delivery_free(&d);
    CHECK_FILE(&p, "u2", "{}\n");
    CHECK_FILE(&p, "u3", "(no file)");
    play_end(&p);
}

TEST(rotation)
{
    struct play p;
    struct err e = {""};
    char json[1200], name[512];
    struct buf bytes = {0};
    play_begin(&p);
    snprintf(json, sizeof(json), "{\"x\":\"%0*d\"}", 1100, 1);
    CHECK(play_start(&p, "file f\nformat plain\nrotate on\nrotate_max_size 1024\nrotate_gzip off\nrotate_max_files 1",
                     &e));
    CHECK(play_restore(&p, &e));
    fake_checkpoints_wanted = 0;
    CHECK_INT(put(&p, "t", T0, json), DONE);
    CHECK(fake_checkpoints_wanted > 0);
    CHECK(play_checkpoint(&p, true));
    CHECK_FILE(&p, "f", "(no file)");
    CHECK(finished(&p, "f.", name, &bytes));
    CHECK_INT(bytes.n, strlen(json) + 1);
    CHECK_INT(put(&p, "t", T0, "{}"), DONE);
    CHECK_FILE(&p, "f", "{}\n");
    CHECK_INT(put(&p, "t", T0, json), DONE);
    CHECK(play_checkpoint(&p, true));
    CHECK(play_checkpoint(&p, true));
    CHECK(play_checkpoint(&p, true)); /* rotate_max_files 1: the older one goes */
    CHECK(finished(&p, "f.", name, &bytes));
    CHECK_INT(bytes.n, strlen(json) + 4);
    buf_free(&bytes);
    play_end(&p);
}

static void crash_before_rotation(struct play *p)
{
    struct err e;
    char json[1200];
    snprintf(json, sizeof(json), "{\"x\":\"%0*d\"}", 1100, 1);
    CHECK(play_start(p, NULL, &e));
    CHECK(play_restore(p, &e));
    CHECK_INT(put(p, "t", T0, json), DONE);
    CHECK(play_checkpoint(p, false));
    CHECK_INT(put(p, "t", T0, "{\"late\":1}"), DONE);
}

TEST(rotation_across_a_crash)
{
    struct play p;
    char name[512];
    struct buf bytes = {0}, text = {0};
    struct err e;
    play_begin(&p);
    strcpy(p.props, "file f\nformat plain\nrotate on\nrotate_max_size 1024\nrotate_gzip on");
    play_crash(&p, crash_before_rotation);
    play_again(&p);
    CHECK_FILE(&p, "f", "(no file)");
    CHECK(finished(&p, "f.", name, &bytes));
    CHECK_INT(bytes.n, 1109);
    CHECK_INT(put(&p, "t", T0, "{\"late\":1}"), DONE);
    CHECK_FILE(&p, "f", "{\"late\":1}\n");
    CHECK(play_checkpoint(&p, true));
    CHECK(finished(&p, "f.", name, &bytes));
    CHECK(str_ends(str_of(name), STR(".gz")));
    CHECK_INT(codec_decompress(CODEC_GZIP, buf_view(&bytes), 1 << 20, 0, &text, &e), INFLATE_OK);
    CHECK_INT(text.n, 1109);
    buf_free(&bytes);
    buf_free(&text);
    play_end(&p);
}

TEST(mistakes)
{
    output_bad(&output_file, "path /tmp\nfile ../x", "..");
    output_bad(&output_file, "path /tmp\npath_template /abs", "below `path`");
    output_bad(&output_file, "path /tmp\npath_template a//b", "empty part");
    output_bad(&output_file, "path /tmp\npath_template a/../b", "..");
    output_bad(&output_file, "path /tmp\npath_template $TAG\nfile x", "path_template");
    output_bad(&output_file, "path_template $TAG", "needs `path`");
    output_bad(&output_file, "path /tmp\ncompress deflate", "gzip or zstd");
    output_bad(&output_file, "path /tmp\nformat xml", "format");
    output_bad(&output_file, "path /tmp\njson_date_key ts", "json_lines");
    output_bad(&output_file, "path /tmp\nrotate on\ncompress gzip", "append-only");
    output_bad(&output_file, "path /tmp\nfile $x\non_missing_field fallback", "fallback_file");
    output_bad(&output_file, "path /tmp\nfiel x", "file");
    output_bad(&output_file, "path /tmp\npath_template $x[", "no `]`");
}
