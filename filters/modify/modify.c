/* SPDX-License-Identifier: Apache-2.0 */
#include "modify.h"

#include "base/alloc.h"
#include "base/cleanup.h"

struct modify {
    struct instance instance;
    struct rules rules;
    struct arena *words;
    struct condition *conditions;
    struct operation *operations;
    size_t nconditions, noperations;
    uint64_t hits; /* of the patterns' limits, seen so far */
};

#define RULE(name_, help_) OPT_AS(struct modify, OPT_RULE, name_, rules, NULL, help_)
static const struct option options[] = {
    RULE("set", "KEY VALUE: add the field, replacing one of that key."),
    RULE("add", "KEY VALUE: add the field where there is none of that key."),
    RULE("remove", "KEY: remove the field."),
    RULE("remove_wildcard", "PREFIX: remove fields whose key begins so."),
    RULE("remove_regex", "PATTERN: remove fields whose key matches."),
    RULE("rename", "KEY NEW_KEY: rename the field where there is none of the new key."),
    RULE("hard_rename", "KEY NEW_KEY: rename the field, replacing one of the new key."),
    RULE("copy", "KEY NEW_KEY: copy the field where there is none of the new key."),
    RULE("hard_copy", "KEY NEW_KEY: copy the field, replacing one of the new key."),
    RULE("move_to_start", "PREFIX: move fields whose key begins so to the front."),
    RULE("move_to_end", "PREFIX: move fields whose key begins so to the end."),
    RULE("condition", "CONDITION KEY [VALUE]: apply the operations only where every condition holds."),
    OPT_END};

static void modify_stop(void *self)
{
    struct modify *m = self;

    for (size_t i = 0; i < m->nconditions; i++)
        condition_free(&m->conditions[i]);
    for (size_t i = 0; i < m->noperations; i++)
        operation_free(&m->operations[i]);
    free(m->conditions);
    free(m->operations);
    arena_free(m->words);
}

static bool compile(struct modify *m, struct err *e)
{
    for (size_t i = 0; i < m->rules.n; i++) {
        const struct rule *rule = &m->rules.items[i];
        if (str_eq(rule->name, STR("condition"))) {
            if (!condition_compile(&m->conditions[m->nconditions++], rule, m->words, e))
                return false;
        } else if (!operation_compile(&m->operations[m->noperations++], rule, m->words, e)) {
            return false;
        }
    }
    return m->noperations ||
           instance_err(&m->instance, "set", e, "no operation is given: say `set KEY VALUE`, for one");
}

static bool modify_start(void *self, struct err *e)
{
    struct modify *m = self;

    m->words = arena_new();
    m->conditions = alloc_array(m->rules.n + 1, sizeof(*m->conditions));
    m->operations = alloc_array(m->rules.n + 1, sizeof(*m->operations));
    if (compile(m, e))
        return true;
    modify_stop(m);
    return false;
}

/* A pattern that gave up may have left in what it was to remove. */
static bool gave_up(struct modify *m)
{
    uint64_t hits = 0;

    for (size_t i = 0; i < m->nconditions; i++)
        hits += condition_limit_hits(&m->conditions[i]);
    for (size_t i = 0; i < m->noperations; i++)
        if (m->operations[i].regex)
            hits += regex_limit_hits(m->operations[i].regex);
    if (hits == m->hits)
        return false;
    m->hits = hits;
    return true;
}

static bool conditions_hold(const struct modify *m, struct event *ev)
{
    for (size_t i = 0; i < m->nconditions; i++)
        if (!condition_holds(&m->conditions[i], ev))
            return false;
    return true;
}

static enum pass modify_apply(void *self, struct event *ev, struct emit *out)
{
    struct modify *m = self;

    if (conditions_hold(m, ev))
        for (size_t i = 0; i < m->noperations; i++)
            operation_apply(&m->operations[i], ev);
    if (gave_up(m))
        return filter_fail(out, "regex_limit", "a pattern ran into its limits on this event");
    return KEEP;
}

static const struct filter filter = {.start = modify_start, .stop = modify_stop, .apply = modify_apply};
const struct plugin filter_modify = {.name = "modify",
                                     .summary = "Sets, removes, renames, copies and moves fields.",
                                     .options = options,
                                     .size = sizeof(struct modify),
                                     .filter = &filter};
