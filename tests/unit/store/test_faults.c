/* SPDX-License-Identifier: Apache-2.0 */
/* Errors of the disk, injected into the io table at a given call. */
#include "store_help.h"

#include <errno.h>

enum call { PWRITEV, FDATASYNC, FSYNC, OPENAT, FALLOCATE, RENAMEAT, CALLS };

static struct {
    _Atomic int in[CALLS];   /* calls until it fails; 0: never */
    _Atomic int for_[CALLS]; /* and how many fail */
    _Atomic int count[CALLS];
    int error;
} fault;

static bool fails(enum call call)
{
    atomic_fetch_add(&fault.count[call], 1);
    if (!atomic_load(&fault.in[call]) || atomic_fetch_sub(&fault.in[call], 1) > 1)
        return false;
    atomic_store(&fault.in[call], atomic_fetch_sub(&fault.for_[call], 1) > 1 ? 1 : 0);
    errno = fault.error;
    return true;
}

static ssize_t fault_pwritev(int fd, const struct iovec *v, int n, off_t at)
{
    return fails(PWRITEV) ? -1 : io_system.pwritev(fd, v, n, at);
}

static int fault_fdatasync(int fd)
{
    return fails(FDATASYNC) ? -1 : io_system.fdatasync(fd);
}

static int fault_fsync(int fd)
{
    char link[64], path[256];
    ssize_t n;

    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    n = readlink(link, path, sizeof path - 1);
    path[n > 0 ? n : 0] = 0;
    if (!str_ends(str_of(path), STR("/log"))) /* only the log's directory counts */
        return io_system.fsync(fd);
    return fails(FSYNC) ? -1 : io_system.fsync(fd);
}

static int fault_openat(int dir, const char *path, int flags, mode_t mode)
{
    return (flags & O_CREAT) && fails(OPENAT) ? -1 : io_system.openat(dir, path, flags, mode);
}

static int fault_fallocate(int fd, int mode, off_t at, off_t n)
{
    return fails(FALLOCATE) ? -1 : io_system.fallocate(fd, mode, at, n);
}

static int fault_renameat(int from_dir, const char *from, int to_dir, const char *to)
{
    return fails(RENAMEAT) ? -1 : io_system.renameat(from_dir, from, to_dir, to);
}

static struct io fault_io;

static void faults_on(void)
{
    memset(&fault, 0, sizeof fault);
    fault.error = EIO;
    fault_io = io_system;
    fault_io.pwritev = fault_pwritev;
    fault_io.fdatasync = fault_fdatasync;
    fault_io.fsync = fault_fsync;
    fault_io.openat = fault_openat;
    fault_io.fallocate = fault_fallocate;
    fault_io.renameat = fault_renameat;
    io = &fault_io;
}

static void plan(enum call call, int in, int for_)
{
    atomic_store(&fault.for_[call], for_);
    atomic_store(&fault.in[call], in);
}

/* The log thread makes its spare at leisure; faults are aimed at what comes after. */
static struct store *open_quiet(const struct store_options *o)
{
    struct store *s = must_open(o);

    CHECK(put(s, "first"));
    for (int i = 0; i < 2000; i++) {
        bool ready;
        pthread_mutex_lock(&store_log(s)->lock);
        ready = store_log(s)->spare == SPARE_READY && store_log(s)->idle;
        pthread_mutex_unlock(&store_log(s)->lock);
        if (ready)
            break;
        usleep(1000);
    }
    return s;
}

static void one_failure(enum call call, int error)
{
    struct store_options o = options_of(fresh_dir("once"));
    struct store *s;

    faults_on();
    fault.error = error;
    s = open_quiet(&o);
    plan(call, 1, 1);
    CHECK(put(s, "second")); /* a fresh segment took it */
    CHECK_LOG(s, "first second");
    CHECK(put(s, "third"));
    CHECK_LOG(s, "first second third");
    CHECK(store_room(s) == STORE_ROOM);
    store_close(s);
    s = must_open(&o);
    CHECK_LOG(s, "first second third");
    store_close(s);
    io = &io_system;
    remove_tree(o.dir);
}

TEST(fdatasync_fails_once)
{
    one_failure(FDATASYNC, EIO);
    one_failure(FDATASYNC, ENOSPC);
}

TEST(pwritev_fails_once)
{
    one_failure(PWRITEV, EIO);
    one_failure(PWRITEV, EINTR);
}

