/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "conf/build.h"

static struct tree *good(const char *text)
{
    struct err e = {{0}};
    struct tree *t = tree_load_text(TREE_CLASSIC, "a.conf", str_of(text), &e);

    if (!t)
        fprintf(stderr, "%s\n", e.text);
    CHECK(t != NULL);
    return t ? t : tree_new();
}

static void bad(const char *text, const char *message)
{
    struct err e = {{0}};
    struct tree *t = tree_load_text(TREE_CLASSIC, "a.conf", str_of(text), &e);

    CHECK(t == NULL);
    CHECK_STR(str_head(str_of(e.text), strlen(message)), message);
    tree_free(t);
}

#define VALUE(s, name) (section_prop(s, name) ? section_prop(s, name)->value : STR("(absent)"))

TEST(sections_keys_and_places)
{
    struct tree *t = good("# a comment\n[SERVICE]\n    Flush  1\n\n[Input]\r\n\tName tail\r\n\tPath  /a b/*.log \r\n"
                          "\t# Path /no\n\tpath /second");

    CHECK_INT(t->n, 2);
    CHECK_STR(t->sections[0].kind, "service");
    CHECK_STR(VALUE(&t->sections[0], "FLUSH"), "1");
    CHECK_STR(t->sections[1].kind, "input");
    CHECK_INT(t->sections[1].n, 3);
    CHECK_STR(t->sections[1].props[1].value, "/a b/*.log");
    CHECK_STR(VALUE(&t->sections[1], "path"), "/second");
    CHECK_INT(t->sections[1].props[1].place.line, 7);
    CHECK_INT(t->sections[1].props[1].place.column, 2);
    CHECK_INT(t->sections[1].place.line, 5);
    CHECK_INT(t->nwarnings, 0);
    tree_free(t);
}

TEST(comments_only_at_the_start)
{
    struct tree *t = good("[INPUT] # words\n  name dummy # not a comment\n#x\n   #y\n  tag #z\n");

    CHECK_STR(VALUE(&t->sections[0], "name"), "dummy # not a comment");
    CHECK_STR(VALUE(&t->sections[0], "tag"), "#z");
    tree_free(t);
}

TEST(groups)
{
    struct tree *t = good("[INPUT]\n  name a\n  [processors]\n    x 1\n    y 2\n  tag t\n");
    const struct section *s = &t->sections[0];

    CHECK_INT(s->n, 3);
    CHECK(s->props[1].map != NULL);
    CHECK_INT(s->props[1].map->n, 2);
    CHECK_STR(VALUE(s->props[1].map, "y"), "2");
    CHECK_STR(VALUE(s, "tag"), "t");
    tree_free(t);
}

TEST(upstream_nodes)
{
    struct tree *t =
        good("[UPSTREAM]\n  name u\n[NODE]\n  name n1\n  host h\n[NODE]\n  name n2\n[OUTPUT]\n  name null\n");

    CHECK_INT(t->n, 2);
    CHECK_INT(t->sections[0].nchildren, 2);
    CHECK_STR(VALUE(&t->sections[0].children[0], "host"), "h");
    CHECK_STR(VALUE(&t->sections[0].children[1], "name"), "n2");
    tree_free(t);
}

TEST(variables)
{
    struct tree *t;

    setenv("WEIR_TEST_SET", "from env", 1);
    setenv("WEIR_TEST_BOTH", "env", 1);
    unsetenv("WEIR_TEST_NO");
    t = good("@SET WEIR_TEST_BOTH=set\n@SET twice=${WEIR_TEST_BOTH}${WEIR_TEST_BOTH}\n[INPUT]\n  a x${WEIR_TEST_SET}y\n"
             "  b ${WEIR_TEST_BOTH}\n  c ${WEIR_TEST_NO:-d}${WEIR_TEST_NO:-${WEIR_TEST_NO:-${twice}}}\n"
             "  d ${WEIR_TEST_NO}-\n  e $key['a'] ${WEIR_TEST_NO:-}\n  f ${HOSTNAME}\n");
    CHECK_STR(VALUE(&t->sections[1], "a"), "xfrom envy");
    CHECK_STR(VALUE(&t->sections[1], "b"), "set");
    CHECK_STR(VALUE(&t->sections[1], "c"), "dsetset");
    CHECK_STR(VALUE(&t->sections[1], "d"), "-");
    CHECK_STR(VALUE(&t->sections[1], "e"), "$key['a'] ");
    CHECK(VALUE(&t->sections[1], "f").n > 0);
    CHECK_INT(t->nwarnings, 1);
    CHECK_STR(t->warnings[0],
              "a.conf:7:3: the variable WEIR_TEST_NO is not set; write ${WEIR_TEST_NO:-} if it may be empty");
    CHECK_STR(t->sections[0].kind, "env");
    tree_free(t);
}

