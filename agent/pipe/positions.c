/* SPDX-License-Identifier: Apache-2.0 */
#include "pipe/positions.h"

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/crc32c.h"
#include "base/io.h"
#include "base/log.h"
#include "base/reader.h"
#include "pipe/pipeline.h"
#include "pipe/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

/* The file: "weirpos1", then per position the lengths (varints) and bytes of key ("input\0key") and value, then the
 * CRC-32C of all before it. */
#define MAGIC STR("weirpos1")
enum { FILE_MAX = 64 * 1024 * 1024 };

struct positions {
    int dir;
    struct store *store;
    struct loop *main;
    struct timer second;
    struct pipeline *pipeline;
    struct buf snapshot; /* of the image: everything below `from`, and nothing from `lsn` on */
    uint64_t from, lsn;
    enum { SAVED, FRESH, WAITING } state; /* FRESH: lsn is not known yet; WAITING: for the outputs to pass lsn */
};

/* Every folder of the path, as far as it is missing. */
static bool make_dirs(const char *path, struct err *e)
{
    CLEANUP(cleanup_free) char *part = alloc_text(path, strlen(path));

    for (char *p = part + 1; *p; p++)
        if (*p == '/') {
            *p = 0;
            io->mkdirat(AT_FDCWD, part, 0700);
            *p = '/';
        }
    if (io->mkdirat(AT_FDCWD, path, 0700) && errno != EEXIST)
        return err_errno(e, "cannot make %s", path);
    return true;
}

static bool read_file(int dir, struct buf *out)
{
    CLEANUP(cleanup_fd) int fd = io->openat(dir, "positions", O_RDONLY | O_NOFOLLOW, 0);
    struct stat st;
    ssize_t got;

    if (fd < 0 || io->fstat(fd, &st) || st.st_size > FILE_MAX)
        return false;
    got = io_pread_all(fd, buf_room(out, (size_t)st.st_size), (size_t)st.st_size, 0);
    out->n = got > 0 ? (size_t)got : 0;
    return out->n > MAGIC.n + 4;
}

static void seeded(struct txn *txn, bool durable)
{
    (void)durable;
    txn_free(txn);
    free(txn);
}

/* The old positions become the first transaction of the new log, so that the image is the whole truth from then on. */
static void seed(struct store *store, struct str file)
{
    struct txn *txn = alloc_new(sizeof *txn);
    struct str body = {file.p, file.n - 4};
    struct reader tail = reader_of(str_from(file, body.n)), r = reader_of(str_from(body, MAGIC.n));
    uint64_t before = log_durable(store_log(store));

    if (!str_starts(file, MAGIC) || reader_le32(&tail) != crc32c(0, body.p, body.n)) {
        log_warn("the file of positions is damaged; inputs begin as if there were none");
        free(txn);
        return;
    }
    while (reader_left(&r) && !r.bad) {
        struct str key = reader_bytes(&r, reader_varint(&r)), value = reader_bytes(&r, reader_varint(&r));
        struct str input = str_cut(&key, '\0');
        if (r.bad)
            break;
        txn_open(txn);
        image_write_position(&txn->bytes, input, key, value);
        txn_close(txn, FRAME_TAILPOS, 1);
    }
    if (!txn->frames) {
        free(txn);
        return;
    }
    txn->done = seeded;
    log_append(store_log(store), txn);
    log_wait(store_log(store), before, 5 * SECOND, NULL);
}

struct positions *positions_open(const char *dir, struct store *store, struct err *e)
{
    struct positions *p = alloc_new(sizeof *p);
    CLEANUP(buf_free) struct buf file = {0};

    p->store = store;
    p->dir = make_dirs(dir, e) ? io->openat(AT_FDCWD, dir, O_RDONLY | O_DIRECTORY, 0) : -1;
    if (p->dir < 0) {
        err_errno(e, "cannot open %s", dir);
        free(p);
        return NULL;
    }
    if (read_file(p->dir, &file))
        seed(store, buf_view(&file));
    return p;
}

static void write_snapshot(void *arg, const struct image *image)
{
    struct buf *out = arg;

    buf_str(out, MAGIC);
    for (struct map_entry *m = NULL; (m = map_next(&image->positions, m));) {
        const struct buf *value = m->value;
        buf_varint(out, m->key.n);
        buf_str(out, m->key);
        buf_varint(out, value->n);
        buf_str(out, buf_view(value));
    }
    buf_le32(out, crc32c(0, out->p, out->n));
}

static bool write_file(struct positions *p)
{
    CLEANUP(cleanup_fd) int fd = io->openat(p->dir, "positions.new", O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0600);

    return fd >= 0 && io_write_all(fd, p->snapshot.p, p->snapshot.n) >= 0 && io->fdatasync(fd) == 0 &&
           io->renameat(p->dir, "positions.new", p->dir, "positions") == 0 && io->fsync(p->dir) == 0;
}

static bool all_have(struct pipeline *pipeline, uint64_t lsn)
{
    struct worker **workers;
    size_t n = pipeline_workers(pipeline, &workers);

    for (size_t i = 0; i < n; i++) {
        struct worker_totals t;
        worker_totals(workers[i], &t);
        if (t.lsn < lsn)
            return false;
    }
    return true;
}

static void take(struct positions *p, uint64_t durable)
{
    p->from = durable;
    buf_clear(&p->snapshot);
    store_image(p->store, write_snapshot, &p->snapshot);
    p->state = FRESH;
}

static void look(struct positions *p)
{
    uint64_t durable = log_durable(store_log(p->store));

    if (p->state == FRESH) {
        /* The image runs ahead of the durable LSN by a moment; by this round all it held lies below. */
        p->lsn = durable;
        p->state = WAITING;
    }
    if (p->state == WAITING && all_have(p->pipeline, p->lsn)) {
        if (write_file(p))
            p->state = SAVED;
        else
            log_warn("positions cannot be saved, will try again");
    }
    if (p->state == SAVED && durable != p->from)
        take(p, durable);
}

static void every_second(struct timer *t)
{
    struct positions *p = container_of(t, struct positions, second);

    look(p);
    loop_timer(p->main, t, SECOND);
}

void positions_watch(struct positions *p, struct loop *main, struct pipeline *pipeline)
{
    p->main = main;
    p->pipeline = pipeline;
    p->second.fire = every_second;
    loop_timer(main, &p->second, SECOND);
}

void positions_close(struct positions *p)
{
    if (!p)
        return;
    if (p->main) {
        loop_cancel(p->main, &p->second);
        for (int i = 0; i < 3; i++) /* the one that waits; a new one; that one too */
            look(p);
    }
    close(p->dir);
    buf_free(&p->snapshot);
    free(p);
}
