/* SPDX-License-Identifier: Apache-2.0 */
/* [PARSER]: each is built once here, so that a mistake in it is found at the start and at its line. */
#include "conf/config_internal.h"

#include "base/alloc.h"
#include "base/cleanup.h"
#include "event/regex.h"
#include "event/time.h"

#define FIELD(type, field, initial, help, ...) OPT(struct parser_def, type, field, initial, help, ##__VA_ARGS__)

const struct option parser_options[] = {
    FIELD(OPT_STR, name, NULL, "The name by which inputs and filters call it.", .required = true),
    FIELD(OPT_ENUM, format, NULL, "What a line looks like.", .required = true, .names = parser_format_names),
    FIELD(OPT_STR, regex, NULL, "Named groups become keys; Ruby's syntax."),
    FIELD(OPT_BOOL, skip_empty_values, "true", "Leave out keys whose group is empty."),
    FIELD(OPT_STR, time_key, NULL, "The key that holds the time; `time` where time_format is set."),
    FIELD(OPT_STR, time_format, NULL, "How the time is written, as for strptime; %L is a fraction."),
    FIELD(OPT_STR, time_offset, NULL, "The zone of times without one, e.g. +0200."),
    FIELD(OPT_STR, time_zone, NULL, "The same as a name, e.g. Europe/Berlin; goes before time_offset."),
    FIELD(OPT_BOOL, time_keep, "off", "Keep the time key in the record."),
    FIELD(OPT_BOOL, time_strict, "on", "The whole text must be of the format."),
    FIELD(OPT_BOOL, time_system_timezone, "off", "Times without a zone are in this machine's zone."),
    FIELD(OPT_STR, types, NULL, "Types of keys, e.g. code:integer size:integer took:float."),
    FIELD(OPT_MULTI, decode_field, NULL, "Decode a key's text into the record, e.g. json log."),
    FIELD(OPT_MULTI, decode_field_as, NULL, "Decode a key's text in its place, e.g. escaped log."),
    FIELD(OPT_BOOL, logfmt_no_bare_keys, "off", "logfmt: a key without a value is an error."),
    OPT_END,
};

static bool check_regex(const struct section *s, const struct parser_def *def, struct err *e)
{
    struct err why = {0};
    struct regex *regex;

    if (def->format != PARSE_REGEX)
        return !def->regex.n || place_err(options_place(s, "regex"), e, "`regex` needs `format regex`");
    if (!def->regex.n)
        return place_err(&s->place, e, "`regex` is missing: a parser of format regex needs one");
    if (!(regex = regex_new(def->regex, &why)))
        return place_err(options_place(s, "regex"), e, "`regex`: %s", why.text);
    regex_free(regex);
    return true;
}

static bool check_time(const struct section *s, struct parser_def *def, struct err *e)
{
    struct err why = {0};
    struct time_format *format;

    if (!def->time_format.n)
        return true;
    if (!def->time_key.n)
        def->time_key = STR("time");
    if (!(format = time_format_new(def->time_format, def->time_offset, def->time_zone, def->time_strict, &why))) {
        /* Which of the three is to blame: without the other two the format stands or falls alone. */
        struct time_format *alone =
            time_format_new(def->time_format, (struct str){NULL, 0}, (struct str){NULL, 0}, def->time_strict, NULL);
        const char *key = !alone ? "time_format" : def->time_zone.n ? "time_zone" : "time_offset";
        time_format_free(alone);
        return place_err(options_place(s, key), e, "`%s`: %s", key, why.text);
    }
    time_format_free(format);
    return true;
}

static bool check(const struct section *s, struct parser_def *def, struct err *e)
{
    struct err why = {0};
    struct parser *parser;

    if (!check_regex(s, def, e) || !check_time(s, def, e))
        return false;
    if (!(parser = parser_new(def, &why))) { /* what is left to be wrong */
        const char *key = strstr(why.text, "ecode") ? (def->decode_field.n ? "decode_field" : "decode_field_as")
                          : def->types.n            ? "types"
                                                    : "name";
        return place_err(options_place(s, key), e, "`%s`: %s", key, why.text);
    }
    parser_free(parser);
    return true;
}

static void def_free(struct parser_def *def)
{
    if (def)
        options_free(parser_options, def);
    free(def);
}

bool parser_load(struct config *c, const struct section *s, struct err *e)
{
    struct parser_def *def = alloc_new(sizeof *def), *before;

    if (!options_load((const struct option *const[]){parser_options, NULL}, (void *const[]){def}, s, e) ||
        !check(s, def, e)) {
        def_free(def);
        return false;
    }
    if ((before = map_set(&c->parsers, def->name, def))) {
        const struct place *at = options_place(s, "name");
        config_warn(c, "%s:%u:%u: the parser `%.*s` was defined before; this one is used", at->file, at->line,
                    at->column, SHOWN(def->name));
        def_free(before);
    }
    return true;
}

static const char *nth_parser(void *arg, size_t i)
{
    const struct map *parsers = arg;
    struct map_entry *entry = NULL;

    while ((entry = map_next(parsers, entry)))
        if (i-- == 0)
            return entry->key.p;
    return NULL;
}

static bool defined(struct config *c, const struct prop *p, struct str name, struct err *e)
{
    const char *near;

    if (map_get(&c->parsers, name))
        return true;
    if ((near = suggest(name, nth_parser, &c->parsers)))
        return place_err(&p->place, e, "there is no parser `%.*s`; did you mean `%s`?", SHOWN(name), near);
    return place_err(&p->place, e, "there is no parser `%.*s`; is `parsers_file` set in [SERVICE]?", SHOWN(name));
}

bool parsers_check(struct config *c, const struct section *s, struct err *e)
{
    for (size_t i = 0; i < s->n; i++) {
        const struct prop *p = &s->props[i];
        if (!str_eq_fold(p->name, STR("parser")) || p->map)
            continue;
        if (!p->items.n && !defined(c, p, p->value, e))
            return false;
        for (size_t k = 0; k < p->items.n; k++)
            if (!defined(c, p, p->items.items[k], e))
                return false;
    }
    return true;
}

void parsers_free(struct config *c)
{
    for (struct map_entry *entry = NULL; (entry = map_next(&c->parsers, entry));)
        def_free(entry->value);
    map_free(&c->parsers);
}
