/* SPDX-License-Identifier: Apache-2.0 */
#include "store_help.h"

#include "event/event.h"
#include "event/msgpack.h"

static void entry_bytes(struct buf *b, uint64_t n, int64_t time)
{
    struct quarantine_entry e = {.id = {n, n},
                                 .event_id = {1, n},
                                 .time = time,
                                 .stage = STR("filter"),
                                 .plugin = STR("lua.0"),
                                 .input = STR("tail.0"),
                                 .tag = STR("app"),
                                 .code = STR("lua"),
                                 .text = STR("attempt to index nil"),
                                 .listing = STR("body: {a: int}"),
                                 .attempts = 2,
                                 .kind = QUARANTINE_EVENT,
                                 .payload = STR("payload")};

    buf_clear(b);
    quarantine_write(b, &e);
}

TEST(entries)
{
    struct buf b = {0};
    struct quarantine_entry e;

    entry_bytes(&b, 9, 77);
    CHECK(quarantine_read(buf_view(&b), &e));
    CHECK_INT(e.id.lo, 9);
    CHECK_INT(e.time, 77);
    CHECK_STR(e.stage, "filter");
    CHECK_STR(e.listing, "body: {a: int}");
    CHECK_STR(e.payload, "payload");
    CHECK_INT(e.attempts, 2);
    for (size_t n = 0; n < b.n; n++)
        CHECK(!quarantine_read((struct str){b.p, n}, &e));
    buf_free(&b);
}

TEST(sealing)
{
    const char *dir = fresh_dir("key");
    char path[300];
    struct err e = {0};
    struct quarantine_key *k, *other;
    struct buf sealed = {0}, again = {0}, plain = {0};
    struct stat st;

    mkdir(dir, 0700);
    snprintf(path, sizeof path, "%s/key", dir);
    CHECK(!quarantine_key_load(path, false, &e));
    k = quarantine_key_load(path, true, &e);
    CHECK(k != NULL);
    CHECK(!stat(path, &st) && (st.st_mode & 0777) == 0600 && st.st_size == 32);
    quarantine_seal(k, STR("secret mail"), &sealed);
    quarantine_seal(k, STR("secret mail"), &again);
    CHECK_INT(sealed.n, 11 + 29);
    CHECK(memcmp(sealed.p, again.p, sealed.n)); /* another nonce */
    CHECK(!memmem(sealed.p, sealed.n, "secret", 6));
    CHECK(quarantine_unseal(k, buf_view(&sealed), &plain, &e));
    CHECK_STR(buf_view(&plain), "secret mail");
    for (size_t i = 0; i < sealed.n; i++) { /* any change is seen */
        sealed.p[i] ^= 1;
        buf_clear(&plain);
        CHECK(!quarantine_unseal(k, buf_view(&sealed), &plain, &e));
        CHECK_INT(plain.n, 0);
        sealed.p[i] ^= 1;
    }
    CHECK(!quarantine_unseal(k, str_head(buf_view(&sealed), 20), &plain, &e));
    quarantine_key_free(k);
    k = quarantine_key_load(path, false, &e);
    CHECK(quarantine_unseal(k, buf_view(&sealed), &plain, &e));
    unlink(path);
    other = quarantine_key_load(path, true, &e);
    CHECK(!quarantine_unseal(other, buf_view(&sealed), &plain, &e));
    CHECK(strstr(e.text, "another key"));
    chmod(path, 0640);
    CHECK(!quarantine_key_load(path, false, &e));
    CHECK(strstr(e.text, "chmod 600"));
    chmod(path, 0600);
    CHECK(!truncate(path, 31));
    CHECK(!quarantine_key_load(path, false, &e));
    quarantine_key_free(k);
    quarantine_key_free(other);
    buf_free(&sealed);
    buf_free(&again);
    buf_free(&plain);
    remove_tree(dir);
}

TEST(listing)
{
    struct arena *a = arena_new();
    struct buf inner = {0}, out = {0};
    struct event ev = {.arena = a, .body = value_map(a), .meta = value_map(a)};
    struct value list = value_array(a);

    msgpack_map(&inner, 1);
    msgpack_str(&inner, STR("mail"));
    msgpack_str(&inner, STR("someone@example.org"));
    event_set(&ev, STR("event_id"), value_str(STR("0123")));
    event_set(&ev, STR("user"), value_raw(buf_view(&inner)));
    event_set(&ev, STR("someone@example.org"), value_int(4));
    event_set(&ev, STR("4111111111111111"), value_bool(true));
    array_value_add(&list, value_float(1.5), a);
    array_value_add(&list, value_nil(), a);
    event_set(&ev, STR("list"), list);
    quarantine_describe(&out, &ev);
    CHECK_STR(buf_view(&out), "body: {event_id: str 4, user: {mail: str 19}, (key of 19): int, (key of 16): bool, "
                              "list: [float, nil]}");
    CHECK(ev.body.fields[1].val.raw); /* looking opened nothing */
    buf_free(&inner);
    buf_free(&out);
    arena_free(a);
}

