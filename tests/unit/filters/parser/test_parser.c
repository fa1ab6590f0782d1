/* SPDX-License-Identifier: Apache-2.0 */
#define FAKE_PARSERS
#include "fake_machine.h"

extern const struct plugin filter_parser;

static const struct parser_def words = {.name = {"words", 5},
                                        .format = PARSE_REGEX,
                                        .regex = {"^(?<first>\\w+) (?<second>\\w+)$", 30},
                                        .time_strict = true};
static const struct parser_def json = {
    .name = {"json", 4}, .format = PARSE_JSON, .time_format = {"%s", 2}, .time_strict = true};

__attribute__((constructor)) static void parsers(void)
{
    fake_parsers[0] = &words;
    fake_parsers[1] = &json;
}

#define CASE(properties, in, out) filter_case(&filter_parser, properties, in, out)

TEST(replaces)
{
    CASE("key_name log\nparser words", "{\"a\":1,\"log\":\"hello world\",\"b\":2}",
         "{\"first\":\"hello\",\"second\":\"world\"}");
    CASE("Key_Name log\nParser words\nPreserve_Key on", "{\"a\":1,\"log\":\"hello world\"}",
         "{\"first\":\"hello\",\"second\":\"world\",\"log\":\"hello world\"}");
    CASE("key_name log\nparser words\nreserve_data on", "{\"a\":1,\"log\":\"hello world\",\"b\":2}",
         "{\"first\":\"hello\",\"second\":\"world\",\"a\":1,\"b\":2}");
    CASE("key_name log\nparser words\nreserve_data on\npreserve_key on\nunescape_key on",
         "{\"a\":1,\"log\":\"hello world\",\"b\":2}",
         "{\"first\":\"hello\",\"second\":\"world\",\"a\":1,\"log\":\"hello world\",\"b\":2}");
}

TEST(none_matches)
{
    CASE("key_name log\nparser words\nparser json", "{\"a\":1,\"log\":\"no!\"}", "{\"a\":1,\"log\":\"no!\"}");
    CASE("key_name log\nparser words", "{\"a\":1}", "{\"a\":1}");
    CASE("key_name log\nparser words", "{\"log\":5}", "{\"log\":5}");
    CASE("key_name log\nparser words", "{\"log\":{\"x\":1}}", "{\"log\":{\"x\":1}}");
}

TEST(the_first_that_matches)
{
    CASE("key_name log\nparser words\nparser json", "{\"log\":\"a b\"}", "{\"first\":\"a\",\"second\":\"b\"}");
    CASE("key_name log\nparser words\nparser json", "{\"log\":\"{\\\"x\\\":1}\"}", "{\"x\":1}");
}

TEST(equal_keys)
{
    CASE("key_name log\nparser json\nreserve_data on", "{\"x\":1,\"log\":\"{\\\"x\\\":2,\\\"y\\\":3}\",\"z\":4}",
         "{\"x\":2,\"y\":3,\"z\":4}");
    CASE("key_name log\nparser json\npreserve_key on", "{\"log\":\"{\\\"log\\\":\\\"inner\\\"}\"}",
         "{\"log\":\"inner\"}");
    CASE("key_name log\nparser json\nreserve_data on", "{\"log\":\"{\\\"log\\\":\\\"inner\\\"}\"}",
         "{\"log\":\"inner\"}");
}

TEST(record_accessor)
{
    CASE("key_name $a['log']\nparser words", "{\"a\":{\"log\":\"x y\"},\"b\":1}", "{\"first\":\"x\",\"second\":\"y\"}");
    CASE("key_name $a['log']\nparser words\nreserve_data on", "{\"a\":{\"log\":\"x y\",\"k\":0},\"b\":1}",
         "{\"first\":\"x\",\"second\":\"y\",\"a\":{\"k\":0},\"b\":1}");
    CASE("key_name $a['log']\nparser words\npreserve_key on", "{\"a\":{\"log\":\"x y\"},\"b\":1}",
         "{\"first\":\"x\",\"second\":\"y\",\"a\":{\"log\":\"x y\"}}");
}

TEST(time)
{
    struct fake f;
    struct filter_result r;
    struct err e;

    CHECK(fake_start(&f, &filter_parser, "key_name log\nparser json", &e));
    filter_run(&f, "{\"log\":\"{\\\"time\\\":\\\"5\\\",\\\"x\\\":1}\"}", &r);
    CHECK_INT(r.time, 5000000000);
    CHECK_STR(buf_view(&r.json), "{\"x\":1}");
    filter_result_free(&r);
    filter_run(&f, "{\"log\":\"{\\\"time\\\":\\\"soon\\\"}\"}", &r); /* stays the event's */
    CHECK_INT(r.time, FAKE_TIME * INT64_C(1000000000));
    CHECK_STR(buf_view(&r.json), "{\"time\":\"soon\"}");
    filter_result_free(&r);
    fake_free(&f);
}

/* Two large maps take linear time. */
TEST(large_maps)
{
    struct buf in = {0}, inner = {0}, out = {0};

    for (int i = 0; i < 20000; i++)
        buf_fmt(&inner, "%s\\\"k%d\\\":1", i ? "," : "", i);
    buf_fmt(&in, "{\"log\":\"{%.*s}\"", (int)inner.n, inner.p);
    buf_char(&out, '{');
    for (int i = 0; i < 20000; i++) {
        buf_fmt(&in, ",\"k%d\":2", i + 10000);
        buf_fmt(&out, "%s\"k%d\":1", i ? "," : "", i);
    }
    for (int i = 20000; i < 30000; i++)
        buf_fmt(&out, ",\"k%d\":2", i);
    buf_char(&in, '}');
    buf_char(&out, '}');
    CASE("key_name log\nparser json\nreserve_data on", buf_text(&in), buf_text(&out));
    buf_free(&in);
    buf_free(&inner);
    buf_free(&out);
}

TEST(mistakes_are_named)
{
    filter_bad(&filter_parser, "parser words", "key_name");
    filter_bad(&filter_parser, "key_name log", "parser");
    filter_bad(&filter_parser, "key_name log\nparser words\nparser nope", "nope");
    filter_bad(&filter_parser, "key_name $log[x]\nparser words", "in quotes");
}
