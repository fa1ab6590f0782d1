/* SPDX-License-Identifier: Apache-2.0 */
/* Any text: refused, or well-formed msgpack that is written as JSON that gives the same again. */
#include "base/cleanup.h"
#include "event/json.h"
#include "event/msgpack.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
    if (!ok)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(buf_free) struct buf first = {0}, text = {0}, second = {0}, strict = {0};
    struct str in = {(const char *)data, size};
    struct json_limits refuse = json_limits_default;
    struct json_result result;
    struct value v;
    struct err e;

    refuse.refuse_bad_utf8 = refuse.refuse_duplicates = true;
    if (!json_read(in, &json_limits_default, &first, &result, &e)) {
        must(first.n == 0 && e.text[0]);
        must(!json_read(in, &refuse, &strict, NULL, NULL));
        return 0;
    }
    must(result.used <= size && msgpack_check(buf_view(&first), false, &e) == first.n);
    if (json_read(in, &refuse, &strict, NULL, NULL))
        must(str_eq(buf_view(&strict), buf_view(&first)) && !result.replaced);
    /* What was learned of the keys of earlier texts must not show. */
    refuse = json_limits_default;
    refuse.members = 63;
    buf_clear(&strict);
    if (json_read(in, &refuse, &strict, NULL, NULL))
        must(str_eq(buf_view(&strict), buf_view(&first)));
    refuse.refuse_bad_utf8 = refuse.refuse_duplicates = true;
    refuse.members = json_limits_default.members;
    must(msgpack_read(buf_view(&first), &v) == first.n);
    json_write(&text, &v);
    must(json_read_whole(buf_view(&text), &refuse, &second, &e));
    must(str_eq(buf_view(&first), buf_view(&second)));
    return 0;
}
