/* SPDX-License-Identifier: Apache-2.0 */
/* The files that an output is writing: found by name, opened within a limit, grown by whole deliveries, described for a
 * checkpoint, and finished by a rename once their whole length is durable.  An append-only file is written where it
 * will stay.  A rolled one grows as .growing/.OWNER-N.part below the root and gets its name when it is finished, so
 * that nobody sees half of it. */
#pragma once
#include "base/buf.h"
#include "base/err.h"
#include "base/list.h"
#include "base/map.h"
#include "net/compress.h"

struct grow {
    struct str key;      /* by which it is looked up; owned, NUL terminated like the next two */
    struct str rel;      /* where it is, below the root */
    struct str final;    /* its name when finished; empty: append only */
    int fd;              /* -1: closed for a while */
    uint64_t dev, ino;   /* 0: not yet opened */
    int64_t len;         /* bytes that belong to deliveries which were taken */
    int64_t raw;         /* the same before compression */
    int64_t opened;      /* wall clock, ns */
    int64_t described;   /* length in the last checkpoint, settled or not; -1: in none */
    int64_t settled;     /* length in the last settled one; -1: in none */
    struct buf out;      /* not yet written: this delivery, and for compressed files what came before it */
    size_t kept;         /* bytes of `out` from earlier deliveries */
    int64_t start, grew; /* this delivery: the length before, the bytes written */
    bool touched, flushed, dirty;
    bool fresh;     /* its directory entry is not known to be durable */
    bool uncertain; /* longer than `len`: to be cut before anything else */
    bool journal;   /* its identity must be in the journal before the first write */
    bool due, sealed, renamed;
    struct link all, used; /* in grow_set.all; .used by age of use while open, head oldest */
};
struct grow_set {
    const char *name; /* of the output, for the log */
    struct str dir;   /* the root's name */
    int root;         /* -1: not open yet */
    bool mkdir;       /* make the root where it is missing */
    char owner[17];   /* of part files: this output of this store */
    bool rolled;
    enum codec codec;
    const char *suffix;     /* of finished files, with its dot */
    size_t open_max, nopen; /* descriptors */
    uint64_t next_part;
    uint32_t generation; /* of checkpoints taken */
    struct map current;  /* key -> struct grow that takes writes */
    struct link all, used;
    struct grow **touched; /* of this delivery */
    size_t ntouched, touched_cap;
    struct buf spare; /* the largest buffer that a file has given back */
    size_t waiting;   /* bytes in all `out` */
    int journal;      /* -1: none is kept */
    int64_t journal_len;
    uint32_t journal_gen; /* of its newest entry */
    uint64_t config;      /* of what decides how lines look: growing files of another one are finished */
    bool lost;            /* fdatasync failed: what was taken may be gone; only a restart brings it back */
    int64_t roll_size;    /* bytes before compression at which a file is due; 0: never */
    bool wants;           /* a checkpoint would let something go on */
    int64_t rotate_files;
    bool rotate_gzip;
};

void grow_set_init(struct grow_set *s);
void grow_set_free(struct grow_set *s);
bool grow_root(struct grow_set *s, struct err *e); /* opens the root where it is not open yet */

/* The file of that key, ready to take lines in ->out; NULL: e says why the event cannot go there, ever. */
struct grow *grow_for(struct grow_set *s, struct str key, struct err *e);

/* A delivery: lines into grow_for(...)->out, then commit, else abort. */
void grow_touch(struct grow_set *s, struct grow *g);
bool grow_commit(struct grow_set *s, struct err *e); /* false: everything is as before the delivery */
void grow_abort(struct grow_set *s);

bool grow_open(struct grow_set *s, struct grow *g, struct err *e);
bool grow_flush(struct grow_set *s, struct grow *g, struct err *e); /* out -> file; `grew` says how much */
bool grow_sync(struct grow_set *s, struct grow *g, struct err *e);
void grow_close(struct grow_set *s, struct grow *g);
struct grow *grow_new(struct grow_set *s, struct str key, struct str rel, struct str final);
void grow_free(struct grow_set *s, struct grow *g);
