/* SPDX-License-Identifier: Apache-2.0 */
#include "names.h"

#include "base/alloc.h"
#include "base/io.h"
#include "event/template.h"
#include "net/url.h"

#include <limits.h>
#include <stdio.h>
#include <unistd.h>

enum { TAG_MAX = 256 }; /* longer tags are not remembered */

struct names {
    struct names_options o;
    struct str root; /* owned */
    char suffix[32];
    struct template *template; /* NULL: `fixed` */
    struct buf fixed, fallback, name;
    bool fields;   /* the name has parts of the record */
    int64_t grain; /* ns in which the time's part stays the same; 0: unknown */
    struct grow *last;
    char tag[TAG_MAX];
    size_t tag_n;
    int64_t slot;
};

void names_free(struct names *n)
{
    if (!n)
        return;
    template_free(n->template);
    free((void *)n->root.p);
    buf_free(&n->fixed);
    buf_free(&n->fallback);
    buf_free(&n->name);
    free(n);
}

struct str names_root(const struct names *n)
{
    return n->root;
}

const char *names_suffix(const struct names *n)
{
    return n->suffix;
}

static bool dynamic(const struct names_options *o, struct str text)
{
    return str_find_char(text, '$') != SIZE_MAX || (o->enable_strftime && str_find_char(text, '%') != SIZE_MAX);
}

/* A name as somebody wrote it: no part of it may lead out of the root. */
static bool check_name(struct str text, const struct instance *i, const char *option, struct err *e)
{
    if (!text.n)
        return instance_err(i, option, e, "is empty");
    if (text.p[0] == '/')
        return instance_err(i, option, e, "must be a name below `path`, without a slash at its front");
    for (struct str rest = text, part; rest.p;) {
        part = str_cut(&rest, '/');
        if (!part.n || str_eq(part, STR(".")) || str_eq(part, STR("..")))
            return instance_err(i, option, e, "`" STR_FMT "` has an empty part, `.` or `..` in it", STR_ARG(text));
        if (str_eq(part, STR(".growing")))
            return instance_err(i, option, e, "`.growing` is where unfinished files are");
    }
    return true;
}

/* How long a name with these directives stays the same. */
static int64_t time_grain(struct str text)
{
    int64_t grain = INT64_MAX;

    for (size_t i = 0; i + 1 < text.n; i++) {
        if (text.p[i] != '%')
            continue;
        char c = text.p[++i];
        if (c == '%')
            continue;
        if (strchr("YmdHjybBaAeCGguwUVWFDIpkl", c))
            grain = grain < 3600 * SECOND ? grain : 3600 * SECOND;
        else if (c == 'M' || c == 'R')
            grain = grain < 60 * SECOND ? grain : 60 * SECOND;
        else
            return 0;
    }
    return grain;
}

static bool has_fields(struct str text)
{
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] != '$')
            continue;
        struct str rest = str_from(text, i + 1);
        if (str_starts(rest, STR("$")))
            i++;
        else if (!str_starts(rest, STR("TAG")))
            return true;
    }
    return false;
}

/* An ending that finished files get anyway. */
static struct str without_suffix(struct str text, const char *suffix)
{
    char dotted[32];

    if (str_ends(text, STR(".gz")))
        text.n -= 3;
    else if (str_ends(text, STR(".zst")))
        text.n -= 4;
    snprintf(dotted, sizeof(dotted), ".%s", suffix);
    if (str_ends(text, str_of(dotted)) && text.n > strlen(dotted))
        text.n -= strlen(dotted);
    return text;
}

static void set_root(struct names *n, struct str dir)
{
    char cwd[PATH_MAX];
    CLEANUP(buf_free) struct buf text = {0};

    if (!dir.n || dir.p[0] != '/') {
        if (!getcwd(cwd, sizeof(cwd)))
            strcpy(cwd, "/");
        buf_fmt(&text, "%s%s", cwd, dir.n ? "/" : "");
    }
    buf_str(&text, dir);
    while (text.n > 1 && text.p[text.n - 1] == '/')
        text.n--;
    n->root = (struct str){alloc_text(text.p, text.n), text.n};
}

/* The fixed directories in front become the root, the rest is the name. */
static void split(struct names *n, struct str full, struct buf *name)
{
    size_t cut = 0, slash = 0;

    while (cut < full.n && full.p[cut] != '$' && !(n->o.enable_strftime && full.p[cut] == '%')) {
        if (full.p[cut] == '/')
            slash = cut;
        cut++;
    }
    set_root(n, slash ? str_head(full, slash) : full.n && full.p[0] == '/' ? STR("/") : STR(""));
    buf_str(name, str_from(full, full.p[slash] == '/' ? slash + 1 : slash));
}

static bool compile(struct names *n, struct str text, unsigned flags, const struct instance *i, const char *option,
                    struct err *e)
{
    struct err why;

    n->template = template_compile(text, flags, &why);
    if (!n->template)
        return instance_err(i, option, e, "%s", why.text);
    n->fields = has_fields(text);
    n->grain = flags & TEMPLATE_TIME ? time_grain(text) : INT64_MAX;
    return true;
}

