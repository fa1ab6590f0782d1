/* SPDX-License-Identifier: Apache-2.0 */
/* Thousands of short lives of a store on the simulated disk, each cut short by a kill, a power cut or an error, against
 * a list of what was promised.  `unit_store_test_histories histories` with WEIR_SEED=n runs the one history n. */
#include "store_help.h"
#include "sim_disk.h"
#include "base/log.h"
#include "store/store_private.h"

static uint64_t dice; /* the disk has its own */

static unsigned pick(unsigned n)
{
    uint64_t z = dice += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return (unsigned)((z ^ z >> 31) % n);
}

enum { TXNS = 400, PAYLOAD = 2500 };

enum fate { UNTOLD, ACKED, REFUSED, KEPT, GONE }; /* KEPT, GONE: seen after a restart */

struct made {
    struct txn txn;
    struct history *h;
    unsigned number, parts, round;
    _Atomic int fate;
    bool cut_before; /* it was answered when the process was dead already */
};

struct history {
    uint64_t seed;
    struct made txns[TXNS];
    unsigned n, round;
    uint64_t floor; /* below this LSN the cursor has passed */
    unsigned bad;
};

static void complain(struct history *h, const char *what, unsigned number)
{
    if (!h->bad++)
        fprintf(stderr, "seed %llu, round %u: transaction %u %s\n", (unsigned long long)h->seed, h->round, number,
                what);
}

static void told(struct txn *txn, bool durable)
{
    struct made *m = (struct made *)txn;

    pthread_mutex_lock(&sim.lock);
    m->cut_before = sim.cut;
    pthread_mutex_unlock(&sim.lock);
    atomic_store(&m->fate, durable ? ACKED : REFUSED);
}

static void append_one(struct history *h, struct store *s)
{
    struct made *m = &h->txns[h->n];
    char *text = alloc_raw(PAYLOAD);
    struct buf b = {0};

    *m = (struct made){.txn.done = told, .h = h, .number = h->n++, .parts = 1 + pick(3), .round = h->round};
    for (unsigned i = 0; i < m->parts; i++) {
        int n = snprintf(text, PAYLOAD, "%u %u/%u ", m->number, i, m->parts);
        unsigned size = (unsigned)n + pick(pick(4) ? 200 : PAYLOAD - 32);
        memset(text + n, (int)('a' + m->number % 26), size - (unsigned)n);
        txn_add(&m->txn, FRAME_QUARANTINE, 1, (struct str){text, size});
    }
    image_write_ledger(&b, STR("n"), 1);
    txn_add(&m->txn, FRAME_LEDGER, 1, buf_view(&b));
    buf_clear(&b);
    buf_fmt(&b, "%u", m->number);
    txn_open(&m->txn);
    image_write_position(&m->txn.bytes, STR("tail"), STR("file"), buf_view(&b));
    txn_close(&m->txn, FRAME_TAILPOS, 1);
    buf_free(&b);
    free(text);
    log_append(store_log(s), &m->txn);
}

static void wait_for(struct made *m)
{
    for (unsigned i = 0; atomic_load(&m->fate) == UNTOLD; i++)
        if (i > 200)
            usleep(5);
}

static void settle(struct history *h, struct store *s, struct cursor *c)
{
    struct cursor_state state = {.lsn = h->floor};
    uint64_t durable = log_durable(store_log(s));

    if (durable > h->floor)
        state.lsn += pick((unsigned)(durable - h->floor) + 1);
    if (cursor_save(c, &state, pick(2), NULL) && c->held == state.lsn) {
        h->floor = state.lsn;
        store_trim(s);
    }
}

static void live(struct history *h, struct store *s)
{
    struct cursor_state state = {0};
    bool fresh;
    struct cursor *c = cursor_open(s, STR("out"), &state, &fresh, NULL);
    unsigned want = pick(30);

    if (!c)
        return;
    if (state.lsn < h->floor)
        complain(h, "cursor went back", 0);
    for (unsigned i = 0; i < want && h->n < TXNS; i++) {
        append_one(h, s);
        if (pick(3))
            wait_for(&h->txns[h->n - 1]);
        if (!pick(8))
            settle(h, s, c);
    }
    for (unsigned i = 0; i < h->n; i++)
        wait_for(&h->txns[i]);
    cursor_state_free(&state);
    cursor_close(c);
}

struct reading {
    struct history *h;
    unsigned seen, next_part, last;
    bool any;
    bool present[TXNS];
};

