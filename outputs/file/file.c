/* SPDX-License-Identifier: Apache-2.0 */
#include "names.h"
#include "state.h"

#include "base/alloc.h"
#include "base/io.h"
#include "plugin.h"

#include <errno.h>
#include <stdio.h>
#include <sys/resource.h>

struct file {
    struct instance instance;
    struct names_options names_options;
    struct format format;
    bool mkdir, rotate, rotate_gzip;
    int compress;
    int64_t max_dynamic_files, rotate_max_size, rotate_max_files, roll_size, roll_interval;
    struct names *names;
    struct grow_set set;
};

#define NAMES(type, field, initial, help, ...) \
    OPT_AS(struct file, type, #field, names_options.field, initial, help, ##__VA_ARGS__)
#define FORMAT(type, name, field, initial, help, ...) \
    OPT_AS(struct file, type, name, format.field, initial, help, ##__VA_ARGS__)

static const struct range files_range = {1, 65536}, rotated_range = {0, 4000}, roll_range = {1024, INT64_C(1) << 40},
                          interval_range = {SECOND, 7 * 86400 * SECOND};
static const char *const otherwise_names[] = {"error", "fallback", NULL};

static const struct option options[] = {
    NAMES(OPT_PATH, path, NULL, "The directory below which all files lie; default: the current one."),
    NAMES(OPT_STR, file, NULL, "The file's name; default: the event's tag."),
    NAMES(OPT_STR, path_template, NULL,
          "Names of files below `path` made of each event, such as dt=%Y-%m-%d/hour=%H/$TAG; such files appear when "
          "they are finished."),
    NAMES(OPT_BOOL, enable_strftime, "false",
          "Expand %Y and the like in `path` and `file`, by the event's time in UTC."),
    NAMES(OPT_ENUM, on_missing_field, "error",
          "For an event without a field that the name needs: quarantine it, or use "
          "the fallback.",
          .names = otherwise_names),
    NAMES(OPT_ENUM, on_limit_reached, "error", "The same for an event that would open one file too many.",
          .names = otherwise_names),
    NAMES(OPT_PATH, fallback_path, NULL, "The fallback's directory, at or below the fixed part of `path`."),
    NAMES(OPT_STR, fallback_file, NULL, "The fallback's name."),
    FORMAT(OPT_ENUM, "format", kind, "out_file", "How an event is written.", .names = format_names),
    FORMAT(OPT_STR, "delimiter", delimiter, NULL, "Between the values of csv (a comma) and ltsv (a tab)."),
    FORMAT(OPT_STR, "label_delimiter", label_delimiter, NULL, "Between label and value of ltsv (a colon)."),
    FORMAT(OPT_STR, "template", template, "{time} {message}", "The line of `format template`."),
    FORMAT(OPT_BOOL, "csv_column_names", column_names, "false",
           "Begin a csv file with the names of the first event's "
           "keys."),
    FORMAT(OPT_BOOL, "csv_escape_formulas", escape_formulas, "true",
           "Put an apostrophe before texts that a spreadsheet would run as a formula."),
    FORMAT(OPT_STR, "json_date_key", date_key, NULL, "With json_lines: add the event's time under this key."),
    FORMAT(OPT_ENUM, "json_date_format", date_format, "double", "How that time is written.", .names = json_date_names),
    OPT(struct file, OPT_BOOL, mkdir, "false", "Make the directory `path` where it is missing."),
    OPT(struct file, OPT_INT, max_dynamic_files, "1024", "The most files that are open, or growing, at a time.",
        .range = &files_range),
    OPT(struct file, OPT_ENUM, compress, "none", "Compress files, which then appear when they are finished.",
        .names = codec_names),
    OPT(struct file, OPT_SIZE, roll_size, "64M", "Finish a growing file at this size before compression.",
        .range = &roll_range),
    OPT(struct file, OPT_DURATION, roll_interval, "5m", "Finish a growing file at this age.", .range = &interval_range),
    OPT(struct file, OPT_BOOL, rotate, "false", "Rename an append-only file at rotate_max_size."),
    OPT(struct file, OPT_SIZE, rotate_max_size, "100M", "The size at which a file is rotated.", .range = &roll_range),
    OPT(struct file, OPT_INT, rotate_max_files, "7", "The most rotated files that are kept.", .range = &rotated_range),
    OPT(struct file, OPT_BOOL, rotate_gzip, "true", "Compress rotated files."),
    OPT_END};

static bool check_format(const struct file *f, struct err *e)
{
    const struct format *fm = &f->format;

    if (f->compress == CODEC_DEFLATE)
        return instance_err(&f->instance, "compress", e, "files are compressed by gzip or zstd");
    if (fm->date_key.n && fm->kind != FORMAT_JSON_LINES)
        return instance_err(&f->instance, "json_date_key", e, "has a meaning only with `format json_lines`");
    if (f->rotate && (f->compress || f->names_options.path_template.n))
        return instance_err(
            &f->instance, "rotate", e,
            "rotates append-only files; with compress or path_template say roll_size and roll_interval");
    return true;
}

static struct names *make_names(struct file *f, struct err *e)
{
    bool rolled = f->compress != CODEC_NONE || f->names_options.path_template.n;

    return names_new(&f->names_options, &f->instance, format_suffix[f->format.kind], f->compress, rolled, e);
}

static bool file_check(void *self, struct err *e)
{
    struct file *f = self;
    struct names *names = check_format(f, e) ? make_names(f, e) : NULL;

    if (!names)
        return false;
    names_free(names);
    return true;
}

/* An append-only file is cut back after a crash: not if somebody else has appended to it. Others have names of their
 * own. */
static bool file_claims(const void *self, struct buf *name)
{
    const struct file *f = self;
    const struct names_options *o = &f->names_options;
    struct str path = o->path;

    if (f->compress != CODEC_NONE || o->path_template.n)
        return true;
    while (path.n > 1 && path.p[path.n - 1] == '/')
        path.n--;
    buf_str(name, path);
    buf_char(name, '/');
    buf_str(name, o->file);
    return o->file.n > 0;
}

/* Half of the descriptors at most: the agent needs some too. */
static size_t open_max(const struct file *f)
{
    struct rlimit limit;
    size_t most = (size_t)f->max_dynamic_files;

    if (!getrlimit(RLIMIT_NOFILE, &limit) && limit.rlim_cur / 2 < most)
        most = limit.rlim_cur / 2;
    return most ? most : 1;
}

static void identify(struct file *f)
{
    struct id host = env_host_id(f->instance.env);
    CLEANUP(buf_free) struct buf text = {0};
    struct grow_set *s = &f->set;

    snprintf(s->owner, sizeof(s->owner), "%016llx", (unsigned long long)hash_64(str_of(f->instance.name), &host));
    buf_fmt(&text, "%d %d %d %s", f->format.kind, f->compress, s->rolled, s->suffix);
    buf_str(&text, f->format.template);
    buf_str(&text, f->format.delimiter);
    buf_str(&text, f->format.label_delimiter);
    buf_str(&text, f->format.date_key);
    s->config = hash_64(buf_view(&text), &(struct id){1, 1});
}

static bool file_start(void *self, struct err *e)
{
    struct file *f = self;
    struct grow_set *s = &f->set;

    grow_set_init(s);
    if (!check_format(f, e))
        return false;
    f->format.delimiter = format_delimiter(f->format.delimiter, f->format.kind == FORMAT_LTSV ? STR("\t") : STR(","));
    f->format.label_delimiter = format_delimiter(f->format.label_delimiter, STR(":"));
    s->name = f->instance.name;
    s->rolled = f->compress != CODEC_NONE || f->names_options.path_template.n;
    f->names = make_names(f, e);
    if (!f->names)
        return false;
    s->dir = names_root(f->names);
    s->mkdir = f->mkdir;
    s->codec = (enum codec)f->compress;
    s->suffix = names_suffix(f->names);
    s->open_max = open_max(f);
    s->roll_size = s->rolled ? f->roll_size : f->rotate ? f->rotate_max_size : 0;
    s->rotate_files = f->rotate_max_files;
    s->rotate_gzip = f->rotate_gzip;
    identify(f);
    if (!s->rolled && !journal_open(s, env_state_dir(f->instance.env), e)) {
        names_free(f->names);
        return false;
    }
    return true;
}

static void file_stop(void *self)
{
    struct file *f = self;

    state_finish_all(&f->set);
    grow_set_free(&f->set);
    names_free(f->names);
}

static struct grow *grow_of(struct file *f, struct event *ev, struct err *e)
{
    struct grow *g = names_cached(f->names, ev);
    struct str name;

    if (g && g->touched)
        return g;
    if (!names_make(f->names, ev, &name, e))
        return NULL;
    g = grow_for(&f->set, name, e);
    if (!g && names_limit_fallback(f->names, &name))
        g = grow_for(&f->set, name, e);
    if (!g)
        return NULL;
    names_cache(f->names, ev, g);
    grow_touch(&f->set, g);
    return g;
}

static void want_checkpoint(struct file *f)
{
    if (f->set.wants)
        output_wants_checkpoint(&f->instance);
    f->set.wants = false;
}

static enum verdict file_write(void *self, struct delivery *d, struct err *e)
{
    struct file *f = self;
    struct event ev;
    struct err why;

    if (f->set.lost) {
        err_set(e, "an earlier fdatasync failed: nothing is written until the agent is restarted");
        return HOLD;
    }
    if (!grow_root(&f->set, e))
        return RETRY;
    names_forget(f->names);
    for (uint32_t i = 0; delivery_next(d, &ev); i++) {
        struct grow *g = grow_of(f, &ev, &why);
        if (g)
            format_line(&f->format, &ev, !g->len && !g->out.n, &g->out);
        else
            delivery_fail(d, i, REJECT, why.text);
    }
    if (!grow_commit(&f->set, e))
        return RETRY;
    want_checkpoint(f);
    return DONE;
}

static bool file_checkpoint(void *self, struct buf *state, struct err *e)
{
    struct file *f = self;

    return state_checkpoint(&f->set, state, e);
}

static void file_settled(void *self)
{
    struct file *f = self;

    state_settled(&f->set);
}

static bool file_restore(void *self, struct str state, struct err *e)
{
    struct file *f = self;

    return state_restore(&f->set, state, e);
}

static void file_tick(void *self)
{
    struct file *f = self;
    int64_t now = io->wall();

    list_each (it, &f->set.all) {
        struct grow *g = container_of(it, struct grow, all);
        /* A clock that was set back must not keep a file open for ever. */
        if (f->set.rolled && !g->renamed && (now - g->opened >= f->roll_interval || now < g->opened))
            g->due = true;
        if (g->sealed && !g->renamed)
            state_finish(&f->set, g);
        if ((g->due && !g->renamed) || (g->renamed && !f->set.rolled))
            f->set.wants = true;
    }
    want_checkpoint(f);
}

static const struct output output = {.check = file_check,
                                     .start = file_start,
                                     .stop = file_stop,
                                     .write = file_write,
                                     .restore = file_restore,
                                     .checkpoint = file_checkpoint,
                                     .settled = file_settled,
                                     .tick = file_tick,
                                     .claims = file_claims};
const struct plugin output_file = {.name = "file",
                                   .summary = "Writes events to files, each exactly once.",
                                   .options = options,
                                   .size = sizeof(struct file),
                                   .output = &output};
