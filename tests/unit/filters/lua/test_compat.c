/* SPDX-License-Identifier: Apache-2.0 */
/* Runs tests/compat/lua/NAME.case, each with lazy records, eager ones, and whatever `auto` makes of it: all three must
 * give the expected bytes.  A case is a text file of sections:
 *
 *     --- options      properties of the filter, one a line (may be missing; `call f` is added)
 *     --- script       the Lua code
 *     --- in           one event a line: JSON, or "hex" and the bytes of its msgpack
 *     --- out          what becomes of them, in order: `same`, `drop`, `fail CODE text`, or the event as JSON or hex;
 *                      "+" and JSON: one more event that was emitted; "@NS" in front: its time; "#{...}": its metadata
 */
#include "fake_machine.h"

#include <ctype.h>
#include <dirent.h>

extern const struct plugin filter_lua;

struct the_case {
    char name[256];
    char *options, *script, *in, *out;
    struct buf text;
};

static void fail(const struct the_case *c, const char *mode, const char *what, struct str got, struct str want)
{
    test_failures++;
    fprintf(stderr, "%s (%s): %s\n  got  " STR_FMT "\n  want " STR_FMT "\n", c->name, mode, what, STR_ARG(got),
            STR_ARG(want));
}

static bool read_case(struct the_case *c, const char *path)
{
    char **section[] = {&c->options, &c->script, &c->in, &c->out};
    const char *const marks[] = {"--- options\n", "--- script\n", "--- in\n", "--- out\n"};
    FILE *f = fopen(path, "r");
    size_t n;

    if (!f)
        return false;
    while ((n = fread(buf_room(&c->text, 4096), 1, 4096, f)) > 0)
        c->text.n += n;
    fclose(f);
    buf_text(&c->text);
    for (unsigned i = 0; i < 4; i++) {
        char *at = strstr(c->text.p, marks[i]);
        *section[i] = at ? at + strlen(marks[i]) : NULL;
    }
    for (unsigned i = 0; i < 4; i++)
        if (*section[i])
            (*section[i])[-1] = 0;
    for (unsigned i = 0; i < 4; i++) {
        char *end = *section[i] ? strstr(*section[i], "\n---") : NULL;
        if (end)
            end[1] = 0;
    }
    return c->script && c->in && c->out;
}

static void bytes_of(struct buf *out, struct str text)
{
    struct err e;

    if (!str_starts(text, STR("hex "))) {
        if (!json_read_whole(text, &json_limits_default, out, &e)) {
            test_failures++;
            fprintf(stderr, "JSON of a case: %s: " STR_FMT "\n", e.text, STR_ARG(text));
        }
        return;
    }
    for (size_t i = 4; i + 1 < text.n;) {
        char two[3] = {text.p[i], text.p[i + 1], 0};
        if (isspace((unsigned char)text.p[i])) {
            i++;
            continue;
        }
        buf_char(out, (char)strtoul(two, NULL, 16));
        i += 2;
    }
}

static void hex_of(struct buf *out, struct str bytes)
{
    buf_str(out, STR("hex "));
    for (size_t i = 0; i < bytes.n; i++)
        buf_fmt(out, "%02x", (unsigned char)bytes.p[i]);
}

/* The event's own line: [@NS] [#{meta}] event. */
static void check_event(struct the_case *c, const char *mode, struct str want, struct filter_result *r, struct str in)
{
    struct buf expected = {0}, got = {0}, meta = {0}, canon = {0};
    struct str rest = want;

    if (want.n && want.p[0] == '@') {
        int64_t t = 0;
        str_i64(str_from(str_cut(&rest, ' '), 1), &t);
        if (t != r->time) {
            char shown[64];
            snprintf(shown, sizeof shown, "%lld", (long long)r->time);
            fail(c, mode, "another time", str_of(shown), want);
        }
    }
    if (rest.n && rest.p[0] == '#') {
        struct str m = str_from(str_cut(&rest, ' '), 1);
        bytes_of(&meta, m);
        json_write(&canon, &(struct value){.type = V_MAP, .raw = true, .n = (uint32_t)meta.n, .p = meta.p});
        if (!str_eq(buf_view(&canon), buf_view(&r->meta)))
            fail(c, mode, "other metadata", buf_view(&r->meta), buf_view(&canon));
    }
    if (str_eq(rest, STR("same")))
        bytes_of(&expected, in);
    else
        bytes_of(&expected, rest);
    if (r->pass != KEEP)
        fail(c, mode, "not kept", str_of(r->emit.text), rest);
    else if (!str_eq(buf_view(&expected), buf_view(&r->body))) {
        hex_of(&got, buf_view(&r->body));
        buf_str(&got, STR("\n       "));
        buf_str(&got, buf_view(&r->json));
        fail(c, mode, "other bytes", buf_view(&got), rest);
    }
    buf_free(&expected);
    buf_free(&got);
    buf_free(&meta);
    buf_free(&canon);
}

