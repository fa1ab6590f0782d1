/* SPDX-License-Identifier: Apache-2.0 */
/* A whole machine of dummy and null in one process: its ledger, its admin port, its positions. */
#include "pipe/pipeline.h"

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/io.h"
#include "cli/control.h"
#include "net/loop.h"
#include "pipe/admin.h"
#include "pipe/ledger.h"
#include "pipe/positions.h"
#include "pipe/tally.h"
#include "test.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

static int help_remove(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)st, (void)flag, (void)ftw;
    return remove(path);
}

static char dir[64];

static void fresh_dir(void)
{
    snprintf(dir, sizeof dir, "/tmp/weir-test-pipeline-%d", (int)getpid());
    nftw(dir, help_remove, 16, FTW_DEPTH | FTW_PHYS);
}

static void add(struct tree *t, const char *kind, const char *const *props)
{
    struct section *s = tree_add(t, kind);
    struct err e = {0};

    for (; *props; props += 2)
        CHECK(tree_set(t, s, str_of(props[0]), str_of(props[1]), &e));
}

static const char *second; /* an output `second` that begins there: now, oldest; NULL: none */
static const char *rule;   /* a Lua function that every event goes through; NULL: none */

static struct config *config_of(const char *storage_type, const char *samples)
{
    struct tree *t = tree_new();
    struct err e = {0};
    struct config *config;

    add(t, "service",
        (const char *const[]){"storage.path", dir, "storage.type", storage_type, "http_port", "0", "health_check", "on",
                              NULL});
    add(t, "input", (const char *const[]){"name", "dummy", "tag", "a", "samples", samples, "rate", "1000", NULL});
    if (rule)
        add(t, "filter", (const char *const[]){"name", "lua", "match", "*", "call", "cb", "code", rule, NULL});
    add(t, "output", (const char *const[]){"name", "null", "match", "*", NULL});
    if (second)
        add(t, "output", (const char *const[]){"name", "null", "alias", "second", "match", "a", "from", second, NULL});
    config = config_new(t, &e);
    CHECK(config != NULL);
    config->identity = "test";
    return config;
}

struct machine {
    struct config *config;
    struct loop *main;
    struct pipeline *pipeline;
    struct admin *admin;
    struct timer poll;
    int64_t until;
    uint64_t want, want_second;
    pthread_t asker;
};

static void start(struct machine *m, const char *storage_type, const char *samples)
{
    struct err e = {0};

    *m = (struct machine){.config = config_of(storage_type, samples), .main = loop_new()};
    m->pipeline = pipeline_new(m->config, m->main, &e);
    if (!m->pipeline)
        fprintf(stderr, "%s\n", e.text);
    CHECK(m->pipeline != NULL);
    CHECK(pipeline_start(m->pipeline, &e));
}

static void stop(struct machine *m)
{
    CHECK(pipeline_stop(m->pipeline, 2 * SECOND, false));
    pipeline_free(m->pipeline);
    loop_free(m->main);
    config_free(m->config);
}

static struct ledger_output *output_of(struct ledger *l, const char *name)
{
    for (size_t i = 0; i < l->noutputs; i++)
        if (!strcmp(l->outputs[i].name, name))
            return &l->outputs[i];
    return NULL;
}

static void look(struct timer *t)
{
    struct machine *m = container_of(t, struct machine, poll);
    struct ledger l;
    bool done;

    ledger_read(m->pipeline, &l);
    CHECK(l.balanced); /* at every moment */
    done = !l.held;
    for (size_t i = 0; i < l.noutputs; i++)
        done &= l.outputs[i].delivered >= (strcmp(l.outputs[i].name, "second") ? m->want : m->want_second);
    ledger_free(&l);
    if (done || io->monotonic() > m->until)
        loop_stop(m->main);
    else
        loop_timer(m->main, t, MILLISECOND);
}

static void run_until(struct machine *m, uint64_t delivered)
{
    m->want = delivered;
    m->until = io->monotonic() + 10 * SECOND;
    m->poll.fire = look;
    loop_timer(m->main, &m->poll, 0);
    loop_run(m->main);
    loop_cancel(m->main, &m->poll);
}

