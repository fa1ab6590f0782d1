/* SPDX-License-Identifier: Apache-2.0 */
/* A worker over a store in memory, with an output that answers as the test says. */
#include "pipe/worker_state.h"

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/io.h"
#include "event/json.h"
#include "pipe/tally.h"
#include "test.h"

#include <unistd.h>

struct scripted {
    struct instance instance;
    int64_t poison; /* the n that is rejected; -1: none */
    int fail_first; /* so many attempts are answered with `verdict` before */
    enum verdict verdict;
    bool per_item;        /* poison by delivery_fail instead */
    bool waits, careless; /* and as RETRY; named twice, and one that does not exist */
    int item_fails;       /* so many times; 0: always */
    const char *script;   /* 'h', 'r': HOLD or RETRY at that call */
    int calls;
    struct buf seen; /* "n n | n |": events of the attempts that were taken */
    char ids[64][33];
};

static struct scripted *now; /* the plugin of the running test */

static enum verdict scripted_write(void *arg, struct delivery *d, struct err *e)
{
    struct scripted *s = arg;
    struct event ev;
    int64_t n;
    bool bad = false;
    size_t before = s->seen.n;
    uint32_t index = 0;

    memcpy(s->ids[s->calls % 64], delivery_id(d), 33);
    s->calls++;
    if (s->calls <= s->fail_first) {
        err_set(e, "scripted failure");
        return s->verdict;
    }
    if (s->script && (size_t)s->calls <= strlen(s->script))
        return s->script[s->calls - 1] == 'h' ? HOLD : RETRY;
    for (; delivery_next(d, &ev); index++) {
        value_as_int(event_get(&ev, STR("n")), &n);
        if (n == s->poison && s->per_item && (!s->item_fails || s->calls <= s->item_fails)) {
            delivery_fail(d, index, s->waits ? RETRY : REJECT, "poison");
            if (s->careless) {
                delivery_fail(d, index, REJECT, "poison");
                delivery_fail(d, 99, REJECT, "nothing");
            }
        } else if (!s->per_item)
            bad |= n == s->poison;
        buf_fmt(&s->seen, "%d ", (int)n);
    }
    if (bad) {
        s->seen.n = before;
        err_set(e, "poison");
        return REJECT;
    }
    buf_str(&s->seen, STR("| "));
    return DONE;
}

static const struct output scripted_output = {.write = scripted_write, .planned = true};
static const struct option no_options[] = {OPT_END};
static const struct plugin scripted_plugin = {.name = "scripted",
                                              .summary = "For tests.",
                                              .options = no_options,
                                              .size = sizeof(struct scripted),
                                              .output = &scripted_output};

struct rig {
    struct store *store;
    struct unit unit;
    struct scripted plugin;
    struct worker *worker;
    struct metric metrics[3];
};

static _Atomic int commits;

static void committed(struct txn *txn, bool durable)
{
    (void)txn;
    CHECK(durable);
    commits++;
}

static void append_events(struct rig *r, int n)
{
    struct txn txn = {0};
    struct strs outputs = {&STR("scripted.0"), 1};
    struct batch *b = batch_new(STR("t"), 1, 0);
    struct arena *a = arena_new();
    int before = commits;

    txn_open(&txn);
    image_write_routes(&txn.bytes, 1, &outputs);
    txn_close(&txn, FRAME_ROUTES, 1);
    for (int i = 0; i < n; i++) {
        struct event ev = {.time = i, .tag = STR("t"), .arena = a, .id = {1, (uint64_t)i + 1}};
        ev.body = value_map(a);
        ev.meta = value_map(a);
        event_set(&ev, STR("n"), value_int(i));
        batch_add(b, &ev);
    }
    txn_open(&txn);
    batch_seal(b, &txn.bytes);
    txn_close(&txn, FRAME_EVENTS, (uint32_t)n);
    txn.done = committed;
    log_append(store_log(r->store), &txn);
    while (commits == before)
        usleep(200);
    txn_free(&txn);
    batch_free(b);
    arena_free(a);
}

static void rig_again(struct rig *r)
{
    struct service service = {.scheduler_base = MILLISECOND, .scheduler_cap = 4 * MILLISECOND};
    struct err e = {0};

    r->worker = worker_new(&r->unit, r->store, &service, &e);
    CHECK(r->worker != NULL);
}

