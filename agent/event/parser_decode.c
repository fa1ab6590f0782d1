/* SPDX-License-Identifier: Apache-2.0 */
/* Decode_Field and Decode_Field_As.  The rules of one field are tried in order: `json FIELD try_next` goes on where it
 * failed, `do_next` in any case, without either the rule is the last.  Decode_Field_As puts the result in the field's
 * place, and comes first; Decode_Field adds the members of an object to the record. */
#include "event/json.h"
#include "event/msgpack.h"
#include "event/parser_internal.h"
#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/map.h"

enum { RULES = 64, DECODE_DEPTH = MSGPACK_DEPTH - 2 /* what is decoded lies in a record */ };

enum decoding { D_ESCAPED = ESCAPED, D_ESCAPED_UTF8 = ESCAPED_UTF8, D_MYSQL_QUOTED = MYSQL_QUOTED, D_JSON };
static const char *const decoding_names[] = {"escaped", "escaped_utf8", "mysql_quoted", "json"};

enum after { LAST, TRY_NEXT, DO_NEXT };

struct rule {
    struct str field;
    enum decoding decoding;
    enum after after;
    bool as;
};

struct pair {
    struct str key; /* p NULL: not a string */
    struct str raw_key, value;
};

struct decoder {
    size_t n;
    struct rule rules[RULES];
    struct json_limits limits;
    struct arena *arena; /* what was decoded of this record */
    struct buf work;
    struct pair *pairs;
    size_t npairs, cap;
};

static bool rule_parse(struct rule *r, struct str text, bool as, struct err *e)
{
    const char *key = as ? "decode_field_as" : "decode_field";
    struct str name = str_word(&text), after;
    size_t i = 0;

    r->field = str_word(&text);
    after = str_word(&text);
    while (i < ARRAY_LEN(decoding_names) && !str_eq_fold(name, str_of(decoding_names[i])))
        i++;
    if (i == ARRAY_LEN(decoding_names))
        return err_set(e, "%s: unknown decoder `" STR_FMT "`: json, escaped, escaped_utf8 and mysql_quoted are known",
                       key, STR_ARG(name));
    if (!r->field.n)
        return err_set(e, "%s: the field is missing: `%s %s FIELD`", key, key, decoding_names[i]);
    if (after.n && !str_eq_fold(after, STR("try_next")) && !str_eq_fold(after, STR("do_next")))
        return err_set(e, "%s: `" STR_FMT "` must be try_next or do_next", key, STR_ARG(after));
    r->decoding = (enum decoding)i;
    r->after = !after.n ? LAST : (after.p[0] | 32) == 't' ? TRY_NEXT : DO_NEXT;
    r->as = as;
    return true;
}

bool decoder_new(const struct parser_def *def, struct decoder **out, struct err *e)
{
    const struct strs *lists[] = {&def->decode_field_as, &def->decode_field};
    struct decoder *d;

    if (!def->decode_field.n && !def->decode_field_as.n)
        return true;
    d = *out = alloc_new(sizeof *d);
    d->arena = arena_new();
    d->limits = json_limits_default;
    d->limits.depth = DECODE_DEPTH;
    for (int l = 0; l < 2; l++)
        for (size_t i = 0; i < lists[l]->n; i++) {
            if (d->n == RULES)
                return err_set(e, "more than %d decoders", RULES);
            if (!rule_parse(&d->rules[d->n++], lists[l]->items[i], l == 0, e))
                return false;
        }
    return true;
}

void decoder_free(struct decoder *d)
{
    if (!d)
        return;
    arena_free(d->arena);
    buf_free(&d->work);
    free(d->pairs);
    free(d);
}

static void pair_add(struct decoder *d, struct pair p)
{
    d->pairs = alloc_grow(d->pairs, d->npairs, &d->cap, sizeof *d->pairs);
    d->pairs[d->npairs++] = p;
}