TEST(the_ledger_of_a_running_machine_and_of_its_store)
{
    struct machine m;
    struct ledger l;
    struct store *store;
    struct err e = {0};

    fresh_dir();
    start(&m, "filesystem", "20");
    run_until(&m, 20);
    ledger_read(m.pipeline, &l);
    CHECK(l.balanced);
    CHECK_INT(l.in, 20);
    CHECK_INT(l.logged, 20);
    CHECK_INT(l.held, 0);
    CHECK_INT(l.noutputs, 1);
    CHECK_STR(str_of(l.outputs[0].name), "null.0");
    CHECK_INT(l.outputs[0].routed, 20);
    CHECK_INT(l.outputs[0].delivered, 20);
    CHECK_INT(l.outputs[0].pending, 0);
    CHECK(!l.outputs[0].orphan);
    ledger_free(&l);
    stop(&m);
    store = store_open(
        &(struct store_options){
            .dir = dir, .limit = 1 << 30, .segment_size = 1 << 26, .dedup_window = SECOND, .dedup_ids = 1000},
        &e);
    CHECK(store != NULL);
    ledger_read_store(store, &l);
    CHECK(l.balanced);
    CHECK_INT(l.in, 20);
    CHECK(output_of(&l, "null.0") != NULL);
    CHECK_INT(output_of(&l, "null.0")->delivered, 20);
    CHECK_INT(output_of(&l, "null.0")->pending, 0);
    ledger_free(&l);
    store_close(store);
    fresh_dir();
}

/* An output that is no longer configured keeps its place in the ledger, and what it owes is what its cursor lacks. */
TEST(an_orphan_is_shown_and_can_unbalance)
{
    struct store *store;
    struct cursor *c;
    struct cursor_state state = {0};
    bool fresh;
    struct machine m;
    struct ledger l;
    struct err e = {0};

    fresh_dir();
    store = store_open(
        &(struct store_options){
            .dir = dir, .limit = 1 << 30, .segment_size = 1 << 26, .dedup_window = SECOND, .dedup_ids = 1000},
        &e);
    c = cursor_open(store, STR("old"), &state, &fresh, &e);
    CHECK(c && fresh);
    state.delivered = state.consumed = 3; /* which nobody routed */
    CHECK(cursor_save(c, &state, true, &e));
    cursor_close(c);
    cursor_state_free(&state);
    store_close(store);
    start(&m, "filesystem", "1");
    ledger_read(m.pipeline, &l);
    CHECK(!l.balanced);
    CHECK_INT(l.noutputs, 2);
    CHECK(output_of(&l, "old") && output_of(&l, "old")->orphan);
    CHECK_INT(output_of(&l, "old")->delivered, 3);
    ledger_free(&l);
    stop(&m);
    fresh_dir();
}

TEST(ledgers_as_text_and_json)
{
    struct ledger_output outputs[] = {
        {.name = "a \"b\"", .routed = 10, .delivered = 7, .pending = 1, .quarantined = 1, .dropped = 1},
        {.name = "old", .pending = 2, .routed = 2, .orphan = true}};
    struct ledger l = {.in = 1,
                       .created = 2,
                       .filtered = 3,
                       .deduplicated = 4,
                       .quarantined = 5,
                       .dropped = 6,
                       .unrouted = 7,
                       .held = 8,
                       .logged = 9,
                       .outputs = outputs,
                       .noutputs = 2,
                       .balanced = true};
    struct buf out = {0};

    ledger_json(&l, &out);
    CHECK_STR(
        buf_view(&out),
        "{\"in\":1,\"created\":2,\"filtered\":3,\"deduplicated\":4,\"quarantined\":5,\"dropped\":6,\"unrouted\":7,"
        "\"held\":8,\"logged\":9,\"outputs\":{\"a \\\"b\\\"\":{\"routed\":10,\"delivered\":7,\"pending\":1,"
        "\"quarantined\":1,\"dropped\":1},\"old\":{\"routed\":2,\"delivered\":0,\"pending\":2,\"quarantined\":0,"
        "\"dropped\":0,\"orphan\":true}},\"balanced\":true}\n");
    buf_clear(&out);
    l.balanced = false;
    l.noutputs = 1;
    ledger_text(&l, &out);
    CHECK_STR(
        buf_view(&out),
        "in 1 + created 2 = filtered 3 + deduplicated 4 + quarantined 5 + dropped 6 + unrouted 7 + held 8 + logged 9\n"
        "a \"b\": routed 10 = delivered 7 + pending 1 + quarantined 1 + dropped 1\nNOT BALANCED\n");
    l.noutputs = 2;
    ledger_text(&l, &out);
    CHECK(str_find(buf_view(&out),
                   STR("\nold: routed 2 = delivered 0 + pending 2 + quarantined 0 + dropped 0 (not in the "
                       "configuration")) != SIZE_MAX);
    buf_clear(&out);
    l.noutputs = 0;
    ledger_json(&l, &out);
    CHECK(str_ends(buf_view(&out), STR("\"outputs\":{},\"balanced\":false}\n")));
    buf_free(&out);
}

