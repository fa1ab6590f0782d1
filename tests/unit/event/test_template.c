/* SPDX-License-Identifier: Apache-2.0 */
#include "event/template.h"
#include "event/json.h"
#include "event/msgpack.h"
#include "test.h"

static void quote(struct buf *out, struct str data)
{
    buf_fmt(out, "<" STR_FMT ">", STR_ARG(data));
}

static struct str render_with(const char *text, unsigned flags, void (*each)(struct buf *, struct str))
{
    static struct buf b, body;
    static struct arena *arena;
    struct str captures[] = {STR("whole"), STR("one")}, missing = {0};
    struct strs list = {captures, 2};
    struct err e = {0};

    arena = arena ? arena : arena_new();
    buf_clear(&b);
    buf_clear(&body);
    msgpack_map(&body, 3);
    msgpack_str(&body, STR("k"));
    msgpack_str(&body, STR("v"));
    msgpack_str(&body, STR("n"));
    msgpack_int(&body, 5);
    msgpack_str(&body, STR("m"));
    msgpack_map(&body, 1);
    msgpack_str(&body, STR("a]b"));
    msgpack_bool(&body, true);
    struct event ev = {
        .arena = arena, .tag = STR("app.web.access"), .time = 1700000000000000000, .body = value_raw(buf_view(&body))};
    struct template *t = template_compile(str_of(text), flags, &e);
    if (!t)
        buf_fmt(&b, "!%s", e.text);
    else if (!template_render(t, &ev, &list, each, &b, &missing))
        buf_fmt(&b, "?" STR_FMT, STR_ARG(missing));
    template_free(t);
    return buf_view(&b);
}

static struct str render(const char *text)
{
    return render_with(text, TEMPLATE_TIME | TEMPLATE_TAG, NULL);
}

TEST(renders)
{
    CHECK_STR(render("plain"), "plain");
    CHECK_STR(render(""), "");
    CHECK_STR(render("$TAG"), "app.web.access");
    CHECK_STR(render("new.$TAG[1].$TAG[0]x"), "new.web.appx");
    CHECK_STR(render("$k.$n/$m['a]b']"), "v.5/true");
    CHECK_STR(render("a$k,b"), "av,b");
    CHECK_STR(render("$1-$0"), "one-whole");
    CHECK_STR(render("%Y/%m/%d/$k-%H"), "2023/11/14/v-22");
    CHECK_STR(render("$no-key"), "?$no-key"); /* a dash inside belongs to the key */
    CHECK_STR(render("$['k']-x"), "v-x");
    CHECK_STR(render("100%% $$k $"), "100% $k $");
    CHECK_STR(render("$m"), "{\"a]b\":true}");
    CHECK_STR(render_with("%Y $k", 0, NULL), "%Y v");
    CHECK_STR(render_with("<$k> %Y $TAG[0] $1", TEMPLATE_TIME | TEMPLATE_TAG, quote), "<<v>> 2023 <app> <one>");
}

TEST(missing)
{
    CHECK_STR(render("x$nope"), "?$nope");
    CHECK_STR(render("$m['b']"), "?$m['b']");
    CHECK_STR(render("$TAG[3]"), "?$TAG[3]");
    CHECK_STR(render("$2"), "?$2");
}

TEST(mistakes_are_named)
{
    CHECK(render_with("$TAG", 0, NULL).p[0] == '!');
    CHECK(strstr(render_with("$TAG", 0, NULL).p, "cannot be used here"));
    CHECK(strstr(render("$TAG[x]").p, "$TAG[0]"));
    CHECK(strstr(render("$k['a").p, "no `]`"));
    CHECK(strstr(render("$k[a]").p, "in quotes"));
    CHECK(strstr(render("$[0]").p, "must follow"));
    char many[500];
    for (int i = 0; i < 240; i++)
        memcpy(many + 2 * i, "$0", 3);
    CHECK(strstr(render(many).p, "more than"));
}

TEST(fixed)
{
    struct template *t = template_compile(STR("a.b"), TEMPLATE_TAG, NULL);

    CHECK(template_fixed(t));
    template_free(t);
    t = template_compile(STR("a.$TAG"), TEMPLATE_TAG, NULL);
    CHECK(!template_fixed(t));
    template_free(t);
}
