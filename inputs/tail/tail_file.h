/* SPDX-License-Identifier: Apache-2.0 */
/* One tailed file: its identity, its descriptor, its generations. */
#pragma once
#include "tail.h"
#include "tail_position.h"

#include <sys/types.h>

struct seen { /* what the file system says of a file */
    uint64_t device, inode, size;
    int64_t mtime, birth; /* ns; birth 0: not known */
    mode_t mode;
    uint32_t links, owner;
};

struct file {
    struct link link, ready, opened; /* t->files, t->ready, t->opened */
    struct tail *t;
    char *path;             /* what it is known by: tag, path_key, position */
    char *real;             /* where it can be opened now; t->by_path holds it under this name unless it is rotated */
    char *target;           /* its path without symbolic links, if that is another: t->by_target; else NULL */
    struct buf tag, extra;  /* extra: the encoded path_key pair */
    char key[40];           /* of its position; the device is the one of its first sight, also after a restart */
    uint64_t device, inode; /* as seen now: t->by_key */
    uint64_t generation;
    int64_t birth, seen, mtime;
    struct head head;
    struct id id_key; /* hashes offsets to event ids */
    int fd;
    uint64_t offset, size; /* behind the last full line that was read; as last seen */
    uint64_t largest;      /* size that this generation was seen to have: what it had more than was read is a gap */
    bool skipping, rewind_skipping;
    struct buf rest; /* the unterminated line behind offset, for when a truncation takes it away */
    size_t flight, units;
    uint64_t rewind;
    struct file *waits_for, *successor; /* read in the order of rotation */
    int64_t eof_at;                     /* monotonic: since when a rotated file has nothing more; 0: it may have */
    bool rotated, at_eof, failed, ended, saved;
};

bool file_stat(int dir, const char *path, bool follow, struct seen *out); /* path "": of the descriptor `dir` */

/* Opens a regular file that may be read here; -1: e says why not.  `target`, which may be NULL, becomes its path
 * without symbolic links, if that is another. */
int file_open_path(struct tail *t, const char *path, struct seen *out, struct buf *target, struct err *e);

/* Takes the descriptor.  The file starts at its head; NULL: tag_regex does not match (said in the log). */
struct file *file_new(struct tail *t, const char *path, const char *real, int fd, const struct seen *s);
void file_free(struct file *f);
bool file_open(struct file *f); /* when it has no descriptor; false: not there any more, or an error that was logged */
void file_close(struct file *f);
void file_touch(struct file *f); /* it was used: the last to lose its descriptor */

enum head_state { HEAD_SAME, HEAD_CHANGED, HEAD_UNKNOWN };
enum head_state file_head(struct file *f); /* compares the fingerprint and extends it */
void file_restart(struct file *f);         /* a new generation: from its head */
void file_seek_end(struct file *f);        /* to the beginning of the last, unterminated line */
void file_adopt(struct file *f, const struct position *p, const struct seen *s); /* goes on where it was */
void file_waits_for(struct file *f, struct file *before);
void file_position(const struct file *f, struct position *out);

/* ---- positions of files that are not followed ---- */
struct known {
    struct link link; /* t->retired */
    struct position position;
    int64_t until; /* monotonic: then it is forgotten */
    char key[40], path[];
};
void known_add(struct tail *t, struct str key, const struct position *p, int64_t until);
extern const int64_t known_keep; /* ns, of what a start did not find */
void known_drop(struct tail *t, struct known *k);
struct known *known_find(struct tail *t, const struct seen *s, int fd); /* fd: to compare; -1: by number only */
void known_expire(struct tail *t, int64_t now);
