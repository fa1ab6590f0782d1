/* SPDX-License-Identifier: Apache-2.0 */
#include "dir.h"

#include <sys/syscall.h>

#define GZ "path_template raw/dt=%Y-%m-%d/hour=%H/$TAG\nformat json_lines\ncompress gzip"

static void tick(struct play *p)
{
    output_file.output->tick(p->f.instance);
}

/* Time goes by: what io->wall says. */
static struct io later;
static int64_t ahead;
static int64_t wall_ahead(void)
{
    return io_system.wall() + ahead;
}

static void let_pass(int64_t ns)
{
    later = io_system;
    later.wall = wall_ahead;
    ahead = ns;
    io = &later;
}

static void now_again(void)
{
    io = &io_system;
}

static bool unpack(enum codec c, struct buf *packed, struct buf *text)
{
    struct err e;
    buf_clear(text);
    return codec_decompress(c, buf_view(packed), 1 << 24, 0, text, &e) == INFLATE_OK;
}

static void all_names(struct play *p, struct buf *out)
{
    buf_clear(out);
    list_into(p->root, "", out);
}

/* Names of finished files, and how many are growing. */
static unsigned growing(struct play *p)
{
    CLEANUP(buf_free) struct buf all = {0};
    struct str rest;
    unsigned n = 0;
    all_names(p, &all);
    rest = buf_view(&all);
    while (rest.n)
        n += str_starts(str_cut(&rest, '\n'), STR(".growing/"));
    return n;
}

TEST(finished_files_appear_whole)
{
    struct play p;
    struct err e = {""};
    struct buf all = {0}, packed = {0}, text = {0};
    char name[512];
    play_begin(&p);
    CHECK(play_start(&p, GZ, &e));
    CHECK_INT(put(&p, "app.web", T0, "{\"n\":1}"), DONE);
    CHECK_INT(put(&p, "app.web", T0 + SEC, "{\"n\":2}"), DONE);
    CHECK_INT(put(&p, "app.web", T0 + 7200 * SEC, "{\"n\":3}"), DONE); /* another hour */
    CHECK(play_checkpoint(&p, true));
    CHECK_INT(growing(&p), 2);
    tick(&p);
    CHECK(play_checkpoint(&p, true)); /* too young */
    CHECK_INT(growing(&p), 2);
    fake_checkpoints_wanted = 0;
    let_pass(301 * SEC);
    tick(&p);
    CHECK(fake_checkpoints_wanted > 0);
    CHECK(play_checkpoint(&p, false));
    CHECK_INT(growing(&p), 2); /* not before the checkpoint is durable */
    output_file.output->settled(p.f.instance);
    now_again();
    CHECK_INT(growing(&p), 0);
    CHECK(finished(&p, "raw/dt=2023-11-14/hour=22/app.web-", name, &packed));
    CHECK(str_ends(str_of(name), STR(".jsonl.gz")));
    CHECK(unpack(CODEC_GZIP, &packed, &text));
    CHECK_STR(buf_view(&text), "{\"n\":1}\n{\"n\":2}\n");
    CHECK(finished(&p, "raw/dt=2023-11-15/hour=00/app.web-", name, &packed));
    CHECK(unpack(CODEC_GZIP, &packed, &text));
    CHECK_STR(buf_view(&text), "{\"n\":3}\n");
    buf_free(&all);
    buf_free(&packed);
    buf_free(&text);
    play_end(&p);
}

