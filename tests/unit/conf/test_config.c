/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "base/io.h"
#include "base/log.h"
#include "conf/build.h"
#include "conf/config.h"

#include <sys/stat.h>
#include <unistd.h>

static char dir[64];

static void put(const char *name, const char *text)
{
    char path[200];
    FILE *f;

    if (!*dir) {
        strcpy(dir, "/tmp/weir-conf-XXXXXX");
        if (!mkdtemp(dir))
            abort();
    }
    snprintf(path, sizeof path, "%s/%s", dir, name);
    if (!(f = fopen(path, "w")))
        abort();
    fputs(text, f);
    fclose(f);
}

static const char *at(const char *name)
{
    static char path[200];

    snprintf(path, sizeof path, "%s/%s", dir, name);
    return path;
}

__attribute__((destructor)) static void clean(void)
{
    char command[100];

    if (*dir) {
        snprintf(command, sizeof command, "rm -r %s", dir);
        if (system(command))
            fprintf(stderr, "%s is left\n", dir);
    }
}

static struct config *load(const char *name, struct err *e)
{
    struct tree *t = tree_load(at(name), e);

    return t ? config_new(t, e) : NULL;
}

static void bad(const char *text, const char *message)
{
    struct err e = {{0}};
    struct config *c;
    char want[600];

    put("bad.conf", text);
    c = load("bad.conf", &e);
    CHECK(c == NULL);
    snprintf(want, sizeof want, "%s/bad.conf:%s", dir, message);
    CHECK_STR(str_head(str_of(e.text), strlen(want)), want);
    config_free(c);
}

TEST(defaults)
{
    struct err e = {{0}};
    struct config *c;

    put("empty.conf", "[INPUT]\n  name dummy\n");
    c = load("empty.conf", &e);
    CHECK(c != NULL);
    CHECK_INT(c->service.flush, SECOND);
    CHECK_INT(c->service.grace, 5 * SECOND);
    CHECK(c->service.http_server && !c->service.daemon && c->service.quarantine_raw);
    CHECK_STR(c->service.http_listen, "127.0.0.1");
    CHECK_INT(c->service.http_port, 2020);
    CHECK_INT(c->service.log_level, LOG_INFO);
    CHECK_INT(c->service.storage_type, STORAGE_FILESYSTEM);
    CHECK_INT(c->service.durability, DURABILITY_DISK);
    CHECK_INT(c->service.storage_limit, INT64_C(10000000000));
    CHECK_INT(c->service.segment_size, 64 << 20);
    CHECK_INT(c->service.dedup_window, 600 * SECOND);
    CHECK_INT(c->service.dedup_ids, 1000000);
    CHECK_INT(c->service.scheduler_base, 500 * MILLISECOND);
    CHECK_INT(c->service.scheduler_cap, 60 * SECOND);
    CHECK_INT(c->service.quarantine_keep, 7 * 86400 * SECOND);
    CHECK_INT(c->ninputs, 1);
    CHECK_STR(str_of(c->dir), dir);
    CHECK_INT(c->notices.n + c->warnings.n, 0);
    config_free(c);
}

