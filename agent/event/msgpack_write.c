/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "base/cleanup.h"
#include "event/msgpack.h"
#include "event/msgpack_put.h"

enum { HEADER = 9, NS = 1000000000 };

static void wrote(struct buf *out, const char *end)
{
    out->n = (size_t)(end - out->p);
}

void msgpack_nil(struct buf *out)
{
    buf_char(out, (char)0xc0);
}

void msgpack_bool(struct buf *out, bool b)
{
    buf_char(out, (char)(b ? 0xc3 : 0xc2));
}

void msgpack_int(struct buf *out, int64_t i)
{
    wrote(out, put_int(buf_room(out, HEADER), i));
}

void msgpack_uint(struct buf *out, uint64_t u)
{
    wrote(out, put_uint(buf_room(out, HEADER), u));
}

void msgpack_float(struct buf *out, double f)
{
    wrote(out, put_float(buf_room(out, HEADER), f));
}

void msgpack_str(struct buf *out, struct str s)
{
    wrote(out, put_str_head(buf_room(out, HEADER + s.n), (uint32_t)s.n));
    buf_str(out, s);
}

void msgpack_bin(struct buf *out, struct str s)
{
    char *w = buf_room(out, HEADER + s.n);

    if (s.n <= UINT8_MAX) {
        w[0] = (char)0xc4;
        w[1] = (char)s.n;
        w += 2;
    } else {
        w = s.n <= UINT16_MAX ? put_be16(w, 0xc5, (uint16_t)s.n) : put_be32(w, 0xc6, (uint32_t)s.n);
    }
    wrote(out, w);
    buf_str(out, s);
}

void msgpack_ext(struct buf *out, int8_t type, struct str s)
{
    char *w = buf_room(out, HEADER + s.n);

    if (s.n && s.n <= 16 && (s.n & (s.n - 1)) == 0) {
        *w++ = (char)(0xd4 + __builtin_ctz((unsigned)s.n));
    } else if (s.n <= UINT8_MAX) {
        w[0] = (char)0xc7;
        w[1] = (char)s.n;
        w += 2;
    } else {
        w = s.n <= UINT16_MAX ? put_be16(w, 0xc8, (uint16_t)s.n) : put_be32(w, 0xc9, (uint32_t)s.n);
    }
    *w++ = (char)type;
    wrote(out, w);
    buf_str(out, s);
}

void msgpack_array(struct buf *out, uint32_t n)
{
    wrote(out, put_array(buf_room(out, HEADER), n));
}

void msgpack_map(struct buf *out, uint32_t n)
{
    wrote(out, put_map(buf_room(out, HEADER), n));
}

void msgpack_time(struct buf *out, int64_t ns)
{
    int64_t seconds = ns / NS - (ns % NS < 0);
    char *w;

    if (seconds < 0 || seconds > UINT32_MAX) {
        msgpack_int(out, seconds);
        return;
    }
    w = buf_room(out, 10);
    w[0] = (char)0xd7;
    put_be32(w + 1, 0, (uint32_t)seconds);
    put_be32(w + 5, w[5], (uint32_t)(ns - seconds * NS));
    out->n += 10;
}

static void float_value(struct buf *out, const struct value *v)
{
    float f = (float)v->f;
    uint32_t bits;

    if (!v->single) {
        msgpack_float(out, v->f);
        return;
    }
    memcpy(&bits, &f, sizeof bits);
    wrote(out, put_be32(buf_room(out, HEADER), 0xca, bits));
}

static void scalar(struct buf *out, const struct value *v)
{
    switch (v->type) {
    case V_BOOL:
        msgpack_bool(out, v->b);
        break;
    case V_INT:
        msgpack_int(out, v->i);
        break;
    case V_UINT:
        msgpack_uint(out, v->u);
        break;
    case V_FLOAT:
        float_value(out, v);
        break;
    case V_STR:
        msgpack_str(out, value_bytes(v));
        break;
    case V_BIN:
        msgpack_bin(out, value_bytes(v));
        break;
    case V_EXT:
        msgpack_ext(out, v->ext, value_bytes(v));
        break;
    default:
        msgpack_nil(out);
    }
}

/* Writes v itself, or the header of an open container; true: its members follow. */
static bool begin(struct buf *out, const struct value *v)
{
    if (v->type != V_ARRAY && v->type != V_MAP) {
        scalar(out, v);
        return false;
    }
    if (v->raw) {
        buf_str(out, value_bytes(v));
        return false;
    }
    if (v->type == V_MAP)
        msgpack_map(out, v->n);
    else
        msgpack_array(out, v->n);
    return v->n > 0;
}

void msgpack_value(struct buf *out, const struct value *v)
{
    struct level {
        const struct value *next, *end;
    } few[MSGPACK_DEPTH] __attribute__((uninitialized)), *levels = few;
    CLEANUP(cleanup_free) void *many = NULL;
    size_t depth = 0, cap = MSGPACK_DEPTH;

    if (!begin(out, v))
        return;
    for (;;) {
        if (depth == cap) { /* opened by a rule that nests deeper than any input may */
            levels = alloc_resize(many, cap * 2 * sizeof *levels);
            if (!many)
                memcpy(levels, few, sizeof few);
            many = levels;
            cap *= 2;
        }
        /* The fields of a map are its keys and values in turn. */
        levels[depth].next = v->type == V_MAP ? &v->fields->key : v->items;
        levels[depth].end = levels[depth].next + (v->type == V_MAP ? (size_t)v->n * 2 : v->n);
        depth++;
        do {
            while (depth && levels[depth - 1].next == levels[depth - 1].end)
                depth--;
            if (!depth)
                return;
            v = levels[depth - 1].next++;
        } while (!begin(out, v));
    }
}
