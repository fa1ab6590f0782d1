/* SPDX-License-Identifier: Apache-2.0 */
/* `weir plugins`: what there is; `weir plugins NAME`: its options as text, Markdown or JSON schema. */
#include "base/cleanup.h"
#include "cli/cli.h"
#include "event/json.h"
#include "pipe/instance.h"

#include <stdio.h>

static const char *const kinds[] = {"input", "filter", "output"};

static int list_all(void)
{
    for (int kind = PLUGIN_INPUT; kind <= PLUGIN_OUTPUT; kind++) {
        printf("%ss\n", kinds[kind]);
        for (const struct plugin *const *p = plugin_registry; *p; p++)
            if ((int)plugin_kind(*p) == kind)
                printf("  %-18s %s\n", (*p)->name, (*p)->summary);
    }
    return 0;
}

static void show_text(const struct plugin *p, struct buf *out)
{
    buf_fmt(out, "%s %s: %s\n\n", kinds[plugin_kind(p)], p->name, p->summary);
    options_document(p->options, OPTIONS_TEXT, out);
    buf_fmt(out, "\ncommon to every %s\n\n", kinds[plugin_kind(p)]);
    options_document(common_options(plugin_kind(p)), OPTIONS_TEXT, out);
}

static void show(const struct plugin *p, enum options_form form)
{
    CLEANUP(buf_free) struct buf out = {0};

    if (form == OPTIONS_TEXT)
        show_text(p, &out);
    else
        options_document(p->options, form, &out);
    fwrite(out.p, 1, out.n, stdout);
}

static bool form_of(const char *text, enum options_form *out)
{
    if (!strcmp(text, "text"))
        *out = OPTIONS_TEXT;
    else if (!strcmp(text, "markdown"))
        *out = OPTIONS_MARKDOWN;
    else if (!strcmp(text, "json"))
        *out = OPTIONS_SCHEMA;
    else
        return false;
    return true;
}

/* NAME, or KIND/NAME where several kinds have one of that name. */
static bool named(const struct plugin *p, struct str name)
{
    CLEANUP(buf_free) struct buf full = {0};

    buf_fmt(&full, "%s/%s", kinds[plugin_kind(p)], p->name);
    return str_eq(name, str_of(p->name)) || str_eq(name, buf_view(&full));
}

int cli_plugins(int argc, char **argv, const char *version)
{
    enum options_form form = OPTIONS_TEXT;
    const char *name = NULL, *near = NULL;
    int found = 0;

    (void)version;
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--format") && i + 1 < argc && form_of(argv[i + 1], &form)) {
            i++;
        } else if (argv[i][0] != '-' && !name) {
            name = argv[i];
        } else {
            fprintf(stderr, "usage: weir plugins [[input/|filter/|output/]NAME] [--format text|markdown|json]\n");
            return EXIT_USAGE;
        }
    }
    if (!name)
        return list_all();
    for (const struct plugin *const *p = plugin_registry; *p; p++)
        if (named(*p, str_of(name))) {
            if (found++ && form == OPTIONS_TEXT)
                putchar('\n');
            show(*p, form);
        }
    if (found)
        return 0;
    for (int kind = PLUGIN_INPUT; kind <= PLUGIN_OUTPUT && !near; kind++)
        near = plugin_suggest((enum plugin_kind)kind, str_of(name));
    fprintf(stderr, "weir plugins: no plugin `%s`%s%s%s\n", name, near ? "; did you mean `" : "", near ? near : "",
            near ? "`?" : "");
    return 1;
}
