/* SPDX-License-Identifier: Apache-2.0 */
/* `weir quarantine ls|show|replay`: what was refused and why; never a value of it. */
#include "base/cleanup.h"
#include "base/io.h"
#include "cli/args.h"
#include "cli/cli.h"
#include "cli/control.h"
#include "event/time.h"
#include "pipe/pipeline.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

struct select {
    struct str reason, output, id;
    int64_t since; /* seconds since the epoch; 0: all */
    const char *since_text;
    size_t shown;
    bool whole;
};

static bool selected(const struct select *s, const struct quarantine_entry *entry)
{
    char id[33];

    id_text(entry->id, id);
    return (!s->reason.n || str_eq(s->reason, entry->code)) && (!s->output.n || str_eq(s->output, entry->plugin)) &&
           (!s->id.n || str_eq(str_of(id), s->id)) && entry->time >= s->since * SECOND;
}

static bool print_entry(void *arg, const struct quarantine_entry *entry, bool replayed)
{
    struct select *s = arg;
    CLEANUP(buf_free) struct buf when = {0};
    char id[33], event[33];

    if (!selected(s, entry))
        return true;
    s->shown++;
    id_text(entry->id, id);
    id_text(entry->event_id, event);
    time_write_rfc3339(&when, entry->time, 3);
    if (!s->whole) {
        printf("%s " STR_FMT " " STR_FMT "/" STR_FMT " " STR_FMT ": " STR_FMT "%s\n", id, STR_ARG(buf_view(&when)),
               STR_ARG(entry->stage), STR_ARG(entry->plugin), STR_ARG(entry->code), STR_ARG(entry->text),
               replayed ? " (replayed)" : "");
        return true;
    }
    printf("id        %s%s\nevent id  %s\ntime      " STR_FMT "\nstage     " STR_FMT "\nplugin    " STR_FMT
           "\ninput     " STR_FMT "\ntag       " STR_FMT "\nreason    " STR_FMT ": " STR_FMT
           "\nattempts  %u\nfields    " STR_FMT "\nkept      %s\n",
           id, replayed ? " (replayed)" : "", event, STR_ARG(buf_view(&when)), STR_ARG(entry->stage),
           STR_ARG(entry->plugin), STR_ARG(entry->input), STR_ARG(entry->tag), STR_ARG(entry->code),
           STR_ARG(entry->text), entry->attempts, STR_ARG(entry->listing),
           entry->kind == QUARANTINE_NONE ? "no"
           : entry->sealed                ? "sealed (AES-256-GCM)"
                                          : "as it was logged");
    return true;
}

static int list(const char *dir, struct select *s)
{
    CLEANUP(cleanup_fd) int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct err e = {0};
    struct quarantine *q;
    bool good;

    if (fd < 0) {
        fprintf(stderr, "weir quarantine: no store at %s: %s\n", dir, strerror(errno));
        return 1;
    }
    q = quarantine_open(fd, false, &e);
    good = q && quarantine_each(q, print_entry, s, &e);
    if (q)
        quarantine_close(q);
    if (!good) {
        fprintf(stderr, "weir quarantine: %s\n", e.text);
        return 1;
    }
    if (s->id.n && !s->shown) {
        fprintf(stderr, "weir quarantine: no entry " STR_FMT "\n", STR_ARG(s->id));
        return 1;
    }
    return 0;
}

static int replay(const char *dir, const struct select *s)
{
    CLEANUP(buf_free) struct buf path = {0}, body = {0}, since = {0};
    struct err e = {0};

    buf_str(&path, STR("/quarantine/replay"));
    control_query(&path, "reason", s->reason);
    control_query(&path, "output", s->output);
    control_query(&path, "id", s->id);
    if (s->since)
        buf_fmt(&since, "%lld", (long long)s->since);
    control_query(&path, "since", buf_view(&since));
    switch (control_ask(dir, "POST", buf_text(&path), &body, &e)) {
    case CONTROL_OK:
        printf(STR_FMT "\n", STR_ARG(buf_view(&body)));
        return 0;
    case CONTROL_NOT_RUNNING:
        fprintf(stderr,
                "weir quarantine: the agent is not running; start it, then replay: the events go through its rules\n");
        return 1;
    default:
        fprintf(stderr, "weir quarantine: %s\n", e.text);
        return 1;
    }
}

static bool take_flag(struct select *s, const char *flag, const char *value)
{
    if (!strcmp(flag, "--reason"))
        s->reason = str_of(value);
    else if (!strcmp(flag, "--output"))
        s->output = str_of(value);
    else if (!strcmp(flag, "--id"))
        s->id = str_of(value);
    else if (!strcmp(flag, "--since"))
        s->since_text = value;
    else
        return false;
    return true;
}

/* A flag whose value is the next argument. */
static bool takes_value(const char *flag)
{
    static const char *const flags[] = {"-c", "--config", "-R", "--parser"};

    for (size_t i = 0; i < ARRAY_LEN(flags); i++)
        if (!strcmp(flag, flags[i]))
            return true;
    return false;
}

static bool read_since(struct select *s)
{
    int64_t ns;

    if (!s->since_text)
        return true;
    if (!time_read_rfc3339(str_of(s->since_text), &ns)) {
        fprintf(stderr, "weir quarantine: --since takes a time such as 2026-01-31T12:00:00Z, not `%s`\n",
                s->since_text);
        return false;
    }
    s->since = ns / SECOND;
    return true;
}

static int usage(void)
{
    fprintf(stderr,
            "usage: weir quarantine ls|replay -c FILE [--reason CODE] [--output NAME] [--since TIME] [--id ID]\n"
            "       weir quarantine show ID -c FILE\n"
            "TIME is written as 2026-01-31T12:00:00Z\n");
    return EXIT_USAGE;
}

int cli_quarantine(int argc, char **argv, const char *version)
{
    CLEANUP(args_free) struct args a = {0};
    CLEANUP(cleanup_free) char *dir = NULL;
    struct select s = {0};
    char *rest[64] = {argv[0]};
    int n = 1, status = 1;
    struct config *config;
    struct err e = {0};

    (void)version;
    if (argc < 2)
        return usage();
    for (int i = 2; i < argc && n < 63; i++) {
        if (!strncmp(argv[i], "--", 2) && i + 1 < argc && take_flag(&s, argv[i], argv[i + 1]))
            i++;
        else if (!strcmp(argv[1], "show") && argv[i][0] != '-' && !s.id.n && !takes_value(argv[i - 1]))
            s.id = str_of(argv[i]);
        else
            rest[n++] = argv[i];
    }
    s.whole = !strcmp(argv[1], "show");
    if ((s.whole && !s.id.n) || (!s.whole && strcmp(argv[1], "ls") && strcmp(argv[1], "replay")))
        return usage();
    if (!read_since(&s))
        return EXIT_USAGE;
    if (!args_parse(&a, n, rest, &e)) {
        fprintf(stderr, "weir quarantine: %s\n", e.text);
        return EXIT_USAGE;
    }
    config = args_config(&a, &e);
    if (!config) {
        fprintf(stderr, "%s\n", e.text);
        return 1;
    }
    dir = pipeline_store_dir(config);
    if (!dir)
        fprintf(stderr, "weir quarantine: storage.type is memory: nothing is kept\n");
    else
        status = !strcmp(argv[1], "replay") ? replay(dir, &s) : list(dir, &s);
    config_free(config);
    return status;
}
