/* SPDX-License-Identifier: Apache-2.0 */
/* From a configuration to units: what is refused, and what is only said. */
#include "pipe/build.h"

#include "base/cleanup.h"
#include "pipe/pipeline.h"
#include "test.h"

static const char *const keys = "input filter output"; /* words that begin a section */

/* "input name=dummy tag=a | output name=null match=*": the configuration of that, ~ standing for a space; NULL: e. */
static struct config *config_of(const char *text, struct err *e)
{
    struct tree *tree = tree_new();
    struct str rest = str_of(text);

    while (rest.n) {
        struct str section = str_trim(str_cut(&rest, '|')), kind = str_word(&section);
        char name[16];
        struct section *s;
        snprintf(name, sizeof name, STR_FMT, STR_ARG(kind));
        CHECK(strstr(keys, name) != NULL);
        s = tree_add(tree, name);
        while ((section = str_trim(section)).n) {
            struct str value = str_word(&section), key = str_cut(&value, '=');
            char copy[128];
            snprintf(copy, sizeof copy, STR_FMT, STR_ARG(value));
            for (char *c = copy; *c; c++)
                *c = *c == '~' ? ' ' : *c;
            CHECK(tree_set(tree, s, key, str_of(copy), e));
        }
    }
    return config_new(tree, e);
}

static bool said(const struct strs *list, const char *part)
{
    for (size_t i = 0; i < list->n; i++)
        if (str_find(list->items[i], str_of(part)) != SIZE_MAX)
            return true;
    return false;
}

/* The build must fail and say `part`. */
static void refused(const char *text, const char *part)
{
    struct err e = {0};
    struct config *config = config_of(text, &e);
    struct env env = {.config = config, .host_id = {1, 1}};
    struct build b;
    bool ok;

    if (!config) {
        fprintf(stderr, "%s: %s\n", text, e.text);
        abort();
    }
    ok = build_units(config, &env, &b, &e);
    CHECK(!ok);
    if (!strstr(e.text, part)) {
        fprintf(stderr, "the error is \"%s\", without \"%s\"\n", e.text, part);
        CHECK(!"the text");
    }
    if (ok)
        build_free(&b);
    CHECK_INT(b.ninputs + b.nfilters + b.noutputs, 0);
    config_free(config);
}

/* It builds, with n warnings, of which one has `part`. */
static void warned(const char *text, size_t n, const char *part)
{
    struct err e = {0};
    struct config *config = config_of(text, &e);
    struct env env = {.config = config, .host_id = {1, 1}};
    struct build b;

    CHECK(config && build_units(config, &env, &b, &e));
    if (config->warnings.n != n)
        for (size_t i = 0; i < config->warnings.n; i++)
            fprintf(stderr, "warning: " STR_FMT "\n", STR_ARG(config->warnings.items[i]));
    CHECK_INT(config->warnings.n, n);
    CHECK(!part || said(&config->warnings, part));
    build_free(&b);
    config_free(config);
}

TEST(names)
{
    struct err e = {0};
    struct config *config = config_of("input name=dummy | input name=dummy alias=d | output name=null match=*", &e);
    struct env env = {.config = config};
    struct build b;

    CHECK(build_units(config, &env, &b, &e));
    CHECK_INT(b.ninputs, 2);
    CHECK_STR(str_of(b.inputs[0]->name), "dummy.0");
    CHECK_STR(str_of(b.inputs[1]->name), "d");
    CHECK_STR(str_of(b.outputs[0]->name), "null.0");
    build_free(&b);
    config_free(config);
}

TEST(what_cannot_be_built)
{
    refused("input name=dummy alias=d | input name=dummy alias=d", "the name `d` is taken by an earlier section");
    refused("output name=null match=* alias=null.1 | output name=null match=*", "the name `null.1` is taken");
    refused("input name=dumy", "unknown input `dumy`; did you mean `dummy`?");
    refused("input name=zzzzzzzz", "unknown input `zzzzzzzz`; `weir plugins` lists");
    refused("input name=dummy tagg=x", "unknown key `tagg` in [INPUT] dummy; did you mean `tag`?");
    refused("input name=dummy tls=on", "no TLS listeners");
    refused("output name=null match=* tls=on", "this version has no TLS");
    refused("output name=http match=* tls=on", "this version has no TLS");
    refused("output name=null match=* alias=!quarantine", "no `!` at the beginning");
    refused("output name=null match=* "
            "alias=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
            "at most 80 bytes");
    refused("output name=null match=* alias=a\001b", "no control characters");
    refused("input name=dummy processors=x", "`processors` comes with a later version; until then write filters");
    refused("input name=dummy routes=x", "`routes` comes with a later version; until then write a `match`");
    refused("output name=null match=* storage.total_limit_size=-1", "storage.total_limit_size");
    refused("output name=null match=* retry_limit=many", "retry_limit");
    refused("output name=null match=* retry_limit=-1", "retry_limit");
    refused("output name=null match_regex=(", "match_regex");
    refused("filter name=grep match=* on_error=explode", "on_error");
}

