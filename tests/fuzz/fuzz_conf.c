/* SPDX-License-Identifier: Apache-2.0 */
/* Configurations from memory, variables expanded.  The first byte chooses the format: 'y' is YAML.  Nothing may be
 * included or read from files. */
#include "conf/build.h"
#include "conf/config.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look(const struct section *s, int depth)
{
    if (depth > NESTING_MAX + 2)
        abort();
    for (size_t i = 0; i < s->n; i++) {
        const struct prop *p = &s->props[i];
        if (!p->name.p || p->name.p[p->name.n] || !p->value.p || p->value.p[p->value.n] || !p->place.file)
            abort(); /* plugins rely on the NUL */
        if (p->map)
            look(p->map, depth + 1);
    }
    for (size_t i = 0; i < s->nchildren; i++)
        look(&s->children[i], depth + 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err e = {{0}};
    struct str text = {(const char *)data + 1, size ? size - 1 : 0};
    struct tree *t;

    if (!size)
        return 0;
    setenv("FUZZ", "value", 1);
    unsetenv("UNSET");
    t = tree_load_text(*data == 'y' ? TREE_YAML : TREE_CLASSIC, "f", text, &e);
    if (t)
        for (size_t i = 0; i < t->n; i++)
            look(&t->sections[i], 0);
    else if (strncmp(e.text, "f:", 2)) /* every message names its place */
        abort();
    if (t)
        config_free(config_new(t, &e));
    return 0;
}
