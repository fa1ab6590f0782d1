/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "base/io.h"
#include "conf/build.h"
#include "conf/option.h"
#include "conf/options_internal.h"
#include "event/json.h"

#include <unistd.h>

struct inner {
    bool verify;
    struct str ca;
};
struct sample {
    struct str text, secret, path;
    bool flag;
    int64_t number, size, wait;
    double ratio;
    int format;
    struct strs list, words, multi;
    struct rules rules;
    struct section *map;
    struct inner tls;
};

static const char *const formats[] = {"json", "msgpack", "iso8601|iso", NULL};
static const struct range port = {1, 65535}, bytes = {1000, 10000000}, waits = {0, 60 * SECOND};
static const struct option tls_table[] = {OPT_AS(struct inner, OPT_BOOL, "tls.verify", verify, "on", "Verify."),
                                          OPT_AS(struct inner, OPT_PATH, "tls.ca_file", ca, NULL, "Authorities."),
                                          OPT_END};
static const struct option table[] = {
    OPT(struct sample, OPT_STR, text, "hello", "A text."),
    OPT(struct sample, OPT_SECRET, secret, NULL, "A secret."),
    OPT(struct sample, OPT_PATH, path, NULL, "A path."),
    OPT(struct sample, OPT_BOOL, flag, "off", "A flag."),
    OPT(struct sample, OPT_INT, number, "80", "A number.", .range = &port),
    OPT(struct sample, OPT_SIZE, size, "32k", "A size.", .range = &bytes),
    OPT(struct sample, OPT_DURATION, wait, "1.5", "A time.", .range = &waits),
    OPT(struct sample, OPT_FLOAT, ratio, "0.5", "A ratio."),
    OPT(struct sample, OPT_ENUM, format, "json", "A format, or | two.", .names = formats),
    OPT(struct sample, OPT_LIST, list, "a, b", "A list."),
    OPT(struct sample, OPT_LIST, words, NULL, "Words.", .spaces = true),
    OPT(struct sample, OPT_MULTI, multi, NULL, "Many."),
    OPT_AS(struct sample, OPT_RULE, "set", rules, NULL, "Set it."),
    OPT_AS(struct sample, OPT_RULE, "parser_", rules, NULL, "More.", .prefix = true),
    OPT(struct sample, OPT_MAP, map, NULL, "A map."),
    OPT_USE(struct sample, tls, tls_table),
    OPT_NONE("mem_buf_limit"),
    OPT_END};
static const struct option second[] = {OPT_AS(struct inner, OPT_BOOL, "verify", verify, "off", "."), OPT_END};
static const struct option needy[] = {OPT_AS(struct inner, OPT_PATH, "ca", ca, NULL, "The CA.", .required = true),
                                      OPT_END};

struct loaded {
    struct tree *tree;
    struct sample sample;
    struct inner other;
    struct err e;
    bool ok;
};

static struct loaded load(enum tree_format format, const char *text)
{
    struct loaded l = {0};

    l.tree = tree_load_text(format, "dir/a.conf", str_of(text), &l.e);
    if (l.tree)
        l.ok = options_load((const struct option *const[]){second, table, NULL}, (void *const[]){&l.other, &l.sample},
                            &l.tree->sections[0], &l.e);
    return l;
}

static void unload(struct loaded *l)
{
    options_free(table, &l->sample);
    options_free(second, &l->other);
    tree_free(l->tree);
}

TEST(defaults)
{
    struct loaded l = load(TREE_CLASSIC, "[INPUT]\n name x\n");

    CHECK(l.ok);
    CHECK_STR(l.sample.text, "hello");
    CHECK_INT(l.sample.size, 32000);
    CHECK_INT(l.sample.wait, 1500 * MILLISECOND);
    CHECK(l.sample.ratio == 0.5);
    CHECK_INT(l.sample.list.n, 2);
    CHECK_STR(l.sample.list.items[1], "b");
    CHECK(l.sample.tls.verify);
    CHECK(!l.sample.map && !l.sample.path.p && !l.other.verify);
    unload(&l);
}

