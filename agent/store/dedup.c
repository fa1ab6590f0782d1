/* SPDX-License-Identifier: Apache-2.0 */
/* A ring of open-addressing tables.  Only the newest is added to; when it is full or old enough the oldest is dropped
 * whole, so that nothing expires one by one. */
#include "store/dedup.h"

#include "base/alloc.h"
#include "base/io.h"

#include <pthread.h>
#include <stdlib.h>

enum {
    GENERATIONS = 5, /* four full ones hold the window; the fifth is being filled */
    FIRST_CAP = 256,
    FILL = 80 /* percent: 20 bytes an entry become 25 */
};

struct entry { /* id zero: empty; {0, 1}: forgotten */
    uint32_t hi[2], lo[2], body;
};

struct generation {
    struct entry *entries;
    size_t cap, used; /* used: with the forgotten ones */
    int64_t opened, last;
};

struct dedup {
    pthread_mutex_t lock;
    int64_t window;
    size_t per;    /* ids of a generation */
    uint64_t k[2]; /* so that nobody can choose ids that collide */
    struct generation ring[GENERATIONS];
    size_t newest, live;
    int64_t loaded; /* ages given to dedup_load are relative to the first `now` */
    bool started;
};

struct dedup *dedup_new(int64_t window, int64_t ids)
{
    struct dedup *d = alloc_new(sizeof *d);

    pthread_mutex_init(&d->lock, NULL);
    d->window = window > 0 ? window : 1;
    d->per = (size_t)(ids > 0 ? ids : 1) / (GENERATIONS - 1) + 1;
    io->random(d->k, sizeof d->k);
    return d;
}

void dedup_free(struct dedup *d)
{
    if (!d)
        return;
    for (size_t i = 0; i < GENERATIONS; i++)
        free(d->ring[i].entries);
    pthread_mutex_destroy(&d->lock);
    free(d);
}

static struct entry entry_of(struct id id, uint32_t body)
{
    struct entry e = {.body = body};

    memcpy(e.hi, &id.hi, 8);
    memcpy(e.lo, &id.lo, 8);
    return e;
}

static bool same(const struct entry *a, const struct entry *b)
{
    return !memcmp(a, b, offsetof(struct entry, body));
}

static bool is_empty(const struct entry *e)
{
    return !(e->hi[0] | e->hi[1] | e->lo[0] | e->lo[1]);
}

static uint64_t hash_of(const struct dedup *d, struct id id)
{
    unsigned __int128 m = (unsigned __int128)(id.hi ^ d->k[0]) * (id.lo ^ d->k[1] ^ UINT64_C(0x9e3779b97f4a7c15));

    return (uint64_t)m ^ (uint64_t)(m >> 64);
}

static size_t slot_of(const struct generation *g, uint64_t hash)
{
    return (size_t)((unsigned __int128)hash * g->cap >> 64);
}

/* The entry of this id, or the empty one where it would go. */
static struct entry *probe(const struct generation *g, uint64_t hash, const struct entry *want)
{
    size_t i = slot_of(g, hash);

    while (!is_empty(&g->entries[i]) && !same(&g->entries[i], want))
        if (++i == g->cap)
            i = 0;
    return &g->entries[i];
}

static struct entry *lookup(struct dedup *d, uint64_t hash, const struct entry *want)
{
    for (size_t i = 0; i < GENERATIONS; i++) {
        struct generation *g = &d->ring[(d->newest + GENERATIONS - i) % GENERATIONS];
        struct entry *e = g->used ? probe(g, hash, want) : NULL;
        if (e && !is_empty(e))
            return e;
    }
    return NULL;
}

static size_t count(const struct generation *g)
{
    size_t n = 0;

    for (size_t i = 0; i < g->cap; i++)
        n += !is_empty(&g->entries[i]) &&
             !(g->entries[i].lo[0] == 1 && !g->entries[i].lo[1] && !g->entries[i].hi[0] && !g->entries[i].hi[1]);
    return n;
}

static void drop(struct dedup *d, struct generation *g)
{
    if (g->used)
        d->live -= count(g);
    free(g->entries);
    *g = (struct generation){0};
}