TEST(every_commit_is_synced)
{
    struct store_options o = options_of(fresh_dir("synced"));
    struct store *s;
    int before;

    faults_on();
    s = open_quiet(&o);
    for (int i = 0; i < 5; i++) {
        before = atomic_load(&fault.count[FDATASYNC]);
        CHECK(put(s, "x"));
        CHECK(atomic_load(&fault.count[FDATASYNC]) > before);
    }
    store_close(s);
    o.sync = STORE_OS;
    s = must_open(&o);
    CHECK(put(s, "y"));
    before = atomic_load(&fault.count[FDATASYNC]);
    CHECK(put(s, "z"));
    CHECK_INT(atomic_load(&fault.count[FDATASYNC]), before);
    store_close(s);
    io = &io_system;
    remove_tree(o.dir);
}

static void trouble(enum call call, int n)
{
    struct store_options o = options_of(fresh_dir("trouble"));
    struct store *s;
    uint64_t durable;

    faults_on();
    s = open_quiet(&o);
    durable = log_durable(store_log(s));
    if (call != FDATASYNC)
        plan(FDATASYNC, 1, 1);
    plan(call, 1, n);
    CHECK(!put(s, "refused"));
    CHECK(store_room(s) == STORE_TROUBLE);
    CHECK(!put(s, "refused too"));
    CHECK_INT(log_durable(store_log(s)), durable);
    CHECK_LOG(s, "first");
    plan(call, 0, 0);
    plan(FDATASYNC, 0, 0);
    for (int i = 0; store_room(s) != STORE_ROOM && i < 10000; i++)
        usleep(1000);
    CHECK(store_room(s) == STORE_ROOM);
    CHECK(put(s, "second"));
    CHECK_LOG(s, "first second");
    store_close(s);
    s = must_open(&o);
    CHECK_LOG(s, "first second");
    store_close(s);
    io = &io_system;
    remove_tree(o.dir);
}

TEST(trouble_of_fdatasync)
{
    trouble(FDATASYNC, 1000);
}

TEST(trouble_of_the_directory)
{
    trouble(FSYNC, 1000);
    trouble(RENAMEAT, 1000);
    trouble(OPENAT, 1000);
}

TEST(refused_ones_stay_unseen_after_a_kill)
{
    struct store_options o = options_of(fresh_dir("unseen"));
    struct store *s;
    char command[400];

    faults_on();
    s = open_quiet(&o);
    plan(FDATASYNC, 1, 1000);
    CHECK(!put(s, "refused"));
    /* What another process would find if this one died now. */
    snprintf(command, sizeof command, "rm -rf %s-copy && cp -r %s %s-copy", o.dir, o.dir, o.dir);
    CHECK_INT(system(command), 0);
    plan(FDATASYNC, 0, 0);
    store_close(s);
    io = &io_system;
    snprintf(command, sizeof command, "%s-copy", o.dir);
    {
        struct store_options copy = o;
        copy.dir = command;
        s = must_open(&copy);
        CHECK_LOG(s, "first");
        store_close(s);
        remove_tree(command);
    }
    remove_tree(o.dir);
}

/* No room for the next segment is known before the present one is full: told early, and what is under way still fits.
 */
TEST(disk_full_is_seen_early)
{
    struct store_options o = options_of(fresh_dir("early"));
    struct store *s;
    struct stat st;
    char big[20000], spare[200];

    memset(big, 'b', sizeof big);
    big[sizeof big - 1] = 0;
    faults_on();
    fault.error = ENOSPC;
    s = open_quiet(&o);
    for (int i = 0; i < 2; i++)
        CHECK(put(s, big));
    /* More than half full: the spare is made, after the answer. */
    snprintf(spare, sizeof spare, "%s/log/next", o.dir);
    for (int i = 0; (stat(spare, &st) || st.st_size < o.segment_size) && i < 10000; i++)
        usleep(1000);
    plan(FALLOCATE, 1, 1000000);
    CHECK(put(s, big)); /* into the spare; there is no other */
    CHECK(put(s, big));
    for (int i = 0; store_room(s) != STORE_TROUBLE && i < 5000; i++)
        usleep(1000);
    CHECK(store_room(s) == STORE_TROUBLE);
    CHECK(put(s, "a verdict that was under way"));
    plan(FALLOCATE, 0, 0);
    for (int i = 0; store_room(s) != STORE_ROOM && i < 10000; i++)
        usleep(1000);
    CHECK(store_room(s) == STORE_ROOM);
    store_close(s);
    io = &io_system;
    remove_tree(o.dir);
}

