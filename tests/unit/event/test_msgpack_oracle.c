/* SPDX-License-Identifier: Apache-2.0 */
/* Random values, written by msgpack-c and read here, and the other way round. */
#include "base/cleanup.h"
#include "event/msgpack.h"
#include "test.h"

#include <msgpack.h>

enum { ROUNDS = 3000 };

static uint64_t state = 0x9e3779b97f4a7c15;

static uint64_t draw(uint64_t below)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state % below;
}

static char noise[70000];

/* Both write the same value; recursion is as deep as `depth` says. */
static void both(msgpack_packer *theirs, struct buf *ours, int depth)
{
    static const uint32_t lengths[] = {0, 1, 5, 15, 16, 31, 32, 255, 256, 65535, 65536};
    uint64_t kind = draw(depth ? 11 : 9), bits = draw(UINT64_MAX) >> draw(64);
    uint32_t n = draw(20) ? (uint32_t)draw(40) : lengths[draw(ARRAY_LEN(lengths))];
    int64_t i = draw(2) ? (int64_t)bits : (int64_t)(0 - bits);
    double f;

    switch (kind) {
    case 0:
        msgpack_pack_nil(theirs);
        msgpack_nil(ours);
        break;
    case 1:
        msgpack_pack_true(theirs);
        msgpack_bool(ours, true);
        break;
    case 2:
        msgpack_pack_false(theirs);
        msgpack_bool(ours, false);
        break;
    case 3:
        msgpack_pack_int64(theirs, i);
        msgpack_int(ours, i);
        break;
    case 4:
        msgpack_pack_uint64(theirs, bits);
        msgpack_uint(ours, bits);
        break;
    case 5:
        f = (double)i / 1024;
        msgpack_pack_double(theirs, f);
        msgpack_float(ours, f);
        break;
    case 6:
        msgpack_pack_str_with_body(theirs, noise, n);
        msgpack_str(ours, (struct str){noise, n});
        break;
    case 7:
        msgpack_pack_bin_with_body(theirs, noise, n);
        msgpack_bin(ours, (struct str){noise, n});
        break;
    case 8:
        msgpack_pack_ext_with_body(theirs, noise, n, (int8_t)bits);
        msgpack_ext(ours, (int8_t)bits, (struct str){noise, n});
        break;
    case 9:
        n = draw(30) ? (uint32_t)draw(6) : 17;
        msgpack_pack_array(theirs, n);
        msgpack_array(ours, n);
        while (n--)
            both(theirs, ours, depth - 1);
        break;
    default:
        n = draw(30) ? (uint32_t)draw(6) : 17;
        msgpack_pack_map(theirs, n);
        msgpack_map(ours, n);
        for (n *= 2; n--;)
            both(theirs, ours, depth - 1);
    }
}

/* Theirs decoded and ours read agree; ours is opened level by level. */
static bool agree(const msgpack_object *o, struct value *v, struct arena *a)
{
    switch (o->type) {
    case MSGPACK_OBJECT_NIL:
        return v->type == V_NIL;
    case MSGPACK_OBJECT_BOOLEAN:
        return v->type == V_BOOL && v->b == o->via.boolean;
    case MSGPACK_OBJECT_POSITIVE_INTEGER:
        return (v->type == V_INT && v->i >= 0 && (uint64_t)v->i == o->via.u64) ||
               (v->type == V_UINT && v->u == o->via.u64 && v->u > INT64_MAX);
    case MSGPACK_OBJECT_NEGATIVE_INTEGER:
        return v->type == V_INT && v->i == o->via.i64;
    case MSGPACK_OBJECT_FLOAT32:
    case MSGPACK_OBJECT_FLOAT64:
        return v->type == V_FLOAT && v->f == o->via.f64;
    case MSGPACK_OBJECT_STR:
        return v->type == V_STR && str_eq(value_bytes(v), (struct str){o->via.str.ptr, o->via.str.size});
    case MSGPACK_OBJECT_BIN:
        return v->type == V_BIN && str_eq(value_bytes(v), (struct str){o->via.bin.ptr, o->via.bin.size});
    case MSGPACK_OBJECT_EXT:
        return v->type == V_EXT && v->ext == o->via.ext.type &&
               str_eq(value_bytes(v), (struct str){o->via.ext.ptr, o->via.ext.size});
    case MSGPACK_OBJECT_ARRAY:
        value_open(v, a);
        if (v->type != V_ARRAY || v->n != o->via.array.size)
            return false;
        for (uint32_t i = 0; i < v->n; i++)
            if (!agree(&o->via.array.ptr[i], &v->items[i], a))
                return false;
        return true;
    default:
        value_open(v, a);
        if (v->type != V_MAP || v->n != o->via.map.size)
            return false;
        for (uint32_t i = 0; i < v->n; i++)
            if (!agree(&o->via.map.ptr[i].key, &v->fields[i].key, a) ||
                !agree(&o->via.map.ptr[i].val, &v->fields[i].val, a))
                return false;
        return true;
    }
}

TEST(the_same_bytes_and_the_same_values)
{
    struct arena *a = arena_new();

    memset(noise, 'n', sizeof noise);
    for (int round = 0; round < ROUNDS; round++) {
        CLEANUP(buf_free) struct buf ours = {0}, again = {0};
        msgpack_sbuffer theirs;
        msgpack_packer packer;
        msgpack_unpacked decoded;
        struct value v = {0};
        size_t at = 0;
        msgpack_sbuffer_init(&theirs);
        msgpack_packer_init(&packer, &theirs, msgpack_sbuffer_write);
        both(&packer, &ours, 5);
        CHECK(str_eq(buf_view(&ours), (struct str){theirs.data, theirs.size}));
        CHECK_INT(msgpack_check(buf_view(&ours), false, NULL), ours.n);
        CHECK_INT(msgpack_skip(buf_view(&ours)), ours.n);
        CHECK_INT(msgpack_read(buf_view(&ours), &v), ours.n);
        msgpack_unpacked_init(&decoded);
        CHECK(msgpack_unpack_next(&decoded, ours.p, ours.n, &at) == MSGPACK_UNPACK_SUCCESS);
        CHECK(agree(&decoded.data, &v, a));
        msgpack_value(&again, &v); /* opened everywhere by now */
        CHECK(str_eq(buf_view(&again), buf_view(&ours)));
        for (int cut = 0; cut < 20 && ours.n; cut++)
            CHECK_INT(msgpack_check((struct str){ours.p, draw(ours.n)}, false, NULL), 0);
        msgpack_unpacked_destroy(&decoded);
        msgpack_sbuffer_destroy(&theirs);
        arena_reset(a);
    }
    arena_free(a);
}
