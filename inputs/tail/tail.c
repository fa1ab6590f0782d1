/* SPDX-License-Identifier: Apache-2.0 */
#include "tail_file.h"

#include "base/alloc.h"
#include "base/io.h"

#include <sys/resource.h>

static const struct range line_range = {1, 64 << 20};
static const struct range interval_range = {10 * MILLISECOND, 86400 * SECOND};
static const struct range wait_range = {0, 86400 * SECOND};
static const struct range nsec_range = {0, SECOND - 1};

#define OWN(type_, name_, field_, initial_, help_, ...) \
    OPT_AS(struct tail, type_, name_, field_, initial_, help_, ##__VA_ARGS__)

const struct option tail_options[] = {
    OWN(OPT_LIST, "path", path, NULL, "Files to follow: paths with the wildcards `*`, `?` and `[]`.", .required = true),
    OWN(OPT_LIST, "exclude_path", exclude_path, NULL, "Patterns of paths that are not followed."),
    OWN(OPT_STR, "key", key, "log", "The key that holds the line where no parser made a map of it."),
    OWN(OPT_STR, "parser", parser_name, NULL, "The parser of each line; a line that it does not match stays whole."),
    OWN(OPT_STR, "path_key", path_key, NULL, "Adds the file's path under this key."),
    OWN(OPT_STR, "offset_key", offset_key, NULL, "Adds the line's offset in the file under this key."),
    OWN(OPT_STR, "tag_regex", tag_regex_text, NULL, "Named groups of this match on the path fill `<name>` in `tag`."),
    OWN(OPT_BOOL, "read_from_head", read_from_head, "false",
        "Files found at the start for the first time are read from their head, not from their end."),
    OWN(OPT_BOOL, "read_newly_discovered_files_from_head", read_new_from_head, "true",
        "Files that appear later are read from their head."),
    OWN(OPT_DURATION, "refresh_interval", refresh_interval, "60", "How often the patterns are expanded again.",
        .range = &interval_range),
    OWN(OPT_DURATION, "watcher_interval", watcher_interval, "2s", "How often files are looked at for rotation.",
        .range = &interval_range),
    OWN(OPT_DURATION, "progress_check_interval", progress_interval, "2s", "How often files are looked at for growth.",
        .range = &wait_range),
    OWN(OPT_INT, "progress_check_interval_nsec", progress_nsec, "0", "Nanoseconds on top of it.", .range = &nsec_range),
    OWN(OPT_DURATION, "rotate_wait", rotate_wait, "5",
        "How long a rotated file must have been at its end before it is closed.", .range = &wait_range),
    OWN(OPT_DURATION, "ignore_older", ignore_older, "0",
        "Files not written to for longer are not followed; 0: all are."),
    OWN(OPT_BOOL, "ignore_active_older_files", ignore_active_older, "false",
        "With ignore_older: files that become so old are let go until they are written to again."),
    OWN(OPT_SIZE, "buffer_chunk_size", buffer_chunk_size, "32k", "A hint without effect: reads are of 256 KiB."),
    OWN(OPT_SIZE, "buffer_max_size", buffer_max_size, "32k", "The longest line; a longer one is quarantined.",
        .range = &line_range),
    OWN(OPT_BOOL, "skip_long_lines", skip_long_lines, "false", "Longer lines are left out and counted instead."),
    OWN(OPT_BOOL, "truncate_long_lines", truncate_long_lines, "false", "Longer lines are cut instead."),
    OWN(OPT_BOOL, "skip_empty_lines", skip_empty_lines, "false", "Empty lines are left out."),
    OWN(OPT_BOOL, "exit_on_eof", exit_on_eof, "false", "Ends when every file was read to its end and all is stored."),
    OWN(OPT_BOOL, "inotify_watcher", inotify_watcher, "true", "Lets the kernel tell of changes; else only looks."),
    OWN(OPT_LIST, "symlink_dirs", symlink_dirs, NULL,
        "Directories below which symbolic links may lead, besides those that `path` names."),
    OWN(OPT_STR, "db", db, NULL, "Accepted: positions live in the agent's log."),
    OWN(OPT_BOOL, "docker_mode", docker_mode, "false", "Not supported yet: must be off."),
    OWN(OPT_STR, "docker_mode_parser", docker_mode_parser, NULL, "Not supported yet."),
    OWN(OPT_BOOL, "multiline", multiline, "false", "Not supported yet: must be off."),
    OWN(OPT_STR, "parser_firstline", parser_firstline, NULL, "Not supported yet."),
    OWN(OPT_STR, "multiline.parser", multiline_parser, NULL, "Not supported yet."),
    OWN(OPT_STR, "unicode.encoding", unicode_encoding, NULL, "Not supported yet."),
    OWN(OPT_STR, "generic.encoding", generic_encoding, NULL, "Not supported yet."),
    OPT_NONE("db.sync"),
    OPT_NONE("db.locking"),
    OPT_NONE("db.journal_mode"),
    OPT_NONE("db.compare_filename"),
    OPT_NONE("docker_mode_flush"),
    OPT_NONE("multiline_flush"),
    OPT_NONE("static_batch_size"),
    OPT_NONE("event_batch_size"),
    OPT_NONE("file_cache_advise"),
    OPT_NONE("windows.path_encoding"),
    OPT_END,
};

/* Options that would change the events must not be passed over. */
static bool check_options(struct tail *t, struct err *e)
{
    const struct {
        const char *name;
        bool set;
    } refused[] = {
        {"docker_mode", t->docker_mode},
        {"docker_mode_parser", t->docker_mode_parser.n},
        {"multiline", t->multiline},
        {"parser_firstline", t->parser_firstline.n},
        {"multiline.parser", t->multiline_parser.n},
        {"unicode.encoding", t->unicode_encoding.n},
        {"generic.encoding", t->generic_encoding.n},
    };

    for (size_t i = 0; i < ARRAY_LEN(refused); i++)
        if (refused[i].set)
            return instance_err(&t->base, refused[i].name, e, "`%s` is not supported yet", refused[i].name);
    if (t->skip_long_lines && t->truncate_long_lines)
        return instance_err(&t->base, "skip_long_lines", e,
                            "long lines can be skipped or truncated, not both: remove skip_long_lines or "
                            "truncate_long_lines");
    if (!t->key.n)
        return instance_err(&t->base, "key", e, "`key` must not be empty");
    return true;
}

static bool prepare_tag(struct tail *t, struct err *e)
{
    const struct prop *tag = section_prop(t->base.section, "tag");
    struct err why;

    if (t->tag_regex_text.n) {
        t->tag_regex = regex_new(t->tag_regex_text, &why);
        if (!t->tag_regex)
            return instance_err(&t->base, "tag_regex", e, "%s", why.text);
        if (!tag)
            return instance_err(&t->base, "tag_regex", e, "`tag_regex` needs a `tag` with <name> in it");
    }
    if (tag && (t->tag_regex || str_find_char(tag->value, '*') != SIZE_MAX))
        t->tag = tag->value;
    return true;
}

/* ---- timers ---- */

static int64_t interval(const struct tail *t)
{
    enum { WITHOUT_INOTIFY_MS = 250, OFTEN = 1000 };
    int64_t progress = t->progress_interval + t->progress_nsec;
    int64_t n = progress < t->watcher_interval ? progress : t->watcher_interval;
    int64_t looks = (int64_t)(t->nfiles / SWEEP_FILES) + 1;

    if (n < 10 * MILLISECOND)
        n = 10 * MILLISECOND;
    if (!watch_works(t) && n > WITHOUT_INOTIFY_MS * MILLISECOND)
        n = WITHOUT_INOTIFY_MS * MILLISECOND;
    if (watch_works(t)) /* then looking is for what inotify forgot: with many files less often */
        n *= t->nfiles > 10 * OFTEN ? 10 : 1 + (int64_t)(t->nfiles / OFTEN);
    return n / looks;
}

/* A file that nobody writes to any more is let go; its position stays and it is found again when it moves. */
static bool let_go(struct tail *t, struct file *f, int64_t now)
{
    struct position p;

    if (!t->ignore_active_older || !t->ignore_older || f->rotated || !f->at_eof || f->units || f->failed || f->rest.n ||
        !f->saved || f->mtime > io->wall() - t->ignore_older)
        return false;
    file_position(f, &p);
    known_add(t, str_of(f->key), &p, now + known_keep);
    file_free(f);
    return true;
}

static void on_sweep(struct timer *timer)
{
    struct tail *t = container_of(timer, struct tail, sweep);
    int64_t now = io->monotonic();

    if (t->sweep_at == &t->files)
        t->sweep_at = t->files.next;
    for (size_t i = 0; i < SWEEP_FILES && t->sweep_at != &t->files; i++) {
        struct file *f = container_of(t->sweep_at, struct file, link);
        t->sweep_at = f->link.next;
        if (!let_go(t, f, now))
            rotate_check(t, f, now);
    }
    rotate_siblings(t);
    if (t->unsaved)
        read_save(t);
    tail_settle(t);
    loop_timer(t->loop, &t->sweep, interval(t));
}

static void on_refresh(struct timer *timer)
{
    struct tail *t = container_of(timer, struct tail, refresh);

    scan_all(t);
    known_expire(t, io->monotonic());
    loop_timer(t->loop, &t->refresh, t->refresh_interval);
}

static void on_retry(struct timer *timer)
{
    read_retry(container_of(timer, struct tail, retry));
}

/* exit_on_eof: when nothing is left, the unterminated lines go out, and when they are stored, that was all. */
void tail_settle(struct tail *t)
{
    if (!t->exit_on_eof || !t->scanned || t->finished || !list_empty(&t->units) || t->unsaved || t->paused)
        return;
    list_each (it, &t->files)
        if (!container_of(it, struct file, link)->at_eof)
            return;
    list_each (it, &t->files) {
        struct file *f = container_of(it, struct file, link);
        if (!f->ended)
            read_end(f);
    }
    if (!list_empty(&t->units) || t->finished)
        return;
    t->finished = true;
    feed_finish(t->feed);
}

/* ---- start and stop ---- */

static void load_position(void *arg, struct str key, struct str value)
{
    struct tail *t = arg;
    struct position p;
    uint64_t device, inode;
    int64_t *seen;

    if (!position_parse_key(key, &device, &inode) || !position_read(value, &p)) {
        log_warn("tail: a stored position is not understood", "input", t->base.name);
        return;
    }
    known_add(t, key, &p, io->monotonic() + known_keep);
    seen = map_get(&t->old_paths, p.path);
    if (!seen) {
        seen = alloc_new(sizeof *seen);
        map_set(&t->old_paths, p.path, seen);
    }
    if (*seen < p.seen)
        *seen = p.seen;
}

/* Files that were rotated while the agent was stopped are read before those that took their names. */
static void first_scan(struct tail *t)
{
    for (struct map_entry *m = NULL; (m = map_next(&t->old_paths, m));)
        if (scan_matches(t, m->key))
            map_set(&t->checks, m->key, t);
    scan_all(t);
    for (struct map_entry *m = NULL; (m = map_next(&t->old_paths, m));)
        free(m->value);
    map_free(&t->old_paths);
    t->old_paths = (struct map){0};
    t->scanned = true;
}

static bool tail_check(void *self, struct err *e)
{
    struct tail *t = self;
    bool good = check_options(t, e) && prepare_tag(t, e);

    regex_free(t->tag_regex);
    t->tag_regex = NULL;
    return good;
}

static bool tail_start(void *self, struct feed *feed, struct err *e)
{
    struct tail *t = self;
    struct rlimit files = {1024, 1024};

    if (!check_options(t, e) || !prepare_tag(t, e))
        return false;
    if (t->db.n)
        log_info("tail: `db` is not used; positions live in the agent's log", "input", t->base.name);
    t->feed = feed;
    t->loop = feed_loop(feed);
    list_init(&t->files);
    list_init(&t->ready);
    list_init(&t->opened);
    list_init(&t->units);
    list_init(&t->retired);
    t->sweep_at = &t->files;
    t->sweep.fire = on_sweep;
    t->refresh.fire = on_refresh;
    t->retry.fire = on_retry;
    getrlimit(RLIMIT_NOFILE, &files);
    t->fd_budget = files.rlim_cur / 2;
    t->files_open =
        metric_named(METRIC_GAUGE, "weir_tail_open_files", "Tailed files that are open.", "name", t->base.name);
    t->lost = metric_named(METRIC_COUNTER, "weir_tail_lost_bytes_total",
                           "Bytes that a truncation took away before they were read.", "name", t->base.name);
    t->long_lines = metric_named(METRIC_COUNTER, "weir_tail_long_lines_total", "Lines beyond buffer_max_size.", "name",
                                 t->base.name);
    t->skipped =
        metric_named(METRIC_COUNTER, "weir_tail_skipped_lines_total", "Long lines left out.", "name", t->base.name);
    if (!read_prepare(t, e))
        return false;
    watch_start(t);
    feed_positions(feed, load_position, t);
    first_scan(t);
    loop_timer(t->loop, &t->sweep, t->exit_on_eof ? 0 : interval(t)); /* there may be no file at all */
    loop_timer(t->loop, &t->refresh, t->refresh_interval);
    return true;
}

static void tail_stop(void *self)
{
    struct tail *t = self;

    t->stopped = true;
    if (t->loop) {
        loop_cancel(t->loop, &t->sweep);
        loop_cancel(t->loop, &t->refresh);
        loop_cancel(t->loop, &t->retry);
        watch_stop(t);
        read_stop(t);
        list_each (it, &t->files)
            file_free(container_of(it, struct file, link));
        list_each (it, &t->retired)
            known_drop(t, container_of(it, struct known, link));
    }
    regex_free(t->tag_regex);
    t->tag_regex = NULL;
    map_free(&t->by_key);
    map_free(&t->by_path);
    map_free(&t->by_target);
    map_free(&t->known);
    map_free(&t->last);
    map_free(&t->checks);
    buf_free(&t->data);
    buf_free(&t->body);
    buf_free(&t->text);
    buf_free(&t->prefix);
}

static void tail_pause(void *self, bool on)
{
    struct tail *t = self;

    t->paused = on;
    if (!on) {
        read_wake(t);
        tail_settle(t);
    }
}

const struct plugin input_tail = {
    .name = "tail",
    .summary = "Follows log files: their lines, through rotation and truncation.",
    .options = tail_options,
    .size = sizeof(struct tail),
    .input =
        &(const struct input){
            .check = tail_check, .start = tail_start, .stop = tail_stop, .pause = tail_pause, .ends_run = true},
};
