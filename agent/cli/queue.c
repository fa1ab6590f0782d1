/* SPDX-License-Identifier: Apache-2.0 */
/* `weir queue forget NAME`: gives up what an output is owed that is not in the configuration any more.  Until then its
 * backlog stays, and the log with it. */
#include "base/cleanup.h"
#include "cli/args.h"
#include "cli/cli.h"
#include "cli/control.h"
#include "pipe/pipeline.h"

#include <stdio.h>

static int usage(void)
{
    fprintf(stderr, "usage: weir queue forget NAME -c FILE   (`weir ledger` names the outputs)\n");
    return EXIT_USAGE;
}

/* Only the running agent knows for sure which outputs are not its own. */
static int forget(const char *dir, struct str output)
{
    CLEANUP(buf_free) struct buf path = {0}, body = {0};
    struct err e = {0};

    buf_str(&path, STR("/queue/forget"));
    control_query(&path, "output", output);
    switch (control_ask(dir, "POST", buf_text(&path), &body, &e)) {
    case CONTROL_OK:
        printf(STR_FMT "\n", STR_ARG(buf_view(&body)));
        return 0;
    case CONTROL_NOT_RUNNING:
        fprintf(stderr, "weir queue: the agent is not running; start it without that output, then forget\n");
        return 1;
    default:
        fprintf(stderr, "weir queue: %s\n", e.text);
        return 1;
    }
}

int cli_queue(int argc, char **argv, const char *version)
{
    CLEANUP(args_free) struct args a = {0};
    CLEANUP(cleanup_free) char *dir = NULL;
    struct config *config;
    struct err e = {0};
    int status = 1;

    (void)version;
    if (argc < 3 || strcmp(argv[1], "forget") || argv[2][0] == '-' || !argv[2][0])
        return usage();
    if (!args_parse(&a, argc - 2, argv + 2, &e)) { /* the name stands where a command's own does */
        fprintf(stderr, "weir queue: %s\n", e.text);
        return EXIT_USAGE;
    }
    config = args_config(&a, &e);
    if (!config) {
        fprintf(stderr, "%s\n", e.text);
        return 1;
    }
    dir = pipeline_store_dir(config);
    if (!dir)
        fprintf(stderr, "weir queue: storage.type is memory: no backlog outlives its output\n");
    else
        status = forget(dir, str_of(argv[2]));
    config_free(config);
    return status;
}