TEST(an_expansion_bomb_ends)
{
    struct buf b = {0};
    struct err e = {{0}};

    buf_fmt(&b, "@SET a=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n");
    for (int i = 0; i < 64; i++)
        buf_fmt(&b, "@SET a=${a}${a}\n");
    CHECK(!tree_load_text(TREE_CLASSIC, "a.conf", buf_view(&b), &e));
    CHECK(strstr(e.text, "at most") != NULL);
    buf_free(&b);
}

TEST(mistakes)
{
    bad("x 1\n", "a.conf:1:1: `x 1` is not indented");
    bad("  x 1\n", "a.conf:1:3: `x 1` stands before any section");
    bad("[INPUT\n", "a.conf:1:1: `[INPUT` has no closing bracket");
    bad("[]\n", "a.conf:1:1: a section without a name");
    bad("[INPUT] x\n", "a.conf:1:1: `x` follows [INPUT]");
    bad("[INPUT]\n    a 1\n  b 2\n",
        "a.conf:3:3: invalid indentation level: this section's first key is indented by 4 space(s)");
    bad("[INPUT]\n    a 1\n\tb 2\n", "a.conf:3:2: invalid indentation level");
    bad("[INPUT]\n    a 1\n        b 2\n", "a.conf:3:9: invalid indentation level: deeper");
    bad("[INPUT]\n  a\n", "a.conf:2:3: the key `a` has no value");
    bad("[INPUT]\n  a\tb\n", "a.conf:2:3: undefined value: a tab follows the key `a`");
    bad("[INPUT]\n  @SET a=b\n", "a.conf:2:3: `@SET a=b` must begin in the first column");
    bad("@SET a\n", "a.conf:1:1: @SET needs NAME=value");
    bad("@SET =a\n", "a.conf:1:1: a variable without a name");
    bad("@SET a b=a\n", "a.conf:1:1: `a b` is no name for a variable");
    bad("@INCLUDE\n", "a.conf:1:1: @INCLUDE needs a path");
    bad("@INCLUED x\n", "a.conf:1:1: unknown command `@INCLUED`");
    bad("[NODE]\n  name a\n", "a.conf:1:1: [NODE] belongs below an [UPSTREAM]");
    bad("[INPUT]\n  a ${b\n", "a.conf:2:3: `${b` has no closing brace");
    bad("[INPUT]\n  a ${b c}\n", "a.conf:2:3: `${b c}` is no variable");
    bad("[INPUT]\n  a ${}\n", "a.conf:2:3: `${}` is no variable");
}

TEST(empty_section_is_a_warning)
{
    struct tree *t = good("[INPUT]\n[OUTPUT]\n  name null\n");

    CHECK_INT(t->nwarnings, 1);
    CHECK_STR(t->warnings[0], "a.conf:1:1: the section [input] has no keys");
    tree_free(t);
}

TEST(properties_of_the_command_line)
{
    struct tree *t = tree_new();
    struct section *s = tree_add(t, "input");
    struct err e = {{0}};

    CHECK(tree_set(t, s, STR("Path"), STR("/x"), &e));
    CHECK_STR(VALUE(s, "path"), "/x");
    CHECK(!place_err(&s->props[0].place, &e, "wrong"));
    CHECK_STR(str_of(e.text), "command line: wrong");
    CHECK(!tree_set(t, s, STR("Path"), STR(""), &e));
    tree_free(t);
}