static void rig_make(struct rig *r, const char *retry_limit, const char *dir)
{
    struct err e = {0};

    r->store = store_open(
        &(struct store_options){
            .dir = dir, .limit = 1 << 30, .segment_size = 1 << 20, .dedup_window = SECOND, .dedup_ids = 1000},
        &e);
    CHECK(r->store != NULL);
    r->unit = (struct unit){
        .kind = PLUGIN_OUTPUT, .plugin = &scripted_plugin, .self = &r->plugin, .name = (char *)"scripted.0"};
    r->unit.common.retry_limit = str_of(retry_limit);
    r->plugin.instance = (struct instance){.name = "scripted.0",
                                           .plugin = &scripted_plugin,
                                           .records = &r->metrics[0],
                                           .bytes = &r->metrics[1],
                                           .errors = &r->metrics[2]};
    now = &r->plugin;
    rig_again(r);
}

static void rig_start(struct rig *r, const char *retry_limit)
{
    struct err e = {0};

    rig_make(r, retry_limit, NULL);
    CHECK(worker_start(r->worker, &e));
}

static struct worker_totals rig_run(struct rig *r, int events)
{
    struct worker_totals t = {0};

    append_events(r, events);
    for (int i = 0; i < 5000 && t.consumed < (uint64_t)events; i++) {
        usleep(1000);
        worker_totals(r->worker, &t);
    }
    return t;
}

static void rig_end(struct rig *r)
{
    worker_drain(r->worker);
    CHECK(worker_join(r->worker, 5 * SECOND));
    worker_free(r->worker);
    store_close(r->store);
    buf_free(&r->plugin.seen);
}

TEST(delivers_in_order_once)
{
    struct rig r = {.plugin.poison = -1};
    struct worker_totals t;

    rig_start(&r, "");
    t = rig_run(&r, 5);
    CHECK_INT(t.delivered, 5);
    CHECK_INT(t.quarantined, 0);
    CHECK_STR(buf_view(&r.plugin.seen), "0 1 2 3 4 | ");
    rig_end(&r);
}

TEST(retries_under_the_same_id)
{
    struct rig r = {.plugin = {.poison = -1, .fail_first = 3, .verdict = RETRY}};
    struct worker_totals t;

    rig_start(&r, "");
    t = rig_run(&r, 3);
    CHECK_INT(t.delivered, 3);
    CHECK_INT(r.plugin.calls, 4);
    for (int i = 1; i < 4; i++)
        CHECK_STR(str_of(r.plugin.ids[i]), r.plugin.ids[0]);
    rig_end(&r);
}

TEST(hold_keeps_everything)
{
    struct rig r = {.plugin = {.poison = -1, .fail_first = 2, .verdict = HOLD}};
    struct worker_totals t;

    rig_start(&r, "1");
    t = rig_run(&r, 3);
    CHECK_INT(t.delivered, 3);
    CHECK_INT(t.quarantined, 0);
    rig_end(&r);
}

TEST(an_explicit_retry_limit_quarantines_the_losers)
{
    struct rig r = {.plugin = {.poison = -1, .fail_first = 3, .verdict = RETRY}};
    struct worker_totals t;

    rig_start(&r, "2");
    t = rig_run(&r, 4);
    CHECK_INT(t.delivered, 0);
    CHECK_INT(t.quarantined, 4);
    CHECK_INT(r.plugin.calls, 3);
    rig_end(&r);
}

TEST(halves_down_to_the_poison)
{
    struct rig r = {.plugin = {.poison = 617}};
    struct worker_totals t;

    rig_start(&r, "");
    t = rig_run(&r, 1000);
    CHECK_INT(t.delivered, 999);
    CHECK_INT(t.quarantined, 1);
    CHECK(r.plugin.calls <= 24);
    rig_end(&r);
}

TEST(one_item_of_a_bulk_reply_is_judged_alone)
{
    struct rig r = {.plugin = {.poison = 2, .per_item = true}};
    struct worker_totals t;

    rig_start(&r, "");
    t = rig_run(&r, 5);
    CHECK_INT(t.delivered, 4);
    CHECK_INT(t.quarantined, 1);
    CHECK_INT(r.plugin.calls, 1);
    rig_end(&r);
}

TEST(an_item_that_must_wait_is_sent_alone_under_another_id)
{
    struct rig r = {.plugin = {.poison = 2, .per_item = true, .waits = true, .item_fails = 2}};
    struct worker_totals t;

    rig_start(&r, "");
    t = rig_run(&r, 5);
    CHECK_INT(t.delivered, 5);
    CHECK_INT(r.plugin.calls, 3);
    CHECK_STR(buf_view(&r.plugin.seen), "0 1 2 3 4 | 2 | 2 | ");
    CHECK(strcmp(r.plugin.ids[0], r.plugin.ids[1]) != 0);
    CHECK_STR(str_of(r.plugin.ids[1]), r.plugin.ids[2]);
    rig_end(&r);
}