/* The first acknowledgement in a new segment comes after its name is on the disk. */
TEST(directory_synced_before_the_first_answer)
{
    struct store_options o = options_of(fresh_dir("dirsync"));
    struct store *s;
    char big[30000];
    int before;

    memset(big, 'b', sizeof big);
    big[sizeof big - 1] = 0;
    faults_on();
    s = open_quiet(&o);
    CHECK(put(s, big));
    CHECK(put(s, big)); /* full */
    before = atomic_load(&fault.count[FSYNC]);
    CHECK(put(s, big));
    CHECK(atomic_load(&fault.count[FSYNC]) > before);
    store_close(s);
    io = &io_system;
    remove_tree(o.dir);
}

TEST(quota)
{
    struct store_options o = options_of(fresh_dir("quota"));
    struct store *s;
    struct cursor *c;
    struct cursor_state state = {0};
    bool fresh;
    char big[4000];
    int n = 0;

    io = &io_system;
    o.limit = 256 << 10;
    s = must_open(&o);
    c = cursor_open(s, STR("out"), &state, &fresh, NULL);
    memset(big, 'q', sizeof big);
    big[sizeof big - 1] = 0;
    while (store_room(s) == STORE_ROOM && n++ < 1000)
        CHECK(put(s, big));
    CHECK(store_room(s) == STORE_FULL);
    CHECK(store_bytes(s) >= o.limit / 100 * 95 && store_bytes(s) < o.limit * 2);
    CHECK(put(s, "what was under way still goes in"));
    state.lsn = 5;
    CHECK(cursor_save(c, &state, true, NULL));
    store_trim(s);
    CHECK(store_room(s) == STORE_FULL); /* not below 80 % yet */
    state.lsn = log_durable(store_log(s));
    CHECK(cursor_save(c, &state, true, NULL));
    store_trim(s);
    for (int i = 0; store_room(s) != STORE_ROOM && i < 5000; i++)
        usleep(1000);
    CHECK(store_room(s) == STORE_ROOM);
    CHECK(put(s, "more"));
    cursor_close(c);
    store_close(s);
    remove_tree(o.dir);
}

/* One transaction larger than the whole quota: it is taken, delivered, and the log empties again. */
TEST(huge_transaction)
{
    struct store_options o = options_of(fresh_dir("huge"));
    struct store *s;
    struct cursor *c;
    struct cursor_state state = {0};
    bool fresh;
    char *huge = alloc_raw(400000);

    io = &io_system;
    memset(huge, 'h', 400000);
    huge[399999] = 0;
    o.limit = 256 << 10;
    s = must_open(&o);
    c = cursor_open(s, STR("out"), &state, &fresh, NULL);
    CHECK(put(s, huge));
    CHECK(store_room(s) == STORE_FULL);
    CHECK_LOG(s, "hhhhhhhhhhhhhhhhhhhhhhhh");
    state.lsn = log_durable(store_log(s));
    CHECK(cursor_save(c, &state, true, NULL));
    store_trim(s);
    for (int i = 0; store_room(s) != STORE_ROOM && i < 5000; i++)
        usleep(1000);
    CHECK(store_room(s) == STORE_ROOM);
    cursor_close(c);
    store_close(s);
    free(huge);
    remove_tree(o.dir);
}

static void *sleeper(void *arg)
{
    struct store *s = arg;

    log_wait(store_log(s), 1, 20 * SECOND, NULL);
    return NULL;
}

TEST(wait_and_wake)
{
    struct store_options o = options_of(NULL);
    struct store *s = must_open(&o);
    pthread_t thread;
    int64_t before;

    CHECK(!pthread_create(&thread, NULL, sleeper, s));
    CHECK(put(s, "x"));
    pthread_join(thread, NULL);
    CHECK(!pthread_create(&thread, NULL, sleeper, s)); /* returns at once */
    pthread_join(thread, NULL);
    before = io->monotonic();
    log_wait(store_log(s), 2, 20 * MILLISECOND, NULL);
    CHECK(io->monotonic() - before >= 20 * MILLISECOND);
    store_close(s);
}
