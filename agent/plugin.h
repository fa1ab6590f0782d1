/* SPDX-License-Identifier: Apache-2.0 */
/* The only header of the core's machinery that a plugin includes.  A plugin is a folder with name.c that defines
 * `const struct plugin input_NAME` (filter_NAME, output_NAME); the build finds it there. */
#pragma once
#include "base/err.h"
#include "base/log.h"
#include "base/metrics.h"
#include "conf/option.h"
#include "event/event.h"
#include "event/parser.h"

/* The first member of every plugin's struct.  Filled before start(). */
struct instance {
    const char *name; /* alias, else "tail.0": in logs, metrics, the store */
    const struct plugin *plugin;
    const struct section *section; /* as written, for places */
    const struct env *env;
    struct metric *records, *bytes, *errors; /* inputs, outputs: counted by the machine but for `errors` */
    void *machine;                           /* the machine's own */
};

struct env;                                   /* what the machine lends to plugins */
struct id env_host_id(const struct env *env); /* the same on this host as long as the store lives */
const char *env_config_dir(const struct env *env);
const char *env_state_dir(const struct env *env); /* may be NULL: nothing may be kept (storage.type memory) */
const char *env_variable(const struct env *env, const char *name); /* of @SET and env:, or NULL */
void env_variables(const struct env *env, void (*each)(void *arg, const char *name, const char *value), void *arg);
/* A parser of its own for one thread; NULL: e has file:line:column of `option` and a suggestion. */
struct parser *instance_parser(const struct instance *i, const char *option, struct str name, struct err *e);
/* An error found in start(): prefixed with the place where `option` was written; always false. */
bool instance_err(const struct instance *i, const char *option, struct err *e, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* ---- inputs: event driven, on their lane's loop; all calls are made on that thread ---- */

struct feed; /* an input's way into the machine */
struct loop; /* net/loop.h */
struct loop *feed_loop(const struct feed *f);
/* Reset by feed_push; for what an input builds of an event. */
struct arena *feed_arena(const struct feed *f);

enum outcome { ACCEPTED, DUPLICATE, FILTERED, QUARANTINED, DROPPED, UNROUTED, OUTCOMES };

/* Dedup, rules, the open batch.  The event and its bytes are borrowed for the call; ev->tag empty: the input's own tag;
 * ev->id zero: a random one.  `client_id`: the sender chose the id, so that deduplication can rely on it. */
enum outcome feed_push(struct feed *f, struct event *ev, bool client_id);
/* Bytes of which no event could be made: counted in and quarantined with the reason, never passed on. */
void feed_reject(struct feed *f, struct str raw, const char *code, const char *text);
/* Why the last event was quarantined: "code: text", without values. */
struct str feed_reason(const struct feed *f);

/* A durable position of this input, kept in the same transaction as what was pushed since the last commit. */
void feed_position(struct feed *f, struct str key, struct str value); /* empty value: forget the key */
void feed_positions(struct feed *f, void (*each)(void *arg, struct str key, struct str value), void *arg);

/* Ends a unit (a request, a read): all of it becomes durable, or nothing.  Push and commit a unit within one callback
 * of the loop.  c (may be NULL) is told, later, on this thread, in order; not any more once stop() was called.  A unit
 * that fails was not taken: nothing of it is in the log. */
struct commit {
    void (*done)(struct commit *c, bool durable);
    struct commit *next; /* the machine's */
    uint64_t ticket;     /* the machine's */
};
void feed_commit(struct feed *f, struct commit *c);

enum room { ROOM, ROOM_QUOTA, ROOM_DISK }; /* ROOM_QUOTA: answer 429; ROOM_DISK: answer 503 */
enum room feed_room(const struct feed *f, int *retry_after_seconds);
const char *feed_durability(const struct feed *f); /* what a commit means: disk, os or memory */
void feed_finish(struct feed *f); /* this input will bring nothing more; with .ends_run the agent then stops */

struct input {
    bool (*check)(void *self, struct err *e); /* what start() would refuse, without touching the world; may be NULL */
    bool (*start)(void *self, struct feed *f, struct err *e);
    void (*stop)(void *self);           /* on the lane's thread; after it nothing may be pushed */
    void (*pause)(void *self, bool on); /* back-pressure: stop reading; may be NULL */
    bool ends_run; /* when every such input has finished, the agent drains and exits (stdin at its end) */
    bool own_tags; /* gives events tags that the configuration does not spell out (from a URI) */
};

/* ---- filters: edit the event in place, on the lane's thread; one instance per lane ---- */

enum pass { KEEP, DROP, QUARANTINE, DISCARD }; /* DISCARD: dropped by a policy that somebody switched on */
struct emit;
/* One more event, which goes on behind this filter; its id becomes parent#n.  Copied. */
void filter_emit(struct emit *out, const struct event *ev);
/* The rule failed on this event: `return filter_fail(...)` follows the filter's on_error.  `text` must hold no values
 * of the event. */
enum pass filter_fail(struct emit *out, const char *code, const char *text);

struct filter {
    bool (*start)(void *self, struct err *e);
    void (*stop)(void *self);
    enum pass (*apply)(void *self, struct event *ev, struct emit *out);
};

/* ---- outputs: plain blocking code on their own thread ---- */

struct delivery; /* events from the log; the same ones under the same id on every retry, restart and reload */
bool delivery_next(struct delivery *d, struct event *ev); /* raw body; ev->arena is reset at each call */
void delivery_rewind(struct delivery *d);
const char *delivery_id(const struct delivery *d); /* 32 hex digits */
uint32_t delivery_count(const struct delivery *d);
struct str delivery_tag(const struct delivery *d); /* the one tag of it, with .by_tag; else the first event's */
/* One event failed though the others were taken (bulk replies): it alone is judged so. */
enum verdict { DONE, RETRY, REJECT, HOLD };
void delivery_fail(struct delivery *d, uint32_t index, enum verdict v, const char *why);
void delivery_retry_after(struct delivery *d, int64_t ns); /* the server asked for this much patience */
bool delivery_stopping(const struct delivery *d);          /* the agent wants to end: give up waiting */

struct output {
    bool (*check)(void *self, struct err *e); /* as for inputs */
    bool (*start)(void *self, struct err *e);
    void (*stop)(void *self);
    enum verdict (*write)(void *self, struct delivery *d, struct err *e);
    /* For outputs that write local files: `restore` is given what the last durable `checkpoint` described and takes
     * back everything later; `checkpoint` makes durable all that write() returned DONE for and appends its description;
     * `settled` is called when that is durable.  All may be NULL. */
    bool (*restore)(void *self, struct str state, struct err *e);
    bool (*checkpoint)(void *self, struct buf *state, struct err *e);
    void (*settled)(void *self);
    void (*tick)(void *self); /* about once a second, also when nothing flows: close what is due */
    /* The name of what it alone may write to, from its options; nothing: it shares.  False: only for events of one tag
     * does the name mean the same.  May be NULL. */
    bool (*claims)(const void *self, struct buf *name);
    bool planned; /* the delivery's identity must be durable before the first attempt */
    bool by_tag;  /* a delivery has events of one tag only */
};
void output_wants_checkpoint(const struct instance *i); /* from write() or tick(): soon, please */

struct plugin {
    const char *name, *summary; /* summary: one sentence */
    const struct option *options;
    size_t size;               /* of the plugin's struct, which begins with struct instance */
    const struct input *input; /* exactly one of the three is set */
    const struct filter *filter;
    const struct output *output;
};
