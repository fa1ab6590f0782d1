/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "base/cleanup.h"
#include "net/compress.h"

static const enum codec codecs[] = {CODEC_GZIP, CODEC_ZSTD, CODEC_DEFLATE};

static void fill(struct buf *b, size_t n)
{
    uint32_t x = 1;

    for (size_t i = 0; i < n; i++) {
        x = x * 1664525 + 1013904223;
        buf_char(b, (char)("abcdefgh \n\0z"[x >> 28 & 7] ^ (x >> 24 & 3)));
    }
}

TEST(round_trip_and_determinism)
{
    static const size_t sizes[] = {0, 1, 100, 65536, 65537, 1000000};
    struct err e;

    for (size_t i = 0; i < ARRAY_LEN(sizes); i++)
        for (size_t c = 0; c < ARRAY_LEN(codecs); c++) {
            CLEANUP(buf_free) struct buf in = {0}, out = {0}, again = {0}, back = {0};
            fill(&in, sizes[i]);
            buf_str(&back, STR("front"));
            CHECK(codec_compress(codecs[c], 0, buf_view(&in), &out, &e));
            CHECK(codec_compress(codecs[c], 0, buf_view(&in), &again, &e));
            CHECK(str_eq(buf_view(&out), buf_view(&again)));
            CHECK_INT(codec_decompress(codecs[c], buf_view(&out), sizes[i], 0, &back, &e), INFLATE_OK);
            CHECK(str_starts(buf_view(&back), STR("front")));
            CHECK(str_eq(str_from(buf_view(&back), 5), buf_view(&in)));
        }
}

TEST(levels)
{
    CLEANUP(buf_free) struct buf in = {0}, low = {0}, high = {0};
    struct err e;

    fill(&in, 100000);
    CHECK(codec_compress(CODEC_GZIP, 1, buf_view(&in), &low, &e));
    CHECK(codec_compress(CODEC_GZIP, 9, buf_view(&in), &high, &e));
    CHECK(high.n < low.n);
    CHECK(!codec_compress(CODEC_GZIP, 77, buf_view(&in), &low, &e));
    CHECK(strstr(e.text, "level 77") != NULL);
}

TEST(several_members)
{
    struct err e;

    for (size_t c = 0; c < 2; c++) {
        CLEANUP(buf_free) struct buf out = {0}, back = {0};
        codec_compress(codecs[c], 0, STR("one "), &out, &e);
        codec_compress(codecs[c], 0, STR(""), &out, &e);
        codec_compress(codecs[c], 0, STR("two"), &out, &e);
        CHECK_INT(codec_decompress(codecs[c], buf_view(&out), 100, 0, &back, &e), INFLATE_OK);
        CHECK_STR(buf_view(&back), "one two");
    }
}

TEST(damage)
{
    struct err e;

    for (size_t c = 0; c < ARRAY_LEN(codecs); c++) {
        CLEANUP(buf_free) struct buf in = {0}, out = {0}, back = {0};
        fill(&in, 5000);
        codec_compress(codecs[c], 0, buf_view(&in), &out, &e);
        for (size_t n = 0; n < out.n; n += n < 40 ? 1 : 97) {
            if (n == 0 && codecs[c] == CODEC_ZSTD)
                continue; /* no frame at all is no data */
            CHECK_INT(codec_decompress(codecs[c], str_head(buf_view(&out), n), 1 << 20, 0, &back, &e), INFLATE_BAD);
            CHECK_INT(back.n, 0);
        }
        buf_str(&out, STR("trailing"));
        CHECK_INT(codec_decompress(codecs[c], buf_view(&out), 1 << 20, 0, &back, &e), INFLATE_BAD);
        CHECK_INT(codec_decompress(codecs[c], STR("this is no such format"), 1 << 20, 0, &back, &e), INFLATE_BAD);
    }
}

TEST(the_limit_is_exact)
{
    struct err e;

    for (size_t c = 0; c < ARRAY_LEN(codecs); c++)
        for (size_t n = 1; n <= 300000; n = n * 7 + 1) {
            CLEANUP(buf_free) struct buf in = {0}, out = {0}, back = {0};
            fill(&in, n);
            codec_compress(codecs[c], 0, buf_view(&in), &out, &e);
            CHECK_INT(codec_decompress(codecs[c], buf_view(&out), n, 0, &back, &e), INFLATE_OK);
            buf_clear(&back);
            CHECK_INT(codec_decompress(codecs[c], buf_view(&out), n - 1, 0, &back, &e), INFLATE_TOO_LARGE);
            CHECK_INT(back.n, 0);
        }
}

TEST(bombs_take_no_memory)
{
    struct err e;
    CLEANUP(buf_free) struct buf zeros = {0};

    memset(buf_room(&zeros, 64 << 20), 0, 64 << 20);
    zeros.n = 64 << 20;
    for (size_t c = 0; c < ARRAY_LEN(codecs); c++) {
        CLEANUP(buf_free) struct buf out = {0}, back = {0};
        codec_compress(codecs[c], 0, buf_view(&zeros), &out, &e);
        CHECK_INT(codec_decompress(codecs[c], buf_view(&out), 100 << 20, 100, &back, &e), INFLATE_TOO_LARGE);
        CHECK(back.cap <= out.n * 200 + (256 << 10));
        buf_free(&back);
        CHECK_INT(codec_decompress(codecs[c], buf_view(&out), 1 << 20, 0, &back, &e), INFLATE_TOO_LARGE);
        CHECK(back.cap <= 4 << 20);
    }
    /* little data may be as repetitive as it likes */
    zeros.n = 60000;
    CLEANUP(buf_free) struct buf out = {0}, back = {0};
    codec_compress(CODEC_ZSTD, 0, buf_view(&zeros), &out, &e);
    CHECK_INT(codec_decompress(CODEC_ZSTD, buf_view(&out), 100 << 20, 100, &back, &e), INFLATE_OK);
}

TEST(zstd_window)
{
    /* magic, descriptor without content size and single segment, window descriptor 2 GiB, then an empty last block */
    static const char frame[] = "\x28\xb5\x2f\xfd\x00\xa8\x01\x00\x00";
    static const char small[] = "\x28\xb5\x2f\xfd\x00\x68\x01\x00\x00";
    CLEANUP(buf_free) struct buf back = {0};
    struct err e = {0};

    CHECK_INT(codec_decompress(CODEC_ZSTD, (struct str){frame, 9}, 1 << 20, 100, &back, &e), INFLATE_BAD);
    CHECK(strstr(e.text, "memory") != NULL);
    CHECK_INT(codec_decompress(CODEC_ZSTD, (struct str){small, 9}, 1 << 20, 100, &back, &e), INFLATE_OK);
}

TEST(raw_deflate_of_sloppy_clients)
{
    CLEANUP(buf_free) struct buf out = {0}, back = {0};
    struct err e;

    codec_compress(CODEC_DEFLATE, 0, STR("hello hello"), &out, &e);
    CHECK_INT(codec_decompress(CODEC_DEFLATE, (struct str){out.p + 2, out.n - 6}, 100, 0, &back, &e), INFLATE_OK);
    CHECK_STR(buf_view(&back), "hello hello");
}
