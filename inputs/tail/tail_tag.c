/* SPDX-License-Identifier: Apache-2.0 */
#include "tail.h"

struct placeholder {
    struct str name, value;
    bool found;
};

static void pick(void *arg, struct str name, struct str value)
{
    struct placeholder *p = arg;

    if (!p->found && str_eq(p->name, name)) {
        p->value = value;
        p->found = true;
    }
}

/* `<name>` becomes what the group of that name matched; an unknown name stays as it is written. */
static void fill(struct str tag, const struct regex *regex, struct buf *out)
{
    for (size_t i = 0; i < tag.n;) {
        size_t end = tag.p[i] == '<' ? str_find_char(str_from(tag, i), '>') : SIZE_MAX;
        if (end != SIZE_MAX) {
            struct placeholder p = {.name = {tag.p + i + 1, end - 1}};
            regex_named(regex, pick, &p);
            if (p.found) {
                buf_str(out, p.value);
                i += end + 1;
                continue;
            }
        }
        buf_char(out, tag.p[i++]);
    }
}

/* The first `*` becomes the path.  Then, as in Fluent Bit, slashes are dots, and no dot stands first or twice. */
bool tag_expand(struct str tag, struct regex *regex, struct str path, struct buf *out)
{
    size_t start = out->n, n = start, star;
    bool expand;
    struct buf filled = {0};

    if (regex) {
        if (!regex_match(regex, path))
            return false;
        fill(tag, regex, &filled);
        tag = buf_view(&filled);
    }
    star = str_find_char(tag, '*');
    expand = regex || star != SIZE_MAX;
    if (star == SIZE_MAX) {
        buf_str(out, tag);
    } else {
        buf_str(out, str_head(tag, star));
        buf_str(out, path);
        buf_str(out, str_from(tag, star + 1));
    }
    buf_free(&filled);
    for (size_t i = start; expand && i < out->n; i++) {
        char c = out->p[i] == '/' ? '.' : out->p[i];
        if (c == '*' || (c == '.' && (n == start || out->p[n - 1] == '.')))
            continue;
        out->p[n++] = c;
    }
    if (expand)
        out->n = n;
    return true;
}
