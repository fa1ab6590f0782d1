/* SPDX-License-Identifier: Apache-2.0 */
#include "pipe/build.h"

#include "base/alloc.h"
#include "base/cleanup.h"

#include <stdlib.h>

static void note_ignored(void *arg, const struct prop *p)
{
    const char *what = "is accepted and has no meaning here";

    if (str_eq_fold(p->name, STR("threaded")))
        what = "has no effect yet: all inputs share one thread";
    else if (str_eq_fold(p->name, STR("workers")))
        what = "has no effect yet: an output has one thread, which keeps its order";
    config_note(arg, "%s:%u:%u: `" STR_FMT "` %s", p->place.file, p->place.line, p->place.column, STR_ARG(p->name),
                what);
}

static bool build_kind(enum plugin_kind kind, struct config *config, const struct section **sections, size_t n,
                       const struct env *env, struct unit ***out, size_t *nout, struct err *e)
{
    *out = alloc_array(n, sizeof **out);
    for (size_t i = 0; i < n; i++) {
        struct unit *u = unit_new(kind, sections[i], i, env, e);
        if (!u)
            return false;
        (*out)[(*nout)++] = u;
        unit_ignored(u, note_ignored, config);
        for (size_t j = 0; j < i; j++)
            if (!strcmp((*out)[j]->name, u->name))
                return place_err(options_place(sections[i], "alias"), e,
                                 "the name `%s` is taken by an earlier section; give this one another `alias`",
                                 u->name);
    }
    return true;
}

/* Whether a tag of this input may fit the pattern; a `*` in the tag stands for what is not known yet. */
static bool may_reach(const struct unit *input, struct str pattern)
{
    struct str tag = input->common.tag.n ? input->common.tag : str_of(input->name);
    size_t star = str_find_char(tag, '*'), wild = str_find_char(pattern, '*');
    size_t n;

    if (input->plugin->input->own_tags || str_find_char(tag, '<') != SIZE_MAX)
        return true;
    if (star == SIZE_MAX)
        return str_match(pattern, tag);
    n = star < wild ? star : wild;
    return str_eq(str_head(tag, n), str_head(pattern, n));
}

bool build_may_reach(const struct unit *input, const struct unit *output)
{
    return output->common.match_regex.n || (output->common.match.n && may_reach(input, output->common.match));
}

static void warn_unreached(struct config *config, const struct build *b, struct unit *const *units, size_t n,
                           const char *kind)
{
    for (size_t i = 0; i < n; i++) {
        const struct place *place = &unit_instance(units[i])->section->place;
        bool reached = units[i]->common.match_regex.n > 0;
        if (!units[i]->common.match.n && !reached) {
            config_warn(config, "%s:%u:%u: %s %s has no `match`: no event reaches it; `match *` takes all", place->file,
                        place->line, place->column, kind, units[i]->name);
            continue;
        }
        for (size_t j = 0; j < b->ninputs && !reached; j++)
            reached = may_reach(b->inputs[j], units[i]->common.match);
        if (!reached)
            config_warn(config, "%s:%u:%u: no tag of any input can reach %s %s: match is `" STR_FMT "`", place->file,
                        place->line, place->column, kind, units[i]->name, STR_ARG(units[i]->common.match));
    }
}

static bool overlap(const struct common *a, const struct common *b)
{
    return str_match(a->match, b->match) || str_match(b->match, a->match);
}

/* Two outputs never share a file. */
static bool check_claims(const struct build *b, struct err *e)
{
    for (size_t i = 0; i < b->noutputs; i++)
        for (size_t j = 0; j < i; j++) {
            const struct unit *one = b->outputs[j], *two = b->outputs[i];
            CLEANUP(buf_free) struct buf first = {0}, second = {0};
            bool always;
            if (one->plugin != two->plugin || !one->plugin->output->claims)
                continue;
            always = one->plugin->output->claims(one->self, &first);
            always &= two->plugin->output->claims(two->self, &second);
            if (first.n && str_eq(buf_view(&first), buf_view(&second)) &&
                (always || overlap(&one->common, &two->common)))
                return place_err(&unit_instance(two)->section->place, e,
                                 "%s and %s would write to the same place, `" STR_FMT "`; give one another `path`",
                                 one->name, two->name, STR_ARG(buf_view(&first)));
        }
    return true;
}

bool build_units(struct config *config, const struct env *env, struct build *out, struct err *e)
{
    *out = (struct build){0};
    if (!build_kind(PLUGIN_INPUT, config, config->inputs, config->ninputs, env, &out->inputs, &out->ninputs, e) ||
        !build_kind(PLUGIN_FILTER, config, config->filters, config->nfilters, env, &out->filters, &out->nfilters, e) ||
        !build_kind(PLUGIN_OUTPUT, config, config->outputs, config->noutputs, env, &out->outputs, &out->noutputs, e) ||
        !check_claims(out, e)) {
        build_free(out);
        return false;
    }
    warn_unreached(config, out, out->filters, out->nfilters, "filter");
    warn_unreached(config, out, out->outputs, out->noutputs, "output");
    for (size_t i = 0; i < out->nfilters; i++)
        if (out->filters[i]->common.on_error == ON_ERROR_PASS) {
            const struct place *place = options_place(unit_instance(out->filters[i])->section, "on_error");
            config_warn(config, "%s:%u:%u: on_error pass lets events through UNREDACTED when filter %s fails",
                        place->file, place->line, place->column, out->filters[i]->name);
        }
    return true;
}

bool build_check(struct build *b, struct err *e)
{
    for (size_t i = 0; i < b->ninputs; i++) {
        const struct input *input = b->inputs[i]->plugin->input;
        if (input->check && !input->check(b->inputs[i]->self, e))
            return false;
    }
    for (size_t i = 0; i < b->nfilters; i++) {
        const struct filter *filter = b->filters[i]->plugin->filter;
        if (filter->start && !filter->start(b->filters[i]->self, e))
            return false;
        if (filter->stop)
            filter->stop(b->filters[i]->self);
    }
    for (size_t i = 0; i < b->noutputs; i++) {
        const struct output *output = b->outputs[i]->plugin->output;
        if (output->check && !output->check(b->outputs[i]->self, e))
            return false;
    }
    return true;
}

void build_free(struct build *b)
{
    for (size_t i = 0; i < b->ninputs; i++)
        unit_free(b->inputs[i]);
    for (size_t i = 0; i < b->nfilters; i++)
        unit_free(b->filters[i]);
    for (size_t i = 0; i < b->noutputs; i++)
        unit_free(b->outputs[i]);
    free(b->inputs);
    free(b->filters);
    free(b->outputs);
    *b = (struct build){0};
}
