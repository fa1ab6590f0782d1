/* SPDX-License-Identifier: Apache-2.0 */
#include "event/msgpack.h"
#include "event/parser_internal.h"
#include "base/alloc.h"
#include "base/cleanup.h"

#include <math.h>

enum { TYPES = 256, NUMBER = 64 /* the longest text that is read as a number */ };

enum type { AS_STRING, AS_INTEGER, AS_FLOAT, AS_BOOL, AS_HEX };

static const struct {
    const char *name;
    enum type type;
} names[] = {{"integer", AS_INTEGER}, {"int", AS_INTEGER}, {"float", AS_FLOAT},  {"bool", AS_BOOL},
             {"boolean", AS_BOOL},    {"hex", AS_HEX},     {"string", AS_STRING}};

struct types {
    size_t n;
    struct {
        struct str key;
        enum type type;
    } rules[TYPES];
};

static bool type_named(struct str name, enum type *out, struct err *e)
{
    const char *near = NULL;
    size_t best = name.n / 3 + 2;

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (str_eq_fold(name, str_of(names[i].name))) {
            *out = names[i].type;
            return true;
        }
        size_t d = str_distance(name, str_of(names[i].name), best);
        if (d < best) {
            best = d;
            near = names[i].name;
        }
    }
    if (near)
        return err_set(e, "types: unknown type `" STR_FMT "`; did you mean `%s`?", STR_ARG(name), near);
    return err_set(e, "types: unknown type `" STR_FMT "`: integer, float, bool, hex and string are known",
                   STR_ARG(name));
}

bool types_new(struct str text, struct types **out, struct err *e)
{
    struct types *t = *out = alloc_new(sizeof *t);

    for (struct str word; (word = str_word(&text)).n;) {
        size_t colon = word.n;
        while (colon > 0 && word.p[colon - 1] != ':') /* the last one: a key may hold colons */
            colon--;
        if (colon < 2)
            return err_set(e, "types: `" STR_FMT "` is not of the form key:type", STR_ARG(word));
        if (t->n == TYPES)
            return err_set(e, "types: more than %d keys", TYPES);
        t->rules[t->n].key = str_head(word, colon - 1);
        if (!type_named(str_from(word, colon), &t->rules[t->n].type, e))
            return false;
        t->n++;
    }
    if (!t->n) {
        free(t);
        *out = NULL;
    }
    return true;
}

void types_free(struct types *t)
{
    free(t);
}

static void write_as(enum type type, struct str value, struct buf *out)
{
    char text[NUMBER + 1];
    size_t n = value.n < NUMBER ? value.n : NUMBER;

    memcpy(text, value.p, n);
    text[n] = 0;
    if (type == AS_INTEGER) { /* as atoll: the digits in front; a `-` for "none" is 0 */
        msgpack_int(out, strtoll(text, NULL, 10));
    } else if (type == AS_HEX) {
        msgpack_uint(out, strtoull(text, NULL, 16));
    } else if (type == AS_FLOAT) {
        double f = strtod(text, NULL);
        msgpack_float(out, isfinite(f) ? f : 0);
    } else if (type == AS_BOOL && str_eq_fold(str_head(value, 4), STR("true"))) {
        msgpack_bool(out, true);
    } else if (type == AS_BOOL && str_eq_fold(str_head(value, 5), STR("false"))) {
        msgpack_bool(out, false);
    } else {
        msgpack_str(out, value);
    }
}

void types_write(const struct types *t, struct str key, struct str value, struct buf *out)
{
    for (size_t i = 0; t && i < t->n; i++)
        if (str_eq(t->rules[i].key, key))
            return write_as(value.n ? t->rules[i].type : AS_STRING, value, out);
    msgpack_str(out, value);
}
