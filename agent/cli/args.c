/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/args.h"

#include "base/cleanup.h"
#include "base/log.h"
#include "cli/flags.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const struct option_text {
    const char *flag, *text;
} texts[] = {
    {"-c, --config FILE", "the configuration (.conf, or .yaml)"},
    {"-i, --input NAME", "add an input"},
    {"-F, --filter NAME", "add a filter"},
    {"-o, --output NAME", "add an output; it takes every tag unless -m follows"},
    {"-p, --prop KEY=VALUE", "an option of what was added last"},
    {"-t, --tag TAG", "the tag of the input that was added last"},
    {"-m, --match PATTERN", "the match of the filter or output that was added last"},
    {"-R, --parser FILE", "a file with parsers"},
    {"-f, --flush SECONDS", "accepted for Fluent Bit's sake: outputs are sent to when there is work"},
    {"-l, --log_file FILE", "write the agent's own log there"},
    {"-D, --dry-run", "check the configuration and end, like `weir check`"},
    {"-v, --verbose", "log more; again: more still"},
    {"-q, --quiet", "log nothing but errors"},
    {"-V, --version", "print the version"},
    {"-h, --help", "this text"},
};

void args_help(void)
{
    puts("weir: an agent that never loses an acknowledged event\n\n"
         "usage: weir -c FILE              run\n"
         "       weir -i NAME ... -o NAME  run without a file\n"
         "       weir check -c FILE        is this configuration good?\n"
         "       weir plugins [NAME]       what there is, and one plugin's options\n"
         "       weir ledger -c FILE       what came in and where it went\n"
         "       weir queue forget NAME -c FILE\n"
         "       weir quarantine ls|show|replay -c FILE\n");
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        printf("  %-22s %s\n", texts[i].flag, texts[i].text);
}

static bool set_last(struct args *a, const char *flag, struct str name, struct str value, struct err *e)
{
    if (!a->any)
        return err_set(e, "%s must follow the -i, -F or -o that it belongs to", flag);
    return tree_set(a->tree, &a->tree->sections[a->last], name, value, e);
}

static bool add(struct args *a, const char *kind, const char *name, struct err *e)
{
    struct section *s = tree_add(a->tree, kind);

    a->any = true;
    a->last = a->tree->n - 1;
    return tree_set(a->tree, s, STR("name"), str_of(name), e);
}

static bool set_prop(struct args *a, const char *text, struct err *e)
{
    struct str value = str_of(text), name = str_cut(&value, '=');

    if (!value.p || !name.n)
        return err_set(e, "-p takes KEY=VALUE, not `%s`", text);
    return set_last(a, "-p", str_trim(name), str_trim(value), e);
}

static bool take(struct args *a, int flag, const char *arg, struct err *e)
{
    switch (flag) {
    case 'c':
        a->file = arg;
        return true;
    case 'i':
        return add(a, "input", arg, e);
    case 'F':
        return add(a, "filter", arg, e);
    case 'o':
        return add(a, "output", arg, e);
    case 'p':
        return set_prop(a, arg, e);
    case 't':
        return set_last(a, "-t", STR("tag"), str_of(arg), e);
    case 'm':
        return set_last(a, "-m", STR("match"), str_of(arg), e);
    case 'R':
        return tree_load_into(a->tree, arg, e);
    case 'f': /* nothing waits for a tick here */
        return true;
    case 'l':
        a->log_file = arg;
        return true;
    case 'D':
        return a->dry_run = true;
    case 'v':
        a->verbosity++;
        return true;
    case 'q':
        return a->quiet = true;
    case 'V':
        return a->version = true;
    case 'h':
        return a->help = true;
    default:
        return err_set(e, "`weir --help` lists the options");
    }
}

/* On the command line an output without -m takes everything. */
static bool default_matches(struct args *a, struct err *e)
{
    for (size_t i = 0; i < a->tree->n; i++) {
        struct section *s = &a->tree->sections[i];
        bool takes = str_eq(s->kind, STR("output")) || str_eq(s->kind, STR("filter"));
        if (takes && !section_prop(s, "match") && !section_prop(s, "match_regex") &&
            !tree_set(a->tree, s, STR("match"), STR("*"), e))
            return false;
    }
    return true;
}

bool args_parse(struct args *a, int argc, char **argv, struct err *e)
{
    int flag;

    *a = (struct args){.tree = tree_new()};
    optind = 1;
    while ((flag = flags_next(argc, argv)) != -1)
        if (!take(a, flag, optarg, e))
            return false;
    if (optind < argc && !a->file)
        a->file = argv[optind++];
    if (optind < argc)
        return err_set(e, "`%s` is one argument too many", argv[optind]);
    for (int i = 1; i < argc; i++)
        buf_fmt(&a->identity, " %s", argv[i]);
    buf_text(&a->identity);
    return default_matches(a, e);
}

struct config *args_config(struct args *a, struct err *e)
{
    struct config *config;

    if (a->file && !tree_load_into(a->tree, a->file, e))
        return NULL;
    if (!a->file && !a->tree->n) {
        err_set(e, "no configuration: give -c FILE, or inputs and outputs with -i and -o");
        return NULL;
    }
    config = config_new(TAKE(a->tree), e);
    if (!config)
        return NULL;
    a->real_path = a->file ? realpath(a->file, NULL) : NULL;
    config->identity = a->real_path ? a->real_path : a->identity.p;
    return config;
}

void args_free(struct args *a)
{
    if (a->tree)
        tree_free(a->tree);
    buf_free(&a->identity);
    free(a->real_path);
}