/* ---- the admin port ---- */

static const struct request {
    const char *method, *path, *status, *part; /* part: of the answer */
} requests[] = {
    {"GET", "/", "200", "{\"weir\":{\"version\":\"9.9\"}}"},
    {"GET", "/api/v1/uptime", "200", "\"uptime_sec\":"},
    {"GET", "/api/v1/metrics", "200", "\"dummy.0\":{\"records\":"},
    {"GET", "/api/v1/metrics/prometheus", "200", "fluentbit_input_records_total{name=\"dummy.0\"} "},
    {"GET", "/api/v1/health", "200", "ok\n"},
    {"GET", "/api/v2/metrics", "200", " fluentbit_uptime = "},
    {"GET", "/api/v2/metrics/prometheus", "200", "# TYPE weir_held_events gauge\n"},
    {"GET", "/ledger", "200", "\"balanced\":true"},
    {"GET", "/ledger.txt", "200", "\nbalanced\n"},
    {"HEAD", "/ledger", "200", "Content-Type: application/json"},
    {"POST", "/ledger", "405", "Allow: GET, HEAD"},
    {"GET", "/nothing", "404", "no such page"},
    {"POST", "/quarantine/replay", "404", ""}, /* only over the control socket */
};

static void ask(int port, const struct request *r)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    struct buf text = {0};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    ssize_t got;

    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK(connect(fd, (struct sockaddr *)&at, sizeof at) == 0);
    buf_fmt(&text, "%s %s HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", r->method, r->path);
    CHECK(io_write_all(fd, text.p, text.n) == (ssize_t)text.n);
    buf_clear(&text);
    while ((got = read(fd, buf_room(&text, 4096), 4096)) > 0)
        text.n += (size_t)got;
    close(fd);
    if (text.n < 12 || strncmp(text.p + 9, r->status, 3) || str_find(buf_view(&text), str_of(r->part)) == SIZE_MAX) {
        fprintf(stderr, "%s %s: %.*s\n", r->method, r->path, (int)text.n, text.p);
        CHECK(!"the answer");
    }
    buf_free(&text);
}

static void control(const char *path, const char *method, enum control want, const char *part)
{
    struct buf body = {0};
    struct err e = {0};

    CHECK_INT(control_ask(dir, method, path, &body, &e), want);
    CHECK(strstr(want == CONTROL_OK ? buf_text(&body) : e.text, part) != NULL);
    buf_free(&body);
}

static void *ask_all(void *arg)
{
    struct machine *m = arg;

    for (size_t i = 0; i < ARRAY_LEN(requests); i++)
        ask(admin_port(m->admin), &requests[i]);
    control("/ledger", "GET", CONTROL_OK, "\"balanced\":true");
    control("/quarantine/replay", "POST", CONTROL_OK, "{\"replayed\":0}");
    control("/quarantine/replay?id=x&reason=y&output=z&since=5", "POST", CONTROL_OK, "{\"replayed\":0}");
    control("/nothing", "GET", CONTROL_FAILED, "no such page");
    loop_stop(m->main);
    return NULL;
}

TEST(the_admin_port_and_the_control_socket)
{
    struct machine m;
    struct err e = {0};
    struct buf body = {0};

    fresh_dir();
    start(&m, "filesystem", "3");
    m.admin = admin_start(m.main, m.pipeline, "9.9", &e);
    CHECK(m.admin != NULL);
    CHECK(admin_port(m.admin) > 0);
    run_until(&m, 3);
    CHECK(pthread_create(&m.asker, NULL, ask_all, &m) == 0);
    loop_run(m.main);
    pthread_join(m.asker, NULL);
    admin_stop(m.admin);
    admin_stop(NULL);
    CHECK_INT(control_ask(dir, "GET", "/ledger", &body, &e), CONTROL_NOT_RUNNING);
    buf_free(&body);
    stop(&m);
    fresh_dir();
}