TEST(values)
{
    char cwd[1000], want[1100];
    struct loaded l =
        load(TREE_CLASSIC, "[INPUT]\n TEXT a  b\n Path ./x\n flag Yes\n number 65535\n size 1.5kib\n wait 200ms\n"
                           " format ISO\n list x,, y z\n list w\n words a  b,c\n multi a, b\n multi c\n"
                           " set a 1\n Parser_N p\n Set b 2\n tls.verify off\n mem_buf_limit 5\n verify on\n");

    CHECK(l.ok);
    CHECK_STR(l.sample.text, "a  b");
    snprintf(want, sizeof want, "%s/dir/x", getcwd(cwd, sizeof cwd));
    CHECK_STR(l.sample.path, want);
    CHECK(l.sample.flag && !l.sample.tls.verify && l.other.verify);
    CHECK_INT(l.sample.number, 65535);
    CHECK_INT(l.sample.size, 1536);
    CHECK_INT(l.sample.wait, 200 * MILLISECOND);
    CHECK_INT(l.sample.format, 2);
    CHECK_INT(l.sample.list.n, 3);
    CHECK_STR(l.sample.list.items[1], "y z");
    CHECK_INT(l.sample.words.n, 2);
    CHECK_STR(l.sample.words.items[1], "b,c");
    CHECK_INT(l.sample.multi.n, 2);
    CHECK_STR(l.sample.multi.items[0], "a, b");
    CHECK_INT(l.sample.rules.n, 3);
    CHECK_STR(l.sample.rules.items[0].name, "set");
    CHECK_STR(l.sample.rules.items[1].name, "parser_n");
    CHECK_STR(l.sample.rules.items[2].value, "b 2");
    CHECK_INT(l.sample.rules.items[2].place->line, 16);
    unload(&l);
}

TEST(yaml_values)
{
    struct loaded l =
        load(TREE_YAML, "pipeline:\n  inputs:\n    - name: x\n      list: [a, 'b, c']\n      set:\n        - a 1\n"
                        "        - b 2\n      map: {k: v}\n      text: 1.0\n      multi: one\n      tls.verify: no\n"
                        "      memBufLimit: 3M\n");

    CHECK(l.ok);
    CHECK_STR(str_of(l.e.text), "");
    CHECK_INT(l.sample.list.n, 2);
    CHECK_STR(l.sample.list.items[1], "b, c");
    CHECK_INT(l.sample.rules.n, 2);
    CHECK(l.sample.map && section_prop(l.sample.map, "k"));
    CHECK_STR(l.sample.text, "1.0");
    unload(&l);
}

static void bad(const char *line, const char *message)
{
    char text[500], want[600];
    struct loaded l;

    snprintf(text, sizeof text, "[INPUT]\n  name tail\n  %s\n", line);
    snprintf(want, sizeof want, "dir/a.conf:3:3: %s", message);
    l = load(TREE_CLASSIC, text);
    CHECK(!l.ok);
    CHECK_STR(str_of(l.e.text), want);
    unload(&l);
}

TEST(messages)
{
    bad("pahts x", "unknown key `pahts` in [INPUT] tail; did you mean `path`?");
    bad("paht x", "unknown key `paht` in [INPUT] tail; did you mean `path`?");
    bad("ste x", "unknown key `ste` in [INPUT] tail; did you mean `set`?");
    bad("qqqqqqqq x", "unknown key `qqqqqqqq` in [INPUT] tail");
    bad("flag maybe", "`flag` is `maybe`; it must be true or false (or on, off, yes, no, 1, 0)");
    bad("number x", "`number` is `x`; it must be a whole number, e.g. 5");
    bad("number 70000", "`number` is 70000; it must be between 1 and 65535");
    bad("number -1", "`number` is -1; it must be between 1 and 65535");
    bad("size 20M", "`size` is 20M; it must be between 1k and 10M");
    bad("size 5 apples", "`size` is `5 apples`; it must be a size, e.g. 512k, 5M or 1G");
    bad("size 99999999999999999999", "`size` is `99999999999999999999`; it must be a size, e.g. 512k, 5M or 1G");
    bad("wait 2m", "`wait` is 2m; it must be between 0s and 1m");
    bad("wait soon", "`wait` is `soon`; it must be a duration, e.g. 200ms, 5s, 2m or 1h");
    bad("wait -1", "`wait` is `-1`; it must be a duration, e.g. 200ms, 5s, 2m or 1h");
    bad("ratio x", "`ratio` is `x`; it must be a number, e.g. 0.5");
    bad("ratio nan", "`ratio` is `nan`; it must be a number, e.g. 0.5");
    bad("format jsno", "`format` is `jsno`; it must be one of json, msgpack, iso8601; did you mean `json`?");
    bad("format avro", "`format` is `avro`; it must be one of json, msgpack, iso8601");
    bad("map x", "`map` takes a mapping: keys and values of its own below it");
    bad("[text]\n    x 1", "`text` takes one value, not a mapping");
}

TEST(yaml_shapes_that_do_not_fit)
{
    struct loaded l = load(TREE_YAML, "pipeline:\n  inputs:\n    - name: x\n      number: [1, 2]\n");

    CHECK(!l.ok);
    CHECK_STR(str_of(l.e.text), "dir/a.conf:4:7: `number` takes one value, not a list");
    unload(&l);
    l = load(TREE_YAML, "pipeline:\n  inputs:\n    - name: x\n      list: {a: b}\n");
    CHECK_STR(str_of(l.e.text), "dir/a.conf:4:7: `list` takes a list, not a mapping");
    unload(&l);
}

