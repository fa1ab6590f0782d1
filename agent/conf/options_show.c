/* SPDX-License-Identifier: Apache-2.0 */
/* What was set, one `name value` a line. */
#include "conf/options_internal.h"

#include <inttypes.h>

static void one(struct buf *out, const char *name, struct str value)
{
    buf_fmt(out, "%s ", name);
    for (size_t i = 0; i < value.n; i++) /* a value must not forge lines or drive the terminal */
        buf_char(out, (unsigned char)value.p[i] < 32 || value.p[i] == 127 ? '?' : value.p[i]);
    buf_char(out, '\n');
}

static void show_rules(struct option_at at, struct buf *out)
{
    const struct rules *rules = (const void *)at.field;

    for (size_t i = 0; i < rules->n; i++)
        if (rules->items[i].option == at.option) {
            buf_str(out, rules->items[i].name);
            one(out, "", rules->items[i].value);
        }
}

static bool show(void *arg, struct option_at at)
{
    struct buf *out = arg;
    const struct option *o = at.option;
    const void *field = at.field;
    char text[32];

    switch (o->type) {
    case OPT_STR:
    case OPT_PATH:
        if (((const struct str *)field)->p)
            one(out, o->name, *(const struct str *)field);
        break;
    case OPT_SECRET:
        if (((const struct str *)field)->p)
            one(out, o->name, STR("***"));
        break;
    case OPT_BOOL:
        one(out, o->name, *(const bool *)field ? STR("on") : STR("off"));
        break;
    case OPT_INT:
        buf_fmt(out, "%s %" PRId64 "\n", o->name, *(const int64_t *)field);
        break;
    case OPT_FLOAT:
        buf_fmt(out, "%s %g\n", o->name, *(const double *)field);
        break;
    case OPT_SIZE:
        size_text(*(const int64_t *)field, text, sizeof text);
        one(out, o->name, str_of(text));
        break;
    case OPT_DURATION:
        duration_text(*(const int64_t *)field, text, sizeof text);
        one(out, o->name, str_of(text));
        break;
    case OPT_ENUM:
        one(out, o->name, enum_name(o->names[*(const int *)field]));
        break;
    case OPT_LIST:
    case OPT_MULTI:
        for (size_t i = 0; i < ((const struct strs *)field)->n; i++)
            one(out, o->name, ((const struct strs *)field)->items[i]);
        break;
    case OPT_RULE:
        show_rules(at, out);
        break;
    case OPT_MAP:
        if (*(struct section *const *)field)
            one(out, o->name, STR("{...}"));
        break;
    case OPT_IGNORED:
        break;
    }
    return true;
}

void options_show(const struct option *table, const void *from, struct buf *out)
{
    options_walk(table, (void *)from, show, out);
}
