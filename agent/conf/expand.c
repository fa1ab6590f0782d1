/* SPDX-License-Identifier: Apache-2.0 */
/* Variables in values.  A name is looked for among @SET and env:, then in the process's environment. */
#include "base/cleanup.h"
#include "conf/build.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static bool expand_to(struct tree *t, const struct place *at, struct str text, struct buf *out, int depth,
                      struct err *e);

static bool name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' ||
           c == '-';
}

bool variable_set(struct tree *t, struct str name, struct str value, const struct place *at, struct err *e)
{
    struct section *env = tree_env(t);

    if (!name.n)
        return place_err(at, e, "a variable without a name; write @SET NAME=value");
    for (size_t i = 0; i < name.n; i++)
        if (!name_char(name.p[i]))
            return place_err(at, e, "`%.*s` is no name for a variable: letters, digits, _ . and - only", SHOWN(name));
    if (value.n > VARIABLE_MAX)
        return place_err(at, e, "the variable %.*s has %zu bytes; at most %d are allowed", SHOWN(name), value.n,
                         VARIABLE_MAX);
    return env ? section_add(t, env, name, value, at, e) != NULL : place_err(at, e, "too many sections");
}

static bool variable_get(struct tree *t, struct str name, struct str *value)
{
    struct str key = arena_str(t->arena, name);
    const char *text = tree_variable(t, key.p);

    *value = str_of(text ? text : getenv(key.p));
    return value->p != NULL;
}

static bool secret_open(struct tree *t, const struct place *at, const char *path, int *fd, struct err *e)
{
    struct stat st;

    *fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (*fd < 0 || fstat(*fd, &st)) {
        struct err why = {0};
        err_errno(&why, "${file:%s}", path);
        return place_err(at, e, "%s", why.text);
    }
    if (!S_ISREG(st.st_mode))
        return place_err(at, e, "${file:%s}: not a regular file", path);
    if (st.st_size > SECRET_MAX)
        return place_err(at, e, "${file:%s}: more than 1 MiB", path);
    if (st.st_mode & 077)
        tree_warn(t, at, "${file:%s} is open to others than its owner; run: chmod 600 %s", path, path);
    return true;
}

bool secret_read(struct tree *t, const struct place *at, struct str name, struct buf *out, struct err *e)
{
    CLEANUP(cleanup_fd) int fd = -1;
    struct arena *a = t->arena;
    struct str path = str_trim(name);
    size_t start = out->n;
    ssize_t got;

    if (build_of(t)->confined)
        return place_err(at, e, "${file:} is not allowed here");
    if (!path.n)
        return place_err(at, e, "${file:} without a path; write ${file:/etc/weir/secret}");
    path = path.p[0] == '/' ? arena_str(a, path)
                            : arena_fmt(a, "%s/" STR_FMT, at->line ? path_dir(a, at->file) : ".", STR_ARG(path));
    if (!secret_open(t, at, path.p, &fd, e))
        return false;
    while ((got = read(fd, buf_room(out, 4096), 4096)) > 0) {
        out->n += (size_t)got;
        if (out->n - start > SECRET_MAX)
            return place_err(at, e, "${file:%s}: more than 1 MiB", path.p);
    }
    if (got < 0)
        return place_err(at, e, "${file:%s}: cannot be read", path.p);
    if (out->n > start && out->p[out->n - 1] == '\n')
        out->n--;
    if (out->n > start && out->p[out->n - 1] == '\r')
        out->n--;
    if (memchr(out->p + start, 0, out->n - start))
        return place_err(at, e, "${file:%s}: holds a NUL byte, which no value may have", path.p);
    return true;
}

/* What stands between the braces. */
static bool expand_one(struct tree *t, const struct place *at, struct str inner, struct buf *out, int depth,
                       struct err *e)
{
    size_t n = 0;
    struct str name, value, fallback = {NULL, 0};
    CLEANUP(buf_free) struct buf path = {0};

    if (depth > NESTING_MAX)
        return place_err(at, e, "variables nested deeper than %d", NESTING_MAX);
    if (str_starts(inner, STR("file:")))
        return expand_to(t, at, str_from(inner, 5), &path, depth + 1, e) && secret_read(t, at, buf_view(&path), out, e);
    while (n < inner.n && name_char(inner.p[n]) && !str_starts(str_from(inner, n), STR(":-")))
        n++;
    name = str_head(inner, n);
    if (n < inner.n && str_starts(str_from(inner, n), STR(":-")))
        fallback = str_from(inner, n + 2);
    else if (n < inner.n || !n)
        return place_err(at, e, "`${%.*s}` is no variable; write ${NAME}, ${NAME:-default} or ${file:/path}",
                         SHOWN(inner));
    if (variable_get(t, name, &value) && (value.n || !fallback.p)) {
        buf_str(out, value);
        return true;
    }
    if (fallback.p)
        return expand_to(t, at, fallback, out, depth + 1, e);
    tree_warn(t, at, "the variable %.*s is not set; write ${%.*s:-} if it may be empty", SHOWN(name), SHOWN(name));
    return true;
}

/* The offset of the brace that closes the one before `text`; SIZE_MAX: none. */
static size_t closing(struct str text)
{
    size_t open = 1;

    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '}' && --open == 0)
            return i;
        if (text.p[i] == '$' && i + 1 < text.n && text.p[i + 1] == '{')
            open++;
    }
    return SIZE_MAX;
}

static bool expand_to(struct tree *t, const struct place *at, struct str text, struct buf *out, int depth,
                      struct err *e)
{
    size_t at_dollar, end;

    while ((at_dollar = str_find(text, STR("${"))) != SIZE_MAX) {
        buf_str(out, str_head(text, at_dollar));
        text = str_from(text, at_dollar + 2);
        end = closing(text);
        if (end == SIZE_MAX)
            return place_err(at, e, "`${%.*s` has no closing brace", SHOWN(text));
        if (!expand_one(t, at, str_head(text, end), out, depth, e))
            return false;
        if (out->n > EXPANDED_MAX)
            return place_err(at, e, "variables expand to more than %d MiB", EXPANDED_MAX >> 20);
        text = str_from(text, end + 1);
    }
    buf_str(out, text);
    return true;
}

bool expand(struct tree *t, const struct place *at, struct str text, struct str *out, struct err *e)
{
    CLEANUP(buf_free) struct buf b = {0};
    struct build *build = build_of(t);

    *out = text;
    if (str_find(text, STR("${")) == SIZE_MAX)
        return true;
    if (!expand_to(t, at, text, &b, 0, e))
        return false;
    build->expanded += b.n;
    if (build->expanded > EXPANDED_MAX)
        return place_err(at, e, "variables expand to more than %d MiB", EXPANDED_MAX >> 20);
    *out = arena_str(t->arena, buf_view(&b));
    return true;
}
