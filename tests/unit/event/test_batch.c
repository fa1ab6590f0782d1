/* SPDX-License-Identifier: Apache-2.0 */
#include "event/batch.h"
#include "event/msgpack.h"
#include "base/cleanup.h"
#include "test.h"

static void add(struct batch *b, struct arena *a, int64_t time, uint64_t id, struct str meta, struct str body)
{
    struct event ev = {.time = time, .id = {id, ~id}, .arena = a};

    ev.meta = meta.n ? value_raw(meta) : value_nil();
    ev.body = value_raw(body);
    batch_add(b, &ev);
}

static void sealed(struct buf *payload)
{
    struct arena *a = arena_new();
    struct batch *b = batch_new(STR("app.web"), 7, BATCH_DEDUP);
    struct event ev = {.time = 5, .body = value_map(a), .arena = a};

    add(b, a, 1700000000123456789, 1, STR(""), STR("\x81\xa1k\x01"));
    add(b, a, 0, 2, STR("\x81\xa1m\xa2xy"), STR("\x80"));
    add(b, a, -1, 3, STR("\x80"), STR("\x81\xa1k\xcd\x00\x05")); /* not the smallest encoding: kept */
    event_set(&ev, STR("opened"), value_int(300));
    batch_add(b, &ev);
    CHECK_INT(batch_count(b), 4);
    CHECK_INT(batch_route_set(b), 7);
    CHECK_STR(batch_tag(b), "app.web");
    size_t bytes = batch_bytes(b);
    batch_seal(b, payload);
    CHECK_INT(payload->n, bytes);
    CHECK_INT(batch_count(b), 0);
    batch_free(b);
    arena_free(a);
}

TEST(round_trip)
{
    CLEANUP(buf_free) struct buf payload = {0};
    struct batch_view view;
    struct batch_cursor c;
    struct event ev = {0};
    struct str raw;

    sealed(&payload);
    CHECK(batch_view(buf_view(&payload), &view));
    CHECK_INT(view.count, 4);
    CHECK_INT(view.flags, BATCH_DEDUP);
    CHECK(id_eq(batch_id(&view, 1), (struct id){2, ~2ull}));
    batch_start(&c, &view);
    CHECK(batch_next(&c, &ev));
    CHECK_STR(ev.tag, "app.web");
    CHECK_INT(ev.time, 1700000000123456789);
    CHECK(id_eq(ev.id, (struct id){1, ~1ull}));
    CHECK_STR(value_bytes(&ev.body), "\x81\xa1k\x01");
    CHECK_STR(value_bytes(&ev.meta), "\x80");
    CHECK(batch_next(&c, &ev));
    CHECK_STR(value_bytes(&ev.meta), "\x81\xa1m\xa2xy");
    CHECK_STR(value_bytes(&ev.body), "\x80");
    CHECK(batch_next(&c, &ev));
    CHECK_INT(ev.time, -1000000000); /* the wire format has no such time: the whole second */
    CHECK(str_eq(value_bytes(&ev.body), STR("\x81\xa1k\xcd\x00\x05")));
    CHECK(batch_next(&c, &ev));
    CHECK_INT(ev.time, 5);
    CHECK(str_eq(value_bytes(&ev.body), STR("\x81\xa6opened\xcd\x01\x2c")));
    CHECK(!batch_next(&c, &ev));
    batch_start(&c, &view);
    CHECK(batch_next_raw(&c, &raw));
    CHECK_INT(msgpack_check(raw, false, NULL), raw.n);
    CHECK_INT(raw.n, 17);
    CHECK_INT((uint8_t)raw.p[0], 0x92);
}

/* What a sealed batch holds, one after the other, is Fluent's forward format. */
TEST(events_are_the_wire_format)
{
    CLEANUP(buf_free) struct buf payload = {0};
    struct batch_view view;
    size_t n = 0, used;
    struct str body;

    sealed(&payload);
    CHECK(batch_view(buf_view(&payload), &view));
    for (struct str rest = view.events; rest.n; rest = str_from(rest, used), n++) {
        used = msgpack_check(rest, false, NULL);
        CHECK(used > 0);
        CHECK_INT(msgpack_members(rest, &body), 2);
        if (!used)
            return;
    }
    CHECK_INT(n, 4);
}

TEST(used_again_after_seal)
{
    CLEANUP(buf_free) struct buf payload = {0};
    struct arena *a = arena_new();
    struct batch *b = batch_new(STR("t"), 1, 0);
    struct batch_view view;

    add(b, a, 1, 1, STR(""), STR("\x80"));
    batch_seal(b, &payload);
    buf_clear(&payload);
    add(b, a, 2, 2, STR(""), STR("\x80"));
    add(b, a, 3, 3, STR(""), STR("\x80"));
    batch_seal(b, &payload);
    CHECK(batch_view(buf_view(&payload), &view));
    CHECK_INT(view.count, 2);
    CHECK(id_eq(batch_id(&view, 0), (struct id){2, ~2ull}));
    batch_free(b);
    arena_free(a);
}

TEST(every_cut_is_damage)
{
    CLEANUP(buf_free) struct buf payload = {0};
    struct batch_view view;

    sealed(&payload);
    for (size_t n = 0; n < payload.n; n++)
        CHECK(!batch_view((struct str){payload.p, n}, &view));
    buf_char(&payload, 0);
    CHECK(!batch_view(buf_view(&payload), &view));
}

/* A damaged payload may give other events, but never reads outside of it (a sanitizer's business). */
TEST(every_flipped_bit_is_survived)
{
    CLEANUP(buf_free) struct buf payload = {0};
    struct arena *a = arena_new();
    unsigned refused = 0;

    sealed(&payload);
    for (size_t bit = 0; bit < payload.n * 8; bit++) {
        char *copy = malloc(payload.n);
        struct batch_view view;
        struct batch_cursor c;
        struct event ev = {.arena = a};
        memcpy(copy, payload.p, payload.n);
        copy[bit / 8] = (char)(copy[bit / 8] ^ 1 << bit % 8);
        if (batch_view((struct str){copy, payload.n}, &view)) {
            batch_start(&c, &view);
            while (batch_next(&c, &ev)) {
                event_get(&ev, STR("k"));
                value_open(&ev.meta, a);
            }
        } else {
            refused++;
        }
        arena_reset(a);
        free(copy);
    }
    CHECK(refused > 32); /* at least the tag's length, the count and the lengths */
    arena_free(a);
}

TEST(a_count_that_lies)
{
    struct batch_view view;

    CHECK(!batch_view(STR("\0\0\0\0\0\0\0\xff\xff\xff\xff"), &view));
    CHECK(batch_view(STR("\0\0\0\0\0\0\0\0\0\0\0"), &view));
    CHECK_INT(view.count, 0);
}

TEST(children)
{
    struct id parent = {1, 2};

    CHECK(id_eq(event_child_id(parent, 0), event_child_id(parent, 0)));
    CHECK(!id_eq(event_child_id(parent, 0), event_child_id(parent, 1)));
    CHECK(!id_eq(event_child_id(parent, 0), event_child_id((struct id){2, 1}, 0)));
    CHECK(!id_none(event_child_id((struct id){0}, 0)));
}
