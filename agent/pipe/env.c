/* SPDX-License-Identifier: Apache-2.0 */
#include "pipe/env.h"

#include <stdarg.h>
#include <stdio.h>

struct id env_host_id(const struct env *env)
{
    return env->host_id;
}

const char *env_config_dir(const struct env *env)
{
    return env->config->dir;
}

const char *env_state_dir(const struct env *env)
{
    return env->state_dir;
}

static const char *nth_parser(void *arg, size_t i)
{
    const struct map *parsers = arg;
    struct map_entry *entry = NULL;

    while ((entry = map_next(parsers, entry)))
        if (i-- == 0)
            return entry->key.p;
    return NULL;
}

struct parser *instance_parser(const struct instance *i, const char *option, struct str name, struct err *e)
{
    const struct config *config = i->env->config;
    const struct parser_def *def = config_parser(config, name);
    const char *near;
    struct err why = {0};
    struct parser *parser;

    if (!def) {
        near = suggest(name, nth_parser, (void *)&config->parsers);
        if (near)
            instance_err(i, option, e, "there is no parser `" STR_FMT "`; did you mean `%s`?", STR_ARG(name), near);
        else
            instance_err(i, option, e, "there is no parser `" STR_FMT "`; is `parsers_file` set in [SERVICE]?",
                         STR_ARG(name));
        return NULL;
    }
    parser = parser_new(def, &why);
    if (!parser)
        instance_err(i, option, e, "%s", why.text);
    return parser;
}

bool instance_err(const struct instance *i, const char *option, struct err *e, const char *fmt, ...)
{
    char text[sizeof e->text];
    va_list args;

    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    return place_err(options_place(i->section, option), e, "%s: %s: %s", i->plugin->name, option, text);
}

const char *env_variable(const struct env *env, const char *name)
{
    return tree_variable(env->config->tree, name);
}

void env_variables(const struct env *env, void (*each)(void *arg, const char *name, const char *value), void *arg)
{
    tree_variables(env->config->tree, each, arg);
}
