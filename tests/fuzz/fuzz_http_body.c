/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies of the http input.  The first byte chooses the kind; a JSON array read element by element must give what the
 * JSON reader makes of the whole. */
#include "../../inputs/http/http.h"

#include "event/json.h"
#include "event/msgpack.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
    if (!ok)
        abort();
}

static void compare(struct str text, const struct items *items, int status)
{
    struct buf whole = {0};
    struct str rest;
    struct err e;

    if (json_read_whole(text, &json_limits_default, &whole, &e) && (unsigned char)whole.p[0] >= 0x90 &&
        !body_is_map(buf_view(&whole))) {
        struct value v;
        uint32_t n;
        msgpack_read(buf_view(&whole), &v);
        if (v.type == V_ARRAY) {
            n = msgpack_members(buf_view(&whole), &rest);
            must(status == 0 ? items->n == n : status == 413 && n > items->max);
            for (uint32_t i = 0; status == 0 && i < n; i++) {
                size_t length = msgpack_skip(rest);
                must(str_eq(str_head(rest, length), item_bytes(items, &items->v[i])));
                rest = str_from(rest, length);
            }
        }
    }
    buf_free(&whole);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct items items = {.max = 50};
    struct err e = {0};
    struct str text;
    enum body_kind kind;
    bool envelope;
    int status;

    if (!size)
        return 0;
    text = (struct str){(const char *)data + 1, size - 1};
    kind = data[0] == 'L' ? BODY_LINES : data[0] == 'F' ? BODY_FORM : BODY_JSON;
    envelope = data[0] == 'E';
    status = body_read(text, kind, envelope, &items, &e);
    must(status == 0 || status == 400 || status == 413);
    must((status == 0) == (e.text[0] == 0));
    for (size_t i = 0; status == 0 && i < items.n; i++) {
        struct str bytes = item_bytes(&items, &items.v[i]);
        if (items.v[i].n)
            must(msgpack_check(bytes, false, NULL) == bytes.n);
        else
            must(kind == BODY_LINES && items.v[i].line.n);
    }
    if (kind == BODY_JSON && !envelope)
        compare(text, &items, status);
    free(items.v);
    buf_free(&items.msgpack);
    return 0;
}
