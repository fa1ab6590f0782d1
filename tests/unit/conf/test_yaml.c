/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "conf/build.h"

static struct tree *good(const char *text)
{
    struct err e = {{0}};
    struct tree *t = tree_load_text(TREE_YAML, "a.yaml", str_of(text), &e);

    if (!t)
        fprintf(stderr, "%s\n", e.text);
    CHECK(t != NULL);
    return t ? t : tree_new();
}

static void bad(const char *text, const char *message)
{
    struct err e = {{0}};
    struct tree *t = tree_load_text(TREE_YAML, "a.yaml", str_of(text), &e);

    CHECK(t == NULL);
    CHECK_STR(str_head(str_of(e.text), strlen(message)), message);
    tree_free(t);
}

#define VALUE(s, name) (section_prop(s, name) ? section_prop(s, name)->value : STR("(absent)"))

TEST(outline)
{
    struct tree *t =
        good("service:\n  flush: 1\n  logLevel: debug\nparsers:\n  - name: p\n    format: json\n"
             "multiline_parsers:\n  - name: m\n    type: regex\n    rules:\n"
             "      - {state: start_state, regex: '/^\"a/', next_state: cont}\n"
             "plugins:\n  - /x.so\n"
             "upstream_servers:\n  - name: u\n    nodes:\n      - {name: n1, host: h}\n      - {name: n2}\n"
             "pipeline:\n  inputs:\n    - name: tail\n      path: [/a, /b]\n      readFromHead: true\n"
             "  filters:\n  outputs:\n    - name: stdout\n      match: '*'\n");

    CHECK_INT(t->n, 7);
    CHECK_STR(VALUE(&t->sections[0], "log_level"), "debug");
    CHECK_STR(t->sections[1].kind, "parser");
    CHECK_STR(t->sections[2].kind, "multiline_parser");
    CHECK_STR(VALUE(&t->sections[2], "rule"), "\"start_state\" \"/^\\\"a/\" \"cont\"");
    CHECK(section_prop(&t->sections[2], "rule")->map != NULL);
    CHECK_STR(VALUE(&t->sections[3], "path"), "/x.so");
    CHECK_INT(t->sections[4].nchildren, 2);
    CHECK_STR(VALUE(&t->sections[4].children[0], "host"), "h");
    CHECK_STR(VALUE(&t->sections[5], "path"), "/a, /b");
    CHECK_INT(section_prop(&t->sections[5], "path")->items.n, 2);
    CHECK_STR(VALUE(&t->sections[5], "read_from_head"), "true");
    CHECK_STR(t->sections[6].kind, "output");
    CHECK_INT(t->sections[6].props[1].place.line, 27);
    CHECK_INT(t->sections[6].props[1].place.column, 7);
    tree_free(t);
}

TEST(scalars_keep_their_text)
{
    struct tree *t = good("pipeline:\n  inputs:\n    - name: x\n      a: 1.0\n      b: 007\n      c: yes\n      d: ''\n"
                          "      e: ~\n      f: 2024-01-02\n      g: |\n        line 1\n        line 2\n");
    const struct section *s = &t->sections[0];

    CHECK_STR(VALUE(s, "a"), "1.0");
    CHECK_STR(VALUE(s, "b"), "007");
    CHECK_STR(VALUE(s, "c"), "yes");
    CHECK_STR(VALUE(s, "d"), "");
    CHECK_STR(VALUE(s, "e"), "~");
    CHECK_STR(VALUE(s, "f"), "2024-01-02");
    CHECK_STR(VALUE(s, "g"), "line 1\nline 2\n");
    tree_free(t);
}

TEST(env_goes_first)
{
    struct tree *t = good("pipeline:\n  inputs:\n    - name: ${plugin}\n      tag: ${no:-x}\nenv:\n  plugin: dummy\n");

    CHECK_STR(t->sections[0].kind, "env");
    CHECK_STR(VALUE(&t->sections[1], "name"), "dummy");
    CHECK_STR(VALUE(&t->sections[1], "tag"), "x");
    tree_free(t);
}

TEST(maps_keep_their_keys)
{
    struct tree *t =
        good("pipeline:\n  inputs:\n    - name: x\n      processors:\n        logs:\n          - name: lua\n"
             "            timeAsTable: on\n      headers: {userId: 1, 'a-b': 2}\n      some-key: 1\n");
    const struct section *s = &t->sections[0], *p = section_prop(s, "processors")->map;

    CHECK(p != NULL);
    p = section_prop(p, "logs")->map;
    CHECK(p && p->nchildren == 1);
    CHECK_STR(VALUE(&p->children[0], "time_as_table"), "on");
    CHECK_STR(section_prop(s, "headers")->map->props[0].name, "userId");
    CHECK_STR(section_prop(s, "headers")->map->props[1].name, "a-b");
    CHECK_STR(VALUE(s, "some_key"), "1");
    tree_free(t);
}

