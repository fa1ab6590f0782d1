/* SPDX-License-Identifier: Apache-2.0 */
#include "http.h"

#include "base/alloc.h"
#include "base/cleanup.h"
#include "event/msgpack.h"
#include "event/utf8.h"
#include "net/url.h"

enum { FORM_FIELDS_MAX = 1000 }; /* they are compared with each other */

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

int body_form(struct str body, struct items *out, struct err *e)
{
    CLEANUP(buf_free) struct buf scratch = {0};
    CLEANUP(cleanup_free) struct field_text *fields = alloc_array(FORM_FIELDS_MAX, sizeof *fields);
    struct str rest = str_trim(body);
    size_t n = 0;

    buf_room(&scratch, body.n * 3 + 1);
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
    out->v = alloc_grow(out->v, out->n, &out->cap, sizeof *out->v);
    out->v[out->n++] = (struct item){0, (uint32_t)out->msgpack.n, {0}};
    return 0;
}
