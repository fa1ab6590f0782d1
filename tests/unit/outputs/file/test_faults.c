/* SPDX-License-Identifier: Apache-2.0 */
/* Every single fault: a run is killed at its first, second, third ... call that changes a file, or that call fails; a
 * second run goes on from the last durable checkpoint.  Each event must be in the files once. */
#include "dir.h"

#include <errno.h>

enum { EVENTS = 8, PER_CHECKPOINT = 2, CALLS_MAX = 2000 };

static struct io hurt;
static int calls, at; /* `at` 0: never */
static bool kills;
static int64_t ahead;

static bool fault(void)
{
    if (++calls != at)
        return false;
    if (kills)
        kill(getpid(), SIGKILL);
    errno = EIO;
    return true;
}

static ssize_t hurt_write(int fd, const void *p, size_t n)
{
    if (fault())
        return -1;
    /* In two halves, so that a kill can come between. */
    ssize_t half = write(fd, p, (n + 1) / 2);
    if (half < (ssize_t)n && fault())
        return -1;
    return half;
}

static int hurt_fdatasync(int fd)
{
    return fault() ? -1 : fdatasync(fd);
}

static int hurt_fsync(int fd)
{
    return fault() ? -1 : fsync(fd);
}

static int hurt_ftruncate(int fd, off_t n)
{
    return fault() ? -1 : ftruncate(fd, n);
}

static int64_t hurt_wall(void)
{
    return io_system.wall() + ahead;
}

static void hurt_io(int n, bool by_kill)
{
    hurt = io_system;
    hurt.write = hurt_write;
    hurt.fdatasync = hurt_fdatasync;
    hurt.fsync = hurt_fsync;
    hurt.ftruncate = hurt_ftruncate;
    hurt.wall = hurt_wall;
    io = &hurt;
    calls = 0;
    at = n;
    kills = by_kill;
}