TEST(zstd_and_plain)
{
    static const char *const codecs[] = {"none", "gzip", "zstd"};
    static const char *const ends[] = {".jsonl", ".jsonl.gz", ".jsonl.zst"};
    for (unsigned c = 0; c < 3; c++) {
        struct play p;
        struct err e = {""};
        struct buf packed = {0}, text = {0};
        char name[512], props[256];
        play_begin(&p);
        snprintf(props, sizeof(props), "path_template d/$TAG%s\nformat plain\ncompress %s", ends[c], codecs[c]);
        CHECK(play_start(&p, props, &e));
        for (unsigned i = 0; i < 3; i++) {
            CHECK_INT(put(&p, "t", T0, "{\"n\":1}"), DONE);
            CHECK(play_checkpoint(&p, true)); /* each a member of its own */
        }
        play_stop(&p); /* at the end what is durable is finished */
        CHECK_INT(growing(&p), 0);
        CHECK(finished(&p, "d/t-", name, &packed));
        CHECK(str_ends(str_of(name), str_of(ends[c])));
        CHECK(!str_ends(str_of(name), STR(".jsonl.jsonl")));
        if (c)
            CHECK(unpack((enum codec)c, &packed, &text));
        CHECK_STR(c ? buf_view(&text) : buf_view(&packed), "{\"n\":1}\n{\"n\":1}\n{\"n\":1}\n");
        buf_free(&packed);
        buf_free(&text);
        play_end(&p);
    }
}

TEST(what_is_not_durable_is_not_finished_at_the_end)
{
    struct play p;
    struct err e = {""};
    play_begin(&p);
    CHECK(play_start(&p, GZ, &e));
    CHECK_INT(put(&p, "t", T0, "{\"n\":1}"), DONE);
    CHECK(play_checkpoint(&p, true));
    CHECK_INT(put(&p, "t", T0, "{\"n\":2}"), DONE);
    CHECK(play_checkpoint(&p, false)); /* on the disk, but no cursor says so */
    play_stop(&p);
    CHECK_INT(growing(&p), 1);
    play_end(&p);
}

static void crash_rolled(struct play *p)
{
    struct err e;
    CHECK(play_start(p, NULL, &e) && play_restore(p, &e));
    CHECK_INT(put(p, "t", T0, "{\"n\":1}"), DONE);
    CHECK(play_checkpoint(p, true));
    CHECK_INT(put(p, "t", T0, "{\"n\":2}"), DONE);
    CHECK_INT(put(p, "u", T0, "{\"n\":3}"), DONE);
    CLEANUP(buf_free) struct buf lost = {0};
    CHECK(output_file.output->checkpoint(p->f.instance, &lost, &e)); /* writes both; never becomes durable */
}

static void crash_and_cut(struct play *p)
{
    CLEANUP(buf_free) struct buf all = {0};
    char path[512];
    crash_rolled(p);
    list_into(p->root, ".growing", &all); /* ...-0.part, ...-1.part */
    snprintf(path, sizeof(path), "%s/" STR_FMT, p->root,
             STR_ARG(str_head(buf_view(&all), str_find_char(buf_view(&all), 10))));
    CHECK(!truncate(path, 5));
}

/* Nobody knows what is in it: it is neither finished nor written to nor removed. */
TEST(a_growing_file_that_became_shorter_is_left_alone)
{
    struct play p;
    struct buf bytes = {0}, text = {0};
    char name[512];
    play_begin(&p);
    strcpy(p.props, GZ);
    play_crash(&p, crash_and_cut);
    play_again(&p);
    CHECK_INT(growing(&p), 1);
    CHECK_INT(put(&p, "t", T0, "{\"n\":2}"), DONE);
    CHECK(play_checkpoint(&p, true));
    CHECK_INT(growing(&p), 2);
    play_stop(&p);
    CHECK_INT(growing(&p), 1);
    CHECK(finished(&p, "raw/", name, &bytes));
    CHECK(unpack(CODEC_GZIP, &bytes, &text));
    CHECK_STR(buf_view(&text), "{\"n\":2}\n");
    buf_free(&bytes);
    buf_free(&text);
    play_end(&p);
}