/* The configuration that Fluent Bit's packages install, in its essentials. */
TEST(the_stock_file_of_fluent_bit)
{
    struct err e = {{0}};
    struct config *c;

    put("plugins.conf", "[PLUGINS]\n    # Path /path/to/out_gstdout.so\n");
    put("parsers.conf",
        "[PARSER]\n    Name   json\n    Format json\n    Time_Key time\n    Time_Format %d/%b/%Y:%H:%M:%S %z\n"
        "[MULTILINE_PARSER]\n    name m\n    type regex\n    rule \"start_state\" \"/x/\" \"cont\"\n    rule \"cont\" "
        "\"/^ /\" \"cont\"\n");
    put("stock.conf", "[SERVICE]\n    flush        1\n    daemon       Off\n    log_level    info\n"
                      "    parsers_file parsers.conf\n    plugins_file plugins.conf\n    http_server  Off\n"
                      "    http_listen  0.0.0.0\n    http_port    2020\n    storage.metrics on\n"
                      "[INPUT]\n    name cpu\n    tag  cpu.local\n    interval_sec 1\n"
                      "[OUTPUT]\n    name  stdout\n    match *\n");
    c = load("stock.conf", &e);
    CHECK_STR(str_of(e.text), "");
    if (!c)
        return;
    CHECK(!c->service.http_server);
    CHECK(config_parser(c, STR("json")) != NULL);
    CHECK(config_parser(c, STR("jsn")) == NULL);
    CHECK_INT(c->notices.n, 1); /* storage.metrics */
    CHECK(strstr(c->notices.items[0].p, "stock.conf:10:5: `storage.metrics` has no meaning here"));
    CHECK_INT(c->warnings.n, 1); /* [PLUGINS] is empty */
    config_free(c);
}

TEST(parsers)
{
    struct err e = {{0}};
    struct config *c;
    const struct parser_def *def;

    put("p.yaml",
        "parsers:\n  - name: a\n    format: regex\n    regex: '^(?<x>\\d+) (?<time>.*)$'\n    time_format: '%H:%M'\n"
        "    types: x:integer\n    decodeField: json x\n  - {name: a, format: ltsv}\n");
    put("p.conf", "[SERVICE]\n  parsers_file p.yaml\n[PARSER]\n  name b\n  format logfmt\n  time_keep on\n");
    c = load("p.conf", &e);
    CHECK_STR(str_of(e.text), "");
    if (!c)
        return;
    def = config_parser(c, STR("a"));
    CHECK(def && def->format == PARSE_LTSV && def->time_strict && def->skip_empty_values);
    CHECK_INT(c->warnings.n, 1);
    CHECK(strstr(c->warnings.items[0].p, "p.yaml:8:6: the parser `a` was defined before; this one is used"));
    CHECK(config_parser(c, STR("b"))->time_keep);
    config_free(c);
}

TEST(parser_mistakes)
{
    bad("[PARSER]\n  name a\n", "1:1: `format` is missing");
    bad("[PARSER]\n  format json\n", "1:1: `name` is missing");
    bad("[PARSER]\n  name a\n  format jsn\n",
        "3:3: `format` is `jsn`; it must be one of json, regex, ltsv, logfmt; did you mean `json`?");
    bad("[PARSER]\n  name a\n  format regex\n", "1:1: `regex` is missing");
    bad("[PARSER]\n  name a\n  format regex\n  regex ^(a\n", "4:3: `regex`: ");
    bad("[PARSER]\n  name a\n  format json\n  regex ^a\n", "4:3: `regex` needs `format regex`");
    bad("[PARSER]\n  name a\n  format json\n  time_frmat %H\n",
        "4:3: unknown key `time_frmat` in [PARSER] a; did you mean `time_format`?");
    bad("[PARSER]\n  name a\n  format json\n  time_format %H\n  time_zone Nowhere/Land\n", "5:3: `time_zone`: ");
    bad("[PARSER]\n  name a\n  format json\n  time_format %H\n  time_offset around noon\n", "5:3: `time_offset`: ");
    bad("[PARSER]\n  name a\n  format regex\n  regex (?<a>.)\n  types a:int64\n", "5:3: `types`: ");
    bad("[PARSER]\n  name a\n  format json\n  decode_field jsn log\n", "4:3: `decode_field`: ");
}

