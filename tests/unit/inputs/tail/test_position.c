/* SPDX-License-Identifier: Apache-2.0 */
#include "tail_test.h"

TEST(positions_come_back_as_they_were)
{
    struct position p = {.generation = UINT64_MAX,
                         .offset = INT64_MAX,
                         .birth = 1700000000123456789,
                         .seen = 1,
                         .head = {HEAD_BYTES, 0xdeadbeef},
                         .skipping = true,
                         .path = STR("/var/log/a.log")};
    struct position q;
    struct buf b = {0};

    position_write(&b, &p);
    CHECK(position_read(buf_view(&b), &q));
    CHECK(q.generation == p.generation && q.offset == p.offset && q.birth == p.birth && q.seen == p.seen);
    CHECK(q.head.n == p.head.n && q.head.crc == p.head.crc && q.skipping);
    CHECK_STR(q.path, "/var/log/a.log");
    for (size_t n = 0; n < b.n - p.path.n; n++)
        CHECK(!position_read((struct str){b.p, n}, &q));
    b.p[0] = 2;
    CHECK(!position_read(buf_view(&b), &q));
    buf_free(&b);
}

TEST(keys)
{
    char key[40];
    uint64_t device, inode;

    CHECK_STR(((struct str){key, position_key(key, 0xfe00, UINT64_MAX)}), "fe00:ffffffffffffffff");
    CHECK(position_parse_key(str_of(key), &device, &inode));
    CHECK(device == 0xfe00 && inode == UINT64_MAX);
    CHECK(!position_parse_key(STR("fe00"), &device, &inode));
    CHECK(!position_parse_key(STR(":1"), &device, &inode));
    CHECK(!position_parse_key(STR("1:x"), &device, &inode));
    CHECK(!position_parse_key(STR("1:12345678901234567"), &device, &inode));
}
