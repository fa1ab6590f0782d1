/* SPDX-License-Identifier: Apache-2.0 */
/* One value of one option: text to field. */
#include "base/alloc.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "conf/options_internal.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#define SHOWN(s) (int)((s).n < 80 ? (s).n : 80), (s).p

void strs_add(struct strs *list, struct str item)
{
    list->items = alloc_resize(list->items, (list->n + 1) * sizeof *list->items);
    list->items[list->n++] = item;
}

struct str enum_name(const char *names)
{
    struct str rest = str_of(names);

    return str_cut(&rest, '|');
}

void option_bound(const struct option *o, int64_t n, char *out, size_t room)
{
    if (o->type == OPT_SIZE)
        size_text(n, out, room);
    else if (o->type == OPT_DURATION)
        duration_text(n, out, room);
    else
        snprintf(out, room, "%" PRId64, n);
}

static bool in_range(const struct option *o, struct str value, double n, struct err *e)
{
    char min[32], max[32];

    if (!o->range || (n >= (double)o->range->min && n <= (double)o->range->max))
        return true;
    option_bound(o, o->range->min, min, sizeof min);
    option_bound(o, o->range->max, max, sizeof max);
    if (o->range->max == INT64_MAX)
        return err_set(e, "`%s` is %.*s; it must be at least %s", o->name, SHOWN(value), min);
    return err_set(e, "`%s` is %.*s; it must be between %s and %s", o->name, SHOWN(value), min, max);
}

static bool set_number(struct option_at at, struct str value, struct err *e)
{
    const struct option *o = at.option;
    int64_t n = 0;

    if (o->type == OPT_INT && !str_i64(value, &n))
        return err_set(e, "`%s` is `%.*s`; it must be a whole number, e.g. 5", o->name, SHOWN(value));
    if (o->type == OPT_SIZE && !size_parse(value, &n))
        return err_set(e, "`%s` is `%.*s`; it must be a size, e.g. 512k, 5M or 1G", o->name, SHOWN(value));
    if (o->type == OPT_DURATION && !duration_parse(value, &n))
        return err_set(e, "`%s` is `%.*s`; it must be a duration, e.g. 200ms, 5s, 2m or 1h", o->name, SHOWN(value));
    if (!in_range(o, value, (double)n, e))
        return false;
    *(int64_t *)(void *)at.field = n;
    return true;
}

static bool set_float(struct option_at at, struct str value, struct err *e)
{
    double f;

    if (!str_double(value, &f) || !isfinite(f))
        return err_set(e, "`%s` is `%.*s`; it must be a number, e.g. 0.5", at.option->name, SHOWN(value));
    if (!in_range(at.option, value, f, e))
        return false;
    *(double *)(void *)at.field = f;
    return true;
}

static const char *nth_name(void *arg, size_t i)
{
    const char *const *names = arg;

    return names[i];
}

static bool set_enum(struct option_at at, struct str value, struct err *e)
{
    const char *const *names = at.option->names, *near;
    CLEANUP(buf_free) struct buf list = {0};

    for (int i = 0; names[i]; i++) {
        struct str rest = str_of(names[i]);
        while (rest.n)
            if (str_eq_fold(str_cut(&rest, '|'), value)) {
                *(int *)(void *)at.field = i;
                return true;
            }
        buf_fmt(&list, "%s" STR_FMT, i ? ", " : "", STR_ARG(enum_name(names[i])));
    }
    near = suggest(value, nth_name, (void *)names);
    if (near)
        return err_set(e, "`%s` is `%.*s`; it must be one of %s; did you mean `" STR_FMT "`?", at.option->name,
                       SHOWN(value), buf_text(&list), STR_ARG(enum_name(near)));
    return err_set(e, "`%s` is `%.*s`; it must be one of %s", at.option->name, SHOWN(value), buf_text(&list));
}

static bool set_path(struct option_at at, struct str value, const char *dir, struct err *e)
{
    struct str *path = (void *)at.field;
    CLEANUP(buf_free) struct buf b = {0};
    CLEANUP(cleanup_free) char *cwd = NULL;

    if (!value.n || memchr(value.p, 0, value.n))
        return err_set(e, "`%s` must be a path", at.option->name);
    if (value.p[0] != '/') {
        if (dir[0] != '/') {
            if (!(cwd = getcwd(NULL, 0)))
                return err_errno(e, "the working directory");
            buf_fmt(&b, "%s/", cwd);
        }
        if (strcmp(dir, "."))
            buf_fmt(&b, "%s/", dir);
        while (str_starts(value, STR("./")) && value.n > 2)
            value = str_from(value, 2);
    }
    buf_str(&b, value);
    option_clear(at);
    *path = (struct str){alloc_text(b.p, b.n), b.n};
    return true;
}

static void split(struct strs *list, struct str value, bool spaces)
{
    while (value.n) {
        struct str item = spaces ? str_word(&value) : str_trim(str_cut(&value, ','));
        if (item.n)
            strs_add(list, item);
    }
}

bool option_set(struct option_at at, struct str value, const char *dir, struct err *e)
{
    switch (at.option->type) {
    case OPT_STR:
    case OPT_SECRET:
        *(struct str *)(void *)at.field = value;
        return true;
    case OPT_PATH:
        return set_path(at, value, dir, e);
    case OPT_BOOL:
        return bool_parse(value, (bool *)(void *)at.field) ||
               err_set(e, "`%s` is `%.*s`; it must be true or false (or on, off, yes, no, 1, 0)", at.option->name,
                       SHOWN(value));
    case OPT_INT:
    case OPT_SIZE:
    case OPT_DURATION:
        return set_number(at, value, e);
    case OPT_FLOAT:
        return set_float(at, value, e);
    case OPT_ENUM:
        return set_enum(at, value, e);
    case OPT_LIST:
        split((struct strs *)(void *)at.field, value, at.option->spaces);
        return true;
    case OPT_MULTI:
        strs_add((struct strs *)(void *)at.field, value);
        return true;
    case OPT_RULE:
    case OPT_MAP:
    case OPT_IGNORED:
        break;
    }
    return true;
}
