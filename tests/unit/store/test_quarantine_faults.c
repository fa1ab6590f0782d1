/* SPDX-License-Identifier: Apache-2.0 */
/* The quarantine's files with one call of the disk failing, for every call that it makes: what was said to be kept is
 * kept, once, and what could not be kept is said. */
#include "one_fault.h"
#include "store_help.h"

enum { ENTRIES = 6 };

static void entry_bytes(struct buf *b, uint64_t n)
{
    struct quarantine_entry e = {.id = {n + 1, n},
                                 .time = (int64_t)n * SECOND,
                                 .stage = STR("filter"),
                                 .plugin = STR("lua.0"),
                                 .kind = QUARANTINE_EVENT,
                                 .payload = STR("payload")};

    buf_clear(b);
    quarantine_write(b, &e);
}

struct kept {
    bool taken[ENTRIES], synced[ENTRIES], marked[ENTRIES];
    int seen[ENTRIES];
    bool replayed[ENTRIES];
};

static bool see(void *arg, const struct quarantine_entry *entry, bool replayed)
{
    struct kept *k = arg;

    CHECK(entry->id.lo < ENTRIES);
    k->seen[entry->id.lo]++;
    k->replayed[entry->id.lo] = replayed;
    return true;
}

/* As the keeper does: what was not taken is brought again. */
static bool append(struct quarantine *q, uint64_t n)
{
    struct buf b = {0};
    struct err e = {0};
    bool ok = false;

    entry_bytes(&b, n);
    for (int i = 0; i < 3 && !ok; i++) {
        ok = quarantine_append(q, buf_view(&b), &e);
        CHECK(ok || e.text[0]);
    }
    buf_free(&b);
    return ok;
}

static bool synced(struct quarantine *q)
{
    struct err e = {0};

    return quarantine_sync(q, &e) || quarantine_sync(q, &e);
}

static bool scenario(int dir, struct kept *k, int from, int to)
{
    struct err e = {0};
    struct quarantine *q = quarantine_open(dir, true, &e);
    bool all = true;

    if (!q) {
        CHECK(e.text[0]);
        return false;
    }
    for (int i = from; i < to; i++) {
        k->taken[i] = append(q, (uint64_t)i);
        all &= k->taken[i];
    }
    all &= synced(q);
    for (int i = from; i < to && all; i++)
        k->synced[i] = true;
    if (all && quarantine_mark_replayed(q, (struct id){(uint64_t)from + 1, (uint64_t)from}, &e))
        k->marked[from] = true;
    quarantine_close(q);
    return all;
}

static void check_kept(int dir, struct kept *k, int failed)
{
    struct err e = {0};
    struct quarantine *q = quarantine_open(dir, false, &e);

    CHECK(q != NULL);
    memset(k->seen, 0, sizeof k->seen);
    CHECK(quarantine_each(q, see, k, &e));
    for (int i = 0; i < ENTRIES; i++)
        if (k->synced[i] ? k->seen[i] != 1 : k->seen[i] > 1) {
            fprintf(stderr, "call %d failed: entry %d is there %d times\n", failed, i, k->seen[i]);
            CHECK(!"once");
        }
    for (int i = 0; i < ENTRIES; i++)
        if (k->marked[i] && !k->replayed[i]) {
            fprintf(stderr, "call %d failed: the mark of entry %d is gone\n", failed, i);
            CHECK(!"marked");
        }
    quarantine_close(q);
}

TEST(every_call_fails_once)
{
    bool fired = true;
    int points = 0;

    for (int at = 1; fired; at++) {
        struct kept k = {0};
        const char *path = fresh_dir("quarantine-faults");
        int dir;
        mkdir(path, 0700);
        dir = open(path, O_RDONLY | O_DIRECTORY);
        faults(at);
        if (!scenario(dir, &k, 0, 3)) {
            fail_at = 0; /* it heals, and somebody starts again */
            CHECK(scenario(dir, &k, 0, 3));
        }
        if (!scenario(dir, &k, 3, ENTRIES)) {
            fail_at = 0;
            CHECK(scenario(dir, &k, 3, ENTRIES));
        }
        fired = call >= at || !fail_at;
        points += fired;
        fail_at = 0;
        io = &io_system;
        check_kept(dir, &k, at);
        close(dir);
        remove_tree(path);
    }
    CHECK(points > 15);
}

TEST(every_call_of_a_reader_fails_once)
{
    const char *path = fresh_dir("quarantine-reader");
    struct kept k = {0};
    bool fired = true;
    int dir, failures = 0;

    mkdir(path, 0700);
    dir = open(path, O_RDONLY | O_DIRECTORY);
    CHECK(scenario(dir, &k, 0, 3));
    for (int at = 1; fired; at++) {
        struct err e = {0};
        struct kept seen = {0};
        struct quarantine *q;
        bool ok;
        faults(at);
        q = quarantine_open(dir, false, &e);
        ok = q && quarantine_each(q, see, &seen, &e);
        fired = call >= at;
        CHECK(ok || e.text[0]);
        if (ok && (seen.seen[0] != 1 || seen.seen[2] != 1)) {
            fprintf(stderr, "call %d failed: nobody says that entries are missing\n", at);
            CHECK(!"all or an error");
        }
        failures += !ok;
        if (q)
            quarantine_close(q);
    }
    CHECK(failures > 3);
    io = &io_system;
    close(dir);
    remove_tree(path);
}
