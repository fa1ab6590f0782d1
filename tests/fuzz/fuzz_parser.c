/* SPDX-License-Identifier: Apache-2.0 */
/* A line through one of some parsers, chosen by the first byte: what comes out must be one well-formed map. */
#include "event/msgpack.h"
#include "event/parser.h"

#include <stdlib.h>

static struct str decoders[] = {{"escaped_utf8 log do_next", 24}, {"json log try_next", 17}, {"mysql_quoted a", 14}};

static struct parser *make(unsigned kind)
{
    static struct parser_def defs[8];
    struct parser_def *d = &defs[kind];

    *d = (struct parser_def){.name = STR("fuzz"), .format = (enum parser_format)(kind % 4), .time_strict = kind < 4};
    d->regex = STR("^(?<a>[^ ]*) \\[(?<time>[^\\]]*)\\] (?<log>(?:\\w+|\"[^\"]*\")*)(?<n>\\d+)?$");
    d->time_format = kind < 4 ? STR("%Y-%m-%dT%H:%M:%S.%L%z") : STR("%b %e %s.%L");
    d->types = STR("a:integer n:hex b:bool c:float");
    if (kind >= 4) {
        d->decode_field_as = (struct strs){decoders, 2};
        d->decode_field = (struct strs){decoders + 1, 2};
        d->skip_empty_values = true;
    }
    return parser_new(d, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static struct parser *parsers[8];
    static struct buf out;
    struct err e = {0};
    int64_t time = 0;

    if (!n)
        return 0;
    unsigned kind = data[0] % 8;
    if (!parsers[kind] && !(parsers[kind] = make(kind)))
        abort();
    buf_clear(&out);
    if (!parser_run(parsers[kind], (struct str){(const char *)data + 1, n - 1}, 1700000000000000000, &out, &time, &e)) {
        if (out.n || !e.text[0])
            abort();
        return 0;
    }
    struct value v = value_raw(buf_view(&out));
    if (v.type != V_MAP || msgpack_check(buf_view(&out), true, &e) != out.n)
        abort();
    return 0;
}