static void pairs_read(struct decoder *d, struct str map)
{
    struct str body;
    uint32_t n = msgpack_members(map, &body);

    while (n--) {
        struct value key;
        size_t k = msgpack_read(body, &key), v = k ? msgpack_skip(str_from(body, k)) : 0;
        if (!v)
            return;
        struct pair p = {.raw_key = str_head(body, k), .value = str_head(str_from(body, k), v)};
        if (key.type == V_STR)
            p.key = value_bytes(&key);
        pair_add(d, p);
        body = str_from(body, k + v);
    }
}

/* JSON: the encoded value (an object or array); the others: text. */
static bool decode(struct decoder *d, enum decoding decoding, struct str text, struct str *out)
{
    buf_clear(&d->work);
    if (decoding == D_JSON) {
        struct str trimmed = str_trim(text);
        if (!trimmed.n || (trimmed.p[0] != '{' && trimmed.p[0] != '['))
            return false;
        if (!json_read_whole(trimmed, &d->limits, &d->work, NULL))
            return false;
    } else {
        decoder_unescape((enum escaping)decoding, text, &d->work);
    }
    *out = arena_str(d->arena, buf_view(&d->work));
    return true;
}

/* Applies the rules of one kind to one field's text.  *structured: the last result was JSON, and is in *value. */
static bool chain(struct decoder *d, struct str field, bool as, struct str *text, struct str *value)
{
    bool structured = false;

    for (size_t i = 0; i < d->n && !structured; i++) {
        const struct rule *r = &d->rules[i];
        struct str result;
        if (r->as != as || !str_eq(r->field, field))
            continue;
        bool ok = decode(d, r->decoding, *text, &result);
        if (ok && r->decoding == D_JSON) {
            *value = result;
            structured = true;
        } else if (ok) {
            *text = result;
        }
        if (r->after == LAST || (ok && r->after == TRY_NEXT))
            break;
    }
    return structured;
}

static void decode_pair(struct decoder *d, size_t i)
{
    struct value v, added;
    struct str text, value, was;

    msgpack_read(d->pairs[i].value, &v);
    if (!value_as_str(&v, &text))
        return;
    was = text;
    if (chain(d, d->pairs[i].key, true, &text, &value)) {
        d->pairs[i].value = value;
        return;
    }
    if (text.p != was.p) {
        buf_clear(&d->work);
        msgpack_str(&d->work, text);
        d->pairs[i].value = arena_str(d->arena, buf_view(&d->work));
    }
    if (chain(d, d->pairs[i].key, false, &text, &value) && msgpack_read(value, &added) && added.type == V_MAP)
        pairs_read(d, value);
}

/* Of equal keys the last one wins, as in JSON, in the place of the first. */
static void drop_duplicates(struct decoder *d)
{
    CLEANUP(map_free) struct map seen = {0};
    size_t kept = 0;

    for (size_t i = 0; i < d->npairs; i++) {
        struct pair p = d->pairs[i];
        if (p.key.p) {
            uintptr_t before = (uintptr_t)map_get(&seen, p.key);
            if (before) {
                d->pairs[before - 1].value = p.value;
                continue;
            }
            map_set(&seen, p.key, (void *)(uintptr_t)(kept + 1));
        }
        d->pairs[kept++] = p;
    }
    d->npairs = kept;
}

void decoder_run(struct decoder *d, struct str map, struct buf *out)
{
    d->npairs = 0;
    arena_reset(d->arena);
    pairs_read(d, map);
    size_t own = d->npairs;
    for (size_t i = 0; i < own; i++)
        if (d->pairs[i].key.p)
            decode_pair(d, i);
    if (d->npairs > own)
        drop_duplicates(d);
    msgpack_map(out, (uint32_t)d->npairs);
    for (size_t i = 0; i < d->npairs; i++) {
        buf_str(out, d->pairs[i].raw_key);
        buf_str(out, d->pairs[i].value);
    }
}
