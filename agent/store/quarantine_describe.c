/* SPDX-License-Identifier: Apache-2.0 */
/* What an event looks like, without what it says. */
#include "store/quarantine.h"

enum {
    DEPTH_MAX = 8,
    FIELDS_MAX = 256, /* in all */
    KEY_MAX = 64      /* longer ones look like data */
};

struct describer {
    struct buf *out;
    struct arena *arena;
    unsigned fields;
};

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/* A key is shown when it looks like one: whoever uses mail addresses or card numbers as keys would find them here. */
static bool is_name(struct str key)
{
    if (!key.n || key.n > KEY_MAX || !is_letter(key.p[0]))
        return false;
    for (size_t i = 0; i < key.n; i++)
        if (!is_letter(key.p[i]) && !(key.p[i] >= '0' && key.p[i] <= '9') && key.p[i] != '-' && key.p[i] != '.')
            return false;
    return true;
}

static void describe_key(struct describer *d, const struct value *key)
{
    struct str s;

    if (!value_as_str(key, &s))
        buf_fmt(d->out, "(other key): ");
    else if (is_name(s))
        buf_fmt(d->out, STR_FMT ": ", STR_ARG(s));
    else
        buf_fmt(d->out, "(key of %zu): ", s.n);
}

static void describe(struct describer *d, struct value v, int depth);

static void describe_members(struct describer *d, struct value v, int depth)
{
    bool map = v.type == V_MAP;

    if (depth == DEPTH_MAX) {
        buf_fmt(d->out, "%s %zu", map ? "map" : "array", value_members(&v));
        return;
    }
    value_open(&v, d->arena);
    buf_char(d->out, map ? '{' : '[');
    for (uint32_t i = 0; i < v.n; i++) {
        if (i)
            buf_fmt(d->out, ", ");
        if (d->fields++ >= FIELDS_MAX) {
            buf_fmt(d->out, "...");
            break;
        }
        if (map)
            describe_key(d, &v.fields[i].key);
        describe(d, map ? v.fields[i].val : v.items[i], depth + 1);
    }
    buf_char(d->out, map ? '}' : ']');
}

/* By value: what it opens is not seen by the event. */
static void describe(struct describer *d, struct value v, int depth)
{
    static const char *const names[] = {"nil", "bool", "int", "int", "float", "str", "bin", "ext"};

    if (v.type == V_ARRAY || v.type == V_MAP)
        describe_members(d, v, depth);
    else if (v.type >= V_STR)
        buf_fmt(d->out, "%s %u", names[v.type], v.n);
    else
        buf_fmt(d->out, "%s", names[v.type]);
}

void quarantine_describe(struct buf *out, const struct event *ev)
{
    struct describer d = {.out = out, .arena = ev->arena};

    buf_fmt(out, "body: ");
    describe(&d, ev->body, 0);
    if (ev->meta.type == V_MAP && value_members(&ev->meta)) {
        buf_fmt(out, ", meta: ");
        describe(&d, ev->meta, 0);
    }
}
