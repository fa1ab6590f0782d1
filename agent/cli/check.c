/* SPDX-License-Identifier: Apache-2.0 */
/* `weir check`: every mistake that can be found without starting; what is a warning when running is an error here. */
#include "base/cleanup.h"
#include "cli/args.h"
#include "cli/cli.h"
#include "pipe/pipeline.h"

#include <stdio.h>

static int verdict(const struct args *a, struct config *config)
{
    for (size_t i = 0; i < config->notices.n; i++)
        printf("note: " STR_FMT "\n", STR_ARG(config->notices.items[i]));
    for (size_t i = 0; i < config->warnings.n; i++)
        fprintf(stderr, STR_FMT "\n", STR_ARG(config->warnings.items[i]));
    if (config->warnings.n)
        return 1;
    printf("%s: good: %zu inputs, %zu filters, %zu outputs\n", a->file ? a->file : "command line", config->ninputs,
           config->nfilters, config->noutputs);
    return 0;
}

int cli_check(int argc, char **argv, const char *version)
{
    CLEANUP(args_free) struct args a;
    struct config *config;
    struct err e = {0};
    int status = 1;

    (void)version;
    if (!args_parse(&a, argc, argv, &e)) {
        fprintf(stderr, "weir check: %s\n", e.text);
        return EXIT_USAGE;
    }
    if (a.help) {
        args_help();
        return 0;
    }
    config = args_config(&a, &e);
    if (config && pipeline_check(config, &e))
        status = verdict(&a, config);
    else
        fprintf(stderr, "%s\n", e.text);
    if (config)
        config_free(config);
    return status;
}
