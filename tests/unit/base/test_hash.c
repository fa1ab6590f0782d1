/* SPDX-License-Identifier: Apache-2.0 */
#include "base/crc32c.h"
#include "base/hash.h"
#include "test.h"

static const struct id key = {0x0f0e0d0c0b0a0908, 0x0706050403020100};

/* Aumasson and Bernstein, SipHash-2-4: key 00..0f, input 00, 01, 02 ... of each length; published as bytes. */
TEST(siphash_64_vectors)
{
    static const uint64_t want[] = {0x726fdb47dd0e0e31, 0x74f839c593dc67fd, 0x0d6c8009d9a94f5a, 0x85676696d7fb7e2d,
                                    0xcf2794e0277187b7, 0x18765564cd99a68d, 0xcbc9466e58fee3ce, 0xab0200f58b01d137,
                                    0x93f5f5799a932462, 0x9e0082df0ba9e4b0, 0x7a5dbbc594ddb9f3, 0xf4b32f46226bada7,
                                    0x751e8fbc860ee5fb, 0x14ea5627c0843d90, 0xf723ca908e7af2ee, 0xa129ca6149be45e5};
    char in[16];

    for (int i = 0; i < 16; i++) {
        in[i] = (char)i;
        CHECK(hash_64((struct str){in, (size_t)i}, &key) == want[i]);
    }
}

TEST(siphash_128_vectors)
{
    /* The first two published 16-byte outputs, as little-endian words: the low one first. */
    static const struct id want[] = {{0x930255c71472f66d, 0xe6a825ba047f81a3},
                                     {0x45fc229b11597634, 0x44af996bd8c187da}};

    for (size_t i = 0; i < 2; i++) {
        struct id got = hash_128((struct str){"\0", i}, &key);
        CHECK(id_eq(got, want[i]));
    }
}

TEST(hash_of_tables)
{
    CHECK(hash_bytes(STR("a")) == hash_bytes(STR("a")));
    CHECK(hash_bytes(STR("a")) != hash_bytes(STR("b")));
    CHECK(hash_bytes(STR("a")) != hash_64(STR("a"), &key));
}

TEST(ids_as_text)
{
    char text[33];
    struct id id = {0x0123456789abcdef, 0xfedcba9876543210}, back;

    id_text(id, text);
    CHECK_STR(str_of(text), "0123456789abcdeffedcba9876543210");
    CHECK(id_parse(str_of(text), &back) && id_eq(id, back));
    CHECK(id_parse(STR("0123456789ABCDEFfedcba9876543210"), &back) && id_eq(id, back));
    CHECK(!id_parse(STR("0123456789abcdeffedcba987654321"), &back));
    CHECK(!id_parse(STR("0123456789abcdeffedcba98765432100"), &back));
    CHECK(!id_parse(STR("0123456789abcdefgedcba9876543210"), &back));
    CHECK(!id_parse(STR(""), &back));
}

/* RFC 3720 appendix B.4. */
TEST(crc32c_vectors)
{
    char bytes[32];

    memset(bytes, 0, 32);
    CHECK(crc32c(0, bytes, 32) == 0x8a9136aa);
    memset(bytes, 0xff, 32);
    CHECK(crc32c(0, bytes, 32) == 0x62a8ab43);
    for (int i = 0; i < 32; i++)
        bytes[i] = (char)i;
    CHECK(crc32c(0, bytes, 32) == 0x46dd794e);
    for (int i = 0; i < 32; i++)
        bytes[i] = (char)(31 - i);
    CHECK(crc32c(0, bytes, 32) == 0x113fdb5c);
    CHECK(crc32c(0, "123456789", 9) == 0xe3069283);
    CHECK(crc32c(0, "", 0) == 0);
}

TEST(crc32c_by_either_way_and_in_parts)
{
    char bytes[300];
    uint64_t state = 1;

    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)((state = state * 6364136223846793005u + 1442695040888963407u) >> 56);
    for (size_t n = 0; n <= 260; n++)
        for (size_t from = 0; from < 9; from++) {
            uint32_t whole = crc32c(0, bytes + from, n);
            CHECK(whole == crc32c_portable(0, bytes + from, n));
            CHECK(whole == crc32c(crc32c(0, bytes + from, n / 3), bytes + from + n / 3, n - n / 3));
        }
}

TEST(crc32c_of_long_data)
{
    enum { N = 20000 };
    char *bytes = malloc(N);
    uint64_t state = 7;

    for (size_t i = 0; i < N; i++)
        bytes[i] = (char)((state = state * 6364136223846793005u + 1442695040888963407u) >> 56);
    for (size_t n = 300; n < N - 8; n += n / 7 + 13)
        for (size_t from = 0; from < 8; from += 3)
            CHECK(crc32c(0x1234567, bytes + from, n) == crc32c_portable(0x1234567, bytes + from, n));
    for (size_t n = 6140; n < 6150; n++)
        CHECK(crc32c(0, bytes, n) == crc32c_portable(0, bytes, n));
    free(bytes);
}
