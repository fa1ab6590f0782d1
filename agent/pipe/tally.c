/* SPDX-License-Identifier: Apache-2.0 */
#include "pipe/tally.h"

#include "base/alloc.h"
#include "base/cleanup.h"
#include "store/image.h"

struct counter *tally_counter(struct tally *t, const char *prefix, const char *instance)
{
    CLEANUP(buf_free) struct buf name = {0};
    struct counter *c;

    buf_fmt(&name, instance ? "%s/%s" : "%s%s", prefix, instance ? instance : "");
    for (size_t i = 0; i < t->n; i++)
        if (str_eq(str_of(t->counters[i]->name), buf_view(&name)))
            return t->counters[i];
    c = alloc_new(sizeof *c);
    c->name = alloc_text(name.p, name.n);
    t->counters = alloc_grow(t->counters, t->n, &t->cap, sizeof *t->counters);
    t->counters[t->n++] = c;
    return c;
}

bool tally_write(struct tally *t, struct txn *txn)
{
    bool any = false;

    for (size_t i = 0; i < t->n && !any; i++)
        any = t->counters[i]->delta != 0;
    if (!any)
        return false;
    txn_open(txn);
    for (size_t i = 0; i < t->n; i++)
        if (t->counters[i]->delta) {
            image_write_ledger(&txn->bytes, str_of(t->counters[i]->name), t->counters[i]->delta);
            t->counters[i]->delta = 0;
        }
    txn_close(txn, FRAME_LEDGER, 1);
    return true;
}

void tally_free(struct tally *t)
{
    for (size_t i = 0; i < t->n; i++) {
        free(t->counters[i]->name);
        free(t->counters[i]);
    }
    free(t->counters);
    *t = (struct tally){0};
}
