/* SPDX-License-Identifier: Apache-2.0 */
#include "http.h"

#include "base/alloc.h"
#include "base/cleanup.h"
#include "event/json.h"
#include "event/msgpack.h"

enum { SCRATCH_KEPT = 256 * 1024 };

enum body_kind body_kind(struct str content_type)
{
    static const struct {
        const char *name;
        enum body_kind kind;
    } known[] = {
        {"application/json", BODY_JSON},      {"text/json", BODY_JSON},
        {"application/x-ndjson", BODY_LINES}, {"application/ndjson", BODY_LINES},
        {"application/jsonl", BODY_LINES},    {"application/x-www-form-urlencoded", BODY_FORM},
    };
    struct str rest = content_type, type = str_trim(str_cut(&rest, ';'));

    if (!content_type.p)
        return BODY_MISSING;
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (str_eq_fold(type, str_of(known[i].name)))
            return known[i].kind;
    return BODY_OTHER;
}

struct str item_bytes(const struct items *items, const struct item *item)
{
    return (struct str){items->msgpack.p + item->at, item->n};
}

static bool add(struct items *out, struct item item)
{
    if (out->n >= out->max)
        return false;
    out->v = alloc_grow(out->v, out->n, &out->cap, sizeof *out->v);
    out->v[out->n++] = item;
    return true;
}

/* The first byte tells; reading a whole container only to learn its kind would cost as much as parsing it. */
static bool is_array(struct str s)
{
    unsigned char b = s.n ? (unsigned char)s.p[0] : 0;

    return (b & 0xf0) == 0x90 || b == 0xdc || b == 0xdd;
}

bool body_is_map(struct str s)
{
    unsigned char b = s.n ? (unsigned char)s.p[0] : 0;

    return (b & 0xf0) == 0x80 || b == 0xde || b == 0xdf;
}

bool body_member(struct str map, struct str key, struct value *out)
{
    struct str rest;
    uint32_t n = msgpack_members(map, &rest);

    for (uint32_t i = 0; i < n; i++) {
        struct value k;
        rest = str_from(rest, msgpack_read(rest, &k));
        if (k.type == V_STR && str_eq(value_bytes(&k), key)) {
            msgpack_read(rest, out);
            return true;
        }
        rest = str_from(rest, msgpack_skip(rest));
    }
    return false;
}

static bool add_elements(struct items *out, struct str array)
{
    struct str rest;
    uint32_t n = msgpack_members(array, &rest);

    for (uint32_t i = 0; i < n; i++) {
        size_t length = msgpack_skip(rest);
        if (!add(out, (struct item){(uint32_t)(rest.p - out->msgpack.p), (uint32_t)length, {0}}))
            return false;
        rest = str_from(rest, length);
    }
    return true;
}

static int too_many(const struct items *out, struct err *e)
{
    err_set(e, "more than %zu events in one request", out->max);
    return 413;
}

/* One value at the end of out->msgpack: an event, an array of them, or an envelope. */
static int add_value(struct items *out, size_t at, bool envelope, struct err *e)
{
    struct str bytes = {out->msgpack.p + at, out->msgpack.n - at};
    struct value events;

    if (is_array(bytes))
        return add_elements(out, bytes) ? 0 : too_many(out, e);
    if (envelope && body_is_map(bytes) && body_member(bytes, STR("events"), &events)) {
        if (events.type != V_ARRAY)
            return err_set(e, "`events` must be an array"), 400;
        return add_elements(out, value_bytes(&events)) ? 0 : too_many(out, e);
    }
    return add(out, (struct item){(uint32_t)at, (uint32_t)bytes.n, {0}}) ? 0 : too_many(out, e);
}

/* ---- one text ---- */

struct text {
    struct str body, rest;
    struct items *out;
    struct err *e;
};

/* The next character that is not white space, or -1 at the end. */
static int next(struct text *t)
{
    while (t->rest.n && memchr(" \t\r\n", t->rest.p[0], 4))
        t->rest = str_from(t->rest, 1);
    return t->rest.n ? (unsigned char)t->rest.p[0] : -1;
}

static int bad_json(struct text *t, const char *why)
{
    err_set(t->e, "the body is no JSON: at byte %zu: %s", (size_t)(t->rest.p - t->body.p), why);
    return 400;
}

static int value(struct text *t, size_t *at)
{
    size_t offset = (size_t)(t->rest.p - t->body.p);
    struct json_result result;
    struct err why;

    *at = t->out->msgpack.n;
    if (!json_read(t->rest, &json_limits_default, &t->out->msgpack, &result, &why)) {
        err_set(t->e, "the body is no JSON: in the value that begins at byte %zu, %s", offset, why.text);
        return 400;
    }
    t->rest = str_from(t->rest, result.used);
    return 0;
}

