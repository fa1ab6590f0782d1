/* SPDX-License-Identifier: Apache-2.0 */
#include "modify.h"

static struct str quoted(struct str *rest, struct arena *a)
{
    char quote = rest->p[0], *p = arena_alloc(a, rest->n + 1);
    struct str word = {p, 0};
    size_t i = 1;

    for (; i < rest->n && rest->p[i] != quote; i++) {
        if (rest->p[i] == '\\' && i + 1 < rest->n && (rest->p[i + 1] == quote || rest->p[i + 1] == '\\'))
            i++;
        p[word.n++] = rest->p[i];
    }
    *rest = str_from(*rest, i + 1);
    return word;
}

size_t words_split(struct str text, struct str *words, size_t max, struct arena *a)
{
    struct str rest = str_trim(text);
    size_t n = 0;

    for (; rest.n; rest = str_trim(rest)) {
        struct str word;
        if (n == max)
            return max + 1;
        /* A quote that never ends is part of the word. */
        if ((rest.p[0] == '"' || rest.p[0] == '\'') && str_find_char(str_from(rest, 1), rest.p[0]) != SIZE_MAX)
            word = quoted(&rest, a);
        else
            word = str_word(&rest);
        words[n++] = word;
    }
    return n;
}
