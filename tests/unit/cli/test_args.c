/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/args.h"

#include "base/cleanup.h"
#include "test.h"

#include <unistd.h>

enum { WORDS = 24 };

/* "-i dummy -p rate=1": parsed. */
static bool parse(struct args *a, const char *line, struct err *e)
{
    static char text[512], *words[WORDS]; /* args keeps pointers into it */
    int n = 0;

    snprintf(text, sizeof text, "weir %s", line);
    for (char *w = strtok(text, " "); w && n < WORDS - 1; w = strtok(NULL, " "))
        words[n++] = w;
    words[n] = NULL;
    return args_parse(a, n, words, e);
}

static void bad(const char *line, const char *part)
{
    struct args a;
    struct err e = {0};

    CHECK(!parse(&a, line, &e));
    if (!strstr(e.text, part)) {
        fprintf(stderr, "%s: \"%s\" without \"%s\"\n", line, e.text, part);
        CHECK(!"the text");
    }
    args_free(&a);
}

TEST(plugins_and_their_properties)
{
    struct args a;
    struct err e = {0};

    CHECK(parse(&a, "-i dummy -t app -p rate=5 -F grep -m app -p regex=a=b -o null -o stdout -m app", &e));
    CHECK_INT(a.tree->n, 4);
    CHECK_STR(a.tree->sections[0].kind, "input");
    CHECK_STR(section_prop(&a.tree->sections[0], "name")->value, "dummy");
    CHECK_STR(section_prop(&a.tree->sections[0], "tag")->value, "app");
    CHECK_STR(section_prop(&a.tree->sections[0], "rate")->value, "5");
    CHECK_STR(section_prop(&a.tree->sections[1], "regex")->value, "a=b"); /* the first = divides */
    CHECK_STR(section_prop(&a.tree->sections[1], "match")->value, "app");
    CHECK_STR(section_prop(&a.tree->sections[2], "match")->value, "*"); /* without -m: everything */
    CHECK_STR(section_prop(&a.tree->sections[3], "match")->value, "app");
    CHECK(section_prop(&a.tree->sections[0], "match") == NULL);
    args_free(&a);
    CHECK(parse(&a, "-o null -p match_regex=^a", &e));
    CHECK(section_prop(&a.tree->sections[0], "match") == NULL);
    args_free(&a);
}

TEST(switches)
{
    struct args a;
    struct err e = {0};

    CHECK(parse(&a, "-v -v -q -D -V -h -f 1 -l /tmp/x.log -c a.conf", &e));
    CHECK_INT(a.verbosity, 2);
    CHECK(a.quiet && a.dry_run && a.version && a.help);
    CHECK_STR(str_of(a.log_file), "/tmp/x.log");
    CHECK_STR(str_of(a.file), "a.conf");
    args_free(&a);
    CHECK(parse(&a, "--config a.conf --verbose", &e));
    CHECK_STR(str_of(a.file), "a.conf");
    CHECK_INT(a.verbosity, 1);
    args_free(&a);
    CHECK(parse(&a, "b.conf", &e)); /* without -c */
    CHECK_STR(str_of(a.file), "b.conf");
    args_free(&a);
}

TEST(mistakes)
{
    bad("-p rate=1", "-p must follow the -i, -F or -o that it belongs to");
    bad("-t app", "-t must follow");
    bad("-m app", "-m must follow");
    bad("-i dummy -p rate", "-p takes KEY=VALUE, not `rate`");
    bad("-i dummy -p =5", "-p takes KEY=VALUE, not `=5`");
    bad("-c a.conf b.conf", "`b.conf` is one argument too many");
    bad("a.conf b.conf", "`b.conf` is one argument too many");
    bad("-R /no/such/parsers.conf", "/no/such/parsers.conf");
    bad("--nonsense", "`weir --help` lists the options");
    bad("-c", "`weir --help` lists the options");
}

TEST(a_configuration)
{
    struct args a;
    struct err e = {0};
    struct config *config;

    CHECK(parse(&a, "-v", &e));
    CHECK(args_config(&a, &e) == NULL);
    CHECK(strstr(e.text, "no configuration") != NULL);
    args_free(&a);
    CHECK(parse(&a, "-c /no/such.conf", &e));
    CHECK(args_config(&a, &e) == NULL);
    CHECK(strstr(e.text, "/no/such.conf") != NULL);
    args_free(&a);
    CHECK(parse(&a, "-i dummy -o null", &e));
    config = args_config(&a, &e);
    CHECK(config && config->ninputs == 1 && config->noutputs == 1);
    CHECK_STR(str_of(config->identity), " -i dummy -o null"); /* the same words find the same store */
    config_free(config);
    args_free(&a);
}

TEST(help_names_every_flag)
{
    char path[64], text[8192] = "";
    int out = dup(1);
    FILE *f;

    snprintf(path, sizeof path, "/tmp/weir-test-help-%d", (int)getpid());
    fflush(stdout);
    CHECK(freopen(path, "w", stdout) != NULL);
    args_help();
    fflush(stdout);
    dup2(out, 1);
    f = fopen(path, "r");
    CHECK(f && fread(text, 1, sizeof text - 1, f) > 0);
    fclose(f);
    unlink(path);
    for (const char *c = "ciFoptmRflDvqVh"; *c; c++) {
        char flag[5] = {' ', '-', *c, ',', 0};
        CHECK(strstr(text, flag) != NULL);
    }
}
