/* SPDX-License-Identifier: Apache-2.0 */
#include "stdin.h"

#include "event/json.h"
#include "event/msgpack.h"

static void push(struct stdin_input *in, struct value body, struct value meta, int64_t time)
{
    struct event ev = {.time = time, .body = body, .meta = meta, .arena = feed_arena(in->feed)};

    feed_push(in->feed, &ev, false);
}

/* [time, map] or [[time, meta], map], as Fluent Bit has them on this way in. */
static bool push_pair(struct stdin_input *in, struct str array)
{
    struct value time, body, meta = value_raw(STR("\x80"));
    struct str rest, head;
    int64_t ns;

    if (msgpack_members(array, &rest) != 2)
        return false;
    rest = str_from(rest, msgpack_read(rest, &time));
    msgpack_read(rest, &body);
    if (time.type == V_ARRAY) {
        if (msgpack_members(value_bytes(&time), &head) != 2)
            return false;
        head = str_from(head, msgpack_read(head, &time));
        msgpack_read(head, &meta);
    }
    if (!msgpack_read_time(&time, &ns) || body.type != V_MAP || meta.type != V_MAP)
        return false;
    push(in, body, meta, ns);
    return true;
}

static void push_json(struct unit *u, struct str line)
{
    struct stdin_input *in = u->in;
    struct json_result result;
    struct value v;
    struct err e;

    for (; (line = str_trim(line)).n; line = str_from(line, result.used)) {
        buf_clear(&in->map);
        if (!json_read(line, &json_limits_default, &in->map, &result, &e)) {
            feed_reject(in->feed, line, "Invalid-JSON", e.text);
            return;
        }
        msgpack_read(buf_view(&in->map), &v);
        if (v.type == V_MAP)
            push(in, v, value_raw(STR("\x80")), u->now);
        else if (v.type != V_ARRAY || !push_pair(in, value_bytes(&v)))
            feed_reject(in->feed, str_head(line, result.used), "Not-A-Record",
                        "neither an object nor [time, object] nor [[time, metadata], object]");
    }
}

static void push_parsed(struct unit *u, struct str line)
{
    struct stdin_input *in = u->in;
    int64_t time = u->now;
    struct err e;

    buf_clear(&in->map);
    if (parser_run(in->parser, line, u->now, &in->map, &time, &e))
        push(in, value_raw(buf_view(&in->map)), value_raw(STR("\x80")), time);
    else
        feed_reject(in->feed, line, "Parse-Failed", e.text);
}

void unit_push(struct unit *u)
{
    struct str rest = buf_view(&u->lines);

    if (u->too_long) {
        feed_reject(u->in->feed, rest, "Line-Too-Long",
                    "the line is longer than buffer_max_size; this is its beginning");
        return;
    }
    while (rest.n) {
        struct str line = str_cut(&rest, '\n');
        if (line.n && line.p[line.n - 1] == '\r')
            line.n--;
        if (!line.n)
            continue;
        if (u->in->parser)
            push_parsed(u, line);
        else
            push_json(u, line);
    }
}