TEST(a_crash_takes_back_members_and_new_files)
{
    struct play p;
    struct buf packed = {0}, text = {0};
    char name[512];
    play_begin(&p);
    strcpy(p.props, GZ);
    play_crash(&p, crash_rolled);
    CHECK_INT(growing(&p), 2);
    play_again(&p);
    CHECK_INT(growing(&p), 1);
    CHECK_INT(put(&p, "t", T0, "{\"n\":2}"), DONE);
    CHECK_INT(put(&p, "u", T0, "{\"n\":3}"), DONE);
    CHECK(play_checkpoint(&p, true));
    play_stop(&p);
    CHECK(finished(&p, "raw/dt=2023-11-14/hour=22/t-", name, &packed));
    CHECK(unpack(CODEC_GZIP, &packed, &text));
    CHECK_STR(buf_view(&text), "{\"n\":1}\n{\"n\":2}\n");
    CHECK(finished(&p, "raw/dt=2023-11-14/hour=22/u-", name, &packed));
    CHECK(unpack(CODEC_GZIP, &packed, &text));
    CHECK_STR(buf_view(&text), "{\"n\":3}\n");
    buf_free(&packed);
    buf_free(&text);
    play_end(&p);
}

static void crash_before_settled(struct play *p)
{
    struct err e;
    CHECK(play_start(p, NULL, &e) && play_restore(p, &e));
    CHECK_INT(put(p, "t", T0, "{\"n\":1}"), DONE);
    let_pass(400 * SEC);
    tick(p);
    CHECK(play_checkpoint(p, false));
    CHECK_INT(put(p, "t", T0, "{\"n\":2}"), DONE);
}

static void crash_after_settled(struct play *p)
{
    crash_before_settled(p);
    output_file.output->settled(p->f.instance);
}

TEST(a_rename_that_was_due_is_made_up_for)
{
    void (*const crashes[])(struct play *) = {crash_before_settled, crash_after_settled};
    for (unsigned i = 0; i < 2; i++) {
        struct play p;
        struct buf packed = {0}, text = {0};
        char name[512];
        play_begin(&p);
        strcpy(p.props, GZ);
        play_crash(&p, crashes[i]);
        play_again(&p);
        CHECK_INT(growing(&p), 0); /* the second line came after the checkpoint: its file is gone */
        CHECK(finished(&p, "raw/", name, &packed));
        CHECK(unpack(CODEC_GZIP, &packed, &text));
        CHECK_STR(buf_view(&text), "{\"n\":1}\n");
        CHECK_INT(put(&p, "t", T0, "{\"n\":2}"), DONE);
        CHECK(play_checkpoint(&p, true));
        play_stop(&p);
        play_again(&p); /* nothing is made twice */
        CHECK_INT(growing(&p), 0);
        buf_free(&packed);
        buf_free(&text);
        play_end(&p);
    }
}

TEST(roll_size)
{
    struct play p;
    struct err e = {""};
    struct buf all = {0};
    play_begin(&p);
    CHECK(play_start(&p, "path_template $TAG\nformat plain\nroll_size 1024", &e));
    for (int i = 0; i < 200; i++) {
        CHECK_INT(put(&p, "t", T0, "{\"message\":\"of about forty bytes\"}"), DONE);
        CHECK(play_checkpoint(&p, true));
    }
    play_stop(&p);
    all_names(&p, &all);
    unsigned n = 0;
    for (size_t i = 0; i < all.n; i++)
        n += all.p[i] == '\n';
    CHECK(n == 7); /* 200 lines of 34 bytes, 31 of them to a file */
    buf_free(&all);
    play_end(&p);
}

TEST(never_over_an_existing_file)
{
    struct play p;
    struct err e = {""};
    struct buf all = {0}, bytes = {0};
    char name[512], path[1024];
    play_begin(&p);
    CHECK(play_start(&p, "path_template $TAG\nformat plain", &e));
    CHECK_INT(put(&p, "t", T0, "{\"n\":1}"), DONE);
    CHECK(play_checkpoint(&p, true));
    play_stop(&p);
    CHECK(finished(&p, "t-", name, &bytes)); /* its name is what the next agent, without a state, would use */
    spit(&p, name, "precious");
    CHECK(play_start(&p, NULL, &e));
    CHECK_INT(put(&p, "t", T0, "{\"n\":2}"), DONE);
    let_pass(400 * SEC);
    tick(&p);
    CHECK(play_checkpoint(&p, true));
    CHECK_INT(growing(&p), 1);
    CHECK(play_checkpoint(&p, true)); /* describes the other name */
    now_again();
    CHECK_INT(growing(&p), 0);
    CHECK_FILE(&p, name, "precious");
    snprintf(path, sizeof(path), "%.*s-x.jsonl", (int)strlen(name) - 6, name);
    CHECK_FILE(&p, path, "{\"n\":2}\n");
    buf_free(&all);
    buf_free(&bytes);
    play_end(&p);
}

