/* SPDX-License-Identifier: Apache-2.0 */
/* The whole configuration, checked and immutable: what pipe/ builds a pipeline from. */
#pragma once
#include "base/map.h"
#include "conf/option.h"
#include "event/parser.h"

struct service {          /* [SERVICE]; names and defaults as in Fluent Bit, where they have a meaning here */
    int64_t flush, grace; /* ns */
    bool daemon;
    struct str log_file;
    int log_level;          /* enum log_level */
    int log_format;         /* 0 logfmt, 1 json */
    bool http_server;       /* default on here: loopback */
    struct str http_listen; /* default 127.0.0.1 */
    int64_t http_port;      /* 2020; 0: any free one, said in the log */
    bool health_check;
    int64_t hc_errors_count, hc_retry_failure_count, hc_period;
    struct str storage_path;  /* empty: see store_default_path */
    int storage_type;         /* enum storage_type */
    int durability;           /* enum durability */
    int64_t storage_limit;    /* storage.total_limit_size: bytes of the log, default 10G */
    int64_t segment_size;     /* storage.segment_size, default 64 MiB */
    int64_t commit_delay;     /* storage.commit_delay: ns, 0..5 ms */
    int64_t dedup_window;     /* dedup.window: ns, default 10 min */
    int64_t dedup_ids;        /* dedup.ids: default one million */
    bool quarantine_raw;      /* quarantine.raw, default on */
    int64_t quarantine_keep;  /* quarantine.keep, default 7 days */
    int64_t quarantine_limit; /* quarantine.limit_size, default 1G */
    struct str quarantine_key_file;
    int64_t scheduler_base, scheduler_cap; /* ns; default 500 ms, 60 s */
};
enum storage_type { STORAGE_FILESYSTEM, STORAGE_MEMORY }; /* default: filesystem */
enum durability { DURABILITY_DISK, DURABILITY_OS, DURABILITY_MEMORY };

struct config {
    struct tree *tree; /* owned */
    struct service service;
    const struct section **inputs, **filters, **outputs; /* in file order */
    size_t ninputs, nfilters, noutputs;
    struct map parsers;  /* name -> struct parser_def * */
    struct strs notices; /* said once at start: ignored keys; warnings that `weir check` makes errors: warnings */
    struct strs warnings;
    const char *identity; /* set by who loads it: the main file's absolute path, or the command line; names the store */
    const char *dir;      /* of the main file: relative paths begin here */
};

/* Takes the tree (also on failure).  Checks sections, [SERVICE] and parsers; plugins are checked by pipeline_build. */
struct config *config_new(struct tree *tree, struct err *e);
void config_free(struct config *c);
/* The names of the known parsers, for "did you mean". */
const struct parser_def *config_parser(const struct config *c, struct str name);
/* Adds a warning or notice; `fmt` begins with the place already where there is one. */
void config_warn(struct config *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void config_note(struct config *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
