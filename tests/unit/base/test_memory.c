/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "base/arena.h"
#include "base/cleanup.h"
#include "base/map.h"
#include "test.h"

TEST(arena_alignment_and_lifetime)
{
    struct arena *a = arena_new();
    struct str s[1000];

    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 1000; i++) {
            s[i] = arena_fmt(a, "string %d", i);
            CHECK_INT((uintptr_t)s[i].p % 16, 0);
        }
        char *big = arena_zero(a, 3 * 1024 * 1024);
        CHECK_INT(big[0] | big[3 * 1024 * 1024 - 1], 0);
        CHECK_STR(s[0], "string 0");
        CHECK_STR(s[999], "string 999");
        arena_reset(a);
    }
    arena_free(a);
    arena_free(NULL);
}

TEST(arena_extends_in_place_or_copies)
{
    struct arena *a = arena_new();
    char *p = arena_alloc(a, 10), *q;

    memcpy(p, "0123456789", 10);
    q = arena_extend(a, p, 10, 100);
    CHECK(q == p);
    CHECK((char *)arena_alloc(a, 1) >= p + 100); /* what was extended is not given out again */
    q = arena_extend(a, p, 100, 200);
    CHECK(q != p && memcmp(q, "0123456789", 10) == 0);
    p = arena_extend(a, NULL, 0, 16);
    CHECK(p != NULL);
    p = arena_extend(a, p, 16, 1024 * 1024);
    memset(p, 1, 1024 * 1024);
    CHECK_STR(arena_str(a, STR("x")), "x");
    CHECK_INT(arena_str(a, STR("x")).p[1], 0);
    arena_free(a);
}

TEST(map_against_a_plain_array)
{
    enum { KEYS = 500 };
    static int values[KEYS];
    struct map m = {0};
    bool in[KEYS] = {false};
    uint64_t state = 7;
    size_t live = 0;

    for (int step = 0; step < 20000; step++) {
        char name[16];
        int k = (int)((state = state * 6364136223846793005u + 1442695040888963407u) >> 33) % KEYS;
        struct str key = {name, (size_t)snprintf(name, sizeof name, "key%d", k)};
        switch (state >> 60 & 3) {
        case 0:
            CHECK(map_del(&m, key) == (in[k] ? &values[k] : NULL));
            live -= in[k];
            in[k] = false;
            break;
        case 1:
            CHECK(map_get(&m, key) == (in[k] ? &values[k] : NULL));
            break;
        default:
            CHECK(map_set(&m, key, &values[k]) == (in[k] ? &values[k] : NULL));
            live += !in[k];
            in[k] = true;
        }
    }
    CHECK_INT(m.live, live);
    for (struct map_entry *e = NULL; (e = map_next(&m, e));)
        live--;
    CHECK_INT(live, 0);
    map_free(&m);
    CHECK(!map_get(&m, STR("key1")) && !map_del(&m, STR("key1")));
}

TEST(map_walks_in_order)
{
    static const char *const names[] = {"z", "a", "m", ""};
    CLEANUP(map_free) struct map m = {0};
    size_t i = 0;

    for (size_t k = 0; k < ARRAY_LEN(names); k++)
        map_set(&m, str_of(names[k]), (void *)names[k]);
    for (struct map_entry *e = NULL; (e = map_next(&m, e));)
        CHECK_STR(e->key, names[i++]);
    CHECK_INT(i, ARRAY_LEN(names));
}

TEST(growing_arrays)
{
    CLEANUP(cleanup_free) int *items = NULL;
    size_t cap = 0;

    for (size_t n = 0; n < 1000; n++) {
        items = alloc_grow(items, n, &cap, sizeof *items);
        items[n] = (int)n;
    }
    CHECK(cap >= 1000 && items[999] == 999 && items[0] == 0);
}