static bool collect(void *arg, const struct quarantine_entry *e, bool replayed)
{
    buf_fmt(arg, "%d%s ", (int)e->id.lo, replayed ? "r" : "");
    return e->id.lo != 99;
}

static void check_list(struct quarantine *q, const char *want, int line)
{
    struct buf out = {0};
    struct err e = {0};

    CHECK(quarantine_each(q, collect, &out, &e));
    if (!str_eq(buf_view(&out), str_of(want)))
        fprintf(stderr, "line %d: ", line);
    CHECK_STR(buf_view(&out), want);
    buf_free(&out);
}
#define LIST(q, want) check_list(q, want, __LINE__)

static struct quarantine *reopen(struct quarantine *q, int dir)
{
    struct err e = {0};

    quarantine_close(q);
    q = quarantine_open(dir, true, &e);
    CHECK(q != NULL);
    return q;
}

TEST(files)
{
    const char *dir = fresh_dir("files");
    struct quarantine *q, *other;
    struct buf b = {0};
    struct err e = {0};
    char command[300];
    int fd;

    mkdir(dir, 0700);
    fd = open(dir, O_RDONLY | O_DIRECTORY);
    other = quarantine_open(fd, false, &e); /* nothing there yet */
    CHECK(other != NULL);
    LIST(other, "");
    quarantine_close(other);
    q = quarantine_open(fd, true, &e);
    for (uint64_t i = 1; i <= 3; i++) {
        entry_bytes(&b, i, (int64_t)i * 100);
        CHECK(quarantine_append(q, buf_view(&b), &e));
        CHECK(quarantine_append(q, buf_view(&b), &e)); /* nothing the second time */
    }
    CHECK(quarantine_sync(q, &e));
    LIST(q, "1 2 3 ");
    q = reopen(q, fd);
    CHECK(quarantine_append(q, buf_view(&b), &e)); /* nor after a restart */
    LIST(q, "1 2 3 ");
    CHECK(quarantine_mark_replayed(q, (struct id){2, 2}, &e));
    CHECK(quarantine_mark_replayed(q, (struct id){2, 2}, &e));
    LIST(q, "1 2r 3 ");
    q = reopen(q, fd);
    LIST(q, "1 2r 3 ");
    other = quarantine_open(fd, false, &e);
    LIST(other, "1 2r 3 ");
    CHECK(!quarantine_append(other, buf_view(&b), &e));
    entry_bytes(&b, 4, 400);
    CHECK(quarantine_append(q, buf_view(&b), &e) && quarantine_sync(q, &e));
    LIST(other, "1 2r 3 4 ");
    quarantine_close(other);
    CHECK(quarantine_bytes(q) > 8192);
    /* A torn tail is skipped, and nothing is written behind it. */
    snprintf(command, sizeof command, "cd %s/quarantine && truncate -s -9 $(ls | tail -1)", dir);
    CHECK_INT(system(command), 0);
    q = reopen(q, fd);
    LIST(q, "1 2r 3 ");
    entry_bytes(&b, 5, 500);
    CHECK(quarantine_append(q, buf_view(&b), &e) && quarantine_sync(q, &e));
    LIST(q, "1 2r 3 5 ");
    quarantine_expire(q, 300); /* the file with 3 stays whole */
    LIST(q, "1 2r 3 5 ");
    quarantine_expire(q, 301);
    LIST(q, "5 ");
    quarantine_expire(q, 501);
    LIST(q, "");
    CHECK_INT(quarantine_bytes(q), 0);
    entry_bytes(&b, 6, 600);
    CHECK(quarantine_append(q, buf_view(&b), &e) && quarantine_sync(q, &e));
    LIST(q, "6 ");
    q = reopen(q, fd);
    entry_bytes(&b, 7, 700);
    CHECK(quarantine_append(q, buf_view(&b), &e) && quarantine_sync(q, &e));
    quarantine_drop_replayed(q); /* nothing was replayed: nothing goes */
    LIST(q, "6 7 ");
    CHECK(quarantine_mark_replayed(q, (struct id){7, 7}, &e));
    quarantine_drop_replayed(q); /* the older file still waits, and the newer one behind it */
    LIST(q, "6 7r ");
    CHECK(quarantine_mark_replayed(q, (struct id){6, 6}, &e));
    quarantine_drop_replayed(q);
    LIST(q, "");
    CHECK_INT(quarantine_bytes(q), 0);
    quarantine_close(q);
    close(fd);
    buf_free(&b);
    remove_tree(dir);
}