static void check_emitted(struct the_case *c, const char *mode, struct str *out, struct filter_result *r)
{
    struct str emitted = buf_view(&r->emit.events);

    while (out->n && out->p[0] == '+') {
        struct str want = str_trim(str_from(str_cut(out, '\n'), 1)), got = str_cut(&emitted, '\n');
        struct buf bytes = {0}, canon = {0};
        str_cut(&got, ' '); /* the tag */
        bytes_of(&bytes, want);
        json_write(&canon, &(struct value){.type = V_MAP, .raw = true, .n = (uint32_t)bytes.n, .p = bytes.p});
        if (!str_eq(got, buf_view(&canon)))
            fail(c, mode, "another emitted event", got, buf_view(&canon));
        buf_free(&bytes);
        buf_free(&canon);
    }
    if (emitted.n)
        fail(c, mode, "emitted more", emitted, STR(""));
}

static void check_result(struct the_case *c, const char *mode, struct str *out, struct filter_result *r, struct str in)
{
    struct str want = str_cut(out, '\n');

    if (str_starts(want, STR("fail "))) {
        struct buf got = {0};
        buf_fmt(&got, "fail %s %s", r->emit.code, r->emit.text);
        if (r->pass != QUARANTINE || !str_eq(buf_view(&got), want))
            fail(c, mode, "another failure", buf_view(&got), want);
        buf_free(&got);
    } else if (str_eq(want, STR("drop"))) {
        if (r->pass != DROP)
            fail(c, mode, "not dropped", buf_view(&r->json), want);
    } else {
        check_event(c, mode, want, r, in);
    }
    check_emitted(c, mode, out, r);
}

static void run_case(struct the_case *c, const char *lazy)
{
    struct buf properties = {0};
    struct fake f;
    struct err e = {""};
    struct str in = str_of(c->in), out = str_of(c->out);

    buf_fmt(&properties, "call f\nlazy %s\n%s", lazy, c->options ? c->options : "");
    if (!fake_load(&f, &filter_lua, buf_text(&properties), &e) && !strstr(e.text, "nothing"))
        fail(c, lazy, "options", str_of(e.text), STR(""));
    /* The code has lines, which the property list cannot carry. */
    f.props[f.section.n++] = (struct prop){.name = STR("code"), .value = str_of(c->script), .place = {"test", 1, 1}};
    options_free(filter_lua.options, f.instance);
    memset((char *)f.instance + sizeof(struct instance), 0, filter_lua.size - sizeof(struct instance));
    if (!options_load((const struct option *[]){filter_lua.options, NULL}, (void *[]){f.instance}, &f.section, &e) ||
        !(f.started = filter_lua.filter->start(f.instance, &e)))
        fail(c, lazy, "does not start", str_of(e.text), STR(""));
    while (f.started && in.n) {
        struct str line = str_trim(str_cut(&in, '\n'));
        struct filter_result r = {0};
        struct buf body = {0};
        bytes_of(&body, line);
        filter_run_bytes(&f, "test.tag", 1700000000123456789, buf_view(&body), &r);
        check_result(c, lazy, &out, &r, line);
        filter_result_free(&r);
        buf_free(&body);
    }
    if (f.started && str_trim(out).n)
        fail(c, lazy, "expected more", STR(""), out);
    buf_free(&properties);
    fake_free(&f);
}

static int is_case(const struct dirent *d)
{
    return str_ends(str_of(d->d_name), STR(".case"));
}

TEST(all_cases_in_all_modes)
{
    struct dirent **names = NULL;
    int n = scandir("compat/lua", &names, is_case, alphasort);
    const char *only = getenv("CASE");

    CHECK(n >= 60);
    fake_env.names[0] = "HOSTNAME";
    fake_env.values[0] = "box";
    for (int i = 0; i < n; i++) {
        struct the_case c = {0};
        char path[512];
        snprintf(path, sizeof path, "compat/lua/%s", names[i]->d_name);
        snprintf(c.name, sizeof c.name, "%s", names[i]->d_name);
        if (!only || strstr(c.name, only)) {
            CHECK(read_case(&c, path));
            if (c.script && c.in && c.out) {
                run_case(&c, "on");
                run_case(&c, "off");
                run_case(&c, "auto");
            }
        }
        buf_free(&c.text);
        free(names[i]);
    }
    free(names);
}
