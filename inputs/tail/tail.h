/* SPDX-License-Identifier: Apache-2.0 */
/* The tail input: what its files share.  Everything runs on the lane's thread. */
#pragma once
#include "base/list.h"
#include "base/map.h"
#include "event/regex.h"
#include "net/loop.h"
#include "plugin.h"

enum {
    READ_BYTES = 256 << 10,  /* of one file in one turn */
    ROUND_BYTES = 512 << 10, /* of all files before the loop goes round for others */
    FILE_FLIGHT = 4 << 20,   /* read and not yet durable, of one file */
    TOTAL_FLIGHT = 16 << 20, /* and of all */
    FILES_MAX = 100000,      /* followed at a time; beyond it new ones are refused with a message */
    SWEEP_FILES = 512,       /* stats in one go */
    REJECT_BYTES = 4 << 10,  /* of a long line that are kept in the quarantine */
    RETIRED_MAX = 10000,     /* positions kept of files that are not followed */
};

struct file;
struct rounds; /* the letter to ourselves, which may outlive us in the mailbox */
struct dirs;   /* the inotify watches */

struct tail {
    struct instance base;
    /* options */
    struct strs path, exclude_path, symlink_dirs;
    struct str key, path_key, offset_key, parser_name, tag_regex_text, db;
    bool read_from_head, read_new_from_head, skip_long_lines, truncate_long_lines, skip_empty_lines;
    bool exit_on_eof, inotify_watcher, ignore_active_older;
    int64_t refresh_interval, watcher_interval, progress_interval, progress_nsec, rotate_wait, ignore_older;
    int64_t buffer_chunk_size, buffer_max_size;
    bool docker_mode, multiline;
    struct str docker_mode_parser, parser_firstline, multiline_parser, unicode_encoding, generic_encoding;
    /* running */
    struct feed *feed;
    struct loop *loop;
    struct parser *parser;
    struct regex *tag_regex;
    struct str tag; /* as configured; empty: the input's own */
    struct link files, ready, opened, units, retired;
    struct map by_key, by_path, known; /* struct file by identity and by path; struct position by identity */
    struct map by_target;              /* file by its path without symbolic links, where that is another */
    struct map last;                   /* path -> the newest file that was rotated away from it */
    struct map checks;                 /* paths whose siblings are to be looked at */
    struct map old_paths;              /* at start: path -> when a file was last seen there (int64_t) */
    size_t nfiles, nopened, nretired, fd_budget;
    struct buf data, body, text; /* scratch: read bytes, an encoded event, a path or a position */
    struct buf prefix;           /* without a parser: how every body begins, and room for the rest */
    size_t prefix_bytes;
    struct timer sweep, refresh, retry;
    struct link *sweep_at; /* the next file to look at */
    struct rounds *rounds;
    struct dirs *dirs;
    struct arena *arena;
    uint32_t extras; /* pairs behind what the line gave: path_key, offset_key */
    size_t flight;   /* bytes */
    int64_t backoff; /* ns until what failed is read again */
    int64_t now;     /* wall time of the turn */
    bool paused, stopped, scanned, finished, unsaved;
    struct metric *files_open, *lost, *long_lines, *skipped;
};

/* tail.c */
extern const struct option tail_options[];
void tail_settle(struct tail *t); /* after anything moved: exit_on_eof */

/* tail_scan.c */
void scan_all(struct tail *t);                    /* expands `path` */
void scan_path(struct tail *t, const char *path); /* something may be new under this name */
bool scan_matches(const struct tail *t, struct str path);
/* Whether a symbolic link below the pattern's directory, or the file itself, leads to where it may. */
bool scan_allows(const struct tail *t, const char *path, const char *real);

/* tail_rotate.c */
void rotate_check(struct tail *t, struct file *f, int64_t now); /* the sweep's look at one file */
void rotate_siblings(struct tail *t);                           /* what t->checks asks for */
void rotate_done(struct file *f);                               /* read to its end, all durable */

/* tail_read.c */
void read_wake(struct tail *t);                     /* there may be something to do */
void read_schedule(struct tail *t, struct file *f); /* it may have grown */
void read_save(struct tail *t);                     /* positions of files that are new, in a transaction of their own */
void read_end(struct file *f);                      /* nothing more will come: the unterminated line goes out too */
void read_retry(struct tail *t);                    /* what could not be stored */
void read_stop(struct tail *t);
bool read_prepare(struct tail *t, struct err *e);

/* tail_watch.c */
void watch_start(struct tail *t);
void watch_stop(struct tail *t);
void watch_dir(struct tail *t, struct str dir); /* with its slash; empty: the working directory */
bool watch_works(const struct tail *t);

/* tail_tag.c: appends the tag of a file; false: tag_regex does not match its path */
bool tag_expand(struct str tag, struct regex *regex, struct str path, struct buf *out);
