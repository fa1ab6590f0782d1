/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "event/json.h"
#include "event/msgpack.h"
#include "event/parser.h"
#include "test.h"

static const int64_t now = 1700000000000000000, untouched = 77;
static int64_t parsed_time;

/* The record as JSON, "-e" where the line is refused, "!e" where the parser is. */
static struct str run(struct parser_def def, struct str line)
{
    static struct buf text, map;
    struct err e = {0};
    struct parser *p = parser_new(&def, &e);

    buf_clear(&text);
    buf_clear(&map);
    buf_str(&map, STR("before"));
    parsed_time = untouched;
    if (!p) {
        buf_fmt(&text, "!%s", e.text);
        return buf_view(&text);
    }
    if (!parser_run(p, line, now, &map, &parsed_time, &e)) {
        buf_fmt(&text, "-%s", e.text);
        CHECK_STR(buf_view(&map), "before");
        CHECK_INT(parsed_time, untouched);
    } else {
        struct str got = str_from(buf_view(&map), 6);
        CHECK_STR(str_head(buf_view(&map), 6), "before");
        CHECK_INT(msgpack_check(got, true, &e), got.n); /* one well-formed value and nothing else */
        struct value v = value_raw(got);
        json_write(&text, &v);
    }
    parser_free(p);
    return buf_view(&text);
}

static inline bool has(struct str s, const char *part)
{
    bool ok = str_find(s, str_of(part)) != SIZE_MAX;

    if (!ok)
        fprintf(stderr, "\"%.*s\" does not have \"%s\"\n", (int)s.n, s.p, part);
    return ok;
}
