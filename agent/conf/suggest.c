/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/option.h"

/* Two neighbours changed places: one slip of the fingers, though two edits. */
static bool swapped(struct str a, struct str b)
{
    size_t i = 0;

    if (a.n != b.n)
        return false;
    while (i < a.n && str_eq_fold(str_head(str_from(a, i), 1), str_head(str_from(b, i), 1)))
        i++;
    return i + 1 < a.n && str_eq_fold(str_head(str_from(a, i), 1), str_head(str_from(b, i + 1), 1)) &&
           str_eq_fold(str_head(str_from(a, i + 1), 1), str_head(str_from(b, i), 1)) &&
           str_eq_fold(str_from(a, i + 2), str_from(b, i + 2));
}

const char *suggest(struct str word, const char *(*candidate)(void *arg, size_t i), void *arg)
{
    size_t best = (word.n + 2) / 3 + 1;
    const char *nearest = NULL, *name;

    for (size_t i = 0; (name = candidate(arg, i)); i++) {
        size_t distance = swapped(word, str_of(name)) ? 1 : str_distance(word, str_of(name), best);
        if (distance < best) {
            best = distance;
            nearest = name;
        }
    }
    return nearest;
}
