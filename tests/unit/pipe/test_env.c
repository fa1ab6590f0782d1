/* SPDX-License-Identifier: Apache-2.0 */
/* What the machine lends to plugins. */
#include "pipe/env.h"

#include "test.h"

static struct config *with_parsers(void)
{
    struct tree *t = tree_new();
    struct err e = {0};
    struct section *s = tree_add(t, "parser");
    struct config *config;

    CHECK(tree_set(t, s, STR("name"), STR("access_log"), &e));
    CHECK(tree_set(t, s, STR("format"), STR("regex"), &e));
    CHECK(tree_set(t, s, STR("regex"), STR("^(?<a>.*)$"), &e));
    s = tree_add(t, "env");
    CHECK(tree_set(t, s, STR("SITE"), STR("north"), &e));
    config = config_new(t, &e);
    if (!config)
        fprintf(stderr, "%s\n", e.text);
    CHECK(config != NULL);
    return config;
}

TEST(parsers_by_name)
{
    struct config *config = with_parsers();
    struct env env = {.config = config, .host_id = {3, 4}, .state_dir = "/state"};
    static const struct plugin plugin = {.name = "tail"};
    struct prop prop = {.name = STR("parser"), .value = STR("x"), .place = {"a.conf", 7, 9}};
    struct section section = {.kind = STR("input"), .props = &prop, .n = 1, .place = {"a.conf", 5, 1}};
    struct instance i = {.name = "tail.0", .plugin = &plugin, .section = &section, .env = &env};
    struct err e = {0};
    struct parser *p = instance_parser(&i, "parser", STR("access_log"), &e);

    CHECK(p != NULL);
    parser_free(p);
    CHECK(instance_parser(&i, "parser", STR("acess_log"), &e) == NULL);
    CHECK_STR(str_of(e.text), "a.conf:7:9: tail: parser: there is no parser `acess_log`; did you mean `access_log`?");
    CHECK(instance_parser(&i, "parser", STR("zzz"), &e) == NULL);
    CHECK(strstr(e.text, "is `parsers_file` set in [SERVICE]?") != NULL);
    CHECK(!instance_err(&i, "path", &e, "no %s", "way")); /* not written: the section's place */
    CHECK_STR(str_of(e.text), "a.conf:5:1: tail: path: no way");
    CHECK(id_eq(env_host_id(&env), (struct id){3, 4}));
    CHECK_STR(str_of(env_state_dir(&env)), "/state");
    config_free(config);
}

static void count_site(void *arg, const char *name, const char *value)
{
    if (!strcmp(name, "SITE") && !strcmp(value, "north"))
        ++*(int *)arg;
}

TEST(variables)
{
    struct config *config = with_parsers();
    struct env env = {.config = config};
    int n = 0;

    CHECK(env_variable(&env, "SITE") != NULL);
    CHECK_STR(str_of(env_variable(&env, "SITE")), "north");
    CHECK(env_variable(&env, "NOTHING") == NULL);
    env_variables(&env, count_site, &n);
    CHECK_INT(n, 1);
    config_free(config);
}