TEST(damaged_entry_costs_itself)
{
    const char *dir = fresh_dir("bent");
    struct quarantine *q;
    struct buf b = {0};
    struct err e = {0};
    char path[300];
    FILE *f;
    int fd;

    mkdir(dir, 0700);
    fd = open(dir, O_RDONLY | O_DIRECTORY);
    q = quarantine_open(fd, true, &e);
    for (uint64_t i = 1; i <= 3; i++) {
        entry_bytes(&b, i, 1);
        CHECK(quarantine_append(q, buf_view(&b), &e));
    }
    CHECK(quarantine_sync(q, &e));
    snprintf(path, sizeof path, "%s/quarantine/0000000000000001.seg", dir);
    f = fopen(path, "r+b");
    fseek(f, (long)(SEGMENT_HEADER + frame_size(b.n) + 8), SEEK_SET); /* the length of the second */
    fputc(0xee, f);
    fclose(f);
    q = reopen(q, fd);
    LIST(q, "1 3 ");
    quarantine_close(q);
    close(fd);
    buf_free(&b);
    remove_tree(dir);
}

static int syncs_to_fail;

static int bad_sync(int fd)
{
    if (syncs_to_fail && syncs_to_fail--) {
        /* The pages are marked clean and never written. */
        CHECK(ftruncate(fd, SEGMENT_HEADER) == 0);
        return -1;
    }
    return io_system.fdatasync(fd);
}

/* What a failed sync lost is written again: the next one that succeeds covers it. */
TEST(failed_sync)
{
    const char *dir = fresh_dir("qsync");
    struct io table = io_system;
    struct quarantine *q;
    struct buf b = {0};
    struct err e = {0};
    int fd;

    table.fdatasync = bad_sync;
    io = &table;
    mkdir(dir, 0700);
    fd = open(dir, O_RDONLY | O_DIRECTORY);
    q = quarantine_open(fd, true, &e);
    entry_bytes(&b, 1, 1);
    CHECK(quarantine_append(q, buf_view(&b), &e));
    syncs_to_fail = 1;
    CHECK(!quarantine_sync(q, &e));
    entry_bytes(&b, 2, 2);
    CHECK(quarantine_append(q, buf_view(&b), &e));
    CHECK(quarantine_sync(q, &e));
    q = reopen(q, fd);
    LIST(q, "1 2 ");
    quarantine_close(q);
    io = &io_system;
    close(fd);
    buf_free(&b);
    remove_tree(dir);
}

static void described(const char *what, const struct value *body, const struct value *meta, struct arena *a)
{
    struct event ev = {.body = *body, .meta = *meta, .arena = a};
    struct buf out = {0};

    quarantine_describe(&out, &ev);
    CHECK_STR(buf_view(&out), what);
    buf_free(&out);
}

TEST(what_a_listing_shows)
{
    struct arena *a = arena_new();
    struct value body = value_map(a), meta = value_map(a), deep = value_map(a);
    struct buf raw = {0}, out = {0};
    struct event ev = {.arena = a};

    map_value_set(&body, STR("name"), value_str(STR("Jo")), a);
    map_value_set(&body, STR("jo@example.org"), value_bool(true), a); /* a key that is data */
    map_value_set(&body, STR("1st"), value_nil(), a);
    map_value_set(&body, STR(""), value_float(1.5), a);
    described("body: {name: str 2, (key of 14): bool, (key of 3): nil, (key of 0): float}", &body, &meta, a);
    map_value_set(&meta, STR("k-1.x_Y"), value_int(1), a);
    described("body: {name: str 2, (key of 14): bool, (key of 3): nil, (key of 0): float}, meta: {k-1.x_Y: int}", &body,
              &meta, a);
    meta = value_map(a);
    for (int i = 0; i < 9; i++) {
        struct value outer = value_map(a);
        map_value_set(&outer, STR("d"), deep, a);
        deep = outer;
    }
    described("body: {d: {d: {d: {d: {d: {d: {d: {d: map 1}}}}}}}}", &deep, &meta, a);
    msgpack_map(&raw, 2); /* keys of other types; arrays */
    msgpack_int(&raw, 5);
    msgpack_int(&raw, 5);
    msgpack_str(&raw, STR("l"));
    msgpack_array(&raw, 300);
    for (int i = 0; i < 300; i++)
        msgpack_int(&raw, i);
    ev.body = value_raw(buf_view(&raw));
    quarantine_describe(&out, &ev);
    CHECK(str_starts(buf_view(&out), STR("body: {(other key): int, l: [int, int, ")));
    CHECK(str_ends(buf_view(&out), STR(", int, ...]}")));
    buf_free(&raw);
    buf_free(&out);
    arena_free(a);
}
