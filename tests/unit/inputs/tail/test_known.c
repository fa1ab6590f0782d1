/* SPDX-License-Identifier: Apache-2.0 */
/* What a tail knows of a file when it starts: by its device and inode, by its birth and first bytes, or nothing. */
#include "tail_test.h"

struct positions {
    struct { /* of one file */
        char key[64], value[512];
        size_t nkey, nvalue;
    } items[4];
    size_t n;
};

static void take(void *arg, struct str key, struct str value)
{
    struct positions *p = arg;

    CHECK(p->n < 4 && key.n < sizeof p->items[0].key && value.n < sizeof p->items[0].value);
    memcpy(p->items[p->n].key, key.p, p->items[p->n].nkey = key.n);
    memcpy(p->items[p->n].value, value.p, p->items[p->n].nvalue = value.n);
    p->n++;
}

/* As if the host had started again and numbered its devices anew. */
static void renumber(struct feed *f)
{
    struct positions p = {.n = 0};

    feed_positions(f, take, &p);
    CHECK_INT(p.n, 1);
    for (size_t i = 0; i < p.n; i++) {
        struct str key = {p.items[i].key, p.items[i].nkey}, value = {p.items[i].value, p.items[i].nvalue};
        uint64_t device, inode;
        char other[40];
        CHECK(position_parse_key(key, &device, &inode));
        feed_position(f, key, STR(""));
        feed_position(f, (struct str){other, position_key(other, device + 1, inode)}, value);
    }
    feed_commit(f, NULL);
    fake_run(f, 20);
}

static bool births_are_told(const struct scene *s)
{
    struct seen seen;

    return file_stat(AT_FDCWD, in(s, "a.log"), true, &seen) && seen.birth;
}

#define BEGIN_AGAIN(s) SCENE_START(s, "path", in(s, "*.log"), "read_from_head", "on")

TEST(a_device_with_another_number)
{
    struct scene s = scene_new();

    append(&s, "a.log", "1\n2\n");
    BEGIN_AGAIN(&s);
    WANT(&s, 2);
    scene_stop(&s);
    renumber(s.feed);
    append(&s, "a.log", "3\n");
    BEGIN_AGAIN(&s);
    WANT(&s, births_are_told(&s) ? 3 : 5);
    scene_stop(&s);
    append(&s, "a.log", "4\n"); /* and under its new number from here on */
    BEGIN_AGAIN(&s);
    WANT(&s, births_are_told(&s) ? 4 : 6);
    scene_end(&s);
}

/* The same inode with other bytes is another file, whatever its number. */
static void overwritten(bool renumbered, const char *text, size_t events)
{
    struct scene s = scene_new();
    FILE *f;

    append(&s, "a.log", "1\n2\n3\n");
    BEGIN_AGAIN(&s);
    WANT(&s, 3);
    scene_stop(&s);
    if (renumbered)
        renumber(s.feed);
    f = fopen(in(&s, "a.log"), "r+");
    CHECK(f && ftruncate(fileno(f), 0) == 0);
    fputs(text, f);
    fclose(f);
    BEGIN_AGAIN(&s);
    WANT(&s, 3 + events);
    scene_end(&s);
}

TEST(truncated_and_written_anew_while_nobody_looked)
{
    overwritten(false, "4\n", 1);          /* shorter */
    overwritten(false, "4\n5\n6\n7\n", 4); /* longer: its head tells */
    overwritten(false, "1\n2\n3\n4\n", 1); /* the same head: it has only grown */
    overwritten(true, "4\n5\n6\n7\n", 4);
    overwritten(true, "4\n", 1);
}

TEST(from_the_end_on)
{
    struct scene s = scene_new();
    char *big = malloc(100000);

    append(&s, "whole.log", "old\n");
    append(&s, "half.log", "old\nha");
    append(&s, "only.log", "on"); /* no line has ended: this one is new */
    append(&s, "empty.log", "");
    memset(big, 'x', 100000);
    append_bytes(&s, "long.log", big, 100000); /* its beginning is out of sight */
    free(big);
    SCENE_START(&s, "path", in(&s, "*.log"), "read_from_head", "off");
    fake_run(s.feed, 50);
    CHECK_INT(fake_count(s.feed, true), 0);
    append(&s, "whole.log", "new\n");
    WANT(&s, 1);
    WANT_LINE(&s, 0, "new");
    append(&s, "half.log", "lf\n");
    WANT(&s, 2);
    WANT_LINE(&s, 1, "half");
    append(&s, "only.log", "ly\n");
    WANT(&s, 3);
    WANT_LINE(&s, 2, "only");
    append(&s, "empty.log", "first\n");
    WANT(&s, 4);
    append(&s, "long.log", "end\nnext\n");
    WANT(&s, 5);
    WANT_LINE(&s, 4, "next");
    scene_end(&s);
}
