/* SPDX-License-Identifier: Apache-2.0 */
#include "pipe/route.h"

#include "base/alloc.h"
#include "base/cleanup.h"
#include "store/image.h"

struct route_set {
    uint32_t number;
    struct strs outputs; /* sorted, owned */
    bool declared, learned;
};

struct route_sets {
    struct route_set *sets;
    size_t n, cap;
    uint32_t last;
};

struct route_sets *route_sets_new(void)
{
    return alloc_new(sizeof(struct route_sets));
}

void route_sets_free(struct route_sets *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->n; i++) {
        for (size_t j = 0; j < s->sets[i].outputs.n; j++)
            free((char *)s->sets[i].outputs.items[j].p);
        free(s->sets[i].outputs.items);
    }
    free(s->sets);
    free(s);
}

static int by_name(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

static struct strs sorted_copy(const struct strs *names)
{
    struct strs copy = {alloc_array(names->n, sizeof(struct str)), names->n};

    for (size_t i = 0; i < names->n; i++)
        copy.items[i] = (struct str){alloc_text(names->items[i].p, names->items[i].n), names->items[i].n};
    if (copy.n)
        qsort(copy.items, copy.n, sizeof copy.items[0], by_name);
    return copy;
}

static struct route_set *add(struct route_sets *s, uint32_t number, const struct strs *outputs)
{
    s->sets = alloc_grow(s->sets, s->n, &s->cap, sizeof *s->sets);
    s->sets[s->n] = (struct route_set){.number = number, .outputs = sorted_copy(outputs)};
    if (number > s->last)
        s->last = number;
    return &s->sets[s->n++];
}

void route_sets_learn(struct route_sets *s, uint32_t number, const struct strs *outputs)
{
    struct route_set *set = add(s, number, outputs);

    set->declared = set->learned = true;
}

static bool same(const struct strs *a, const struct strs *b)
{
    if (a->n != b->n)
        return false;
    for (size_t i = 0; i < a->n; i++)
        if (!str_eq(a->items[i], b->items[i]))
            return false;
    return true;
}

uint32_t route_sets_number(struct route_sets *s, struct unit *const *outputs, size_t n)
{
    struct str *names;
    struct strs list;
    uint32_t number = 0;

    if (!n)
        return 0;
    names = alloc_array(n, sizeof *names);
    for (size_t i = 0; i < n; i++)
        names[i] = str_of(outputs[i]->name);
    qsort(names, n, sizeof *names, by_name);
    list = (struct strs){names, n};
    for (size_t i = 0; i < s->n && !number; i++)
        if (same(&s->sets[i].outputs, &list))
            number = s->sets[i].number;
    if (!number)
        number = add(s, s->last + 1, &list)->number;
    free(names);
    return number;
}

void route_sets_declare(struct route_sets *s, uint32_t number, struct txn *txn)
{
    for (size_t i = 0; i < s->n; i++)
        if (s->sets[i].number == number && !s->sets[i].declared) {
            txn_open(txn);
            image_write_routes(&txn->bytes, number, &s->sets[i].outputs);
            txn_close(txn, FRAME_ROUTES, 1);
            s->sets[i].declared = true;
        }
}

void route_sets_undeclare(struct route_sets *s)
{
    for (size_t i = 0; i < s->n; i++)
        s->sets[i].declared = s->sets[i].learned;
}

static size_t matching(struct unit *const *units, size_t n, struct str tag, struct unit **out)
{
    size_t count = 0;

    for (size_t i = 0; i < n; i++)
        if (unit_matches(units[i], tag))
            out[count++] = units[i];
    return count;
}

struct route *route_new(struct str tag, struct unit *const *filters, size_t nfilters, struct unit *const *outputs,
                        size_t noutputs, struct route_sets *sets, struct tally *tally)
{
    struct route *r = alloc_new(sizeof *r);

    r->tag = (struct str){alloc_text(tag.p, tag.n), tag.n};
    r->filters = alloc_array(nfilters, sizeof *r->filters);
    r->nfilters = matching(filters, nfilters, tag, r->filters);
    r->outputs = alloc_array(noutputs, sizeof *r->outputs);
    r->noutputs = matching(outputs, noutputs, tag, r->outputs);
    r->routed = alloc_array(r->noutputs, sizeof *r->routed);
    for (size_t i = 0; i < r->noutputs; i++)
        r->routed[i] = tally_counter(tally, "routed", r->outputs[i]->name);
    r->set = route_sets_number(sets, r->outputs, r->noutputs);
    if (r->set)
        r->open = batch_new(r->tag, r->set, 0);
    return r;
}

void route_free(struct route *r)
{
    if (!r)
        return;
    if (r->open)
        batch_free(r->open);
    free((char *)r->tag.p);
    free(r->filters);
    free(r->outputs);
    free(r->routed);
    free(r);
}
