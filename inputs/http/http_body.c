/* SPDX-License-Identifier: Apache-2.0 */
#include "http.h"

#include "base/alloc.h"
#include "base/cleanup.h"
#include "event/json.h"
#include "event/msgpack.h"
#include "event/utf8.h"
#include "net/url.h"

enum {
    FORM_FIELDS_MAX = 1000, /* they are compared with each other */
    SCRATCH_KEPT = 256 * 1024
};

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

static int read_json(struct str body, bool envelope, struct items *out, struct err *e)
{
    struct str rest = str_trim(body);

    if (!rest.n)
        return err_set(e, "the body is empty"), 400;
    while (rest.n) {
        struct json_result result;
        size_t at = out->msgpack.n, offset = (size_t)(rest.p - body.p);
        struct err why;
        int status;
        if (!json_read(rest, &json_limits_default, &out->msgpack, &result, &why)) {
            err_set(e, "the body is no JSON: in the value that begins at byte %zu, %s", offset, why.text);
            return 400;
        }
        status = add_value(out, at, envelope, e);
        if (status)
            return status;
        rest = str_trim(str_from(rest, result.used));
    }
    return 0;
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

/* ---- forms ---- */

struct field_text {
    struct str key, value;
};

static void add_utf8(struct buf *out, struct str s)
{
    const char *p = s.p, *end = s.p + s.n;

    while (p < end) {
        unsigned bad, n = (unsigned char)*p < 0x80 ? 1 : utf8_sequence(p, end, &bad);
        if (n)
            buf_add(out, p, n);
        else
            buf_str(out, STR(UTF8_REPLACEMENT));
        p += n ? n : bad;
    }
}

static bool form_text(struct buf *scratch, struct str text, struct str *out)
{
    CLEANUP(buf_free) struct buf decoded = {0};
    size_t at = scratch->n;

    if (!percent_decode(&decoded, text, true))
        return false;
    add_utf8(scratch, buf_view(&decoded)); /* room for it was made: at most three times the body */
    *out = (struct str){scratch->p + at, scratch->n - at};
    return true;
}

static size_t find_field(const struct field_text *fields, size_t n, struct str key)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(fields[i].key, key))
            return i;
    return n;
}

static int read_form(struct str body, struct items *out, struct err *e)
{
    CLEANUP(buf_free) struct buf scratch = {0};
    CLEANUP(cleanup_free) struct field_text *fields = alloc_array(FORM_FIELDS_MAX, sizeof *fields);
    struct str rest = str_trim(body);
    size_t n = 0;

    buf_room(&scratch, body.n * 3);
    while (rest.n) {
        struct str value = str_cut(&rest, '&'), key = str_cut(&value, '=');
        struct field_text f;
        size_t at;
        if (!key.n && !value.p)
            continue;
        if (!form_text(&scratch, key, &f.key) || !form_text(&scratch, value.p ? value : STR(""), &f.value))
            return err_set(e, "the form holds a %% that is no escape"), 400;
        at = find_field(fields, n, f.key);
        if (at == FORM_FIELDS_MAX)
            return err_set(e, "more than %d fields in a form", FORM_FIELDS_MAX), 400;
        fields[at] = f; /* the last of several counts, as in JSON */
        n += at == n;
    }
    if (!n)
        return err_set(e, "the body is empty"), 400;
    msgpack_map(&out->msgpack, (uint32_t)n);
    for (size_t i = 0; i < n; i++) {
        msgpack_str(&out->msgpack, fields[i].key);
        msgpack_str(&out->msgpack, fields[i].value);
    }
    return add(out, (struct item){0, (uint32_t)out->msgpack.n, {0}}) ? 0 : too_many(out, e);
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
        return read_form(body, out, e);
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
