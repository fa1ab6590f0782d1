/* SPDX-License-Identifier: Apache-2.0 */
#include "lua/fenced.h"
#include "base/cleanup.h"

#include <ctype.h>

static bool is_name(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

static bool gone(struct str library, struct str function)
{
    static const char *const libraries[] = {"io", "debug", "jit", "ffi", "package"};
    static const char *const kept[] = {"time", "date", "clock", "difftime", "getenv"};

    for (size_t i = 0; i < ARRAY_LEN(libraries); i++)
        if (str_eq(library, str_of(libraries[i])))
            return true;
    if (str_eq(library, STR("string")))
        return str_eq(function, STR("dump"));
    if (!str_eq(library, STR("os")))
        return false;
    for (size_t i = 0; i < ARRAY_LEN(kept); i++)
        if (str_eq(function, str_of(kept[i])))
            return false;
    return true;
}

static size_t name_end(struct str s, size_t at)
{
    while (at < s.n && is_name(s.p[at]))
        at++;
    return at;
}

void fenced_names(struct str s, void (*each)(void *arg, struct str name, unsigned line), void *arg)
{
    unsigned line = 1;

    for (size_t i = 0; i < s.n;) {
        size_t end, last;
        if (s.p[i] == '-' && i + 1 < s.n && s.p[i + 1] == '-') {
            while (i < s.n && s.p[i] != '\n')
                i++;
            continue;
        }
        if (!is_name(s.p[i])) {
            line += s.p[i++] == '\n';
            continue;
        }
        end = name_end(s, i);
        if (end < s.n && s.p[end] == '.' && (i == 0 || (s.p[i - 1] != '.' && s.p[i - 1] != ':'))) {
            last = name_end(s, end + 1);
            if (last > end + 1 && gone((struct str){s.p + i, end - i}, (struct str){s.p + end + 1, last - end - 1}))
                each(arg, (struct str){s.p + i, last - i}, line);
            end = last;
        }
        i = end;
    }
}