static void take(struct reading *r, struct str payload)
{
    unsigned number, part, parts;
    char text[64];
    int n = 0;

    snprintf(text, sizeof text, STR_FMT, STR_ARG(str_head(payload, 40)));
    if (sscanf(text, "%u %u/%u %n", &number, &part, &parts, &n) != 3 || number >= r->h->n) {
        complain(r->h, "is not one of ours", 0);
        return;
    }
    for (size_t i = (size_t)n; i < payload.n; i++)
        if (payload.p[i] != (char)('a' + number % 26)) {
            complain(r->h, "has other bytes", number);
            return;
        }
    if (part != r->next_part || (part && number != r->last))
        complain(r->h, "is not whole", number);
    if (!part && r->any && number <= r->last)
        complain(r->h, "is out of order or there twice", number);
    r->any = true;
    r->last = number;
    r->next_part = part + 1 == parts ? 0 : part + 1;
    if (!r->next_part)
        r->present[number] = true;
    if (parts != r->h->txns[number].parts)
        complain(r->h, "changed", number);
}

static void look(void *arg, const struct image *image)
{
    unsigned kept = 0, last = 0;
    struct history *h = arg;
    struct buf *at = map_get(&image->positions, (struct str){"tail\0file", 9});
    char want[16] = "";

    for (unsigned i = 0; i < h->n; i++)
        if (atomic_load(&h->txns[i].fate) == KEPT) {
            kept++;
            last = i;
        }
    if (image_counter(image, STR("n")) != kept)
        complain(h, "the ledger is wrong", (unsigned)image_counter(image, STR("n")));
    if (kept)
        snprintf(want, sizeof want, "%u", last);
    if (!str_eq(at ? buf_view(at) : STR(""), str_of(want)))
        complain(h, "the position is wrong", last);
}

static void judge(struct history *h, const struct reading *r, bool healed)
{
    bool hole[64] = {0};

    for (unsigned i = 0; i < h->n; i++) {
        struct made *m = &h->txns[i];
        int fate = atomic_load(&m->fate);
        bool below = m->txn.end_lsn <= h->floor;
        if (fate == REFUSED && m->cut_before)
            fate = UNTOLD; /* nobody heard the answer */
        if ((fate == ACKED || fate == KEPT) && !r->present[i] && !below)
            complain(h, "was acknowledged and is lost", i);
        if (fate == GONE && r->present[i])
            complain(h, "came back", i);
        if (fate == REFUSED && r->present[i] && healed)
            complain(h, "was refused and is there", i);
        if (fate == UNTOLD && !r->present[i] && !below)
            hole[m->round % 64] = true;
        if (fate == UNTOLD && r->present[i] && hole[m->round % 64])
            complain(h, "is there, and an earlier one is not", i);
        if (fate == ACKED || fate == KEPT || r->present[i])
            atomic_store(&m->fate, KEPT);
        else
            atomic_store(&m->fate, GONE);
    }
}

/* Opens without faults and compares; twice, for a recovery must not change what the next one finds. */
static void inspect(struct history *h, bool healed)
{
    struct store_options o = options_of("/sim");
    unsigned before = 0;

    o.segment_size = 16 << 10;
    for (int turn = 0; turn < 2; turn++) {
        struct err e = {0};
        struct store *s = store_open(&o, &e);
        struct reading r = {.h = h};
        struct log_reader *reader;
        struct frame f;
        unsigned n = 0;
        if (!s) {
            complain(h, e.text, 0);
            return;
        }
        reader = log_reader_new(store_log(s), 0);
        while (log_reader_next(reader, &f, &e) == READ_FRAME) {
            n++;
            if (f.type == FRAME_QUARANTINE)
                take(&r, f.payload);
        }
        log_reader_free(reader);
        if (r.next_part)
            complain(h, "ends in the middle", r.last);
        judge(h, &r, healed);
        store_image(s, look, h);
        if (turn && n != before)
            complain(h, "recovery is not repeatable", n);
        before = n;
        store_close(s);
        sim_restart();
    }
}

static void plan_faults(void)
{
    static const int errors[] = {EIO, ENOSPC, EROFS};

    sim.power = pick(3) > 0;
    sim.cut_in = pick(4) ? 1 + (int)pick(pick(2) ? 20 : 120) : 0;
    if (pick(3))
        return;
    sim.fail_in = 1 + (int)pick(60);
    sim.fail_for = pick(2) ? 1 : 1 + (int)pick(8);
    sim.fail_errno = errors[pick(3)];
}