TEST(mistakes)
{
    bad("[INPTU]\n  name x\n", "1:1: unknown section [inptu]; did you mean [INPUT]?");
    bad("[WHATEVER]\n  name x\n", "1:1: unknown section [whatever]; there are");
    bad("[INPUT]\n  tag x\n", "1:1: this [input] has no `name`");
    bad("[STREAM_TASK]\n  name x\n", "1:1: stream processing is not supported");
    bad("[SERVICE]\n  streams_file x\n", "2:3: stream processing is not supported");
    bad("[SERVICE]\n  flsh 1\n", "2:3: unknown key `flsh` in [SERVICE]; did you mean `flush`?");
    bad("[SERVICE]\n  http_port 99999\n", "2:3: `http_port` is 99999; it must be between 0 and 65535");
    bad("[SERVICE]\n  log_level chatty\n", "2:3: `log_level` is `chatty`; it must be one of off, error, warn");
    bad("[SERVICE]\n  scheduler.base 2m\n  scheduler.cap 1m\n", "3:3: `scheduler.cap` is less than `scheduler.base`");
    bad("[SERVICE]\n  storage.total_limit_size 1k\n", "2:3: `storage.total_limit_size` is 1k; it must be at least 16M");
    bad("[SERVICE]\n  parsers_file nothere.conf\n", "2:3: ");
    bad("[SERVICE]\n  flush 0\n", "2:3: `flush` is 0; it must be between 1ms and 1h");
}

TEST(what_does_not_belong_into_a_parsers_file)
{
    struct err e = {{0}};

    put("in.conf", "[INPUT]\n  name x\n");
    put("m.conf", "[SERVICE]\n  parsers_file in.conf\n");
    CHECK(!load("m.conf", &e));
    CHECK(strstr(e.text, "in.conf:1:1: [input] does not belong in a parsers file"));
}

TEST(several_services_are_one)
{
    struct err e = {{0}};
    struct config *c;

    put("s.conf", "[SERVICE]\n  flush 2\n  grace 1\n[SERVICE]\n  flush 3\n");
    c = load("s.conf", &e);
    CHECK(c && c->service.flush == 3 * SECOND && c->service.grace == SECOND);
    config_free(c);
}

TEST(includes)
{
    struct err e = {{0}};
    struct config *c;
    char path[200];

    put("top.conf", "@SET part=sub\n@INCLUDE ${part}/*.conf\n@INCLUDE sub/y.yaml\n[OUTPUT]\n  name null\n");
    snprintf(path, sizeof path, "%s/sub", dir);
    mkdir(path, 0700);
    put("sub/b.conf", "[INPUT]\n  name second\n");
    put("sub/a.conf", "@INCLUDE c.inc\n@INCLUDE shared.inc\n");
    put("sub/c.inc", "[INPUT]\n  name first\n  path x\n");
    put("shared.inc", "[FILTER]\n  name beside.the.main.file\n");
    put("sub/y.yaml", "includes: [c.inc]\nservice: {flush: 7}\n");
    c = load("top.conf", &e);
    CHECK_STR(str_of(e.text), "");
    if (!c)
        return;
    CHECK_INT(c->ninputs, 3);
    CHECK_STR(section_prop(c->inputs[0], "name")->value, "first");
    CHECK_STR(section_prop(c->inputs[1], "name")->value, "second");
    CHECK_INT(c->nfilters, 1);
    CHECK_INT(c->service.flush, 7 * SECOND);
    CHECK(strstr(section_prop(c->inputs[0], "path")->place.file, "/sub/c.inc"));
    config_free(c);
}

