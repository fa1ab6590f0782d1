/* SPDX-License-Identifier: Apache-2.0 */
#include "event/parser_internal.h"

static void add(void *arg, struct str name, struct str value)
{
    fields_add(arg, name, value);
}

bool parser_regex(struct parser *p, struct str line, struct fields *f, struct err *e)
{
    uint64_t hits = regex_limit_hits(p->regex);

    if (regex_match(p->regex, line)) {
        regex_named(p->regex, add, f);
        return true;
    }
    if (regex_limit_hits(p->regex) > hits)
        return err_set(e, "the regex of parser `" STR_FMT "` takes too many steps on this line", STR_ARG(p->def->name));
    return err_set(e, "the line does not match the regex of parser `" STR_FMT "`", STR_ARG(p->def->name));
}
