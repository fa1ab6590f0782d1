/* SPDX-License-Identifier: Apache-2.0 */
/* `weir ledger`: from the running agent, or from the store of one that is stopped. */
#include "pipe/ledger.h"

#include "base/cleanup.h"
#include "cli/args.h"
#include "cli/cli.h"
#include "cli/control.h"
#include "pipe/pipeline.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Opening would make one, and a ledger of nothing balances. */
static bool is_store(const char *dir)
{
    CLEANUP(buf_free) struct buf path = {0};

    buf_fmt(&path, "%s/log", dir);
    if (!access(buf_text(&path), F_OK))
        return true;
    fprintf(stderr, "weir ledger: no store at %s: %s\n", dir, strerror(errno));
    return false;
}

static int from_store(const struct config *config, const char *dir, bool json)
{
    CLEANUP(buf_free) struct buf out = {0};
    struct err e = {0};
    struct ledger l;
    struct store *store = store_open(&(struct store_options){.dir = dir,
                                                             .limit = config->service.storage_limit,
                                                             .segment_size = config->service.segment_size,
                                                             .dedup_window = config->service.dedup_window,
                                                             .dedup_ids = config->service.dedup_ids},
                                     &e);
    bool balanced;

    if (!store) {
        fprintf(stderr, "weir ledger: %s\n", e.text);
        return 1;
    }
    ledger_read_store(store, &l);
    store_close(store);
    if (json)
        ledger_json(&l, &out);
    else
        ledger_text(&l, &out);
    fwrite(out.p, 1, out.n, stdout);
    balanced = l.balanced;
    ledger_free(&l);
    return !balanced;
}

static int from_agent(struct buf *body)
{
    fwrite(body->p, 1, body->n, stdout);
    return str_find(buf_view(body), STR("NOT BALANCED")) != SIZE_MAX ||
           str_find(buf_view(body), STR("\"balanced\":false")) != SIZE_MAX;
}

int cli_ledger(int argc, char **argv, const char *version)
{
    CLEANUP(args_free) struct args a;
    CLEANUP(buf_free) struct buf body = {0};
    CLEANUP(cleanup_free) char *dir = NULL;
    struct config *config;
    struct err e = {0};
    bool json = argc > 1 && !strcmp(argv[argc - 1], "--json");
    int status = 1;

    (void)version;
    if (!args_parse(&a, argc - json, argv, &e)) {
        fprintf(stderr, "weir ledger: %s\n", e.text);
        return EXIT_USAGE;
    }
    config = args_config(&a, &e);
    if (!config) {
        fprintf(stderr, "%s\n", e.text);
        return 1;
    }
    dir = pipeline_store_dir(config);
    if (!dir) {
        fprintf(stderr, "weir ledger: storage.type is memory: ask the running agent at /ledger\n");
    } else {
        switch (control_ask(dir, "GET", json ? "/ledger" : "/ledger.txt", &body, &e)) {
        case CONTROL_OK:
            status = from_agent(&body);
            break;
        case CONTROL_NOT_RUNNING:
            status = is_store(dir) ? from_store(config, dir, json) : 1;
            break;
        default:
            fprintf(stderr, "weir ledger: %s\n", e.text);
        }
    }
    config_free(config);
    return status;
}