static void noted(const char *text, const char *part)
{
    struct err e = {0};
    struct config *config = config_of(text, &e);
    struct env env = {.config = config, .host_id = {1, 1}};
    struct build b;

    CHECK(config && build_units(config, &env, &b, &e));
    CHECK(said(&config->notices, part));
    build_free(&b);
    config_free(config);
}

TEST(two_outputs_never_share_a_file)
{
    refused("output name=file match=a path=/x file=y | output name=file match=b path=/x/ file=y",
            "file.0 and file.1 would write to the same place, `/x/y`");
    refused("output name=file match=* path=/x | output name=file match=a path=/x", "the same place");
    warned("input name=http | output name=file match=a path=/x | output name=file match=b path=/x", 0, NULL);
    warned("input name=http | output name=file match=a path=/x file=y | output name=file match=a path=/x file=z", 0,
           NULL);
    warned("input name=http | output name=file match=* path=/x compress=gzip | output name=file match=* path=/x", 0,
           NULL);
}

TEST(what_is_only_noted)
{
    noted("input name=dummy threaded=on", "`threaded` has no effect yet");
    noted("output name=null match=* workers=4", "`workers` has no effect yet");
    noted("output name=null match=* tls=off tls.verify=on", "`tls.verify` is accepted and has no meaning here");
    noted("output name=http match=* tls=off tls.ca_file=/x", "`tls.ca_file` is accepted and has no meaning here");
    noted("input name=dummy tls.crt_file=/x", "`tls.crt_file` is accepted and has no meaning here");
}

TEST(what_no_tag_reaches)
{
    warned("input name=dummy tag=app.x | output name=null match=app.*", 0, NULL);
    warned("input name=dummy tag=app.x | output name=null match=ap.*", 1,
           "no tag of any input can reach output null.0");
    warned("input name=dummy tag=a | output name=null match=* | filter name=grep match=b regex=a~b", 1,
           "can reach filter grep.0");
    warned("input name=dummy | output name=null match=dummy.0", 0, NULL); /* the instance's name is its tag */
    warned("input name=dummy tag=a | output name=null", 1, "has no `match`");
    warned("input name=dummy tag=a | output name=null match_regex=^nothing", 0, NULL); /* not known before it runs */
    /* A star in the tag stands for what is not known yet. */
    warned("input name=tail path=/x tag=app.* | output name=null match=app.var.*", 0, NULL);
    warned("input name=tail path=/x tag=app.* | output name=null match=db.*", 1, "can reach output");
    warned("input name=tail path=/x tag=<name>.x | output name=null match=db.*", 0, NULL);
    warned("input name=http | output name=null match=anything", 0, NULL); /* tags come from the URI */
}

TEST(passing_on_error_is_said)
{
    warned("input name=dummy tag=a | filter name=grep match=a on_error=pass regex=a~b | output name=null match=*", 1,
           "on_error pass lets events through UNREDACTED when filter grep.0 fails");
    warned("input name=dummy tag=a | filter name=grep match=a on_error=drop regex=a~b | output name=null match=*", 0,
           NULL);
}

TEST(what_has_no_meaning_is_noted)
{
    struct err e = {0};
    struct config *config = config_of("input name=dummy mem_buf_limit=5M tag=a | output name=null match=*", &e);
    struct env env = {.config = config};
    struct build b;

    CHECK(build_units(config, &env, &b, &e));
    CHECK(said(&config->notices, "`mem_buf_limit` is accepted and has no meaning here"));
    CHECK_INT(config->warnings.n, 0);
    build_free(&b);
    config_free(config);
}

TEST(retry_limits)
{
    static const struct {
        const char *text;
        bool good;
        int64_t limit;
    } cases[] = {{"", true, -1},    {"no_limits", true, -1}, {"False", true, -1},
                 {"off", true, -1}, {"0", true, 0},          {"no_retries", true, 0},
                 {"5", true, 5},    {"-1", false, 0},        {"5x", false, 0}};
    struct unit u = {0};

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int64_t limit;
        u.common.retry_limit = str_of(cases[i].text);
        CHECK_INT(unit_retry_limit(&u, &limit), cases[i].good);
        if (cases[i].good)
            CHECK_INT(limit, cases[i].limit);
    }
}

TEST(a_check_starts_filters_and_asks_the_others)
{
    struct err e = {0};
    struct config *good = config_of("input name=dummy tag=a | filter name=grep match=a regex=log~x | "
                                    "output name=null match=*",
                                    &e);
    struct config *filter = config_of("input name=dummy tag=a | filter name=grep match=a regex=broken | "
                                      "output name=null match=*",
                                      &e);

    CHECK(pipeline_check(good, &e));
    if (e.text[0])
        fprintf(stderr, "%s\n", e.text);
    CHECK(!pipeline_check(filter, &e));
    CHECK(strstr(e.text, "regex") != NULL);
    config_free(good);
    config_free(filter);
}