static unsigned run(uint64_t seed)
{
    struct history *h = alloc_new(sizeof *h);
    struct store_options o = options_of("/sim");
    unsigned rounds, bad;

    h->seed = seed;
    sim_reset(seed);
    dice = ~seed;
    sim.clock = 1000 * SECOND;
    o.segment_size = 16 << 10;
    rounds = 1 + pick(4);
    for (h->round = 0; h->round < rounds && !h->bad; h->round++) {
        struct err e = {0};
        struct store *s;
        bool healed = false;
        plan_faults();
        s = store_open(&o, &e);
        if (s) {
            live(h, s);
            pthread_mutex_lock(&sim.lock);
            healed = !sim.fail_in;
            pthread_mutex_unlock(&sim.lock);
            store_close(s);
        }
        /* Refused ones may be seen again only where the disk never came back to cut them off. */
        healed = healed && !sim.cut;
        sim_restart();
        sim.power = false;
        inspect(h, healed);
    }
    for (unsigned i = 0; i < h->n; i++)
        txn_free(&h->txns[i].txn);
    bad = h->bad;
    free(h);
    return bad;
}

TEST(histories)
{
    const char *one = getenv("WEIR_SEED"), *many = getenv("WEIR_HISTORIES");
    unsigned n = many ? (unsigned)atoi(many) : 2000, bad = 0;
    uint64_t start;

    io_system.random(&start, sizeof start);
    start %= 1000000000;
    if (one) {
        start = strtoull(one, NULL, 10);
        n = 1;
    }
    log_setup(one ? LOG_INFO : LOG_OFF, NULL, false, NULL);
    printf("%u histories from seed %llu\n", n, (unsigned long long)start);
    fflush(stdout); /* for one that hangs */
    io = &sim_io;
    for (unsigned i = 0; i < n && bad < 3; i++)
        bad += run(start + i) != 0;
    sim_reset(0);
    io = &io_system;
    CHECK_INT(bad, 0);
}

/* A sync fails, and so does all that would cut off what it left in the page cache.  The next start must not take those
 * pages for the disk: nobody will ever write them. */
TEST(page_cache_is_not_believed)
{
    struct store_options o = options_of("/sim");
    struct store *s;

    log_setup(LOG_OFF, NULL, false, NULL);
    sim_reset(1);
    io = &sim_io;
    s = must_open(&o);
    CHECK(put(s, "first"));
    for (bool quiet = false; !quiet; usleep(100)) {
        pthread_mutex_lock(&store_log(s)->lock);
        quiet = store_log(s)->spare != SPARE_BUSY && store_log(s)->idle;
        pthread_mutex_unlock(&store_log(s)->lock);
    }
    pthread_mutex_lock(&sim.lock);
    sim.fail_in = 2; /* the write is taken, the sync fails */
    sim.fail_for = 1000000;
    sim.fail_errno = EIO;
    pthread_mutex_unlock(&sim.lock);
    CHECK(!put(s, "refused"));
    store_close(s);
    sim.power = false;
    sim_restart();
    s = must_open(&o);
    CHECK_LOG(s, "first");
    CHECK(put(s, "second"));
    store_close(s);
    sim.power = true;
    sim_restart();
    s = must_open(&o);
    CHECK_LOG(s, "first second");
    store_close(s);
    sim_reset(0);
    io = &io_system;
}

/* A cursor in the page cache of a killed agent lets the next one retire segments: a power cut must not take it back. */
static void killed_then_cut(uint64_t seed)
{
    struct store_options o = options_of("/sim");
    struct cursor_state state = {0};
    struct cursor *c;
    struct store *s;
    struct err e = {0};
    char text[4000];
    bool fresh;

    sim_reset(seed);
    io = &sim_io;
    s = must_open(&o);
    c = cursor_open(s, STR("out"), &state, &fresh, &e);
    state.lsn = 1;
    CHECK(c && cursor_save(c, &state, true, &e));
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = 0;
    for (int i = 0; i < 60; i++) /* several segments */
        CHECK(put(s, text));
    state.lsn = log_durable(store_log(s));
    CHECK(cursor_save(c, &state, false, &e));
    cursor_close(c);
    store_close(s);
    sim.power = false;
    sim_restart();
    s = must_open(&o);
    store_trim(s);
    for (int i = 0; i < 20; i++)
        CHECK(put(s, text));
    store_trim(s);
    store_close(s);
    sim.power = true;
    sim_restart();
    s = must_open(&o);
    c = cursor_open(s, STR("out"), &state, &fresh, &e);
    CHECK(c != NULL && !fresh);
    if (state.lsn < log_oldest(store_log(s)))
        fprintf(stderr, "seed %d: the cursor is at %d, the log begins at %d\n", (int)seed, (int)state.lsn,
                (int)log_oldest(store_log(s)));
    CHECK(state.lsn >= log_oldest(store_log(s)));
    cursor_state_free(&state);
    cursor_close(c);
    store_close(s);
    sim_reset(0);
    io = &io_system;
}

TEST(a_killed_agents_cursor_is_durable_before_it_counts)
{
    log_setup(LOG_OFF, NULL, false, NULL);
    for (uint64_t seed = 1; seed <= 20; seed++)
        killed_then_cut(seed);
}
