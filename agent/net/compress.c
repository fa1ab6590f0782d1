/* SPDX-License-Identifier: Apache-2.0 */
#include "net/compress.h"

#include "base/cleanup.h"

#include <zlib.h>
#include <zstd.h>

enum {
    INPUT_MAX = 1 << 30,     /* of one call: both libraries count in 32 bits somewhere */
    FREE_OUTPUT = 64 * 1024, /* judged by no ratio */
    WINDOW_LOG_MAX = 23,     /* 8 MiB */
    GZIP_WRAP = 15 + 16,
    ZLIB_WRAP = 15,
    RAW_DEFLATE = -15
};

const char *const codec_names[] = {"none", "gzip", "zstd", "deflate", NULL};

static bool deflate_all(int wrap, int level, struct str in, struct buf *out, struct err *e)
{
    z_stream z = {0};
    size_t bound;
    int rc;

    rc = deflateInit2(&z, level ? level : Z_DEFAULT_COMPRESSION, Z_DEFLATED, wrap, 8, Z_DEFAULT_STRATEGY);
    if (rc != Z_OK)
        return err_set(e, "compression level %d is not one of 1 to 9", level);
    bound = deflateBound(&z, in.n);
    z.next_in = (Bytef *)(uintptr_t)in.p;
    z.avail_in = (uInt)in.n;
    z.next_out = (Bytef *)buf_room(out, bound);
    z.avail_out = (uInt)bound;
    rc = deflate(&z, Z_FINISH);
    if (rc == Z_STREAM_END)
        out->n += z.total_out;
    deflateEnd(&z);
    return rc == Z_STREAM_END || err_set(e, "compression failed: zlib says %d", rc);
}

static bool zstd_all(int level, struct str in, struct buf *out, struct err *e)
{
    size_t bound = ZSTD_compressBound(in.n);
    size_t n = ZSTD_compress(buf_room(out, bound), bound, in.p, in.n, level ? level : ZSTD_CLEVEL_DEFAULT);

    if (ZSTD_isError(n))
        return err_set(e, "compression failed: %s", ZSTD_getErrorName(n));
    out->n += n;
    return true;
}

bool codec_compress(enum codec c, int level, struct str in, struct buf *out, struct err *e)
{
    if (in.n > INPUT_MAX)
        return err_set(e, "more than 1 GiB to compress at once");
    switch (c) {
    case CODEC_GZIP:
        return deflate_all(GZIP_WRAP, level, in, out, e);
    case CODEC_DEFLATE:
        return deflate_all(ZLIB_WRAP, level, in, out, e);
    case CODEC_ZSTD:
        return zstd_all(level, in, out, e);
    default:
        buf_str(out, in);
        return true;
    }
}

/* Where the output goes: at most `cap` bytes behind `start`.  The room has one byte more, which tells "exactly the
 * limit" from "beyond it". */
struct sink {
    struct buf *out;
    size_t start, cap;
};

static size_t sink_room(struct sink *s)
{
    size_t done = s->out->n - s->start, step = done > FREE_OUTPUT ? done : FREE_OUTPUT;
    size_t room = s->cap + 1 - done < step ? s->cap + 1 - done : step;

    buf_room(s->out, room);
    return room;
}

static bool sink_full(const struct sink *s)
{
    return s->out->n - s->start > s->cap;
}

static enum inflate_result bad(struct err *e, const char *what, const char *why)
{
    err_set(e, "the %s data is damaged: %s", what, why);
    return INFLATE_BAD;
}

/* Many servers' "deflate" has no zlib header, whatever RFC 9110 says. */
static int deflate_wrap(struct str in)
{
    const unsigned char *p = (const unsigned char *)in.p;

    return in.n >= 2 && (p[0] & 15) == 8 && (p[0] * 256 + p[1]) % 31 == 0 ? ZLIB_WRAP : RAW_DEFLATE;
}

