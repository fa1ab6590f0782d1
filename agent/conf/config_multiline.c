/* SPDX-License-Identifier: Apache-2.0 */
/* [MULTILINE_PARSER] and [UPSTREAM] are used by plugins; that they are well formed is found here, at the start. */
#include "conf/config_internal.h"

#include "base/cleanup.h"
#include "event/regex.h"

struct multiline {
    struct str name, match_string, key_content, key_pattern, key_group, parser;
    int type;
    bool negate;
    int64_t flush_timeout;
    struct rules rules;
};

static const char *const types[] = {"regex", "endswith", "equal|eq", NULL};
static const struct range flush_range = {1, 3600 * 1000};

#define FIELD(type, field, initial, help, ...) OPT(struct multiline, type, field, initial, help, ##__VA_ARGS__)

static const struct option options[] = {
    FIELD(OPT_STR, name, NULL, "The name by which inputs and filters call it.", .required = true),
    FIELD(OPT_ENUM, type, NULL, "How a line is judged.", .required = true, .names = types),
    FIELD(OPT_STR, match_string, NULL, "endswith and equal: the text to compare with."),
    FIELD(OPT_BOOL, negate, "false", "endswith and equal: the opposite."),
    FIELD(OPT_STR, key_content, NULL, "Structured events: the key that holds the line."),
    FIELD(OPT_STR, key_pattern, NULL, "Structured events: the key that is judged."),
    FIELD(OPT_STR, key_group, NULL, "Structured events: the key that tells streams apart."),
    FIELD(OPT_STR, parser, NULL, "A parser that goes first."),
    FIELD(OPT_INT, flush_timeout, "4000", "Milliseconds without a line that end an event.", .range = &flush_range),
    OPT_AS(struct multiline, OPT_RULE, "rule", rules, NULL, "\"state\" \"/regex/\" \"next_state\"."),
    OPT_END,
};

struct state_rule {
    struct str from, pattern, to;
};

/* The next "..." of a rule; \" is a quote inside.  Borrowed: the backslashes stay, nobody here minds. */
static bool quoted(struct str *rest, struct str *out)
{
    size_t n = 1;

    *rest = str_trim(*rest);
    if (rest->n < 2 || rest->p[0] != '"')
        return false;
    while (n < rest->n && rest->p[n] != '"')
        n += rest->p[n] == '\\' ? 2 : 1;
    if (n >= rest->n)
        return false;
    *out = (struct str){rest->p + 1, n - 1};
    *rest = str_from(*rest, n + 1);
    return out->n > 0;
}

static bool check_pattern(const struct rule *rule, struct str pattern, struct err *e)
{
    struct err why = {0};
    struct regex *regex = regex_new(pattern, &why);

    if (!regex)
        return place_err(rule->place, e, "the rule's pattern: %s", why.text);
    regex_free(regex);
    return true;
}

static bool read_rules(const struct rules *rules, struct state_rule *out, struct err *e)
{
    for (size_t i = 0; i < rules->n; i++) {
        struct str rest = rules->items[i].value;
        struct state_rule *r = &out[i];
        if (!quoted(&rest, &r->from) || !quoted(&rest, &r->pattern) || !quoted(&rest, &r->to) || str_trim(rest).n)
            return place_err(rules->items[i].place, e, "a rule is written \"state\" \"/regex/\" \"next_state\"");
        if (!check_pattern(&rules->items[i], r->pattern, e))
            return false;
    }
    return true;
}

static bool check_states(const struct section *s, const struct rules *rules, const struct state_rule *states,
                         struct err *e)
{
    bool start = false;

    for (size_t i = 0; i < rules->n; i++) {
        bool known = false;
        start |= str_eq(states[i].from, STR("start_state"));
        for (size_t k = 0; k < rules->n && !known; k++)
            known = str_eq(states[k].from, states[i].to);
        if (!known)
            return place_err(rules->items[i].place, e, "no rule begins in the state `%.*s`", SHOWN(states[i].to));
    }
    return start || place_err(&s->place, e, "no rule begins in `start_state`");
}

static bool check_multiline(struct config *c, const struct section *s, const struct multiline *m, struct err *e)
{
    struct state_rule *states;

    if (m->type != 0) {
        if (m->rules.n)
            return place_err(m->rules.items[0].place, e, "`rule` needs `type regex`");
        return m->match_string.n || place_err(&s->place, e, "`match_string` is missing");
    }
    if (!m->rules.n)
        return place_err(&s->place, e, "`rule` is missing: a multiline parser of type regex needs rules");
    states = arena_zero(c->tree->arena, m->rules.n * sizeof *states);
    return read_rules(&m->rules, states, e) && check_states(s, &m->rules, states, e);
}

bool multiline_check(struct config *c, const struct section *s, struct err *e)
{
    struct multiline m = {0};
    bool ok = options_load((const struct option *const[]){options, NULL}, (void *const[]){&m}, s, e) &&
              check_multiline(c, s, &m, e);

    options_free(options, &m);
    return ok;
}

bool upstream_check(const struct section *s, struct err *e)
{
    static const char *const needed[] = {"name", "host", "port"};

    if (!s->nchildren)
        return place_err(&s->place, e, "this [upstream] has no nodes");
    for (size_t i = 0; i < s->nchildren; i++)
        for (size_t k = 0; k < ARRAY_LEN(needed); k++)
            if (!section_prop(&s->children[i], needed[k]))
                return place_err(&s->children[i].place, e, "this [node] has no `%s`", needed[k]);
    return true;
}
