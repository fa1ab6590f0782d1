/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "store/store_private.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>

enum { STORE_VERSION = 1, JSON_MAX = 4096, SEGMENT_MIN = 16 << 10, SEGMENTS_PER_LIMIT = 8 };
static const int64_t segment_max = INT64_C(1) << 30;

/* Every part of the path that is missing, 0700. */
static bool make_path(const char *dir, struct err *e)
{
    CLEANUP(buf_free) struct buf path = {0};

    buf_str(&path, str_of(dir));
    buf_text(&path);
    for (size_t i = 1; i <= path.n; i++) {
        if (i < path.n && path.p[i] != '/')
            continue;
        path.p[i] = 0;
        if (io->mkdirat(AT_FDCWD, path.p, 0700) && errno != EEXIST && i == path.n)
            return err_errno(e, "cannot make %s", dir);
        if (i < path.n)
            path.p[i] = '/';
    }
    return true;
}

static bool open_root(struct store *s, struct err *e)
{
    struct stat st;

    if (!make_path(s->dir, e))
        return false;
    s->fd = io->openat(AT_FDCWD, s->dir, O_RDONLY | O_DIRECTORY, 0);
    if (s->fd < 0 || io->fstat(s->fd, &st))
        return err_errno(e, "cannot open %s", s->dir);
    if (st.st_uid != geteuid())
        return err_set(e, "%s belongs to user %u, not to the one the agent runs as", s->dir, (unsigned)st.st_uid);
    if (st.st_mode & S_IWOTH)
        return err_set(e, "%s can be written by everybody: chmod o-w it", s->dir);
    s->lock_fd = io->openat(s->fd, "LOCK", O_RDWR | O_CREAT | O_NOFOLLOW, 0600);
    if (s->lock_fd < 0)
        return err_errno(e, "cannot write to %s", s->dir);
    if (io->flock(s->lock_fd, LOCK_EX | LOCK_NB))
        return errno == EWOULDBLOCK ? err_set(e, "%s is in use by another agent", s->dir)
                                    : err_errno(e, "cannot lock %s", s->dir);
    return true;
}