static enum inflate_result inflate_members(z_stream *z, struct sink *s, const char *what, bool many, struct err *e)
{
    for (;;) {
        size_t room = sink_room(s);
        int rc;
        z->next_out = (Bytef *)s->out->p + s->out->n;
        z->avail_out = (uInt)room;
        rc = inflate(z, Z_NO_FLUSH);
        s->out->n += room - z->avail_out;
        if (sink_full(s))
            return INFLATE_TOO_LARGE;
        if (rc == Z_STREAM_END && !z->avail_in)
            return INFLATE_OK;
        if (rc == Z_STREAM_END && !many)
            return bad(e, what, "bytes behind its end");
        if (rc == Z_STREAM_END && inflateReset(z) == Z_OK)
            continue;
        if (rc == Z_BUF_ERROR || (rc == Z_OK && !z->avail_in && z->avail_out))
            return bad(e, what, "it ends too early");
        if (rc != Z_OK)
            return bad(e, what, z->msg ? z->msg : "not of this format");
    }
}

static enum inflate_result inflate_all(enum codec c, struct str in, struct sink *s, struct err *e)
{
    z_stream z = {.next_in = (Bytef *)(uintptr_t)in.p, .avail_in = (uInt)in.n};
    enum inflate_result result;

    if (inflateInit2(&z, c == CODEC_GZIP ? GZIP_WRAP : deflate_wrap(in)) != Z_OK)
        return bad(e, codec_names[c], "zlib does not start");
    result = inflate_members(&z, s, codec_names[c], c == CODEC_GZIP, e);
    inflateEnd(&z);
    return result;
}

static void free_dctx(ZSTD_DCtx **d)
{
    ZSTD_freeDCtx(*d);
}

static enum inflate_result unzstd_all(struct str in, struct sink *s, struct err *e)
{
    CLEANUP(free_dctx) ZSTD_DCtx *d = ZSTD_createDCtx();
    ZSTD_inBuffer from = {in.p, in.n, 0};
    size_t left = 1;

    if (!d || ZSTD_isError(ZSTD_DCtx_setParameter(d, ZSTD_d_windowLogMax, WINDOW_LOG_MAX)))
        return bad(e, "zstd", "the library does not start");
    while (from.pos < from.size || left) {
        size_t room = sink_room(s), was = from.pos;
        ZSTD_outBuffer to = {s->out->p + s->out->n, room, 0};
        left = ZSTD_decompressStream(d, &to, &from);
        if (ZSTD_isError(left))
            return bad(e, "zstd", ZSTD_getErrorName(left));
        s->out->n += to.pos;
        if (sink_full(s))
            return INFLATE_TOO_LARGE;
        if (left && from.pos == from.size && from.pos == was && to.pos < to.size)
            return bad(e, "zstd", "it ends too early");
    }
    return INFLATE_OK;
}

enum inflate_result codec_decompress(enum codec c, struct str in, size_t max, unsigned ratio_max, struct buf *out,
                                     struct err *e)
{
    struct sink s = {out, out->n, max};
    enum inflate_result result;

    if (in.n > INPUT_MAX)
        return bad(e, codec_names[c], "more than 1 GiB at once");
    if (ratio_max) {
        size_t allowed = in.n * ratio_max > FREE_OUTPUT ? in.n * ratio_max : FREE_OUTPUT;
        s.cap = allowed < max ? allowed : max;
    }
    if (c == CODEC_NONE) {
        if (in.n > max)
            return err_set(e, "more than %zu bytes", max), INFLATE_TOO_LARGE;
        buf_str(out, in);
        return INFLATE_OK;
    }
    result = c == CODEC_ZSTD ? unzstd_all(in, &s, e) : inflate_all(c, in, &s, e);
    if (result == INFLATE_TOO_LARGE)
        err_set(e, "more than %zu bytes when decompressed%s", s.cap, s.cap < max ? ": the ratio is too high" : "");
    if (result != INFLATE_OK)
        out->n = s.start;
    return result;
}
