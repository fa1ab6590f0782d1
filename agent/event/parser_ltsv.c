/* SPDX-License-Identifier: Apache-2.0 */
/* Labeled tab-separated values: http://ltsv.org/ */
#include "event/parser_internal.h"

static bool label_ok(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool letter = (c | 32) >= 'a' && (c | 32) <= 'z';
        if (!letter && !(c >= '0' && c <= '9') && c != '_' && c != '.' && c != '-')
            return false;
    }
    return s.n > 0;
}

bool parser_ltsv(struct str line, struct fields *f, struct err *e)
{
    unsigned n = 0, used = 0;

    while (line.n && (line.p[line.n - 1] == '\n' || line.p[line.n - 1] == '\r'))
        line.n--;
    while (line.p) {
        struct str field = str_cut(&line, '\t');
        n++;
        if (!field.n)
            continue;
        size_t colon = str_find_char(field, ':');
        if (colon == SIZE_MAX || !label_ok(str_head(field, colon)))
            return err_set(e, "field %u has no `label:`", n);
        fields_add(f, str_head(field, colon), str_from(field, colon + 1));
        used++;
    }
    return used || err_set(e, "the line is empty");
}
