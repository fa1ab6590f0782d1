/* SPDX-License-Identifier: Apache-2.0 */
/* The bad configurations of tests/compat, as far as they are found without the plugins: what config_new says must be
 * what their first line expects.  compat_bad_configs.py runs all of them through the program. */
#include "test.h"

#include "conf/config.h"

#include <dirent.h>
#include <unistd.h>

#define DIR_NAME "compat/bad_configs"

/* Everything that was said, one a line. */
static bool said(const char *path, struct buf *out)
{
    struct err e = {{0}};
    struct tree *t = tree_load(path, &e);
    struct config *c = t ? config_new(t, &e) : NULL;

    if (!c)
        buf_fmt(out, "%s\n", e.text);
    for (size_t i = 0; c && i < c->warnings.n; i++)
        buf_fmt(out, STR_FMT "\n", STR_ARG(c->warnings.items[i]));
    config_free(c);
    return out->n > 0;
}

static void compare(const char *name, struct str expect, const struct buf *out)
{
    struct str rest = expect;

    while (rest.n) {
        size_t end = str_find(rest, STR(" | "));
        struct str text = str_trim(str_head(rest, end));
        struct buf place = {0};

        rest = end == SIZE_MAX ? (struct str){NULL, 0} : str_from(rest, end + 3);
        if (str_starts(text, STR("line "))) {
            size_t of = str_find(text, STR(" of "));
            struct str line = str_from(text, 5), file = str_of(name);
            if (of != SIZE_MAX) {
                file = str_from(text, of + 4);
                line = str_head(line, of - 5);
            }
            buf_fmt(&place, STR_FMT ":" STR_FMT ":", STR_ARG(file), STR_ARG(line));
            text = buf_view(&place);
        }
        if (str_find(buf_view(out), text) == SIZE_MAX) {
            test_failures++;
            fprintf(stderr, "%s: not said: " STR_FMT "\n  but: " STR_FMT, name, STR_ARG(text), STR_ARG(buf_view(out)));
        }
        buf_free(&place);
    }
}

static bool one(const char *name)
{
    char path[300], first[300] = "";
    FILE *f;
    struct buf out = {0};
    bool spoke;

    snprintf(path, sizeof path, DIR_NAME "/%s", name);
    f = fopen(path, "r");
    CHECK(f && fgets(first, sizeof first, f) && !strncmp(first, "# expect: ", 10));
    if (f)
        fclose(f);
    spoke = said(path, &out);
    if (spoke)
        compare(name, str_trim(str_of(first + 10)), &out);
    buf_free(&out);
    return spoke;
}

TEST(what_is_found_without_plugins)
{
    DIR *d = opendir(DIR_NAME);
    struct dirent *entry;
    int all = 0, found = 0;

    CHECK(d != NULL);
    unsetenv("WEIR_NO_SUCH_VARIABLE");
    while (d && (entry = readdir(d)))
        if (strchr(entry->d_name, '.') && entry->d_name[0] != '.') {
            all++;
            found += one(entry->d_name);
        }
    if (d)
        closedir(d);
    printf("%d of %d are found without plugins\n", found, all);
    CHECK(found >= 70);
}

static void good(const char *path)
{
    struct buf out = {0};

    if (said(path, &out)) {
        test_failures++;
        fprintf(stderr, STR_FMT, STR_ARG(buf_view(&out)));
    }
    buf_free(&out);
}

TEST(the_good_ones_pass)
{
    good("../conf/weir.conf");
    good("../conf/parsers.conf");
    good("../conf/examples/tail-to-files.conf");
    good("../conf/examples/http-events.yaml");
    good("../conf/examples/access-log.conf");
    good("../conf/examples/fluent-bit-drop-in.conf");
}