static void grow_two(struct play *p)
{
    struct err e;
    CHECK(play_start(p, NULL, &e) && play_restore(p, &e));
    CHECK_INT(put(p, "t", T0, "{\"n\":1}"), DONE);
    CHECK_INT(put(p, "u", T0, "{\"n\":1}"), DONE);
}

/* The directory comes back only after the restart, with files in it that nobody could remove then. */
TEST(a_directory_that_was_away)
{
    struct play p;
    struct buf bytes = {0};
    char name[512], away[128];
    play_begin(&p);
    strcpy(p.props, "path_template $TAG\nformat plain");
    play_crash(&p, grow_two);
    snprintf(away, sizeof(away), "%s.away", p.root);
    CHECK(!rename(p.root, away));
    play_again(&p);
    CHECK_INT(put(&p, "u", T0, "{\"n\":2}"), RETRY);
    CHECK(!rename(away, p.root));
    CHECK_INT(put(&p, "u", T0, "{\"n\":2}"), DONE);
    CHECK(play_checkpoint(&p, true));
    play_stop(&p);
    CHECK(finished(&p, "u-", name, &bytes));
    CHECK_STR(buf_view(&bytes), "{\"n\":2}\n");
    buf_free(&bytes);
    play_end(&p);
}

TEST(another_configuration_finishes_what_grew)
{
    struct play p;
    struct buf bytes = {0}, text = {0};
    struct err e = {""};
    char name[512];
    play_begin(&p);
    strcpy(p.props, GZ);
    play_crash(&p, crash_rolled);
    strcpy(p.props, "path_template new/$TAG\nformat plain\ncompress zstd");
    CHECK(play_start(&p, NULL, &e));
    CHECK(play_restore(&p, &e));
    CHECK_INT(growing(&p), 0);
    CHECK(finished(&p, "raw/dt=2023-11-14/hour=22/t-", name, &bytes));
    CHECK(unpack(CODEC_GZIP, &bytes, &text));
    CHECK_STR(buf_view(&text), "{\"n\":1}\n");
    play_stop(&p);
    buf_free(&bytes);
    buf_free(&text);
    play_end(&p);
}

TEST(another_root_finishes_what_grew_in_the_old_one)
{
    struct play p;
    struct buf bytes = {0}, text = {0};
    struct err e = {""};
    char name[512], old[80];
    play_begin(&p);
    strcpy(p.props, GZ);
    play_crash(&p, crash_rolled);
    strcpy(old, p.root);
    strcat(p.root, "2");
    mkdir(p.root, 0755);
    CHECK(play_start(&p, NULL, &e));
    CHECK(play_restore(&p, &e));
    play_stop(&p);
    strcpy(p.root, old);
    CHECK_INT(growing(&p), 0);
    CHECK(finished(&p, "raw/dt=2023-11-14/hour=22/t-", name, &bytes));
    CHECK(unpack(CODEC_GZIP, &bytes, &text));
    CHECK_STR(buf_view(&text), "{\"n\":1}\n");
    buf_free(&bytes);
    buf_free(&text);
    play_end(&p);
}

TEST(a_damaged_state_is_refused)
{
    struct play p;
    struct err e = {""};
    char path[128];
    struct buf state = {0};
    play_begin(&p);
    strcpy(p.props, GZ);
    play_crash(&p, crash_rolled);
    slurp(&p, p.base, "checkpoint", &state);
    snprintf(path, sizeof(path), "%s/checkpoint", p.base);
    CHECK(play_start(&p, NULL, &e));
    for (size_t n = 1; n < state.n; n++) {
        struct str cut = {state.p, n};
        CHECK(!output_file.output->restore(p.f.instance, cut, &e));
    }
    buf_free(&state);
    play_end(&p);
}