static bool open_dir(struct store *s, const char *name, int *fd, struct err *e)
{
    if (io->mkdirat(s->fd, name, 0700) && errno != EEXIST)
        return err_errno(e, "cannot make %s/%s", s->dir, name);
    *fd = io->openat(s->fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
    return *fd >= 0 || err_errno(e, "cannot open %s/%s", s->dir, name);
}

/* The value behind "name": in our own little file. */
static struct str member(struct str json, const char *name)
{
    CLEANUP(buf_free) struct buf key = {0};
    size_t at, end = 0;

    buf_fmt(&key, "\"%s\":", name);
    at = str_find(json, buf_view(&key));
    if (at == SIZE_MAX)
        return STR("");
    json = str_trim(str_from(json, at + key.n));
    while (end < json.n && json.p[end] != ',' && json.p[end] != '}')
        end++;
    json = str_trim(str_head(json, end));
    if (json.n >= 2 && json.p[0] == '"' && json.p[json.n - 1] == '"')
        json = (struct str){json.p + 1, json.n - 2};
    return json;
}

static bool write_identity(struct store *s, struct err *e)
{
    CLEANUP(buf_free) struct buf json = {0};
    char uuid[33];
    int fd;
    struct iovec v;

    id_text(s->uuid, uuid);
    buf_fmt(&json, "{\"uuid\": \"%s\", \"version\": %d}\n", uuid, STORE_VERSION);
    v = (struct iovec){json.p, json.n};
    fd = io->openat(s->fd, "store.json.tmp", O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return err_errno(e, "cannot write %s/store.json", s->dir);
    if (io_pwritev_all(fd, &v, 1, 0) || io->fsync(fd) || io->renameat(s->fd, "store.json.tmp", s->fd, "store.json") ||
        io->fsync(s->fd)) {
        err_errno(e, "cannot write %s/store.json", s->dir);
        io->close(fd);
        return false;
    }
    io->close(fd);
    return true;
}

static void first_segment(void *arg, const char *name)
{
    char *first = arg;
    uint64_t base;

    if (segment_name_parse(name, ".seg", &base) && (!*first || strcmp(name, first) < 0))
        memcpy(first, name, SEGMENT_NAME);
}

/* store.json is lost: the segments say whose they are. */
static bool identity_of_segments(struct store *s, struct err *e)
{
    char first[SEGMENT_NAME] = "", header[SEGMENT_HEADER] = {0};
    struct segment_header h;
    int fd;

    if (io->list(s->log_fd, first_segment, first))
        return err_errno(e, "cannot list %s/log", s->dir);
    if (!*first)
        return true;
    fd = io->openat(s->log_fd, first, O_RDONLY | O_NOFOLLOW, 0);
    if (fd >= 0) {
        if (io_pread_all(fd, header, sizeof header, 0) == SEGMENT_HEADER &&
            segment_header_read(header, &h) == SEGMENT_OK) {
            s->uuid = h.store;
            log_warn("store.json was lost and is written anew", "store", s->dir);
        }
        io->close(fd);
    }
    return true;
}

static bool read_identity(struct store *s, struct err *e)
{
    char text[JSON_MAX];
    struct str json;
    int64_t version = 0;
    ssize_t n = -1;
    int fd = io->openat(s->fd, "store.json", O_RDONLY | O_NOFOLLOW, 0);

    if (fd < 0 && errno != ENOENT)
        return err_errno(e, "cannot read %s/store.json", s->dir);
    if (fd >= 0) {
        n = io_pread_all(fd, text, sizeof text, 0);
        io->close(fd);
        if (n < 0)
            return err_errno(e, "cannot read %s/store.json", s->dir);
        json = (struct str){text, (size_t)n};
        if (str_i64(member(json, "version"), &version) && version > STORE_VERSION)
            return err_set(e, "%s has format %lld; this agent knows up to %d", s->dir, (long long)version,
                           STORE_VERSION);
        if (version == STORE_VERSION && id_parse(member(json, "uuid"), &s->uuid))
            return true;
    }
    io->random(&s->uuid, sizeof s->uuid);
    return identity_of_segments(s, e) && write_identity(s, e);
}

static bool open_dirs(struct store *s, struct err *e)
{
    return open_root(s, e) && open_dir(s, "log", &s->log_fd, e) && open_dir(s, "ids", &s->ids_fd, e) &&
           open_dir(s, "cur", &s->cursors_fd, e) && open_dir(s, "corrupt", &s->corrupt_fd, e) && read_identity(s, e) &&
           (!io->fsync(s->fd) || err_errno(e, "cannot sync %s", s->dir));
}

/* A full log must have segments that can be given back. */
static int64_t segment_size(const struct store_options *o)
{
    int64_t size = o->segment_size;

    if (o->limit > 0 && size > o->limit / SEGMENTS_PER_LIMIT)
        size = o->limit / SEGMENTS_PER_LIMIT;
    if (size > segment_max)
        size = segment_max;
    if (size < SEGMENT_MIN)
        size = SEGMENT_MIN;
    return size / SEGMENT_SECTOR * SEGMENT_SECTOR;
}

static bool open_parts(struct store *s, const struct store_options *o, struct err *e)
{
    struct log_options log = {
        .dir = s->log_fd,
        .root = s->fd,
        .corrupt = s->corrupt_fd,
        .store = s->uuid,
        .disk = o->dir && o->sync == STORE_DISK,
        .limit = o->limit > 0 ? o->limit : INT64_MAX,
        .segment_size = segment_size(o),
        .commit_delay = o->commit_delay,
        .dedup_window = o->dedup_window,
    };
    uint64_t furthest = 0;

    if (!cursors_load(s, &furthest, e))
        return false;
    s->dedup = dedup_new(o->dedup_window, o->dedup_ids);
    if (o->dir && !(s->ids = dedup_ids_open(s->ids_fd, s->uuid, s->dedup, o->dedup_window, e)))
        return false;
    log.ids = s->ids;
    s->log = log_open(&log, furthest, e);
    return s->log != NULL;
}

static void close_fd(int fd)
{
    if (fd >= 0)
        io->close(fd);
}

struct store *store_open(const struct store_options *o, struct err *e)
{
    struct store *s = alloc_new(sizeof *s);

    s->dir = o->dir ? alloc_text(o->dir, strlen(o->dir)) : NULL;
    s->fd = s->lock_fd = s->log_fd = s->ids_fd = s->cursors_fd = s->corrupt_fd = -1;
    pthread_mutex_init(&s->lock, NULL);
    if (!o->dir)
        io->random(&s->uuid, sizeof s->uuid);
    if ((o->dir && !open_dirs(s, e)) || !open_parts(s, o, e)) {
        store_close(s);
        return NULL;
    }
    return s;
}

void store_close(struct store *s)
{
    if (!s)
        return;
    if (s->log)
        log_close(s->log); /* closes its directory, which it may have opened anew */
    else
        close_fd(s->log_fd);
    dedup_ids_close(s->ids);
    dedup_free(s->dedup);
    cursors_free(s);
    close_fd(s->ids_fd);
    close_fd(s->cursors_fd);
    close_fd(s->corrupt_fd);
    close_fd(s->lock_fd);
    close_fd(s->fd);
    pthread_mutex_destroy(&s->lock);
    free(s->dir);
    free(s);
}

struct id store_uuid(const struct store *s)
{
    return s->uuid;
}

const char *store_dir(const struct store *s)
{
    return s->dir;
}

int store_dir_fd(const struct store *s)
{
    return s->fd;
}

struct log *store_log(struct store *s)
{
    return s->log;
}

struct dedup *store_dedup(struct store *s)
{
    return s->dedup;
}

void store_image(struct store *s, void (*look)(void *arg, const struct image *image), void *arg)
{
    pthread_mutex_lock(&s->log->image_lock);
    look(arg, &s->log->image);
    pthread_mutex_unlock(&s->log->image_lock);
}

enum store_room store_room(const struct store *s)
{
    if (atomic_load_explicit(&s->log->trouble, memory_order_relaxed))
        return STORE_TROUBLE;
    return atomic_load_explicit(&s->log->full, memory_order_relaxed) ? STORE_FULL : STORE_ROOM;
}

int64_t store_bytes(const struct store *s)
{
    return atomic_load_explicit(&s->log->bytes, memory_order_relaxed);
}

int64_t store_bytes_from(struct store *s, uint64_t lsn)
{
    int64_t bytes = 0;

    pthread_mutex_lock(&s->log->lock);
    for (size_t i = s->log->nsegments; i-- && s->log->segments[i]->end_lsn > lsn;) {
        const struct segment *seg = s->log->segments[i];
        double part = lsn <= seg->first ? 1 : (double)(seg->end_lsn - lsn) / (double)(seg->end_lsn - seg->first);
        bytes += (int64_t)((double)seg->size * part);
    }
    pthread_mutex_unlock(&s->log->lock);
    return bytes;
}

void store_trim(struct store *s)
{
    uint64_t lowest = UINT64_MAX;

    pthread_mutex_lock(&s->lock);
    for (const struct cursor *c = s->cursors; c; c = c->next)
        if (c->held < lowest)
            lowest = c->held;
    if (!s->cursors)
        lowest = 0; /* nobody has read anything: keep all */
    pthread_mutex_unlock(&s->lock);
    log_trim(s->log, lowest);
}
