/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes: those that pass the check keep their length in every walk; those that do not are survived by all of them.
 */
#include "base/cleanup.h"
#include "event/batch.h"
#include "event/json.h"
#include "event/msgpack.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
    if (!ok)
        abort();
}

static void open_all(struct value *v, struct arena *a, int depth)
{
    value_open(v, a);
    for (size_t i = 0; depth && (v->type == V_ARRAY || v->type == V_MAP) && i < v->n; i++)
        open_all(v->type == V_MAP ? &v->fields[i].val : &v->items[i], a, depth - 1);
}

static void as_batch(struct str in, struct arena *a)
{
    struct batch_view view;
    struct batch_cursor c;
    struct event ev = {.arena = a};

    if (!batch_view(in, &view))
        return;
    batch_start(&c, &view);
    while (batch_next(&c, &ev))
        open_all(&ev.body, a, 3);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(buf_free) struct buf out = {0}, json = {0}, back = {0};
    struct str in = {(const char *)data, size};
    struct arena *a = arena_new();
    struct value v = {0};
    struct err e;
    size_t n = msgpack_check(in, true, &e), got = msgpack_read(in, &v);

    if (n)
        must(msgpack_skip(in) == n && got == n);
    if (got) {
        json_write(&json, &v);
        open_all(&v, a, 8);
        msgpack_value(&out, &v);
        if (n) {
            must(msgpack_check(buf_view(&out), true, &e) == out.n && out.n <= n);
            must(json_read_whole(buf_view(&json), &json_limits_default, &back, &e));
        }
    }
    as_batch(in, a);
    arena_free(a);
    return 0;
}
