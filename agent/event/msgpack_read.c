/* SPDX-License-Identifier: Apache-2.0 */
#include "event/msgpack.h"
#include "event/msgpack_head.h"
#include "event/utf8.h"

enum { NS = 1000000000 };

static size_t refuse(struct err *e, const char *why, size_t at)
{
    err_set(e, "msgpack: %s at byte %zu", why, at);
    return 0;
}

size_t msgpack_check(struct str in, bool any_bytes, struct err *e)
{
    uint64_t left[MSGPACK_DEPTH + 1] __attribute__((uninitialized)); /* values still to come, by level */
    size_t at = 0, depth = 0;
    struct head h;

    if (in.n > UINT32_MAX)
        in.n = UINT32_MAX; /* what a struct value can hold */
    left[0] = 1;
    for (;;) {
        while (left[depth] == 0) {
            if (depth-- == 0)
                return at;
        }
        left[depth]--;
        if (at == in.n)
            return refuse(e, "the value is cut short", at);
        if (!head_read(in.p + at, in.n - at, &h))
            return refuse(e, (uint8_t)in.p[at] == 0xc1 ? "no value begins with c1" : "a length beyond the end", at);
        if (head_container(h.type)) {
            if (depth == MSGPACK_DEPTH)
                return refuse(e, "nested deeper than 64", at);
            left[++depth] = h.type == V_MAP ? (uint64_t)h.n * 2 : h.n;
            at += h.bytes;
            continue;
        }
        at += h.bytes;
        if (h.type == V_STR && !any_bytes && !utf8_valid((struct str){in.p + at, h.n}))
            return refuse(e, "a string that is not UTF-8", at);
        at += h.n;
    }
}

size_t msgpack_skip(struct str in)
{
    const char *p = in.p, *end = in.p + in.n;
    uint64_t left = 1;
    struct head h;

    while (left) {
        if (!head_read(p, (size_t)(end - p), &h))
            return 0;
        left--;
        p += h.bytes;
        if (h.type == V_ARRAY)
            left += h.n;
        else if (h.type == V_MAP)
            left += (uint64_t)h.n * 2;
        else
            p += h.n;
    }
    return (size_t)(p - in.p);
}

static void read_number(const char *p, struct value *out)
{
    uint8_t code = (uint8_t)*p++;
    uint32_t bits;
    float single;

    switch (code) {
    case 0xca:
        bits = load_be32(p);
        memcpy(&single, &bits, sizeof single);
        out->f = (double)single;
        out->single = true;
        break;
    case 0xcb: /* the same bits */
    case 0xcf:
    case 0xd3:
        out->u = load_be64(p);
        if (code == 0xcf && out->u <= INT64_MAX)
            out->type = V_INT;
        break;
    case 0xcc:
        out->i = (uint8_t)*p;
        break;
    case 0xcd:
        out->i = load_be16(p);
        break;
    case 0xce:
        out->i = load_be32(p);
        break;
    case 0xd0:
        out->i = (int8_t)*p;
        break;
    case 0xd1:
        out->i = (int16_t)load_be16(p);
        break;
    case 0xd2:
        out->i = (int32_t)load_be32(p);
        break;
    default:
        out->i = (int8_t)code;
    }
}

size_t msgpack_read(struct str in, struct value *out)
{
    struct head h;

    if (!head_read(in.p, in.n, &h))
        return 0;
    *out = (struct value){.type = h.type};
    switch (h.type) {
    case V_NIL:
        return 1;
    case V_BOOL:
        out->b = (uint8_t)in.p[0] == 0xc3;
        return 1;
    case V_INT:
    case V_UINT:
    case V_FLOAT:
        read_number(in.p, out);
        return 1 + h.n;
    case V_ARRAY:
    case V_MAP:
        out->raw = true;
        out->p = in.p;
        out->n = (uint32_t)msgpack_skip(in);
        return out->n;
    case V_EXT:
        out->ext = (int8_t)in.p[h.bytes - 1];
        break;
    default:
        break;
    }
    out->p = in.p + h.bytes;
    out->n = h.n;
    return (size_t)h.bytes + h.n;
}

uint32_t msgpack_members(struct str container, struct str *body)
{
    struct head h;

    *body = (struct str){container.p, 0};
    if (!head_read(container.p, container.n, &h) || !head_container(h.type))
        return 0;
    *body = str_from(container, h.bytes);
    return h.n;
}

bool msgpack_read_time(const struct value *v, int64_t *ns)
{
    double whole;

    switch (v->type) {
    case V_EXT:
        if (v->ext != 0 || v->n != 8)
            return false;
        *ns = (int64_t)load_be32(v->p) * NS + load_be32(v->p + 4);
        return true;
    case V_INT:
        return !__builtin_mul_overflow(v->i, (int64_t)NS, ns);
    case V_FLOAT:
        whole = __builtin_floor(v->f);
        if (!(whole > -9.2e9 && whole < 9.2e9)) /* years 1678 to 2261; NaN too is none of these */
            return false;
        *ns = (int64_t)whole * NS + (int64_t)__builtin_floor((v->f - whole) * NS + 0.5);
        return true;
    default:
        return false;
    }
}