TEST(an_item_that_waits_keeps_to_the_retry_limit)
{
    struct rig r = {.plugin = {.poison = 2, .per_item = true, .waits = true}};
    struct worker_totals t;

    rig_start(&r, "2");
    t = rig_run(&r, 5);
    CHECK_INT(t.delivered, 4);
    CHECK_INT(t.quarantined, 1);
    CHECK_INT(r.plugin.calls, 3);
    rig_end(&r);
}

TEST(an_item_is_judged_once)
{
    struct rig r = {.plugin = {.poison = 2, .per_item = true, .careless = true}};
    struct worker_totals t;

    rig_start(&r, "");
    t = rig_run(&r, 5);
    CHECK_INT(t.delivered, 4);
    CHECK_INT(t.quarantined, 1);
    CHECK_INT(t.consumed, 5);
    rig_end(&r);
}

TEST(holding_does_not_use_up_the_retries)
{
    struct rig r = {.plugin = {.poison = -1, .script = "hhhr"}};
    struct worker_totals t;

    rig_start(&r, "1");
    t = rig_run(&r, 3);
    CHECK_INT(t.delivered, 3);
    CHECK_INT(t.quarantined, 0);
    CHECK_INT(r.plugin.calls, 5);
    rig_end(&r);
}

/* ---- a log that damage has taken something from ---- */

static void damage(const char *dir, const char *what)
{
    char command[512];

    snprintf(command, sizeof command,
             "python3 - <<'E'\nimport glob\nfor p in glob.glob('%s/log/*.seg'):\n"
             "    b = open(p, 'rb').read()\n    i = b.rfind(%s)\n"
             "    f = open(p, 'r+b')\n    f.seek(i)\n    f.write(b'X')\nE",
             dir, what);
    CHECK_INT(system(command), 0);
}

static void rig_close_only(struct rig *r)
{
    worker_free(r->worker);
    store_close(r->store);
}

TEST(damage_at_the_end_is_passed)
{
    struct rig r = {.plugin.poison = -1};
    struct worker_totals t = {0};
    struct err e = {0};
    char dir[] = "/tmp/weir-worker-XXXXXX", command[64];

    CHECK(mkdtemp(dir) != NULL);
    rig_make(&r, "", dir);
    append_events(&r, 3);
    rig_close_only(&r); /* the mark of a quiet end proves that the events were durable */
    damage(dir, "b'\\xa1n\\x02'");
    rig_make(&r, "", dir);
    CHECK(worker_start(r.worker, &e));
    for (int i = 0; i < 1000 && t.lsn < log_durable(store_log(r.store)); i++) {
        usleep(1000);
        worker_totals(r.worker, &t);
    }
    CHECK_INT(t.lsn, log_durable(store_log(r.store)));
    CHECK_INT(t.delivered, 0);
    rig_end(&r);
    snprintf(command, sizeof command, "rm -r %s", dir);
    CHECK_INT(system(command), 0);
}

/* The plan of a restart names more events than are left: it is begun anew, and what it had counted is taken back. */
TEST(a_plan_that_lost_events_is_begun_anew)
{
    struct rig r = {.plugin.poison = -1};
    struct worker_totals t = {0};
    struct err e = {0};
    uint64_t from;

    rig_start(&r, "");
    worker_stop(r.worker);
    CHECK(worker_join(r.worker, 5 * SECOND));
    from = log_durable(store_log(r.store)) + 1; /* behind the route set */
    append_events(&r, 4);
    r.worker->state.plan.open = true;
    r.worker->state.plan.from = from;
    r.worker->state.plan.to = from + 4;
    r.worker->state.delivered = r.worker->state.consumed = 3;
    r.worker->state.quarantined = 1;
    r.worker->state.consumed++;
    for (int i = 0; i < 6; i++) /* from to bad sorted delivered quarantined */
        buf_varint(&r.worker->state.plan.done, (uint64_t[]){4, 6, 0, 0, 3, 1}[i]);
    CHECK(cursor_save(r.worker->cursor, &r.worker->state, true, &e));
    worker_free(r.worker);
    rig_again(&r);
    CHECK(worker_start(r.worker, &e));
    for (int i = 0; i < 1000 && t.lsn < log_durable(store_log(r.store)); i++) {
        usleep(1000);
        worker_totals(r.worker, &t);
    }
    CHECK_INT(t.delivered, 4);
    CHECK_INT(t.quarantined, 0);
    CHECK_INT(t.consumed, 4);
    rig_end(&r);
}