/* Tags and fields of an attacker's choice: nothing is ever made outside the root. */
TEST(nothing_leaves_the_root)
{
    static const char *const evil[] = {"..",
                                       ".",
                                       "../x",
                                       "../../../../../../../../tmp/weir-escaped",
                                       "/tmp/weir-escaped",
                                       "a/../../b",
                                       "a\\u0000b",
                                       "a\\r\\nb",
                                       "\\u001b[2J",
                                       "%2e%2e%2f",
                                       "..\\\\..\\\\x",
                                       ".growing",
                                       ".growing/x",
                                       " ",
                                       "~",
                                       "-rf",
                                       "$TAG",
                                       "%Y",
                                       "\\u202e",
                                       "con",
                                       "\\u007f",
                                       ".hidden.part",
                                       "..%00"};
    struct play p;
    struct err e = {""};
    struct buf all = {0}, outside = {0};
    char json[12000];
    play_begin(&p);
    for (unsigned rolled = 0; rolled < 2; rolled++) {
        CHECK(play_start(&p, rolled ? "path_template by/$name/$TAG\nformat plain" : "format plain", &e));
        for (size_t i = 0; i < ARRAY_LEN(evil); i++) {
            struct buf tag = {0};
            struct value v;
            struct buf mp = {0};
            snprintf(json, sizeof(json), "\"%s\"", evil[i]);
            fake_json(&mp, json);
            msgpack_read(buf_view(&mp), &v);
            buf_str(&tag, value_bytes(&v));
            snprintf(json, sizeof(json), "{\"name\":\"%s\"}", evil[i]);
            CHECK_INT(put(&p, buf_text(&tag), T0, json), DONE);
            buf_free(&tag);
            buf_free(&mp);
        }
        snprintf(json, sizeof(json), "{\"name\":\"%0*d/../x\"}", 10000, 1);
        CHECK_INT(put(&p, json, T0, json), DONE); /* 10,000 bytes, as the tag too */
        CHECK(play_checkpoint(&p, true));
        play_stop(&p);
    }
    CHECK_INT(growing(&p), 0);
    /* beside the root there is the state, and nothing else */
    list_into(p.base, "", &all);
    for (struct str rest = buf_view(&all), line; rest.n;) {
        line = str_cut(&rest, '\n');
        if (!str_starts(line, STR("root/")) && !str_starts(line, STR("state/")) && !str_eq(line, STR("checkpoint")))
            CHECK_STR(line, "below the root");
        for (size_t i = 0; i < line.n; i++)
            CHECK((unsigned char)line.p[i] >= 0x20 && (unsigned char)line.p[i] < 0x7f);
    }
    CHECK(access("/tmp/weir-escaped", F_OK) < 0);
    buf_free(&all);
    buf_free(&outside);
    play_end(&p);
}

TEST(many_names)
{
    struct play p;
    struct err e = {""};
    struct buf all = {0};
    unsigned n = 0;
    play_begin(&p);
    CHECK(play_start(&p, "path_template $TAG\nformat plain\nmax_dynamic_files 8", &e));
    for (int i = 0; i < 100; i++) {
        char tag[16];
        snprintf(tag, sizeof(tag), "t%d", i);
        CHECK_INT(put(&p, tag, T0, "{}"), DONE);
        if (i % 10 == 9)
            CHECK(play_checkpoint(&p, true));
    }
    CHECK(growing(&p) <= 18); /* the oldest are finished early */
    CHECK(play_checkpoint(&p, true));
    play_stop(&p);
    all_names(&p, &all);
    for (size_t i = 0; i < all.n; i++)
        n += all.p[i] == '\n';
    CHECK_INT(n, 100);
    buf_free(&all);
    play_end(&p);
}