TEST(aliases)
{
    struct tree *t = good("pipeline:\n  inputs:\n    - name: x\n      tag: &t hello\n    - name: y\n      tag: *t\n");

    CHECK_STR(VALUE(&t->sections[1], "tag"), "hello");
    tree_free(t);
    bad("pipeline:\n  inputs:\n    - &a\n      name: x\n      m: *a\n", "a.yaml:3:7: nested deeper than 16");
}

TEST(alias_bomb)
{
    struct buf b = {0};
    struct err e = {{0}};
    struct tree *t;

    buf_fmt(&b, "pipeline:\n  inputs:\n    - name: x\n      a0: &a0 {k: v}\n");
    for (int i = 1; i < 14; i++) {
        buf_fmt(&b, "      a%d: &a%d\n", i, i);
        for (int k = 0; k < 10; k++)
            buf_fmt(&b, "        k%d: *a%d\n", k, i - 1);
    }
    t = tree_load_text(TREE_YAML, "a.yaml", buf_view(&b), &e);
    CHECK(!t);
    CHECK(strstr(e.text, "more than"));
    tree_free(t);
    buf_free(&b);
}

TEST(empty_files_are_empty)
{
    struct tree *t = good("");

    CHECK_INT(t->n, 0);
    tree_free(t);
    t = good("# nothing\n---\n");
    CHECK_INT(t->n, 0);
    tree_free(t);
}

TEST(mistakes)
{
    bad("servce:\n  flush: 1\n",
        "a.yaml:1:1: unknown section `servce` at the top of the file; did you mean `service`?");
    bad("inputs:\n  - name: x\n", "a.yaml:1:1: `inputs` belongs below `pipeline:`");
    bad("pipeline:\n  input:\n    - name: x\n",
        "a.yaml:2:3: unknown section `input` below `pipeline`; did you mean `inputs`?");
    bad("pipeline:\n  inputs:\n    name: x\n", "a.yaml:3:5: `inputs` is a list: begin each item with `- `");
    bad("pipeline:\n  inputs:\n    - tail\n", "a.yaml:3:7: this input must be a mapping");
    bad("pipeline: x\n", "a.yaml:1:11: `pipeline` has `inputs`");
    bad("pipeline:\n  inputs:\n    - name:\n      tag: x\n", "a.yaml:3:12: the key `name` has no value");
    bad("pipeline:\n  inputs:\n    - name: x\n\ttag: y\n", "a.yaml:4:1: YAML: while scanning a plain scalar, found a "
                                                           "tab character that violates indentation; indent by spaces");
    bad("pipeline:\n  inputs:\n    - name: %x\n",
        "a.yaml:3:13: YAML: while scanning for the next token, found character "
        "that cannot start any token; put quotes around the value");
    bad("a: b: c\n", "a.yaml:1:5: YAML: mapping values are not allowed in this context");
    bad("service:\n  flush: \"1\n", "a.yaml:3:1: YAML: while scanning a quoted scalar, found unexpected end of stream");
    bad("- a\n", "a.yaml:1:1: a configuration is a mapping");
    bad("service: {}\n---\nservice: {}\n", "a.yaml:3:1: a second document");
    bad("service:\n  a: [b, [c]]\n", "a.yaml:2:10: the list `a` holds single values and others");
    bad("service:\n  a: \"\\0\"\n", "a.yaml:2:6: the value of `a` has a NUL byte in it");
    bad("service:\n  <<: {a: b}\n", "a.yaml:2:3: merge keys");
    bad("service:\n  a: *x\n", "a.yaml:2:6: YAML: found undefined alias");
    bad("service:\n  a: \xff\n", "a.yaml:2:1: YAML: invalid leading UTF-8 octet; the file must be UTF-8");
    bad("env: x\n", "a.yaml:1:6: `env` is a mapping of names to values");
    bad("includes: x\n", "a.yaml:1:11: `includes` is a list");
    bad("includes: [x]\n", "a.yaml:1:12: nothing can be included here");
    bad("multiline_parsers:\n  - name: m\n    rules:\n      - {state: a, regex: b}\n",
        "a.yaml:4:9: this rule has no `next_state`");
}
