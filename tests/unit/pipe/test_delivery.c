/* SPDX-License-Identifier: Apache-2.0 */
#include "pipe/delivery.h"

#include "base/reader.h"
#include "event/json.h"
#include "event/msgpack.h"
#include "test.h"

static const _Atomic int going = 0;

static void add(struct delivery *d, const char *tag, int from, int n)
{
    struct batch *b = batch_new(str_of(tag), 1, 0);
    struct arena *a = arena_new();
    struct buf payload = {0};

    for (int i = from; i < from + n; i++) {
        struct event ev = {.time = i, .tag = str_of(tag), .arena = a, .id = {1, (uint64_t)i + 1}};
        ev.body = value_map(a);
        ev.meta = value_map(a);
        event_set(&ev, STR("n"), value_int(i));
        batch_add(b, &ev);
    }
    batch_seal(b, &payload);
    CHECK(delivery_add(d, buf_view(&payload)));
    batch_free(b);
    buf_free(&payload);
    arena_free(a);
}

/* What the window gives, as "tag:n tag:n ". */
static struct str walk(struct delivery *d, struct buf *out)
{
    struct event ev;
    int64_t n;

    buf_clear(out);
    while (delivery_next(d, &ev)) {
        CHECK(value_as_int(event_get(&ev, STR("n")), &n));
        buf_fmt(out, STR_FMT ":%d ", STR_ARG(ev.tag), (int)n);
    }
    return buf_view(out);
}

static struct delivery three_parts(bool by_tag)
{
    struct delivery d;

    delivery_init(&d, &going);
    delivery_reset(&d, 100);
    add(&d, "b", 0, 2);
    add(&d, "a", 2, 2);
    add(&d, "b", 4, 1);
    d.to_lsn = 105;
    delivery_number(&d, by_tag);
    return d;
}

TEST(order_of_the_log)
{
    struct delivery d = three_parts(false);
    struct buf out = {0};

    delivery_window(&d, 0, 5, (struct id){1, 2}, STR("o"));
    CHECK_STR(walk(&d, &out), "b:0 b:1 a:2 a:3 b:4 ");
    delivery_rewind(&d);
    CHECK_STR(walk(&d, &out), "b:0 b:1 a:2 a:3 b:4 ");
    CHECK_INT(delivery_count(&d), 5);
    buf_free(&out);
    delivery_free(&d);
}

TEST(grouped_by_tag)
{
    struct delivery d = three_parts(true);
    struct buf out = {0};

    CHECK_INT(delivery_tag_end(&d, 0), 2);
    CHECK_INT(delivery_tag_end(&d, 2), 5);
    delivery_window(&d, 2, 5, (struct id){1, 2}, STR("o"));
    CHECK_STR(walk(&d, &out), "b:0 b:1 b:4 ");
    CHECK_STR(delivery_tag(&d), "b");
    buf_free(&out);
    delivery_free(&d);
}

TEST(windows_cut_parts)
{
    struct delivery d = three_parts(false);
    struct buf out = {0};

    delivery_window(&d, 1, 3, (struct id){1, 2}, STR("o"));
    CHECK_STR(walk(&d, &out), "b:1 a:2 ");
    delivery_window(&d, 4, 5, (struct id){1, 2}, STR("o"));
    CHECK_STR(walk(&d, &out), "b:4 ");
    buf_free(&out);
    delivery_free(&d);
}

TEST(settled_events_are_left_out)
{
    struct delivery d = three_parts(false);
    struct buf out = {0};

    d.settled = calloc(5, 1);
    d.settled[1] = d.settled[4] = 1;
    delivery_window(&d, 0, 5, (struct id){1, 2}, STR("o"));
    CHECK_INT(delivery_count(&d), 3);
    CHECK_STR(walk(&d, &out), "b:0 a:2 a:3 ");
    delivery_fail(&d, 1, REJECT, "bad");
    CHECK_INT(d.failures[0].index, 2);
    buf_free(&out);
    delivery_free(&d);
}

TEST(the_id_is_that_of_range_and_window)
{
    struct delivery d = three_parts(false), other = three_parts(false);
    char whole[33];

    delivery_window(&d, 0, 5, (struct id){1, 2}, STR("o"));
    memcpy(whole, d.id, 33);
    delivery_window(&other, 0, 5, (struct id){1, 2}, STR("o"));
    CHECK_STR(str_of(other.id), whole);
    delivery_window(&d, 0, 2, (struct id){1, 2}, STR("o"));
    CHECK(strcmp(d.id, whole) != 0);
    delivery_window(&d, 0, 5, (struct id){1, 2}, STR("p"));
    CHECK(strcmp(d.id, whole) != 0);
    delivery_window(&d, 0, 5, (struct id){9, 2}, STR("o"));
    CHECK(strcmp(d.id, whole) != 0);
    delivery_free(&d);
    delivery_free(&other);
}

TEST(a_damaged_payload_is_refused)
{
    struct delivery d;

    delivery_init(&d, &going);
    delivery_reset(&d, 0);
    CHECK(!delivery_add(&d, STR("\x05\x00zz")));
    CHECK_INT(d.total, 0);
    delivery_free(&d);
}