TEST(a_field_that_is_missing)
{
    struct play p;
    struct err e = {""};
    struct fake_event events[] = {{"t", T0, "{\"k\":\"a\"}", NULL}, {"t", T0, "{}", NULL}};
    struct delivery d;
    play_begin(&p);
    CHECK(play_start(&p, "file $k\nformat plain", &e));
    fake_delivery_init(&d, events, 2);
    CHECK_INT(output_file.output->write(p.f.instance, &d, &e), DONE);
    CHECK_INT(d.nfails, 1);
    CHECK_INT(d.fails[0].index, 1);
    CHECK_INT(d.fails[0].verdict, REJECT);
    fake_delivery_free(&d);
    CHECK_FILE(&p, "a", "{\"k\":\"a\"}\n");
    play_stop(&p);
    CHECK(play_start(&p, "file $k\nformat plain\non_missing_field fallback\nfallback_file other", &e));
    CHECK_INT(fake_write(&p.f, events, 2, &e), DONE);
    CHECK_FILE(&p, "other", "{}\n");
    play_end(&p);
}

/* A name that could never be given at the end is refused at the beginning, for that event alone. */
TEST(names_that_are_too_long)
{
    struct play p;
    struct err e = {""};
    struct delivery d;
    char tag[301];
    struct fake_event events[] = {{"t", T0, "{}", NULL}, {tag, T0, "{}", NULL}};
    memset(tag, 'x', 300);
    tag[300] = 0;
    play_begin(&p);
    CHECK(play_start(&p, "path_template a-name-of-thirty-bytes-or-so-$TAG\nformat plain", &e));
    fake_delivery_init(&d, events, 2);
    CHECK_INT(output_file.output->write(p.f.instance, &d, &e), DONE);
    CHECK_INT(d.nfails, 1);
    CHECK_INT(d.fails[0].index, 1);
    CHECK_INT(d.fails[0].verdict, REJECT);
    fake_delivery_free(&d);
    play_end(&p);
}

TEST(a_dynamic_path)
{
    struct play p;
    struct err e = {""};
    play_begin(&p);
    strcat(p.root, "/x-%Y/$k"); /* becomes the option `path` */
    CHECK(play_start(&p, "file $TAG.log\nformat plain\nenable_strftime on", &e));
    CHECK_INT(put(&p, "t", T0, "{\"k\":\"../a\"}"), DONE);
    p.root[strlen(p.root) - strlen("/x-%Y/$k")] = 0;
    CHECK_FILE(&p, "x-2023/%2E.%2Fa/t.log", "{\"k\":\"../a\"}\n");
    play_end(&p);
}

/* Without openat2, and with a link put where a directory should be. */
#include "../../../../outputs/file/beneath.h"
TEST(the_way_step_by_step)
{
    struct play p;
    char link[256];
    int root, fd;
    play_begin(&p);
    root = open(p.root, O_RDONLY | O_DIRECTORY);
    CHECK(!beneath_mkdirs(root, "a/b/c"));
    fd = beneath_walk(root, "a/b/c", O_WRONLY | O_CREAT, 0600);
    CHECK(fd >= 0);
    close(fd);
    fd = beneath_open(root, "a/b/c", O_WRONLY, 0);
    CHECK(fd >= 0);
    close(fd);
    CHECK(beneath_walk(root, "a/../../x", O_WRONLY | O_CREAT, 0600) < 0);
    CHECK(beneath_walk(root, "../x", O_WRONLY | O_CREAT, 0600) < 0);
    CHECK(beneath_walk(root, "/tmp/x", O_WRONLY | O_CREAT, 0600) < 0);
    CHECK(beneath_open(root, "a/../../x", O_WRONLY | O_CREAT, 0600) < 0);
    CHECK(beneath_open(root, "/tmp/x", O_WRONLY | O_CREAT, 0600) < 0);
    snprintf(link, sizeof(link), "%s/l", p.root);
    CHECK(!symlink("a/b", link));
    CHECK(beneath_walk(root, "l/c", O_RDONLY, 0) < 0);
    CHECK(beneath_open(root, "l/c", O_RDONLY, 0) < 0);
    CHECK(beneath_mkdirs(root, "l/new/x") < 0);
    close(root);
    play_end(&p);
}
