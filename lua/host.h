/* SPDX-License-Identifier: Apache-2.0 */
/* One Lua state with one rule function in it, as Fluent Bit's Lua filter has it.  A host belongs to one thread. */
#pragma once
#include "base/err.h"
#include "event/event.h"

enum host_lazy { HOST_LAZY_AUTO, HOST_LAZY_ON, HOST_LAZY_OFF };

struct host_options {
    const char *name;    /* of the filter, for the log */
    struct str script;   /* path; tried as given, then below `dir` */
    struct str code;     /* inline; wins over script */
    const char *dir;     /* of the configuration; may be NULL */
    const char *key_dir; /* where the key of weir.hmac lies; NULL: it lives as long as the process */
    const char *call;    /* a global function after the script has run */
    struct strs int_keys, array_keys, allow_env;
    bool time_as_table, flb_null;
    bool sandbox, jit;
    int lazy;                                       /* enum host_lazy */
    int64_t memory_limit, string_limit, time_limit; /* bytes, bytes, ns; they hold inside the sandbox only */
};

struct host;

/* Everything in `o` is borrowed until host_free.  Between the two calls host_variable fills FLB_ENV. */
struct host *host_new(const struct host_options *o, struct err *e);
void host_variable(struct host *h, const char *name, const char *value);
bool host_load(struct host *h, struct err *e); /* runs the script body and finds the function */
void host_free(struct host *h);

enum host_verdict {
    HOST_SAME,   /* the event keeps its bytes */
    HOST_DROP,   /* the rule said so */
    HOST_EVENTS, /* result->events: one or more (a split), made in the event's arena */
    HOST_FAIL    /* code and text say why, without any value of the event */
};

struct host_result {
    struct event *events;
    size_t n;
    const char *code, *text; /* valid until the next call */
    bool capped;             /* failed because it used up time or memory */
};

enum host_verdict host_run(struct host *h, struct event *ev, struct host_result *r);
bool host_lazy(const struct host *h); /* does the next record arrive lazily? */
