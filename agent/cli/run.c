/* SPDX-License-Identifier: Apache-2.0 */
/* `weir -c FILE`: the agent in the foreground. */
#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/io.h"
#include "base/log.h"
#include "cli/args.h"
#include "cli/cli.h"
#include "cli/daemon.h"
#include "net/loop.h"
#include "pipe/admin.h"
#include "pipe/pipeline.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/signalfd.h>

struct run {
    struct config *config;
    struct loop *loop;
    struct pipeline *pipeline;
    struct admin *admin;
    struct watch signals;
    const char *log_file;
    bool finished; /* by its inputs, not by a signal */
};

static void set_log(struct run *r, const struct args *a)
{
    const struct service *s = &r->config->service;
    int level = s->log_level + (a ? a->verbosity : 0);
    struct err e = {0};

    if (a && a->quiet)
        level = LOG_ERROR;
    if (a)
        r->log_file = a->log_file ? a->log_file : s->log_file.n ? s->log_file.p : NULL;
    else
        level = (int)log_level();
    if (!log_setup(level > LOG_TRACE ? LOG_TRACE : (enum log_level)level, r->log_file, s->log_format == 1, &e))
        log_error("log file", "why", e.text);
}

static void on_signal(struct watch *w, unsigned events)
{
    struct run *r = container_of(w, struct run, signals);
    struct signalfd_siginfo info;

    (void)events;
    while (read(w->fd, &info, sizeof info) == sizeof info) {
        if (info.ssi_signo == SIGHUP) {
            set_log(r, NULL);
            log_info("log file re-opened; the configuration is read at the start only");
            continue;
        }
        log_info("stopping", "signal", info.ssi_signo == SIGINT ? "SIGINT" : "SIGTERM");
        loop_stop(r->loop);
    }
}

static void on_finished(void *arg)
{
    struct run *r = arg;

    r->finished = true;
    loop_stop(r->loop);
}

/* Before any thread: they all inherit the mask, so that signals arrive at the descriptor alone. */
static bool watch_signals(struct run *r, struct err *e)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    r->signals.fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    if (r->signals.fd < 0)
        return err_errno(e, "signalfd");
    r->signals.ready = on_signal;
    return loop_watch(r->loop, &r->signals, LOOP_READ, e);
}

static void say_start(struct run *r)
{
    struct config *c = r->config;
    const char *dir = store_dir(pipeline_store(r->pipeline));

    for (size_t i = 0; i < c->notices.n; i++) {
        CLEANUP(cleanup_free) char *text = alloc_text(c->notices.items[i].p, c->notices.items[i].n);
        log_info("note", "text", text);
    }
    for (size_t i = 0; i < c->warnings.n; i++) {
        CLEANUP(cleanup_free) char *text = alloc_text(c->warnings.items[i].p, c->warnings.items[i].n);
        log_warn("configuration", "text", text);
    }
    if (!dir)
        log_warn("storage.type is memory: what is acknowledged does not survive the process");
    log_info("started", "store", dir ? dir : "memory", "durability", pipeline_durability(c), "admin_port",
             log_num(r->admin ? admin_port(r->admin) : 0));
}

static void say_end(struct run *r)
{
    struct ledger l;

    ledger_read(r->pipeline, &l);
    log_info("stopped", "in", log_num((long long)l.in), "logged", log_num((long long)l.logged), "filtered",
             log_num((long long)l.filtered), "quarantined", log_num((long long)l.quarantined), "balanced",
             l.balanced ? "true" : "false");
    if (!l.balanced)
        log_error("the ledger does not balance");
    ledger_free(&l);
}

static bool start(struct run *r, const char *version, struct err *e)
{
    r->loop = loop_new();
    if (!watch_signals(r, e))
        return false;
    r->pipeline = pipeline_new(r->config, r->loop, e);
    if (!r->pipeline)
        return false;
    pipeline_on_finished(r->pipeline, on_finished, r);
    if (!pipeline_start(r->pipeline, e))
        return false;
    r->admin = admin_start(r->loop, r->pipeline, version, e);
    return r->admin || (pipeline_stop(r->pipeline, SECOND, false), false);
}

static void clean(struct run *r)
{
    admin_stop(r->admin);
    if (r->pipeline && !pipeline_idle(r->pipeline))
        _exit(1); /* an output hangs in a call, and uses what would be freed */
    pipeline_free(r->pipeline);
    if (r->loop) {
        loop_unwatch(r->loop, &r->signals);
        loop_free(r->loop);
    }
    if (r->signals.fd > 0)
        close(r->signals.fd);
    if (r->config)
        config_free(r->config);
}

static int run_agent(struct run *r, const char *version)
{
    struct err e = {0};
    bool ended;
    int ready = -1;

    if ((r->config->service.daemon && !daemon_begin(&ready, &e)) || !start(r, version, &e)) {
        log_error("cannot start", "why", e.text);
        clean(r);
        return 1;
    }
    say_start(r);
    if (ready >= 0)
        daemon_ready(ready);
    loop_run(r->loop);
    ended = pipeline_stop(r->pipeline, r->config->service.grace, r->finished);
    say_end(r);
    if (!ended) {
        /* An output hangs in a call that cannot be interrupted; what it owes is in the log. */
        log_warn("an output did not end in time; its events stay in the log");
        _exit(0);
    }
    clean(r);
    return 0;
}

int cli_run(int argc, char **argv, const char *version)
{
    CLEANUP(args_free) struct args a = {0};
    struct run r = {0};
    struct err e = {0};

    if (!args_parse(&a, argc, argv, &e)) {
        fprintf(stderr, "weir: %s\n", e.text);
        return EXIT_USAGE;
    }
    if (a.help || argc < 2) {
        args_help();
        return argc < 2 ? EXIT_USAGE : 0;
    }
    if (a.version) {
        printf("weir %s\n", version);
        return 0;
    }
    if (a.dry_run)
        return cli_check(argc, argv, version);
    r.config = args_config(&a, &e);
    if (!r.config) {
        fprintf(stderr, "%s\n", e.text);
        return 1;
    }
    set_log(&r, &a);
    return run_agent(&r, version);
}
