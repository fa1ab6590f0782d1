/* SPDX-License-Identifier: Apache-2.0 */
#include "pipe/delivery.h"

#include "base/alloc.h"
#include "base/cleanup.h"

#include <stdio.h>

enum { DATA_KEEP = 4 * 1024 * 1024 };

void delivery_init(struct delivery *d, const _Atomic int *stopping)
{
    *d = (struct delivery){.arena = arena_new(), .stopping = stopping};
}

void delivery_reset(struct delivery *d, uint64_t from_lsn)
{
    if (d->data.cap > DATA_KEEP)
        buf_free(&d->data); /* one huge event must not be paid for ever */
    buf_clear(&d->data);
    d->nparts = 0;
    d->total = d->from = d->to = 0;
    d->from_lsn = d->to_lsn = from_lsn;
    d->nfailures = 0;
    free(d->settled);
    d->settled = NULL;
}

void delivery_free(struct delivery *d)
{
    delivery_reset(d, 0);
    buf_free(&d->data);
    free(d->parts);
    free(d->failures);
    arena_free(d->arena);
}

bool delivery_add(struct delivery *d, struct str payload)
{
    struct batch_view view;

    if (!batch_view(payload, &view))
        return false;
    d->parts = alloc_grow(d->parts, d->nparts, &d->cap, sizeof *d->parts);
    d->parts[d->nparts++] = (struct part){.at = d->data.n, .n = payload.n, .lengths = view.lengths.n};
    buf_str(&d->data, payload);
    d->total += view.count;
    return true;
}

static int by_tag_then_place(const void *a, const void *b)
{
    const struct part *x = a, *y = b;
    int order = str_cmp(x->view.tag, y->view.tag);

    return order ? order : (x->at > y->at) - (x->at < y->at);
}

void delivery_number(struct delivery *d, bool by_tag)
{
    uint32_t n = 0;

    for (size_t i = 0; i < d->nparts; i++)
        batch_view_again((struct str){d->data.p + d->parts[i].at, d->parts[i].n}, d->parts[i].lengths,
                         &d->parts[i].view);
    if (by_tag && d->nparts > 1)
        qsort(d->parts, d->nparts, sizeof *d->parts, by_tag_then_place);
    for (size_t i = 0; i < d->nparts; i++) {
        d->parts[i].first = n;
        n += d->parts[i].view.count;
    }
}

static size_t part_of(const struct delivery *d, uint32_t number)
{
    size_t i = 0;

    while (i + 1 < d->nparts && d->parts[i + 1].first <= number)
        i++;
    return i;
}

uint32_t delivery_tag_end(const struct delivery *d, uint32_t from)
{
    size_t i = part_of(d, from), j = i + 1;

    while (j < d->nparts && str_eq(d->parts[j].view.tag, d->parts[i].view.tag))
        j++;
    return j < d->nparts ? d->parts[j].first : d->total;
}

void delivery_window(struct delivery *d, uint32_t from, uint32_t to, struct id agent, struct str output)
{
    struct buf text = {0};

    d->from = from;
    d->to = to;
    d->nfailures = 0;
    d->retry_after = 0;
    buf_str(&text, output);
    buf_fmt(&text, "/%llu-%llu/%u-%u", (unsigned long long)d->from_lsn, (unsigned long long)d->to_lsn, from, to);
    for (uint32_t i = from; d->settled && i < to; i++)
        if (d->settled[i])
            buf_fmt(&text, "/%u", i); /* fewer events must not go under the id of all */
    id_text(hash_128(buf_view(&text), &agent), d->id);
    buf_free(&text);
    delivery_rewind(d);
}

uint32_t delivery_unsettled(const struct delivery *d)
{
    uint32_t n = d->to - d->from;

    for (uint32_t i = d->from; d->settled && i < d->to; i++)
        n -= d->settled[i];
    return n;
}

void delivery_rewind(struct delivery *d)
{
    struct event skipped;

    d->at = d->from;
    if (d->from >= d->to)
        return;
    d->part = part_of(d, d->from);
    batch_start(&d->cursor, &d->parts[d->part].view);
    for (uint32_t i = d->parts[d->part].first; i < d->from; i++)
        batch_next(&d->cursor, &skipped);
}

bool delivery_next(struct delivery *d, struct event *ev)
{
    for (;;) {
        if (d->at >= d->to)
            return false;
        arena_reset(d->arena);
        if (!batch_next(&d->cursor, ev)) {
            if (++d->part >= d->nparts)
                return false;
            batch_start(&d->cursor, &d->parts[d->part].view);
            continue;
        }
        ev->arena = d->arena;
        if (!(d->settled && d->settled[d->at++]))
            break;
    }
    d->at += !d->settled;
    return true;
}

const char *delivery_id(const struct delivery *d)
{
    return d->id;
}

uint32_t delivery_count(const struct delivery *d)
{
    return delivery_unsettled(d);
}

struct str delivery_tag(const struct delivery *d)
{
    return d->nparts ? d->parts[part_of(d, d->from)].view.tag : (struct str){0};
}

/* The number of the index-th event that delivery_next gives; d->to where there are not so many. */
static uint32_t number_of(const struct delivery *d, uint32_t index)
{
    uint32_t number = d->from;

    for (; number < d->to; number++)
        if (!(d->settled && d->settled[number]) && index-- == 0)
            break;
    return number;
}

void delivery_fail(struct delivery *d, uint32_t index, enum verdict v, const char *why)
{
    uint32_t number = number_of(d, index);
    struct failure *f;

    if (number >= d->to || v == DONE)
        return;
    /* It is judged once, or it would be counted twice.  Mostly they come in order. */
    for (size_t i = 0; number <= d->highest && i < d->nfailures; i++)
        if (d->failures[i].index == number)
            return;
    if (!d->nfailures || number > d->highest)
        d->highest = number;
    d->failures = alloc_grow(d->failures, d->nfailures, &d->failures_cap, sizeof *d->failures);
    f = &d->failures[d->nfailures++];
    f->index = number;
    f->verdict = v;
    snprintf(f->why, sizeof f->why, "%s", why ? why : "");
}

void delivery_retry_after(struct delivery *d, int64_t ns)
{
    d->retry_after = ns;
}

bool delivery_stopping(const struct delivery *d)
{
    return atomic_load_explicit(d->stopping, memory_order_relaxed) == 2;
}