/* ---- storage.type memory: a file of positions ---- */

static _Atomic int times_done;

static void done_once(struct txn *txn, bool durable)
{
    (void)txn;
    CHECK(durable);
    times_done++;
}

static void set_position(struct store *s, const char *value)
{
    struct txn txn = {.done = done_once};
    int before = times_done;

    txn_open(&txn);
    image_write_position(&txn.bytes, STR("tail.0"), STR("file"), str_of(value));
    txn_close(&txn, FRAME_TAILPOS, 1);
    log_append(store_log(s), &txn);
    while (times_done == before)
        usleep(200);
    txn_free(&txn);
}

static void see_position(void *arg, const struct image *image)
{
    struct buf *out = arg;
    struct map_entry *m = map_next(&image->positions, NULL);

    buf_clear(out);
    if (m)
        buf_str(out, buf_view(m->value));
}

static void check_position(struct pipeline *p, const char *want)
{
    struct buf seen = {0};

    store_image(pipeline_store(p), see_position, &seen);
    CHECK_STR(buf_view(&seen), want);
    buf_free(&seen);
}

TEST(positions_outlive_a_memory_store)
{
    struct machine m;
    char path[96];
    int fd;

    fresh_dir();
    start(&m, "memory", "1");
    run_until(&m, 1);
    check_position(m.pipeline, "");
    set_position(pipeline_store(m.pipeline), "42");
    stop(&m);
    start(&m, "memory", "1");
    check_position(m.pipeline, "42");
    run_until(&m, 1);
    set_position(pipeline_store(m.pipeline), "43");
    set_position(pipeline_store(m.pipeline), "44");
    stop(&m);
    start(&m, "memory", "1");
    check_position(m.pipeline, "44");
    stop(&m);
    /* A damaged file is as none. */
    snprintf(path, sizeof path, "%s/positions", dir);
    fd = open(path, O_RDWR);
    CHECK(pwrite(fd, "x", 1, 10) == 1);
    close(fd);
    start(&m, "memory", "1");
    check_position(m.pipeline, "");
    stop(&m);
    fresh_dir();
}

TEST(what_stops_a_start)
{
    struct err e = {0};
    struct loop *loop = loop_new();
    struct config *config;
    int fd;

    fresh_dir();
    fd = open(dir, O_CREAT | O_WRONLY, 0600); /* a file where the store should be */
    close(fd);
    config = config_of("filesystem", "1");
    CHECK(pipeline_new(config, loop, &e) == NULL);
    CHECK(strstr(e.text, dir) != NULL);
    config_free(config);
    config = config_of("memory", "1");
    CHECK(pipeline_new(config, loop, &e) == NULL);
    CHECK(strstr(e.text, dir) != NULL);
    config_free(config);
    pipeline_free(NULL);
    loop_free(loop);
    unlink(dir);
}

/* ---- replay ---- */

static bool all(void *arg, const struct quarantine_entry *entry)
{
    ++*(int *)arg;
    CHECK(entry->sealed);
    return true;
}

static bool none(void *arg, const struct quarantine_entry *entry)
{
    (void)entry;
    ++*(int *)arg;
    return false;
}

static bool count_entry(void *arg, const struct quarantine_entry *entry, bool replayed)
{
    (void)entry;
    *(int *)arg += !replayed;
    return true;
}

/* How many wait in the files, when they are as many as `want` or a while has passed. */
static int waiting(int want)
{
    int n = 0;

    for (int i = 0; i < 300; i++) {
        int fd = open(dir, O_RDONLY | O_DIRECTORY);
        struct err e = {0};
        struct quarantine *q = quarantine_open(fd, false, &e);
        n = 0;
        CHECK(q && quarantine_each(q, count_entry, &n, &e));
        quarantine_close(q);
        close(fd);
        if (n == want)
            break;
        usleep(10000);
    }
    return n;
}