static void grow(struct dedup *d, struct generation *g)
{
    struct generation old = *g;
    size_t most = d->per * 100 / FILL + 1;

    g->cap = old.cap ? old.cap * 2 : FIRST_CAP;
    if (g->cap > most)
        g->cap = most > FIRST_CAP ? most : FIRST_CAP;
    g->entries = alloc_array(g->cap, sizeof *g->entries);
    for (size_t i = 0; i < old.cap; i++)
        if (!is_empty(&old.entries[i])) {
            struct id id;
            memcpy(&id.hi, old.entries[i].hi, 8);
            memcpy(&id.lo, old.entries[i].lo, 8);
            *probe(g, hash_of(d, id), &old.entries[i]) = old.entries[i];
        }
    free(old.entries);
}

static void insert(struct dedup *d, uint64_t hash, const struct entry *e, int64_t now)
{
    struct generation *g = &d->ring[d->newest];

    if (g->used >= d->per || (g->used && now - g->opened >= d->window / (GENERATIONS - 1))) {
        d->newest = (d->newest + 1) % GENERATIONS;
        g = &d->ring[d->newest];
        drop(d, g);
    }
    if (!g->used)
        g->opened = g->last = now;
    if ((g->used + 1) * 100 > g->cap * FILL)
        grow(d, g);
    *probe(g, hash, e) = *e;
    g->used++;
    if (now > g->last)
        g->last = now;
    d->live++;
}

/* Whole generations that the window has passed. */
static void expire(struct dedup *d, int64_t now)
{
    for (size_t i = 0; i < GENERATIONS; i++)
        if (d->ring[i].used && now - d->ring[i].last > d->window)
            drop(d, &d->ring[i]);
}

static void start(struct dedup *d, int64_t now)
{
    if (d->started)
        return;
    d->started = true;
    for (size_t i = 0; i < GENERATIONS; i++) {
        d->ring[i].opened += now;
        d->ring[i].last += now;
    }
}

static bool usable(struct id id)
{
    return id.hi || id.lo > 1;
}

enum dedup_answer dedup_add(struct dedup *d, struct id id, uint32_t body_hash, int64_t now)
{
    struct entry want = entry_of(id, body_hash), *have;
    uint64_t hash = hash_of(d, id);
    enum dedup_answer answer = DEDUP_NEW;

    if (!usable(id))
        return DEDUP_NEW;
    pthread_mutex_lock(&d->lock);
    start(d, now);
    expire(d, now);
    have = lookup(d, hash, &want);
    if (have)
        answer = have->body == body_hash ? DEDUP_SEEN : DEDUP_CONFLICT;
    else
        insert(d, hash, &want, now);
    pthread_mutex_unlock(&d->lock);
    return answer;
}

void dedup_load(struct dedup *d, struct id id, uint32_t body_hash, int64_t age)
{
    struct entry want = entry_of(id, body_hash);
    uint64_t hash = hash_of(d, id);

    if (!usable(id))
        return;
    pthread_mutex_lock(&d->lock);
    if (!d->started && !lookup(d, hash, &want))
        insert(d, hash, &want, -age);
    pthread_mutex_unlock(&d->lock);
}

bool dedup_has(struct dedup *d, struct id id)
{
    struct entry want = entry_of(id, 0);
    bool has;

    pthread_mutex_lock(&d->lock);
    has = usable(id) && lookup(d, hash_of(d, id), &want);
    pthread_mutex_unlock(&d->lock);
    return has;
}

void dedup_forget(struct dedup *d, struct id id)
{
    struct entry want = entry_of(id, 0), *have;

    if (!usable(id))
        return;
    pthread_mutex_lock(&d->lock);
    have = lookup(d, hash_of(d, id), &want);
    if (have) {
        *have = entry_of((struct id){0, 1}, 0);
        d->live--;
    }
    pthread_mutex_unlock(&d->lock);
}

size_t dedup_count(const struct dedup *d)
{
    size_t n;

    pthread_mutex_lock((pthread_mutex_t *)&d->lock);
    n = d->live;
    pthread_mutex_unlock((pthread_mutex_t *)&d->lock);
    return n;
}