/* The machine's cursor: position and the output's state in one atomic write. */
static bool save(struct play *p, uint32_t position)
{
    CLEANUP(buf_free) struct buf state = {0};
    char path[128], hidden[136];
    struct err e = {""};
    int fd;
    buf_le32(&state, position);
    if (!output_file.output->checkpoint(p->f.instance, &state, &e))
        return false;
    snprintf(path, sizeof(path), "%s/cursor", p->base);
    snprintf(hidden, sizeof(hidden), "%s.new", path);
    fd = open(hidden, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (fault()) { /* the cursor cannot be saved */
        close(fd);
        return false;
    }
    CHECK(write(fd, state.p, state.n) == (ssize_t)state.n);
    close(fd);
    CHECK(!rename(hidden, path));
    fault(); /* a kill between the cursor and what follows it */
    output_file.output->settled(p->f.instance);
    return true;
}

/* False: it has to be started again. */
static bool run(struct play *p)
{
    CLEANUP(buf_free) struct buf state = {0};
    struct err e = {""};
    uint32_t position = 0;
    ahead = 0;
    slurp(p, p->base, "cursor", &state);
    if (state.n)
        position = (uint8_t)state.p[0];
    if (!play_start(p, NULL, &e))
        return false;
    if (!output_file.output->restore(p->f.instance, str_from(buf_view(&state), state.n ? 4 : 0), &e))
        return false;
    for (unsigned attempts = 0; position < EVENTS; attempts++) {
        char a[64], b[64];
        struct fake_event events[] = {{"a", T0, a, NULL}, {"b", T0 + 3600 * SEC, b, NULL}};
        if (attempts > 4 * EVENTS)
            return false;
        snprintf(a, sizeof(a), "{\"a\":%u}", position);
        snprintf(b, sizeof(b), "{\"b\":%u}", position);
        if (fake_write(&p->f, events, 2, &e) != DONE)
            continue;
        position++;
        ahead += 100 * SEC;
        output_file.output->tick(p->f.instance);
        if (position % PER_CHECKPOINT == 0)
            save(p, position);
    }
    for (unsigned i = 0; i < 3; i++)
        if (!save(p, position) && i == 2)
            return false;
    output_file.output->stop(p->f.instance);
    p->f.started = false;
    return true;
}

static void count_lines(struct str text, unsigned seen[2][EVENTS])
{
    while (text.n) {
        struct str line = str_cut(&text, '\n');
        unsigned n;
        char which, copy[64];
        snprintf(copy, sizeof(copy), STR_FMT, STR_ARG(line));
        if (sscanf(copy, "{\"%c\":%u}", &which, &n) == 2 && n < EVENTS)
            seen[which == 'b'][n]++;
        else
            CHECK_STR(line, "a whole line");
    }
}

static bool once(struct play *p)
{
    CLEANUP(buf_free) struct buf all = {0}, bytes = {0}, text = {0};
    unsigned seen[2][EVENTS] = {{0}}, before = test_failures;
    struct err e;
    list_into(p->root, "", &all);
    for (struct str rest = buf_view(&all); rest.n;) {
        struct str line = str_cut(&rest, '\n');
        char name[256];
        snprintf(name, sizeof(name), STR_FMT, STR_ARG(line));
        slurp(p, p->root, name, &bytes);
        buf_clear(&text);
        if (str_starts(line, STR(".")))
            CHECK_STR(line, "nothing hidden");
        if (!str_ends(line, STR(".gz")))
            buf_str(&text, buf_view(&bytes));
        else
            CHECK_INT(codec_decompress(CODEC_GZIP, buf_view(&bytes), 1 << 20, 0, &text, &e), INFLATE_OK);
        count_lines(buf_view(&text), seen);
    }
    for (unsigned i = 0; i < EVENTS; i++)
        CHECK(seen[0][i] == 1 && seen[1][i] == 1);
    return test_failures == before;
}

/* Runs in a process of its own; true: it came to its end. */
static bool run_apart(struct play *p, int n, bool by_kill)
{
    int status = 0;
    pid_t child;
    fflush(NULL);
    child = fork();
    if (!child) {
        unsigned before = test_failures;
        bool done;
        log_setup(LOG_OFF, NULL, false, NULL);
        hurt_io(n, by_kill);
        done = run(p);
        if (test_failures != before)
            _exit(4);
        _exit(done ? n && calls >= n ? 2 : 0 : 3);
    }
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(!(WIFEXITED(status) && WEXITSTATUS(status) == 4));
    return WIFEXITED(status) && (WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 2);
}

static void every_fault(const char *props, bool by_kill)
{
    int n = 1;
    for (; n < CALLS_MAX; n++) {
        struct play p;
        bool ended;
        play_begin(&p);
        strcpy(p.props, props);
        ended = run_apart(&p, n, by_kill);
        if (!ended)
            CHECK(run_apart(&p, 0, false));
        if (!once(&p))
            fprintf(stderr, "the fault was call %d (%s)\n", n, by_kill ? "kill" : "EIO");
        if (ended && by_kill) {
            play_end(&p);
            break; /* the run has fewer calls than that */
        }
        play_end(&p);
        if (!by_kill && n > 40)
            break;
    }
    CHECK(n > 20 && n < CALLS_MAX);
}

TEST(killed_while_appending)
{
    every_fault("format plain", true);
}

TEST(killed_while_few_files_may_be_open)
{
    every_fault("format plain\nmax_dynamic_files 2\nrotate on\nrotate_max_size 1024", true);
}

TEST(killed_while_rolling)
{
    every_fault("path_template dt=%Y-%m-%d/$TAG-%H\nformat plain", true);
    every_fault("path_template dt=%Y-%m-%d/$TAG-%H\nformat json_lines\ncompress gzip", true);
}

TEST(failing_while_appending)
{
    every_fault("format plain", false);
}

TEST(failing_while_rolling)
{
    every_fault("path_template dt=%Y-%m-%d/$TAG-%H\nformat json_lines\ncompress gzip", false);
}
