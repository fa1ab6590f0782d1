/* SPDX-License-Identifier: Apache-2.0 */
#include "pipe/registry.h"

enum plugin_kind plugin_kind(const struct plugin *p)
{
    return p->input ? PLUGIN_INPUT : p->filter ? PLUGIN_FILTER : PLUGIN_OUTPUT;
}

const struct plugin *plugin_find(enum plugin_kind kind, struct str name)
{
    for (const struct plugin *const *p = plugin_registry; *p; p++)
        if (plugin_kind(*p) == kind && str_eq_fold(str_of((*p)->name), name))
            return *p;
    return NULL;
}

static const char *nth_of_kind(void *arg, size_t i)
{
    enum plugin_kind kind = *(enum plugin_kind *)arg;

    for (const struct plugin *const *p = plugin_registry; *p; p++)
        if (plugin_kind(*p) == kind && i-- == 0)
            return (*p)->name;
    return NULL;
}

const char *plugin_suggest(enum plugin_kind kind, struct str name)
{
    return suggest(name, nth_of_kind, &kind);
}
