/* SPDX-License-Identifier: Apache-2.0 */
#include "modify.h"

#include "base/cleanup.h"

enum kind {
    SET,
    ADD,
    REMOVE,
    REMOVE_WILDCARD,
    REMOVE_REGEX,
    RENAME,
    HARD_RENAME,
    COPY,
    HARD_COPY,
    MOVE_TO_START,
    MOVE_TO_END
};

static const struct {
    const char *name, *usage;
    size_t words;
} kinds[] = {{"set", "set KEY VALUE", 2},
             {"add", "add KEY VALUE", 2},
             {"remove", "remove KEY", 1},
             {"remove_wildcard", "remove_wildcard PREFIX", 1},
             {"remove_regex", "remove_regex PATTERN", 1},
             {"rename", "rename KEY NEW_KEY", 2},
             {"hard_rename", "hard_rename KEY NEW_KEY", 2},
             {"copy", "copy KEY NEW_KEY", 2},
             {"hard_copy", "hard_copy KEY NEW_KEY", 2},
             {"move_to_start", "move_to_start PREFIX", 1},
             {"move_to_end", "move_to_end PREFIX", 1}};

bool operation_compile(struct operation *o, const struct rule *rule, struct arena *a, struct err *e)
{
    struct str words[2];
    size_t n = words_split(rule->value, words, 2, a), i = 0;
    struct err why;

    while (i < ARRAY_LEN(kinds) - 1 && !str_eq_fold(rule->name, str_of(kinds[i].name)))
        i++;
    o->kind = (int)i;
    if (n != kinds[i].words)
        return place_err(rule->place, e, "%s: write `%s` (a value with blanks in it goes in quotes)", kinds[i].name,
                         kinds[i].usage);
    o->a = words[0];
    o->b = n > 1 ? words[1] : STR("");
    if (o->kind == REMOVE_REGEX && !(o->regex = regex_new(o->a, &why)))
        return place_err(rule->place, e, "%s: `" STR_FMT "`: %s", kinds[i].name, STR_ARG(o->a), why.text);
    return true;
}

void operation_free(struct operation *o)
{
    regex_free(o->regex);
}

/* Fluent Bit's wildcard is the front of a key; a star is understood as well. */
static bool wildcard(struct str pattern, struct str key)
{
    return str_find_char(pattern, '*') == SIZE_MAX ? str_starts(key, pattern) : str_match(pattern, key);
}

static bool selects(const struct operation *o, const struct field *f)
{
    struct str key;

    if (!value_as_str(&f->key, &key))
        return false;
    if (o->kind == REMOVE_REGEX)
        return regex_match(o->regex, key);
    return o->kind == REMOVE ? str_eq(key, o->a) : wildcard(o->a, key);
}

static void remove_selected(const struct operation *o, struct value *map)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < map->n; i++)
        if (!selects(o, &map->fields[i]))
            map->fields[kept++] = map->fields[i];
    map->n = kept;
}

static void move_selected(const struct operation *o, struct value *map, struct arena *a)
{
    struct field *sorted = arena_alloc(a, map->n * sizeof(*sorted));
    uint32_t n = 0;

    for (unsigned round = 0; round < 2; round++)
        for (uint32_t i = 0; i < map->n; i++)
            if (selects(o, &map->fields[i]) == ((round == 0) == (o->kind == MOVE_TO_START)))
                sorted[n++] = map->fields[i];
    memcpy(map->fields, sorted, map->n * sizeof(*sorted));
}

static void rename_key(const struct operation *o, struct value *map, struct arena *a)
{
    if (!map_value_get(map, o->a, a) || (o->kind == RENAME && map_value_get(map, o->b, a)))
        return;
    if (str_eq(o->a, o->b))
        return;
    map_value_del(map, o->b, a);
    for (uint32_t i = 0; i < map->n; i++) {
        struct str key;
        if (value_as_str(&map->fields[i].key, &key) && str_eq(key, o->a))
            map->fields[i].key = value_str(o->b);
    }
}

/* The copy stands behind the original.  Both may share raw bytes, but not what an earlier filter opened. */
static void copy_key(const struct operation *o, struct value *map, struct arena *a)
{
    struct value v, *from = map_value_get(map, o->a, a);
    uint32_t at = 0;

    if (!from || str_eq(o->a, o->b) || (o->kind == COPY && map_value_get(map, o->b, a)))
        return;
    v = (from->type == V_MAP || from->type == V_ARRAY) && !from->raw ? value_copy(from, a) : *from;
    map_value_del(map, o->b, a);
    map_value_add(map, o->b, v, a);
    while (&map->fields[at].val != map_value_get(map, o->a, a))
        at++;
    for (uint32_t i = map->n - 1; i > at + 1; i--) {
        struct field moved = map->fields[i];
        map->fields[i] = map->fields[i - 1];
        map->fields[i - 1] = moved;
    }
}

void operation_apply(const struct operation *o, struct event *ev)
{
    struct value *map = &ev->body;

    value_open(map, ev->arena);
    switch ((enum kind)o->kind) {
    case SET:
        map_value_del(map, o->a, ev->arena);
        map_value_add(map, o->a, value_str(o->b), ev->arena);
        break;
    case ADD:
        if (!map_value_get(map, o->a, ev->arena))
            map_value_add(map, o->a, value_str(o->b), ev->arena);
        break;
    case REMOVE:
    case REMOVE_WILDCARD:
    case REMOVE_REGEX:
        remove_selected(o, map);
        break;
    case RENAME:
    case HARD_RENAME:
        rename_key(o, map, ev->arena);
        break;
    case COPY:
    case HARD_COPY:
        copy_key(o, map, ev->arena);
        break;
    case MOVE_TO_START:
    case MOVE_TO_END:
        move_selected(o, map, ev->arena);
        break;
    }
}