TEST(includes_that_fail)
{
    struct err e = {{0}};
    char path[200];

    put("loop.conf", "[INPUT]\n  name x\n@INCLUDE loop.conf\n");
    CHECK(!load("loop.conf", &e));
    CHECK(strstr(e.text, "loop.conf:3:1: ") && strstr(e.text, "includes itself"));
    put("no.conf", "@INCLUDE nothere.conf\n");
    CHECK(!load("no.conf", &e));
    CHECK(strstr(e.text, "no.conf:1:1: ") && strstr(e.text, "No such file"));
    put("dir.conf", "@INCLUDE .\n");
    CHECK(!load("dir.conf", &e));
    CHECK(strstr(e.text, "is a directory"));
    CHECK(!load("absent.conf", &e));
    CHECK(strstr(e.text, "absent.conf:1:1: No such file"));
    for (int i = 0; i < 18; i++) {
        char name[32], text[64];
        snprintf(name, sizeof name, "d%d.conf", i);
        snprintf(text, sizeof text, "@INCLUDE d%d.conf\n", i + 1);
        put(name, text);
    }
    CHECK(!load("d0.conf", &e));
    CHECK(strstr(e.text, "nested deeper than 16"));
    put("glob.conf", "@INCLUDE nodir/*.conf\n[INPUT]\n  name x\n");
    {
        struct config *c = load("glob.conf", &e);
        CHECK(c && c->warnings.n == 1 && strstr(c->warnings.items[0].p, "glob.conf:1:1: "));
        config_free(c);
    }
    snprintf(path, sizeof path, "%s/empty.d", dir);
    mkdir(path, 0700);
    put("glob.conf", "@INCLUDE empty.d/*.conf\n[INPUT]\n  name x\n");
    {
        struct config *c = load("glob.conf", &e);
        CHECK(c && c->warnings.n == 0);
        config_free(c);
    }
}

TEST(secrets_from_files)
{
    struct err e = {{0}};
    struct config *c;

    put("token", "s3cret\n");
    chmod(at("token"), 0600);
    put("open", "x");
    chmod(at("open"), 0644);
    put("sec.conf", "@SET d=.\n[INPUT]\n  name x\n  a <${file:token}>\n  b ${file:${d}/open}\n");
    c = load("sec.conf", &e);
    CHECK_STR(str_of(e.text), "");
    if (!c)
        return;
    CHECK_STR(section_prop(c->inputs[0], "a")->value, "<s3cret>");
    CHECK_STR(section_prop(c->inputs[0], "b")->value, "x");
    CHECK_INT(c->warnings.n, 1);
    CHECK(strstr(c->warnings.items[0].p, "sec.conf:5:3: ${file:"));
    CHECK(strstr(c->warnings.items[0].p, "chmod 600"));
    config_free(c);
    bad("[INPUT]\n  name x\n  a ${file:nothere}\n", "3:3: ${file:");
    bad("[INPUT]\n  name x\n  a ${file:}\n", "3:3: ${file:} without a path");
    bad("[INPUT]\n  name x\n  a ${file:/dev}\n", "3:3: ${file:/dev}: not a regular file");
}

TEST(variables_in_a_list)
{
    struct err e = {{0}};
    struct config *c;
    char text[400];

    put("token", "s3cret\n");
    chmod(at("token"), 0600);
    snprintf(text, sizeof text,
             "env:\n  - {name: A, value: one}\n  - {name: B, uri: 'file://%s/token', refresh_interval: 60}\n"
             "pipeline:\n  inputs:\n    - {name: '${A}', tag: '${B}'}\n",
             dir);
    put("env.yaml", text);
    c = load("env.yaml", &e);
    CHECK_STR(str_of(e.text), "");
    if (!c)
        return;
    CHECK_STR(section_prop(c->inputs[0], "name")->value, "one");
    CHECK_STR(section_prop(c->inputs[0], "tag")->value, "s3cret");
    CHECK_INT(c->notices.n, 1);
    CHECK_INT(c->warnings.n, 0);
    config_free(c);
}

TEST(a_pipeline_of_the_command_line)
{
    struct err e = {{0}};
    struct tree *t = tree_new();
    struct section *s = tree_add(t, "input");
    struct config *c;
    char cwd[1000];

    CHECK(tree_set(t, s, STR("name"), STR("dummy"), &e));
    s = tree_add(t, "output");
    CHECK(tree_set(t, s, STR("name"), STR("null"), &e));
    put("parsers.conf", "[PARSER]\n  name json\n  format json\n");
    CHECK(tree_load_into(t, at("parsers.conf"), &e));
    c = config_new(t, &e);
    CHECK(c && c->ninputs == 1 && c->noutputs == 1 && config_parser(c, STR("json")));
    CHECK(c && getcwd(cwd, sizeof cwd) && !strcmp(c->dir, cwd));
    config_free(c);
}
