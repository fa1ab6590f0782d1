/* SPDX-License-Identifier: Apache-2.0 */
/* Files: the first one, and what it includes.  A relative path is looked for beside the file that names it, then, as in
 * Fluent Bit, beside the first file. */
#include "base/cleanup.h"
#include "conf/build.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <sys/stat.h>
#include <unistd.h>

const char *path_dir(struct arena *a, const char *file)
{
    const char *slash = strrchr(file, '/');

    if (!slash)
        return ".";
    return slash == file ? "/" : arena_str(a, (struct str){file, (size_t)(slash - file)}).p;
}

/* Messages of the first file have no place of their own but its name. */
static bool file_err(const char *path, const struct place *at, struct err *e, const char *what)
{
    const struct place start = {path, 1, 1};

    return at ? place_err(at, e, "%s: %s", path, what) : place_err(&start, e, "%s", what);
}

static bool text_read(int fd, const char *path, const struct place *at, struct buf *text, struct err *e)
{
    ssize_t got;

    while ((got = read(fd, buf_room(text, 65536), 65536)) > 0) {
        text->n += (size_t)got;
        if (text->n > FILE_MAX)
            return file_err(path, at, e, "more than 32 MiB");
    }
    return got == 0 || file_err(path, at, e, strerror(errno));
}

static bool enter(struct build *b, const struct stat *st, const char *path, const struct place *at, struct err *e)
{
    if (!S_ISREG(st->st_mode))
        return file_err(path, at, e,
                        S_ISDIR(st->st_mode) ? "is a directory; name a file in it" : "is not a regular file");
    for (size_t i = 0; i < b->depth; i++)
        if (b->stack[i].dev == st->st_dev && b->stack[i].ino == st->st_ino)
            return file_err(path, at, e, "includes itself");
    if (b->depth == INCLUDE_DEPTH)
        return file_err(path, at, e, "includes nested deeper than 16");
    if (++b->nfiles > FILES_MAX)
        return file_err(path, at, e, "more than 1000 files");
    b->stack[b->depth++] = (struct reading){st->st_dev, st->st_ino};
    return true;
}

static bool is_yaml(struct str path)
{
    return str_ends(path, STR(".yaml")) || str_ends(path, STR(".yml"));
}

bool file_read(struct tree *t, const char *path, const struct place *at, struct err *e)
{
    CLEANUP(cleanup_fd) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    CLEANUP(buf_free) struct buf text = {0};
    struct build *b = build_of(t);
    struct stat st;
    const char *name;
    bool ok;

    if (fd < 0 || fstat(fd, &st))
        return file_err(path, at, e, strerror(errno));
    if (!enter(b, &st, path, at, e))
        return false;
    name = arena_str(t->arena, str_of(path)).p;
    ok = text_read(fd, path, at, &text, e);
    if (ok)
        ok = is_yaml(str_of(path)) ? yaml_read(t, name, buf_view(&text), e) : classic_read(t, name, buf_view(&text), e);
    b->depth--;
    return ok;
}

static bool wild(struct str pattern)
{
    for (size_t i = 0; i < pattern.n; i++)
        if (pattern.p[i] == '*' || pattern.p[i] == '?' || pattern.p[i] == '[')
            return true;
    return false;
}

static bool include_all(struct tree *t, const char *pattern, const struct place *at, struct err *e)
{
    glob_t found = {0};
    const char *dir = path_dir(t->arena, pattern);
    bool ok = true, many = wild(str_of(dir));
    int failed;

    if (!many && access(dir, F_OK)) { /* an empty conf.d is meant; a folder that is not there is a mistake */
        tree_warn(t, at, "%s: there is no such folder", dir);
        return true;
    }
    failed = glob(pattern, many ? 0 : GLOB_ERR, NULL, &found);
    if (failed && failed != GLOB_NOMATCH)
        ok = place_err(at, e, "%s: cannot be read", pattern);
    for (size_t i = 0; ok && !failed && i < found.gl_pathc; i++)
        ok = file_read(t, found.gl_pathv[i], at, e);
    globfree(&found);
    return ok;
}

bool include(struct tree *t, struct str pattern, const struct place *at, struct err *e)
{
    struct arena *a = t->arena;
    const char *dir = path_dir(a, at->file), *path;

    if (build_of(t)->confined)
        return place_err(at, e, "nothing can be included here");
    if (memchr(pattern.p, 0, pattern.n) || pattern.n > 4096)
        return place_err(at, e, "this is no path");
    path = pattern.p[0] == '/' || str_eq(str_of(dir), STR(".")) ? arena_str(a, pattern).p
                                                                : arena_fmt(a, "%s/" STR_FMT, dir, STR_ARG(pattern)).p;
    if (wild(pattern))
        return include_all(t, path, at, e);
    if (pattern.p[0] != '/' && access(path, F_OK) && errno == ENOENT && build_of(t)->root) {
        const char *other = arena_fmt(a, "%s/" STR_FMT, build_of(t)->root, STR_ARG(pattern)).p;
        if (access(other, F_OK) == 0)
            path = other;
    }
    return file_read(t, path, at, e);
}

static bool only_parsers(const struct tree *t, size_t from)
{
    for (size_t i = from; i < t->n; i++)
        if (!str_eq(t->sections[i].kind, STR("parser")) && !str_eq(t->sections[i].kind, STR("multiline_parser")))
            return false;
    return true;
}

/* The last file with more than parsers in it is the main one. */
bool tree_load_into(struct tree *t, const char *path, struct err *e)
{
    struct build *b = build_of(t);
    const char *before = b->root;
    size_t from = t->n;

    b->root = path_dir(t->arena, path);
    if (!file_read(t, path, NULL, e))
        return false;
    if (only_parsers(t, from))
        b->root = before;
    return true;
}

struct tree *tree_load(const char *path, struct err *e)
{
    struct tree *t = tree_new();

    if (tree_load_into(t, path, e))
        return t;
    tree_free(t);
    return NULL;
}

struct tree *tree_load_text(enum tree_format format, const char *name, struct str text, struct err *e)
{
    struct tree *t = tree_new();

    build_of(t)->confined = true;
    name = arena_str(t->arena, str_of(name)).p;
    if (format == TREE_YAML ? yaml_read(t, name, text, e) : classic_read(t, name, text, e))
        return t;
    tree_free(t);
    return NULL;
}