static void ledger_has(struct machine *m, uint64_t in, uint64_t created, uint64_t quarantined, uint64_t logged)
{
    struct ledger l;

    ledger_read(m->pipeline, &l);
    CHECK(l.balanced);
    CHECK_INT(l.in, in);
    CHECK_INT(l.created, created);
    CHECK_INT(l.quarantined, quarantined);
    CHECK_INT(l.logged, logged);
    ledger_free(&l);
}

static void remove_key(void)
{
    char path[96];

    snprintf(path, sizeof path, "%s.quarantine-key", dir);
    unlink(path);
}

TEST(a_replay_goes_through_the_rules_of_now)
{
    struct machine m;
    struct err e = {0};
    int asked = 0;

    fresh_dir();
    rule = "function cb(tag, ts, record) error('bad') end";
    start(&m, "filesystem", "3");
    CHECK_INT(waiting(3), 3);
    CHECK_INT(pipeline_replay(m.pipeline, none, &asked, &e), 0);
    CHECK_INT(asked, 3);
    CHECK_INT(pipeline_replay(m.pipeline, all, &asked, &e), 3); /* refused again: three new entries */
    CHECK_INT(waiting(3), 3);
    ledger_has(&m, 3, 3, 6, 0);
    stop(&m);
    rule = "function cb(tag, ts, record) return 0 end";
    start(&m, "filesystem", "1");
    run_until(&m, 1);
    CHECK_INT(pipeline_replay(m.pipeline, all, &asked, &e), 3);
    run_until(&m, 4);
    ledger_has(&m, 4, 6, 6, 4);
    CHECK_INT(pipeline_replay(m.pipeline, all, &asked, &e), 0);
    CHECK_INT(waiting(0), 0);
    stop(&m);
    rule = NULL;
    fresh_dir();
    remove_key();
}

/* Without the key that sealed them the entries stay where they are. */
TEST(a_replay_without_the_key)
{
    struct machine m;
    struct err e = {0};
    int asked = 0;

    fresh_dir();
    rule = "function cb(tag, ts, record) error('bad') end";
    start(&m, "filesystem", "2");
    CHECK_INT(waiting(2), 2);
    stop(&m);
    remove_key(); /* another one is made */
    rule = NULL;
    start(&m, "filesystem", "1");
    CHECK_INT(pipeline_replay(m.pipeline, all, &asked, &e), 0);
    CHECK_INT(waiting(2), 2);
    stop(&m);
    fresh_dir();
    remove_key();
}

/* A plugin that cannot start leaves nothing behind: the store can be opened again at once. */
TEST(a_start_that_fails_half_way)
{
    struct machine m = {.main = loop_new()};
    struct err e = {0};

    fresh_dir();
    rule = "function other() end";
    m.config = config_of("filesystem", "1");
    m.pipeline = pipeline_new(m.config, m.main, &e);
    CHECK(m.pipeline != NULL);
    CHECK(!pipeline_start(m.pipeline, &e));
    CHECK(strstr(e.text, "cb") != NULL);
    pipeline_free(m.pipeline);
    config_free(m.config);
    loop_free(m.main);
    rule = NULL;
    start(&m, "filesystem", "1");
    run_until(&m, 1);
    stop(&m);
    fresh_dir();
    remove_key();
}

/* ---- an output that is new to a store with events ---- */

static void begins(const char *from, uint64_t delivered)
{
    struct machine m;
    struct ledger l;

    fresh_dir();
    start(&m, "filesystem", "5");
    run_until(&m, 5);
    stop(&m);
    second = from;
    for (int again = 1; again <= 2; again++) { /* the same after a restart */
        start(&m, "filesystem", "1");
        m.want_second = delivered + (uint64_t)again;
        run_until(&m, 5 + (uint64_t)again);
        ledger_read(m.pipeline, &l);
        CHECK(l.balanced);
        CHECK(output_of(&l, "second") != NULL);
        CHECK_INT(output_of(&l, "second")->delivered, m.want_second);
        CHECK_INT(output_of(&l, "second")->routed, m.want_second);
        CHECK_INT(output_of(&l, "second")->pending, 0);
        CHECK_INT(output_of(&l, "null.0")->delivered, 5 + again);
        ledger_free(&l);
        stop(&m);
    }
    second = NULL;
    fresh_dir();
    remove_key();
}

TEST(a_new_output_begins_where_it_is_told)
{
    begins("now", 0);
    begins("oldest", 5);
}
