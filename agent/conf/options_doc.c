/* SPDX-License-Identifier: Apache-2.0 */
/* Tables written out: for the terminal, for a README, as a JSON schema, and as what was set. */
#include "base/cleanup.h"
#include "conf/options_internal.h"
#include "event/json.h"

#include <inttypes.h>

static const char *const type_names[] = {
    [OPT_STR] = "text",
    [OPT_SECRET] = "secret",
    [OPT_PATH] = "path",
    [OPT_BOOL] = "bool",
    [OPT_INT] = "number",
    [OPT_FLOAT] = "decimal",
    [OPT_SIZE] = "size",
    [OPT_DURATION] = "duration",
    [OPT_ENUM] = "one of",
    [OPT_LIST] = "list",
    [OPT_MULTI] = "text, repeatable",
    [OPT_RULE] = "rule, repeatable",
    [OPT_MAP] = "mapping",
    [OPT_IGNORED] = "ignored",
};

struct document {
    enum options_form form;
    struct buf *out;
    size_t name_width, type_width;
    bool some, want_required, want_prefix;
};

static void type_text(const struct option *o, struct buf *out)
{
    buf_fmt(out, "%s", type_names[o->type]);
    if (o->type == OPT_LIST)
        buf_fmt(out, "%s", o->spaces ? ", spaces between" : ", commas between");
    for (int i = 0; o->type == OPT_ENUM && o->names[i]; i++)
        buf_fmt(out, "%s " STR_FMT, i ? "," : "", STR_ARG(enum_name(o->names[i])));
    if (o->range && (o->type == OPT_INT || o->type == OPT_SIZE || o->type == OPT_DURATION)) {
        char min[32], max[32];
        option_bound(o, o->range->min, min, sizeof min);
        option_bound(o, o->range->max, max, sizeof max);
        if (o->range->max == INT64_MAX)
            buf_fmt(out, ", from %s", min);
        else
            buf_fmt(out, ", %s to %s", min, max);
    }
}

static size_t key_width(const struct option *o)
{
    return strlen(o->name) + (o->prefix ? 3 : 0);
}

static bool measure(void *arg, struct option_at at)
{
    struct document *d = arg;
    CLEANUP(buf_free) struct buf type = {0};

    if (at.option->type == OPT_IGNORED)
        return true;
    type_text(at.option, &type);
    if (key_width(at.option) > d->name_width)
        d->name_width = key_width(at.option);
    if (type.n > d->type_width && type.n <= 24) /* a longer one breaks its own line only */
        d->type_width = type.n;
    return true;
}

static void pad(struct buf *out, size_t used, size_t width)
{
    for (; used < width; used++)
        buf_char(out, ' ');
    buf_add(out, "  ", 2);
}

static bool write_text(void *arg, struct option_at at)
{
    struct document *d = arg;
    const struct option *o = at.option;
    CLEANUP(buf_free) struct buf type = {0};

    if (o->type == OPT_IGNORED)
        return true;
    type_text(o, &type);
    buf_fmt(d->out, "  %s%s", o->name, o->prefix ? "..." : "");
    pad(d->out, key_width(o), d->name_width);
    buf_str(d->out, buf_view(&type));
    pad(d->out, type.n, d->type_width);
    buf_fmt(d->out, "%s", o->help);
    if (o->required)
        buf_fmt(d->out, " Required.");
    else if (o->initial)
        buf_fmt(d->out, " Default: %s.", o->initial);
    buf_char(d->out, '\n');
    return true;
}

static void cell(struct buf *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '|')
            buf_char(out, '\\');
        buf_char(out, *text);
    }
}

static bool write_row(void *arg, struct option_at at)
{
    struct document *d = arg;
    const struct option *o = at.option;
    CLEANUP(buf_free) struct buf type = {0};

    type_text(o, &type);
    buf_fmt(d->out, "| `");
    cell(d->out, o->name);
    buf_fmt(d->out, "%s` | ", o->prefix ? "..." : "");
    cell(d->out, buf_text(&type));
    if (o->required)
        buf_fmt(d->out, " | required | ");
    else if (o->initial && *o->initial) {
        buf_fmt(d->out, " | `");
        cell(d->out, o->initial);
        buf_fmt(d->out, "` | ");
    } else {
        buf_fmt(d->out, " | | ");
    }
    cell(d->out, o->help);
    buf_fmt(d->out, " |\n");
    return true;
}

