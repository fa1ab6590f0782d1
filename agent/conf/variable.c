/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/tree.h"

#include <stdlib.h>
#include <unistd.h>

static const struct section *variables(const struct tree *t)
{
    for (size_t i = 0; i < t->n; i++)
        if (str_eq(t->sections[i].kind, STR("env")))
            return &t->sections[i];
    return NULL;
}

/* A shell knows it but seldom exports it. */
static const char *host(void)
{
    static _Thread_local char name[256];
    const char *given = getenv("HOSTNAME");

    if (given && *given)
        return given;
    return gethostname(name, sizeof name - 1) ? NULL : name;
}

const char *tree_variable(const struct tree *t, const char *name)
{
    const struct section *env = variables(t);

    for (size_t i = env ? env->n : 0; i-- > 0;)
        if (str_eq(env->props[i].name, str_of(name)))
            return env->props[i].value.p;
    return strcmp(name, "HOSTNAME") ? NULL : host();
}

void tree_variables(const struct tree *t, void (*each)(void *arg, const char *name, const char *value), void *arg)
{
    const struct section *env = variables(t);

    if (host())
        each(arg, "HOSTNAME", host());
    for (size_t i = 0; env && i < env->n; i++)
        each(arg, env->props[i].name.p, env->props[i].value.p);
}
