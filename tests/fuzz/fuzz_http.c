/* SPDX-License-Identifier: Apache-2.0 */
/* The first byte chooses: H a request's head, C a chunked body, G Z D a compressed one.  What comes in pieces must be
 * judged as what comes at once. */
#include "net/http_chunks.h"
#include "net/http_head.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
    if (!ok)
        abort();
}

static void inside(struct span s, struct str text)
{
    must(s.at <= text.n && s.n <= text.n - s.at);
}

static void head(struct str in)
{
    const struct head_limits limits = {256, 1024, 20};
    struct head_scan at_once = {0}, in_pieces = {0};
    struct head h = {0};
    long whole = head_find(in, &limits, &at_once), pieces = 0;
    struct str text;

    for (size_t n = 1; n <= in.n && pieces == 0; n++)
        pieces = head_find(str_head(in, n), &limits, &in_pieces);
    /* in pieces a line that grows is refused for its length before its end could be refused for its form */
    must((whole > 0) == (pieces > 0) && (whole <= 0 || whole == pieces) && (whole < 0) == (pieces < 0));
    if (whole <= 0)
        return;
    text = str_head(in, (size_t)whole);
    must(!memchr(text.p, 0, text.n));
    if (head_parse(text, &h) == 0) {
        must(!(h.chunked && h.has_length) && h.method && h.n <= limits.count_max);
        inside(h.path, text);
        inside(h.query, text);
        for (size_t i = 0; i < h.n; i++) {
            inside(h.fields[i].name, text);
            inside(h.fields[i].value, text);
            must(h.fields[i].name.n > 0);
            must(!memchr(text.p + h.fields[i].name.at, ' ', h.fields[i].name.n));
        }
    } else {
        must(h.why != NULL);
    }
    head_free(&h);
}

static void chunked(struct str in)
{
    enum { MAX = 4096 };
    struct buf whole = {0}, piece = {0};
    struct chunks a = {0}, b = {0};
    size_t read_a = 0, write_a = 0, read_b = 0, write_b = 0;
    enum chunk_result ra, rb = CHUNKS_MORE;

    buf_str(&whole, in);
    buf_str(&piece, in);
    ra = chunks_decode(&a, whole.p, whole.n, &read_a, &write_a, MAX);
    for (size_t n = 1; n <= in.n && rb == CHUNKS_MORE; n++)
        rb = chunks_decode(&b, piece.p, n, &read_b, &write_b, MAX);
    must(ra == rb && read_a == read_b && write_a == write_b && write_a <= read_a && a.total <= MAX);
    must(!write_a || memcmp(whole.p, piece.p, write_a) == 0);
    must(ra == CHUNKS_DONE || read_a == in.n || ra != CHUNKS_MORE);
    buf_free(&whole);
    buf_free(&piece);
}

static void compressed(enum codec c, struct str in)
{
    enum { MAX = 1 << 20 };
    struct buf out = {0}, again = {0}, back = {0};
    struct err e;
    enum inflate_result r = codec_decompress(c, in, MAX, 100, &out, &e);

    must(out.n <= MAX && (r == INFLATE_OK || out.n == 0));
    if (r == INFLATE_OK) {
        must(codec_compress(c, 0, buf_view(&out), &again, &e));
        must(codec_decompress(c, buf_view(&again), MAX, 0, &back, &e) == INFLATE_OK);
        must(str_eq(buf_view(&out), buf_view(&back)));
    }
    buf_free(&out);
    buf_free(&again);
    buf_free(&back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str rest;

    if (!size)
        return 0;
    rest = (struct str){(const char *)data + 1, size - 1};
    switch (data[0]) {
    case 'H':
        head(rest);
        break;
    case 'C':
        chunked(rest);
        break;
    case 'G':
        compressed(CODEC_GZIP, rest);
        break;
    case 'Z':
        compressed(CODEC_ZSTD, rest);
        break;
    case 'D':
        compressed(CODEC_DEFLATE, rest);
        break;
    default:
        break;
    }
    return 0;
}
