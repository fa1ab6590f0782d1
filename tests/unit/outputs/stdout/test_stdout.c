/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_machine.h"
#include "text.h"

#include <fcntl.h>
#include <unistd.h>

extern const struct plugin output_stdout;
#define T0 INT64_C(1700000000500000000)

/* What two deliveries of the events put on the standard output. */
static struct str shown(const char *props, const struct fake_event *events, size_t n, struct buf *out)
{
    struct fake f;
    struct err e = {""};
    char path[] = "/tmp/weir-stdout-XXXXXX";
    int file = mkstemp(path), saved;
    ssize_t got;
    fflush(stdout);
    saved = dup(STDOUT_FILENO);
    dup2(file, STDOUT_FILENO);
    CHECK(fake_start(&f, &output_stdout, props, &e));
    CHECK_INT(fake_write(&f, events, n, &e), DONE);
    CHECK_INT(fake_write(&f, events, n, &e), DONE);
    fake_free(&f);
    dup2(saved, STDOUT_FILENO);
    close(saved);
    buf_clear(out);
    got = pread(file, buf_room(out, 65536), 65536, 0);
    out->n = got > 0 ? (size_t)got : 0;
    close(file);
    unlink(path);
    return buf_view(out);
}

TEST(formats)
{
    struct fake_event one = {"app", T0, "{\"k\":\"v\"}", NULL}, none = {"app", T0, "{}", NULL};
    struct fake_event two[] = {one, {"app", T0 + 1, "{\"n\":1}", "{\"m\":[1]}"}};
    struct buf b = {0};
    CHECK_STR(shown("", two, 2, &b), "[0] app: [[1700000000.500000000, {}], {\"k\"=>\"v\"}]\n"
                                     "[1] app: [[1700000000.500000001, {\"m\"=>[1]}], {\"n\"=>1}]\n"
                                     "[0] app: [[1700000000.500000000, {}], {\"k\"=>\"v\"}]\n"
                                     "[1] app: [[1700000000.500000001, {\"m\"=>[1]}], {\"n\"=>1}]\n");
    CHECK_STR(shown("format json\njson_date_format epoch", two, 2, &b),
              "[{\"date\":1700000000,\"k\":\"v\"},{\"date\":1700000000,\"n\":1}]\n"
              "[{\"date\":1700000000,\"k\":\"v\"},{\"date\":1700000000,\"n\":1}]\n");
    CHECK_STR(shown("format json_lines\njson_date_key false", two, 2, &b),
              "{\"k\":\"v\"}\n{\"n\":1}\n{\"k\":\"v\"}\n{\"n\":1}\n");
    CHECK_STR(shown("format json_stream\njson_date_key t\njson_date_format epoch_ms", two, 2, &b),
              "{\"t\":1700000000500,\"k\":\"v\"}{\"t\":1700000000500,\"n\":1}\n"
              "{\"t\":1700000000500,\"k\":\"v\"}{\"t\":1700000000500,\"n\":1}\n");
    CHECK_STR(shown("format json_lines\njson_date_format epoch", &none, 1, &b),
              "{\"date\":1700000000}\n{\"date\":1700000000}\n");
    CHECK_STR(shown("format json", NULL, 0, &b), "");
    buf_free(&b);
}

TEST(text_form)
{
    static const struct {
        const char *json, *want;
    } cases[] = {
        {"{}", "{}"},
        {"{\"a\":null,\"b\":true,\"c\":false}", "{\"a\"=>nil, \"b\"=>true, \"c\"=>false}"},
        {"{\"a\":-5,\"b\":18446744073709551615,\"c\":1.5}", "{\"a\"=>-5, \"b\"=>18446744073709551615, \"c\"=>1.5}"},
        {"{\"a\":[],\"b\":[{},[1,[2]],\"x\"],\"c\":{\"d\":{\"e\":1}}}",
         "{\"a\"=>[], \"b\"=>[{}, [1, [2]], \"x\"], \"c\"=>{\"d\"=>{\"e\"=>1}}}"},
        {"{\"q\":\"a\\\"b\\\\c\\n\\r\\t\\u001b[2J\\u007f\\u0000é\"}",
         "{\"q\"=>\"a\\\"b\\\\c\\n\\r\\t\\x1b[2J\\x7f\\x00é\"}"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct arena *a = arena_new();
        struct buf mp = {0}, out = {0};
        struct value v;
        fake_json(&mp, cases[i].json);
        v = value_raw(buf_view(&mp));
        text_value(&out, &v);
        CHECK_STR(buf_view(&out), cases[i].want);
        value_open(&v, a); /* opened values look the same */
        buf_clear(&out);
        text_value(&out, &v);
        CHECK_STR(buf_view(&out), cases[i].want);
        buf_free(&mp);
        buf_free(&out);
        arena_free(a);
    }
}

TEST(a_tag_moves_no_terminal)
{
    struct fake_event ev = {"a\x1b[2J\n", T0, "{}", NULL};
    struct buf b = {0};
    CHECK_STR(shown("", &ev, 1, &b), "[0] a\\x1b[2J\\x0a: [[1700000000.500000000, {}], {}]\n"
                                     "[0] a\\x1b[2J\\x0a: [[1700000000.500000000, {}], {}]\n");
    buf_free(&b);
}

TEST(a_closed_output_is_tried_again)
{
    struct fake f;
    struct err e = {""};
    struct fake_event ev = {"t", T0, "{}", NULL};
    int saved = dup(STDOUT_FILENO), full = open("/dev/full", O_WRONLY);
    CHECK(fake_start(&f, &output_stdout, "", &e));
    fflush(stdout);
    dup2(full, STDOUT_FILENO);
    CHECK_INT(fake_write(&f, &ev, 1, &e), RETRY);
    dup2(saved, STDOUT_FILENO);
    close(saved);
    close(full);
    CHECK(strstr(e.text, "standard output"));
    fake_free(&f);
}

TEST(mistakes)
{
    output_bad(&output_stdout, "format xml", "format");
    output_bad(&output_stdout, "json_date_format never", "json_date_format");
}
