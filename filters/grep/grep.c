/* SPDX-License-Identifier: Apache-2.0 */
#include "plugin.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "event/path.h"
#include "event/regex.h"

enum logic { LOGIC_LEGACY, LOGIC_AND, LOGIC_OR };

struct grep_rule {
    struct path *path;
    struct regex *regex;
    bool exclude;
    uint64_t hits; /* of the pattern's limits, seen so far */
};

struct grep {
    struct instance instance;
    struct rules rules;
    int logical_op;
    struct grep_rule *compiled;
    size_t n;
};

static const char *const logic_names[] = {"legacy", "and", "or", NULL};
static const struct option options[] = {
    OPT_AS(struct grep, OPT_RULE, "regex", rules, NULL, "KEY PATTERN: keep events whose value under KEY matches."),
    OPT_AS(struct grep, OPT_RULE, "exclude", rules, NULL, "KEY PATTERN: drop events whose value under KEY matches."),
    OPT(struct grep, OPT_ENUM, logical_op, "legacy",
        "How several rules are combined; with legacy the first one that matches decides.", .names = logic_names),
    OPT_END};

static bool compile(struct grep *g, const struct rule *rule, struct grep_rule *into, struct err *e)
{
    CLEANUP(buf_free) struct buf name = {0};
    struct str pattern = rule->value, key = str_word(&pattern);
    struct err why;

    pattern = str_trim(pattern);
    if (!pattern.n)
        return place_err(rule->place, e, STR_FMT ": a key and a pattern are needed, as in `" STR_FMT " log error`",
                         STR_ARG(rule->name), STR_ARG(rule->name));
    /* Fluent Bit reads a bare name as a record accessor too. */
    if (key.p[0] != '$')
        buf_char(&name, '$');
    buf_str(&name, key);
    into->exclude = str_eq(rule->name, STR("exclude"));
    into->path = path_compile(buf_view(&name), &why);
    if (!into->path)
        return place_err(rule->place, e, STR_FMT ": the key `" STR_FMT "`: %s", STR_ARG(rule->name), STR_ARG(key),
                         why.text);
    into->regex = regex_new(pattern, &why);
    if (!into->regex)
        return place_err(rule->place, e, STR_FMT ": the pattern: %s", STR_ARG(rule->name), why.text);
    if (g->logical_op != LOGIC_LEGACY && into->exclude != g->compiled[0].exclude)
        return place_err(rule->place, e, "with logical_op, `regex` and `exclude` cannot stand in one filter: make two");
    return true;
}

static void grep_stop(void *self)
{
    struct grep *g = self;

    for (size_t i = 0; i < g->n; i++) {
        path_free(g->compiled[i].path);
        regex_free(g->compiled[i].regex);
    }
    free(g->compiled);
    g->compiled = NULL;
}

static bool grep_start(void *self, struct err *e)
{
    struct grep *g = self;

    if (!g->rules.n)
        return instance_err(&g->instance, "regex", e,
                            "no rule is given: say `regex KEY PATTERN` or `exclude KEY PATTERN`");
    g->compiled = alloc_array(g->rules.n, sizeof(*g->compiled));
    while (g->n < g->rules.n) {
        struct grep_rule *into = &g->compiled[g->n];
        if (!compile(g, &g->rules.items[g->n++], into, e)) {
            grep_stop(g);
            return false;
        }
    }
    return true;
}

enum match { MATCH_NO, MATCH_YES, MATCH_GAVE_UP };

static enum match match(struct grep_rule *rule, struct event *ev)
{
    const struct value *v = path_find(rule->path, ev);
    uint64_t hits;

    if (!v || v->type == V_NIL || v->type == V_ARRAY || v->type == V_MAP || v->type == V_EXT)
        return MATCH_NO;
    if (regex_match(rule->regex, value_text(v, ev->arena)))
        return MATCH_YES;
    hits = regex_limit_hits(rule->regex);
    if (hits == rule->hits)
        return MATCH_NO;
    rule->hits = hits;
    return MATCH_GAVE_UP;
}

/* Whether the event stays.  Legacy: the first rule that matches decides, and one of `regex` that does not match drops.
 */
static enum match decide(struct grep *g, struct event *ev)
{
    enum match found = MATCH_NO;
    bool exclude = false;

    for (size_t i = 0; i < g->n; i++) {
        exclude = g->compiled[i].exclude;
        found = match(&g->compiled[i], ev);
        if (found == MATCH_GAVE_UP)
            return found;
        if (g->logical_op == LOGIC_LEGACY && (found || !exclude))
            break;
        if (g->logical_op != LOGIC_LEGACY && found == (g->logical_op == LOGIC_OR))
            break;
    }
    return found != (exclude ? MATCH_YES : MATCH_NO) ? MATCH_YES : MATCH_NO;
}

static enum pass grep_apply(void *self, struct event *ev, struct emit *out)
{
    switch (decide(self, ev)) {
    case MATCH_YES:
        return KEEP;
    case MATCH_NO:
        return DROP;
    case MATCH_GAVE_UP:
        break;
    }
    /* Neither answer would be safe: the rule may be there to keep something out. */
    return filter_fail(out, "regex_limit", "a pattern ran into its limits on this event");
}

static const struct filter filter = {.start = grep_start, .stop = grep_stop, .apply = grep_apply};
const struct plugin filter_grep = {.name = "grep",
                                   .summary = "Keeps or drops events by patterns on their values.",
                                   .options = options,
                                   .size = sizeof(struct grep),
                                   .filter = &filter};
