/* SPDX-License-Identifier: Apache-2.0 */
#include "store_help.h"

static bool apply(struct image *image, enum frame_type type, struct buf *payload)
{
    struct frame f = {type, 1, 1, buf_view(payload)};
    bool ok = image_apply(image, &f);

    buf_clear(payload);
    return ok;
}

static void events(struct buf *b, uint32_t route_set, uint32_t count)
{
    buf_le16(b, 3);
    buf_str(b, STR("tag"));
    buf_le32(b, route_set);
    buf_char(b, 0);
    buf_le32(b, count);
}

static struct str position(const struct image *image, struct str key)
{
    struct buf *b = map_get(&image->positions, key);

    return b ? buf_view(b) : STR("none");
}

static void fill(struct image *image)
{
    struct str both[] = {STR("a"), STR("b")};
    struct buf b = {0};

    image_write_position(&b, STR("tail.0"), STR("/var/log/x"), STR("123"));
    CHECK(apply(image, FRAME_TAILPOS, &b));
    image_write_state(&b, STR("lua.0"), STR("k"), STR("v"));
    CHECK(apply(image, FRAME_STATE, &b));
    image_write_routes(&b, 1, &(struct strs){both, 2});
    CHECK(apply(image, FRAME_ROUTES, &b));
    image_write_routes(&b, 2, &(struct strs){both + 1, 1});
    CHECK(apply(image, FRAME_ROUTES, &b));
    events(&b, 1, 10);
    CHECK(apply(image, FRAME_EVENTS, &b));
    events(&b, 2, 5);
    CHECK(apply(image, FRAME_EVENTS, &b));
    image_write_ledger(&b, STR("in"), 20);
    image_write_ledger(&b, STR("dropped"), 7);
    image_write_ledger(&b, STR("in"), -5);
    CHECK(apply(image, FRAME_LEDGER, &b));
    buf_free(&b);
}

static void check(const struct image *image)
{
    CHECK_STR(position(image, (struct str){"tail.0\0/var/log/x", 17}), "123");
    CHECK_STR(buf_view(map_get(&image->state, (struct str){"lua.0\0k", 7})), "v");
    CHECK_INT(image_counter(image, STR("in")), 15);
    CHECK_INT(image_counter(image, STR("dropped")), 7);
    CHECK_INT(image_counter(image, STR("none")), 0);
    CHECK_INT(image_owed(image, STR("a")), 10);
    CHECK_INT(image_owed(image, STR("b")), 15);
    CHECK_INT(image_owed(image, STR("c")), 0);
}

TEST(frames_and_checkpoint)
{
    struct image image = {0}, copy = {0};
    struct buf point = {0}, b = {0};

    fill(&image);
    check(&image);
    image_checkpoint(&image, &point);
    CHECK(apply(&copy, FRAME_CHECKPOINT, &(struct buf){point.p, point.n, point.cap}));
    check(&copy);
    image_write_position(&b, STR("tail.0"), STR("/var/log/x"), STR(""));
    CHECK(apply(&copy, FRAME_TAILPOS, &b));
    CHECK_STR(position(&copy, (struct str){"tail.0\0/var/log/x", 17}), "none");
    image_free(&image);
    image_free(&copy);
    buf_free(&point);
    buf_free(&b);
}

/* A payload that was cut anywhere is refused, and a refused checkpoint changes nothing. */
TEST(cut_payloads)
{
    struct image image = {0};
    struct buf point = {0};

    fill(&image);
    image_checkpoint(&image, &point);
    for (size_t n = 0; n < point.n; n++) {
        struct frame f = {FRAME_CHECKPOINT, 1, 0, {point.p, n}};
        CHECK(!image_apply(&image, &f));
    }
    check(&image);
    image_free(&image);
    buf_free(&point);
}
