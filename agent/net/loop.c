/* SPDX-License-Identifier: Apache-2.0 */
#include "net/loop.h"

#include "base/alloc.h"
#include "base/io.h"
#include "base/list.h"

#include <stdatomic.h>
#include <uv.h>

struct watching {
    uv_poll_t poll;
    struct link link;
    struct watch *watch;
    unsigned events;
};

struct timing {
    uv_timer_t uv;
    struct link link;
    struct timer *timer; /* NULL: spare */
};

struct loop {
    uv_loop_t uv;
    uv_async_t wake;
    uv_prepare_t prepare;
    _Atomic(struct letter *) mail; /* newest first */
    atomic_bool stopping;
    struct hook *hooks;
    struct link watches, timers, spare_timers;
};

static void open_mail(struct loop *l)
{
    struct letter *m = atomic_exchange_explicit(&l->mail, NULL, memory_order_acquire), *oldest = NULL;

    while (m) {
        struct letter *next = m->next;
        m->next = oldest;
        oldest = m;
        m = next;
    }
    while (oldest) {
        struct letter *next = oldest->next;
        oldest->next = NULL;
        oldest->open(oldest);
        oldest = next;
    }
}

static void on_wake(uv_async_t *wake)
{
    struct loop *l = wake->data;

    open_mail(l);
    if (atomic_load(&l->stopping))
        uv_stop(&l->uv);
}

static void on_prepare(uv_prepare_t *prepare)
{
    struct loop *l = prepare->data;

    for (struct hook *h = l->hooks, *next; h; h = next) {
        next = h->next;
        h->round(h);
    }
}

struct loop *loop_new(void)
{
    struct loop *l = alloc_new(sizeof *l);

    /* These fail only for want of memory or descriptors, and without a loop there is no agent. */
    if (uv_loop_init(&l->uv) || uv_async_init(&l->uv, &l->wake, on_wake) || uv_prepare_init(&l->uv, &l->prepare))
        abort();
    l->wake.data = l->prepare.data = l->uv.data = l;
    uv_prepare_start(&l->prepare, on_prepare);
    uv_unref((uv_handle_t *)&l->prepare);
    list_init(&l->watches);
    list_init(&l->timers);
    list_init(&l->spare_timers);
    return l;
}

static void close_any(uv_handle_t *h, void *arg)
{
    (void)arg;
    if (!uv_is_closing(h))
        uv_close(h, NULL);
}

static void watching_closed(uv_handle_t *h)
{
    free(container_of(h, struct watching, poll));
}

static void timing_closed(uv_handle_t *h)
{
    free(container_of(h, struct timing, uv));
}

void loop_free(struct loop *l)
{
    if (!l)
        return;
    list_each (it, &l->watches) {
        struct watching *w = container_of(it, struct watching, link);
        w->watch->handle = NULL;
        uv_close((uv_handle_t *)&w->poll, watching_closed);
    }
    list_each (it, &l->timers) {
        struct timing *t = container_of(it, struct timing, link);
        t->timer->handle = NULL;
        uv_close((uv_handle_t *)&t->uv, timing_closed);
    }
    list_each (it, &l->spare_timers)
        uv_close((uv_handle_t *)&container_of(it, struct timing, link)->uv, timing_closed);
    uv_walk(&l->uv, close_any, NULL);
    uv_run(&l->uv, UV_RUN_DEFAULT);
    if (uv_loop_close(&l->uv))
        abort();
    free(l);
}

void loop_run(struct loop *l)
{
    if (!atomic_load(&l->stopping))
        uv_run(&l->uv, UV_RUN_DEFAULT);
    atomic_store(&l->stopping, false);
}

void loop_stop(struct loop *l)
{
    atomic_store(&l->stopping, true);
    uv_async_send(&l->wake);
}

struct uv_loop_s *loop_uv(struct loop *l)
{
    return &l->uv;
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct watching *w = container_of(poll, struct watching, poll);
    unsigned seen = (events & UV_READABLE ? LOOP_READ : 0) | (events & UV_WRITABLE ? LOOP_WRITE : 0);

    if (status < 0) { /* libuv has stopped the handle; the read or write that follows finds the error */
        w->events = 0;
        seen = LOOP_READ | LOOP_WRITE;
    }
    w->watch->ready(w->watch, seen);
}

bool loop_watch(struct loop *l, struct watch *watch, unsigned events, struct err *e)
{
    struct watching *w = watch->handle;
    int rc;

    if (!w) {
        w = alloc_new(sizeof *w);
        rc = uv_poll_init(&l->uv, &w->poll, watch->fd);
        if (rc) {
            free(w);
            return err_set(e, "cannot watch descriptor %d: %s", watch->fd, uv_strerror(rc));
        }
        w->watch = watch;
        watch->handle = w;
        list_append(&l->watches, &w->link);
    }
    if (w->events == events) /* starting a handle anew costs two system calls */
        return true;
    w->events = events;
    if (!events) {
        uv_poll_stop(&w->poll);
        return true;
    }
    rc = uv_poll_start(&w->poll, (events & LOOP_READ ? UV_READABLE : 0) | (events & LOOP_WRITE ? UV_WRITABLE : 0),
                       on_poll);
    return !rc || err_set(e, "cannot watch descriptor %d: %s", watch->fd, uv_strerror(rc));
}

void loop_unwatch(struct loop *l, struct watch *watch)
{
    struct watching *w = watch->handle;

    (void)l;
    if (!w)
        return;
    watch->handle = NULL;
    list_remove(&w->link);
    uv_close((uv_handle_t *)&w->poll, watching_closed);
}

/* The handle is let go before the call: `fire` may free the timer or start it again. */
static void on_timer(uv_timer_t *uv)
{
    struct timing *t = container_of(uv, struct timing, uv);
    struct loop *l = uv->data;
    struct timer *timer = t->timer;

    timer->handle = t->timer = NULL;
    list_remove(&t->link);
    list_append(&l->spare_timers, &t->link);
    timer->fire(timer);
}

void loop_timer(struct loop *l, struct timer *timer, int64_t delay_ns)
{
    struct timing *t = timer->handle;

    if (!t && !list_empty(&l->spare_timers)) {
        t = container_of(l->spare_timers.next, struct timing, link);
        list_remove(&t->link);
        list_append(&l->timers, &t->link);
    } else if (!t) {
        t = alloc_new(sizeof *t);
        uv_timer_init(&l->uv, &t->uv);
        t->uv.data = l;
        list_append(&l->timers, &t->link);
    }
    t->timer = timer;
    timer->handle = t;
    uv_timer_start(&t->uv, on_timer, delay_ns > 0 ? (uint64_t)((delay_ns + MILLISECOND - 1) / MILLISECOND) : 0, 0);
}

void loop_cancel(struct loop *l, struct timer *timer)
{
    struct timing *t = timer->handle;

    if (!t)
        return;
    uv_timer_stop(&t->uv);
    timer->handle = t->timer = NULL;
    list_remove(&t->link);
    list_append(&l->spare_timers, &t->link);
}

void loop_post(struct loop *l, struct letter *m)
{
    struct letter *newest = atomic_load_explicit(&l->mail, memory_order_relaxed);

    do
        m->next = newest;
    while (!atomic_compare_exchange_weak_explicit(&l->mail, &newest, m, memory_order_release, memory_order_relaxed));
    if (!newest) /* else whoever posted first has woken it, and it has not looked yet */
        uv_async_send(&l->wake);
}

void loop_after_round(struct loop *l, struct hook *h)
{
    struct hook **end = &l->hooks;

    while (*end)
        end = &(*end)->next;
    h->next = NULL;
    *end = h;
}