static bool set_fallback(struct names *n, const struct instance *i, struct err *e)
{
    struct str dir = n->o.fallback_path, rest;

    if (!n->o.on_missing_field && !n->o.on_limit_reached)
        return true;
    if (!n->o.fallback_file.n)
        return instance_err(i, n->o.on_missing_field ? "on_missing_field" : "on_limit_reached", e,
                            "`fallback` needs fallback_file");
    if (dir.n) {
        rest = str_from(dir, n->root.n);
        if (!str_starts(dir, n->root) || (rest.n && rest.p[0] != '/'))
            return instance_err(i, "fallback_path", e, "must lie at or below " STR_FMT, STR_ARG(n->root));
        while (rest.n && rest.p[0] == '/')
            rest = str_from(rest, 1);
        buf_str(&n->fallback, rest);
        if (rest.n && rest.p[rest.n - 1] != '/')
            buf_char(&n->fallback, '/');
    }
    buf_str(&n->fallback, n->o.fallback_file);
    return check_name(buf_view(&n->fallback), i, "fallback_file", e);
}

static bool plain_names(struct names *n, const struct instance *i, const char *suffix, bool rolled, struct err *e)
{
    const struct names_options *o = &n->o;
    CLEANUP(buf_free) struct buf full = {0}, name = {0};
    struct str file = o->file.n ? o->file : STR("$TAG"), text;
    unsigned flags = TEMPLATE_TAG | (o->enable_strftime ? TEMPLATE_TIME : 0);

    if (dynamic(o, o->path) || (dynamic(o, o->file) && !o->path.n && o->file.p[0] == '/')) {
        buf_str(&full, o->path);
        if (o->path.n)
            buf_char(&full, '/');
        buf_str(&full, file);
        split(n, buf_view(&full), &name);
    } else if (!o->path.n && file.p[0] == '/') {
        size_t slash = file.n;
        while (file.p[--slash] != '/')
            ;
        set_root(n, slash ? str_head(file, slash) : STR("/"));
        buf_str(&name, str_from(file, slash + 1));
    } else {
        set_root(n, o->path);
        buf_str(&name, file);
    }
    if (!name.p) /* nothing was set and the path has no name in it */
        return instance_err(i, "file", e, "a file has no name");
    text = rolled && o->file.n ? without_suffix(buf_view(&name), suffix) : buf_view(&name);
    if (!check_name(text, i, "file", e))
        return false;
    if (!o->file.n || dynamic(o, text))
        return compile(n, text, flags, i, o->file.n ? "file" : "path", e);
    buf_str(&n->fixed, text);
    return true;
}

static bool templated(struct names *n, const struct instance *i, const char *suffix, struct err *e)
{
    const struct names_options *o = &n->o;
    struct str text = without_suffix(o->path_template, suffix);

    if (!o->path.n)
        return instance_err(i, "path_template", e, "needs `path`, the directory below which the files lie");
    if (o->file.n)
        return instance_err(i, "file", e, "path_template names the files already");
    set_root(n, o->path);
    return check_name(text, i, "path_template", e) &&
           compile(n, text, TEMPLATE_TAG | TEMPLATE_TIME, i, "path_template", e);
}

struct names *names_new(const struct names_options *o, const struct instance *i, const char *suffix, int codec,
                        bool rolled, struct err *e)
{
    struct names *n = alloc_new(sizeof(*n));

    n->o = *o;
    snprintf(n->suffix, sizeof(n->suffix), ".%s%s", suffix,
             codec == CODEC_GZIP   ? ".gz"
             : codec == CODEC_ZSTD ? ".zst"
                                   : "");
    if ((o->path_template.n ? templated(n, i, suffix, e) : plain_names(n, i, suffix, rolled, e)) &&
        set_fallback(n, i, e))
        return n;
    names_free(n);
    return NULL;
}

/* A dot in front would make hidden names, .growing among them, the data's choice. */
static void encode(struct buf *out, struct str data)
{
    if (data.n > 1 && data.p[0] == '.') {
        size_t at = out->n;
        percent_segment(out, data);
        if (out->p[at] == '.') {
            buf_add(out, "..", 2);
            memmove(out->p + at + 3, out->p + at + 1, out->n - at - 3);
            memcpy(out->p + at, "%2E", 3);
        }
        return;
    }
    percent_segment(out, data);
}

bool names_make(struct names *n, struct event *ev, struct str *name, struct err *e)
{
    struct str missing = {0};

    if (!n->template) {
        *name = buf_view(&n->fixed);
        return true;
    }
    buf_clear(&n->name);
    if (template_render(n->template, ev, NULL, encode, &n->name, &missing)) {
        *name = buf_view(&n->name);
        return true;
    }
    if (n->o.on_missing_field) {
        *name = buf_view(&n->fallback);
        return true;
    }
    return err_set(e, "the event has no field `" STR_FMT "`, which the file's name needs", STR_ARG(missing));
}

bool names_limit_fallback(struct names *n, struct str *name)
{
    *name = buf_view(&n->fallback);
    return n->o.on_limit_reached != 0;
}

static int64_t slot_of(const struct names *n, int64_t time)
{
    int64_t slot = time / n->grain;
    return time % n->grain < 0 ? slot - 1 : slot;
}

struct grow *names_cached(struct names *n, const struct event *ev)
{
    if (!n->last)
        return NULL;
    if (!n->template)
        return n->last;
    if (slot_of(n, ev->time) != n->slot || ev->tag.n != n->tag_n || memcmp(ev->tag.p, n->tag, n->tag_n))
        return NULL;
    return n->last;
}

void names_cache(struct names *n, const struct event *ev, struct grow *g)
{
    n->last = NULL;
    if (n->fields || (n->template && (!n->grain || ev->tag.n > sizeof(n->tag))))
        return;
    n->last = g;
    if (!n->template)
        return;
    n->slot = slot_of(n, ev->time);
    n->tag_n = ev->tag.n;
    memcpy(n->tag, ev->tag.p, ev->tag.n);
}

void names_forget(struct names *n)
{
    n->last = NULL;
}