TEST(required)
{
    struct err e = {{0}};
    struct inner i = {0};
    struct tree *t = tree_load_text(TREE_CLASSIC, "a.conf", STR("\n[INPUT]\n name x\n"), &e);

    CHECK(!options_load((const struct option *const[]){needy, NULL}, (void *const[]){&i}, &t->sections[0], &e));
    CHECK_STR(str_of(e.text), "a.conf:2:1: `ca` is missing: The CA.");
    tree_free(t);
}

static void note(void *arg, const struct prop *p)
{
    buf_str(arg, p->name);
}

TEST(ignored_keys_are_told)
{
    struct loaded l = load(TREE_CLASSIC, "[INPUT]\n Mem_Buf_Limit 5M\n text x\n");
    struct buf b = {0};

    options_ignored((const struct option *const[]){table, NULL}, &l.tree->sections[0], note, &b);
    CHECK_STR(buf_view(&b), "Mem_Buf_Limit");
    buf_free(&b);
    unload(&l);
}

TEST(shown_without_secrets)
{
    struct loaded l = load(TREE_CLASSIC, "[INPUT]\n secret hunter2\n path /p\n set a 1\n");
    struct buf b = {0};

    options_show(table, &l.sample, &b);
    CHECK(!memmem(b.p, b.n, "hunter2", 7));
    CHECK(memmem(b.p, b.n, "secret ***\n", 11));
    CHECK(memmem(b.p, b.n, "path /p\n", 8));
    CHECK(memmem(b.p, b.n, "size 32k\n", 9));
    CHECK(memmem(b.p, b.n, "set a 1\n", 8));
    CHECK(memmem(b.p, b.n, "list a\nlist b\n", 14));
    buf_free(&b);
    unload(&l);
}

static bool holds(const struct buf *b, const char *text)
{
    return memmem(b->p, b->n, text, strlen(text)) != NULL;
}

TEST(documents)
{
    struct buf b = {0};

    options_document(table, OPTIONS_MARKDOWN, &b);
    CHECK(holds(&b, "| `size` | size, 1k to 10M | `32k` | A size. |\n"));
    CHECK(holds(&b, "| `format` | one of json, msgpack, iso8601 | `json` | A format, or \\| two. |\n"));
    CHECK(holds(&b, "| `parser_...` |"));
    buf_clear(&b);
    options_document(needy, OPTIONS_TEXT, &b);
    CHECK_STR(buf_view(&b), "  ca  path  The CA. Required.\n");
    buf_clear(&b);
    options_document(needy, OPTIONS_SCHEMA, &b);
    CHECK_STR(buf_view(&b), "{\"type\":\"object\",\"properties\":{\"ca\":{\"type\":[\"string\",\"number\",\"boolean\"],"
                            "\"description\":\"The CA.\"}},\"patternProperties\":{},\"required\":[\"ca\"],"
                            "\"additionalProperties\":false}");
    buf_free(&b);
}

TEST(the_schema_is_json)
{
    struct buf b = {0}, packed = {0};
    struct err e = {{0}};

    options_document(table, OPTIONS_SCHEMA, &b);
    CHECK(json_read_whole(buf_view(&b), &json_limits_default, &packed, &e));
    CHECK_STR(str_of(e.text), "");
    CHECK(holds(&b, "\"format\":{\"enum\":[\"json\",\"msgpack\",\"iso8601\",\"iso\"]"));
    CHECK(holds(&b, "\"number\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":65535"));
    CHECK(holds(&b, "\"patternProperties\":{\"^parser_\":{"));
    buf_clear(&b);
    options_document(table, OPTIONS_TEXT, &b);
    CHECK(!holds(&b, "mem_buf_limit"));
    CHECK(holds(&b, "  parser_...   rule, repeatable  "));
    buf_free(&b);
    buf_free(&packed);
}

TEST(units)
{
    int64_t n;
    char text[32];

    CHECK(size_parse(STR("10k"), &n) && n == 10000);
    CHECK(size_parse(STR("5M"), &n) && n == 5000000);
    CHECK(size_parse(STR("1GiB"), &n) && n == 1 << 30);
    CHECK(size_parse(STR("2 MB"), &n) && n == 2000000);
    CHECK(size_parse(STR("off"), &n) && n == 0);
    CHECK(!size_parse(STR(""), &n) && !size_parse(STR("k"), &n) && !size_parse(STR("."), &n));
    CHECK(!size_parse(STR("9223372036854775807k"), &n));
    CHECK(duration_parse(STR("1h"), &n) && n == 3600 * SECOND);
    CHECK(duration_parse(STR("0.25"), &n) && n == 250 * MILLISECOND);
    CHECK(duration_parse(STR("0.0000000001d"), &n));
    CHECK(!duration_parse(STR("1y"), &n) && !duration_parse(STR("1s2"), &n));
    duration_text(90 * SECOND, text, sizeof text);
    CHECK_STR(str_of(text), "90s");
    duration_text(0, text, sizeof text);
    CHECK_STR(str_of(text), "0s");
    size_text(INT64_C(10000000000), text, sizeof text);
    CHECK_STR(str_of(text), "10G");
}
