/* SPDX-License-Identifier: Apache-2.0 */
/* An event loop (libuv) with a mailbox.  One per ingest lane, one on the main thread.  All calls but loop_post and
 * loop_stop are made on its own thread (or before it runs). */
#pragma once
#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

struct loop;
struct uv_loop_s;

struct loop *loop_new(void);
void loop_free(struct loop *l);
void loop_run(struct loop *l);  /* until loop_stop */
void loop_stop(struct loop *l); /* any thread */
struct uv_loop_s *loop_uv(struct loop *l);

enum { LOOP_READ = 1, LOOP_WRITE = 2 };
/* Embed in your own struct; zero before first use. `ready` may unwatch or re-watch itself. */
struct watch {
    int fd;
    void (*ready)(struct watch *w, unsigned events);
    void *handle; /* the loop's */
};
bool loop_watch(struct loop *l, struct watch *w, unsigned events, struct err *e); /* again: changes the events */
void loop_unwatch(struct loop *l, struct watch *w); /* before closing the fd; harmless when not watched */

struct timer {
    void (*fire)(struct timer *t);
    void *handle;
};
void loop_timer(struct loop *l, struct timer *t, int64_t delay_ns); /* once; again: moves it */
void loop_cancel(struct loop *l, struct timer *t);

/* The only way into a loop from outside: `open` runs once, on the loop's thread, in the order of posting. */
struct letter {
    void (*open)(struct letter *m);
    struct letter *next;
};
void loop_post(struct loop *l, struct letter *m); /* any thread */

/* Called after every round of events, before the loop sleeps: where what has gathered is flushed.  One per hook. */
struct hook {
    void (*round)(struct hook *h);
    struct hook *next;
};
void loop_after_round(struct loop *l, struct hook *h);
