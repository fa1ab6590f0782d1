/* SPDX-License-Identifier: Apache-2.0 */
#include "modify.h"

#include "base/cleanup.h"

enum kind {
    KEY_EXISTS,
    KEY_DOES_NOT_EXIST,
    A_KEY_MATCHES,
    NO_KEY_MATCHES,
    KEY_VALUE_EQUALS,
    KEY_VALUE_DOES_NOT_EQUAL,
    KEY_VALUE_MATCHES,
    KEY_VALUE_DOES_NOT_MATCH,
    MATCHING_KEYS_HAVE_MATCHING_VALUES,
    MATCHING_KEYS_DO_NOT_HAVE_MATCHING_VALUES
};

static const struct {
    const char *name;
    bool key_pattern, second, value_pattern;
} kinds[] = {{"key_exists", false, false, false},
             {"key_does_not_exist", false, false, false},
             {"a_key_matches", true, false, false},
             {"no_key_matches", true, false, false},
             {"key_value_equals", false, true, false},
             {"key_value_does_not_equal", false, true, false},
             {"key_value_matches", false, true, true},
             {"key_value_does_not_match", false, true, true},
             {"matching_keys_have_matching_values", true, true, true},
             {"matching_keys_do_not_have_matching_values", true, true, true}};

static const char *kind_name(void *arg, size_t i)
{
    (void)arg;
    return i < ARRAY_LEN(kinds) ? kinds[i].name : NULL;
}

static bool find_kind(struct condition *c, const struct rule *rule, struct str word, struct err *e)
{
    const char *near;

    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        if (str_eq_fold(word, str_of(kinds[i].name))) {
            c->kind = (int)i;
            return true;
        }
    }
    near = suggest(word, kind_name, NULL);
    return place_err(rule->place, e, "condition: `" STR_FMT "` is none%s%s%s", STR_ARG(word),
                     near ? "; did you mean `" : "", near ? near : "", near ? "`?" : "");
}

bool condition_compile(struct condition *c, const struct rule *rule, struct arena *a, struct err *e)
{
    struct str words[3];
    size_t n = words_split(rule->value, words, 3, a);
    struct err why;

    if (!n || !find_kind(c, rule, words[0], e))
        return n ? false : place_err(rule->place, e, "condition: is empty");
    if (n != (kinds[c->kind].second ? 3 : 2))
        return place_err(rule->place, e, "condition: %s takes %s (a value with blanks in it goes in quotes)",
                         kinds[c->kind].name, kinds[c->kind].second ? "two words" : "one word");
    if (kinds[c->kind].second)
        c->text = words[2];
    if (kinds[c->kind].key_pattern)
        c->key = regex_new(words[1], &why);
    else
        c->path = path_compile(words[1], &why);
    if (!c->key && !c->path)
        return place_err(rule->place, e, "condition: `" STR_FMT "`: %s", STR_ARG(words[1]), why.text);
    if (kinds[c->kind].value_pattern && !(c->value = regex_new(words[2], &why)))
        return place_err(rule->place, e, "condition: `" STR_FMT "`: %s", STR_ARG(words[2]), why.text);
    return true;
}

void condition_free(struct condition *c)
{
    path_free(c->path);
    regex_free(c->key);
    regex_free(c->value);
}

uint64_t condition_limit_hits(const struct condition *c)
{
    return (c->key ? regex_limit_hits(c->key) : 0) + (c->value ? regex_limit_hits(c->value) : 0);
}

static bool scalar(const struct value *v)
{
    return v->type != V_NIL && v->type != V_ARRAY && v->type != V_MAP && v->type != V_EXT;
}

static bool key_matches(const struct condition *c, const struct value *key)
{
    return key->type == V_STR && regex_match(c->key, value_bytes(key));
}

static bool any_key(const struct condition *c, struct event *ev)
{
    value_open(&ev->body, ev->arena);
    for (uint32_t i = 0; i < ev->body.n; i++)
        if (key_matches(c, &ev->body.fields[i].key))
            return true;
    return false;
}

static bool matching_values(const struct condition *c, struct event *ev)
{
    value_open(&ev->body, ev->arena);
    for (uint32_t i = 0; i < ev->body.n; i++) {
        const struct field *f = &ev->body.fields[i];
        if (key_matches(c, &f->key) && !(scalar(&f->val) && regex_match(c->value, value_text(&f->val, ev->arena))))
            return false;
    }
    return true;
}

bool condition_holds(const struct condition *c, struct event *ev)
{
    const struct value *v = c->path ? path_find(c->path, ev) : NULL;
    bool comparable = v && scalar(v);

    switch ((enum kind)c->kind) {
    case KEY_EXISTS:
        return v;
    case KEY_DOES_NOT_EXIST:
        return !v;
    case A_KEY_MATCHES:
        return any_key(c, ev);
    case NO_KEY_MATCHES:
        return !any_key(c, ev);
    case KEY_VALUE_EQUALS:
        return comparable && str_eq(value_text(v, ev->arena), c->text);
    case KEY_VALUE_DOES_NOT_EQUAL:
        return v && !(comparable && str_eq(value_text(v, ev->arena), c->text));
    case KEY_VALUE_MATCHES:
        return comparable && regex_match(c->value, value_text(v, ev->arena));
    case KEY_VALUE_DOES_NOT_MATCH:
        return v && !(comparable && regex_match(c->value, value_text(v, ev->arena)));
    case MATCHING_KEYS_HAVE_MATCHING_VALUES:
        return matching_values(c, ev);
    case MATCHING_KEYS_DO_NOT_HAVE_MATCHING_VALUES:
        return !matching_values(c, ev);
    }
    return false;
}