static void json_text(struct buf *out, const char *text)
{
    json_write_str(out, str_of(text));
}

static void schema_enum(const struct option *o, struct buf *out)
{
    bool comma = false;

    buf_fmt(out, "\"enum\":[");
    for (int i = 0; o->names[i]; i++)
        for (struct str rest = str_of(o->names[i]); rest.n; comma = true) {
            if (comma)
                buf_char(out, ',');
            json_write_str(out, str_cut(&rest, '|'));
        }
    buf_char(out, ']');
}

static void schema_type(const struct option *o, struct buf *out)
{
    switch (o->type) {
    case OPT_BOOL:
        buf_fmt(out, "\"type\":[\"boolean\",\"string\"]");
        break;
    case OPT_INT:
        buf_fmt(out, "\"type\":\"integer\"");
        if (o->range)
            buf_fmt(out, ",\"minimum\":%" PRId64 ",\"maximum\":%" PRId64, o->range->min, o->range->max);
        break;
    case OPT_FLOAT:
        buf_fmt(out, "\"type\":\"number\"");
        break;
    case OPT_SIZE:
    case OPT_DURATION:
        buf_fmt(out, "\"type\":[\"string\",\"number\"]");
        break;
    case OPT_ENUM:
        schema_enum(o, out);
        break;
    case OPT_LIST:
    case OPT_MULTI:
    case OPT_RULE:
        buf_fmt(out, "\"type\":[\"string\",\"array\"],\"items\":{\"type\":[\"string\",\"number\",\"boolean\"]}");
        break;
    case OPT_MAP:
        buf_fmt(out, "\"type\":\"object\"");
        break;
    case OPT_SECRET:
        buf_fmt(out, "\"type\":\"string\",\"writeOnly\":true");
        break;
    case OPT_STR:
    case OPT_PATH:
        buf_fmt(out, "\"type\":[\"string\",\"number\",\"boolean\"]");
        break;
    case OPT_IGNORED:
        buf_fmt(out, "\"deprecated\":true");
        break;
    }
}

static bool write_schema(void *arg, struct option_at at)
{
    struct document *d = arg;
    const struct option *o = at.option;

    if (o->prefix != d->want_prefix)
        return true;
    if (d->some)
        buf_char(d->out, ',');
    d->some = true;
    if (o->prefix) { /* the dot is the only character of a key that means something in a pattern */
        CLEANUP(buf_free) struct buf pattern = {0};
        buf_char(&pattern, '^');
        for (const char *c = o->name; *c; c++)
            buf_fmt(&pattern, "%s%c", *c == '.' ? "\\" : "", *c);
        json_write_str(d->out, buf_view(&pattern));
    } else {
        json_text(d->out, o->name);
    }
    buf_fmt(d->out, ":{");
    schema_type(o, d->out);
    buf_fmt(d->out, ",\"description\":");
    json_text(d->out, o->help);
    if (o->initial) {
        buf_fmt(d->out, ",\"default\":");
        json_text(d->out, o->initial);
    }
    buf_char(d->out, '}');
    return true;
}

static bool write_required(void *arg, struct option_at at)
{
    struct document *d = arg;

    if (!at.option->required)
        return true;
    if (d->some)
        buf_char(d->out, ',');
    d->some = true;
    json_text(d->out, at.option->name);
    return true;
}

static void schema(const struct option *table, struct document *d)
{
    buf_fmt(d->out, "{\"type\":\"object\",\"properties\":{");
    options_walk(table, NULL, write_schema, d);
    buf_fmt(d->out, "},\"patternProperties\":{");
    d->some = false;
    d->want_prefix = true;
    options_walk(table, NULL, write_schema, d);
    buf_fmt(d->out, "},\"required\":[");
    d->some = false;
    options_walk(table, NULL, write_required, d);
    buf_fmt(d->out, "],\"additionalProperties\":false}");
}

void options_document(const struct option *table, enum options_form form, struct buf *out)
{
    struct document d = {.form = form, .out = out};

    switch (form) {
    case OPTIONS_TEXT:
        options_walk(table, NULL, measure, &d);
        options_walk(table, NULL, write_text, &d);
        break;
    case OPTIONS_MARKDOWN:
        options_walk(table, NULL, write_row, &d);
        break;
    case OPTIONS_SCHEMA:
        schema(table, &d);
        break;
    }
}
