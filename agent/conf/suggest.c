/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/option.h"

const char *suggest(struct str word, const char *(*candidate)(void *arg, size_t i), void *arg)
{
    /* A third of the word, rounded up: a swapped pair of letters counts as two edits. */
    size_t best = (word.n + 2) / 3 + 1;
    const char *nearest = NULL, *name;

    for (size_t i = 0; (name = candidate(arg, i)); i++) {
        size_t distance = str_distance(word, str_of(name), best);
        if (distance < best) {
            best = distance;
            nearest = name;
        }
    }
    return nearest;
}