/* An array of events, read one by one: where each begins and ends is then known without reading it again. */
static int elements(struct text *t)
{
    size_t at;
    int status;

    t->rest = str_from(t->rest, 1);
    if (next(t) == ']') {
        t->rest = str_from(t->rest, 1);
        return 0;
    }
    for (;;) {
        int c;
        status = value(t, &at);
        if (status)
            return status;
        if (!add(t->out, (struct item){(uint32_t)at, (uint32_t)(t->out->msgpack.n - at), {0}}))
            return too_many(t->out, t->e);
        c = next(t);
        if (c != ',' && c != ']')
            return bad_json(t, "a comma or `]` is missing");
        t->rest = str_from(t->rest, 1);
        if (c == ']')
            return 0;
        next(t);
    }
}

/* {"events": [...], "sent_at": ...}: only `events` is kept.  *found: there was one. */
static int envelope_members(struct text *t, bool *found)
{
    size_t at;
    int status, c;

    do {
        struct value key;
        t->rest = str_from(t->rest, 1); /* the brace or comma */
        if (next(t) != '"')
            return bad_json(t, "a name in quotes is missing");
        status = value(t, &at);
        if (status)
            return status;
        if (next(t) != ':')
            return bad_json(t, "a colon is missing");
        t->rest = str_from(t->rest, 1);
        next(t);
        msgpack_read(str_from(buf_view(&t->out->msgpack), at), &key);
        if (!str_eq(value_bytes(&key), STR("events"))) {
            status = value(t, &at);
        } else if (*found || next(t) != '[') {
            err_set(t->e, *found ? "`events` comes twice" : "`events` must be an array");
            return 400;
        } else {
            *found = true;
            status = elements(t);
        }
        if (status)
            return status;
        c = next(t);
        if (c != ',' && c != '}')
            return bad_json(t, "a comma or `}` is missing");
    } while (c == ',');
    t->rest = str_from(t->rest, 1);
    return 0;
}

static int object(struct text *t, bool envelope)
{
    size_t at;
    int status = value(t, &at);

    return status ? status : add_value(t->out, at, envelope, t->e);
}

/* An object that begins as envelopes do is read as one; if it turns out to be an event, it is read again. */
static int envelope_or_object(struct text *t)
{
    struct str rest = t->rest, front = str_trim(str_head(str_from(rest, 1), 64));
    size_t length = t->out->msgpack.n;
    bool found = false;
    int status;

    if (!str_starts(front, STR("\"events\"")) && !str_starts(front, STR("\"sent_at\"")))
        return object(t, true);
    status = envelope_members(t, &found);
    if (status || found)
        return status;
    t->rest = rest;
    t->out->msgpack.n = length;
    return object(t, true);
}

static int read_json(struct str body, bool envelope, struct items *out, struct err *e)
{
    struct text t = {body, body, out, e};
    int status = 0;

    if (next(&t) < 0)
        return err_set(e, "the body is empty"), 400;
    for (int c; !status && (c = next(&t)) >= 0;)
        status = c == '[' ? elements(&t) : c == '{' && envelope ? envelope_or_object(&t) : object(&t, envelope);
    return status;
}

/* A line that is no JSON is a bad event, not a bad request: the others go on. */
static int read_lines(struct str body, bool envelope, struct items *out, struct err *e)
{
    struct str rest = body;

    if (!str_trim(body).n)
        return err_set(e, "the body is empty"), 400;
    while (rest.n) {
        struct str line = str_trim(str_cut(&rest, '\n'));
        size_t at = out->msgpack.n;
        int status;
        if (!line.n)
            continue;
        if (json_read_whole(line, &json_limits_default, &out->msgpack, &out->why))
            status = add_value(out, at, envelope, e);
        else
            status = add(out, (struct item){0, 0, line}) ? 0 : too_many(out, e);
        if (status)
            return status;
    }
    return 0;
}

int body_read(struct str body, enum body_kind kind, bool envelope, struct items *out, struct err *e)
{
    if (out->msgpack.cap > SCRATCH_KEPT)
        buf_free(&out->msgpack);
    buf_clear(&out->msgpack);
    out->n = 0;
    switch (kind) {
    case BODY_JSON:
        return read_json(body, envelope, out, e);
    case BODY_LINES:
        return read_lines(body, envelope, out, e);
    case BODY_FORM:
        return body_form(body, out, e);
    case BODY_MISSING:
        err_set(e, "there is no Content-Type; it must be application/json, application/x-ndjson%s",
                envelope ? "" : " or application/x-www-form-urlencoded");
        return 400;
    default:
        err_set(e, "the Content-Type must be application/json, application/x-ndjson%s",
                envelope ? "" : " or application/x-www-form-urlencoded");
        return 415;
    }
}
