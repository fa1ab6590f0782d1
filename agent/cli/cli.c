/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"

#include "base/cleanup.h"

#include <stdio.h>

static const struct command {
    const char *name;
    int (*run)(int argc, char **argv, const char *version);
} commands[] = {
    {"check", cli_check}, {"plugins", cli_plugins},       {"ledger", cli_ledger},
    {"queue", cli_queue}, {"quarantine", cli_quarantine},
};

static const char *nth_command(void *arg, size_t i)
{
    (void)arg;
    return i < ARRAY_LEN(commands) ? commands[i].name : NULL;
}

int cli_main(int argc, char **argv, const char *version)
{
    if (argc < 2 || argv[1][0] == '-')
        return cli_run(argc, argv, version);
    for (size_t i = 0; i < ARRAY_LEN(commands); i++)
        if (!strcmp(argv[1], commands[i].name))
            return commands[i].run(argc - 1, argv + 1, version);
    const char *near = suggest(str_of(argv[1]), nth_command, NULL);
    fprintf(stderr, "weir: unknown command `%s`%s%s%s\n", argv[1],
            near ? "; did you mean `" : "; `weir --help` lists them", near ? near : "", near ? "`?" : "");
    return EXIT_USAGE;
}
