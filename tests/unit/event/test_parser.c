/* SPDX-License-Identifier: Apache-2.0 */
#include "parser_helper.h"
#include "base/metrics.h"

static struct parser_def of(enum parser_format format)
{
    return (struct parser_def){.name = STR("p"), .format = format, .skip_empty_values = true, .time_strict = true};
}

static struct parser_def regex(const char *pattern)
{
    struct parser_def d = of(PARSE_REGEX);

    d.regex = str_of(pattern);
    return d;
}

TEST(json)
{
    struct parser_def d = of(PARSE_JSON);

    CHECK_STR(run(d, STR("{\"a\":1,\"b\":[true,null,\"\"]}\n")), "{\"a\":1,\"b\":[true,null,\"\"]}");
    CHECK_INT(parsed_time, untouched);
    CHECK(has(run(d, STR("[1]")), "-the JSON is no object"));
    CHECK(has(run(d, STR("{\"a\":")), "-"));
    CHECK(has(run(d, STR("{} x")), "-"));
    CHECK(has(run(d, STR("")), "-"));
    d.types = STR("a:nonsense"); /* has no meaning for JSON */
    CHECK_STR(run(d, STR("{}")), "{}");
}

TEST(json_time)
{
    struct parser_def d = of(PARSE_JSON);

    d.time_format = STR("%Y-%m-%dT%H:%M:%S.%LZ");
    CHECK_STR(run(d, STR("{\"a\":1,\"time\":\"2023-11-14T22:13:20.5Z\",\"b\":2}")), "{\"a\":1,\"b\":2}");
    CHECK_INT(parsed_time, now + 500000000);
    CHECK_STR(run(d, STR("{\"time\":\"2023-11-14T22:13:20.5Z\"}")), "{}");
    CHECK_INT(parsed_time, now + 500000000);
    /* A time that cannot be read stays, and so does the record. */
    CHECK_STR(run(d, STR("{\"time\":\"soon\",\"b\":2}")), "{\"time\":\"soon\",\"b\":2}");
    CHECK_INT(parsed_time, untouched);
    CHECK_STR(run(d, STR("{\"time\":{\"x\":1}}")), "{\"time\":{\"x\":1}}");
    CHECK_INT(metric_read(metric_named(METRIC_COUNTER, "weir_parser_time_failures_total", "", "parser", "p")), 2);
    CHECK_STR(run(d, STR("{\"b\":{\"time\":\"2023-11-14T22:13:20.5Z\"}}")),
              "{\"b\":{\"time\":\"2023-11-14T22:13:20.5Z\"}}");
    d.time_keep = true;
    d.time_key = STR("t");
    CHECK_STR(run(d, STR("{\"t\":\"2023-11-14T22:13:20.5Z\"}")), "{\"t\":\"2023-11-14T22:13:20.5Z\"}");
    CHECK_INT(parsed_time, now + 500000000);
    d.time_keep = false;
    d.time_format = STR("%s");
    CHECK_STR(run(d, STR("{\"t\":1700000000}")), "{}");
    CHECK_INT(parsed_time, now);
    d.time_format = STR("%s.%L");
    CHECK_STR(run(d, STR("{\"t\":1700000000.25}")), "{}");
    CHECK_INT(parsed_time, now + 250000000);
}

/* The header shrinks when 16 pairs become 15, and 65536 become 65535. */
TEST(json_time_of_large_maps)
{
    static const int sizes[] = {15, 16, 17, 65535, 65536, 65537};
    struct parser_def d = of(PARSE_JSON);

    d.time_format = STR("%s");
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (int place = 0; place < 2; place++) {
            struct buf text = {0}, want = {0};
            if (!place)
                buf_str(&text, STR("{\"time\":\"5\","));
            else
                buf_char(&text, '{');
            buf_char(&want, '{');
            for (int k = 1; k < sizes[i]; k++) {
                buf_fmt(&text, "%s\"k%d\":%d", k > 1 ? "," : "", k, k);
                buf_fmt(&want, "%s\"k%d\":%d", k > 1 ? "," : "", k, k);
            }
            buf_str(&text, place ? STR(",\"time\":\"5\"}") : STR("}"));
            buf_char(&want, '}');
            CHECK(str_eq(run(d, buf_view(&text)), buf_view(&want)));
            CHECK_INT(parsed_time, 5000000000);
            buf_free(&text);
            buf_free(&want);
        }
}

TEST(regex_format)
{
    struct parser_def d = regex("^(?<host>[^ ]*) [^ ]* (?<user>[^ ]*) \\[(?<time>[^\\]]*)\\] \"(?<method>\\S+)(?: +"
                                "(?<path>[^\"]*?)(?: +\\S*)?)?\" (?<code>[^ ]*) (?<size>[^ ]*)$");

    d.time_format = STR("%d/%b/%Y:%H:%M:%S %z");
    d.types = STR("code:integer size:integer");
    CHECK_STR(run(d, STR("1.2.3.4 - bob [14/Nov/2023:22:13:20 +0000] \"GET /a HTTP/1.1\" 200 -")),
              "{\"host\":\"1.2.3.4\",\"user\":\"bob\",\"method\":\"GET\",\"path\":\"/a\",\"code\":200,\"size\":0}");
    CHECK_INT(parsed_time, now);
    CHECK(has(run(d, STR("nonsense")), "-the line does not match the regex of parser `p`"));
    CHECK_STR(run(regex("(?<a>x*)(?<b>y*)"), STR("y")), "{\"b\":\"y\"}");
    d = regex("(?<a>x*)(?<b>y*)");
    d.skip_empty_values = false;
    CHECK_STR(run(d, STR("y")), "{\"a\":\"\",\"b\":\"y\"}");
    CHECK_STR(run(regex("^(?<log>.*)$"), STR("caf\xe9")), "{\"log\":\"caf\xef\xbf\xbd\"}");
}

TEST(regex_time)
{
    struct parser_def d = regex("^(?<t>\\S+ \\S+) (?<m>.*)$");

    d.time_key = STR("t");
    d.time_format = STR("%Y-%m-%d %H:%M:%S");
    CHECK_STR(run(d, STR("2023-11-14 22:13:20 x")), "{\"m\":\"x\"}");
    CHECK_INT(parsed_time, now);
    CHECK_STR(run(d, STR("2023-11-14 22:13 x")), "{\"t\":\"2023-11-14 22:13\",\"m\":\"x\"}");
    CHECK_INT(parsed_time, untouched);
    d.time_offset = STR("+0200");
    CHECK_STR(run(d, STR("2023-11-15 00:13:20 x")), "{\"m\":\"x\"}");
    CHECK_INT(parsed_time, now);
    d.time_zone = STR("Asia/Tokyo");
    CHECK_STR(run(d, STR("2023-11-15 07:13:20 x")), "{\"m\":\"x\"}");
    CHECK_INT(parsed_time, now);
    d.time_zone = d.time_offset = STR("");
    d.time_system_timezone = true;
    setenv("TZ", "America/New_York", 1);
    CHECK_STR(run(d, STR("2023-11-14 17:13:20 x")), "{\"m\":\"x\"}");
    CHECK_INT(parsed_time, now);
    unsetenv("TZ");
    d.time_format = STR("%Q");
    CHECK(has(run(d, STR("")), "!parser `p`: the time format has `%Q`"));
}

TEST(types)
{
    struct parser_def d = of(PARSE_LOGFMT);

    d.types = STR("i:integer f:float b:bool h:hex s:string c:d:int n:INTEGER");
    CHECK_STR(run(d, STR("i=42 f=1.5 b=TRUE h=ff s=7 c:d=-3 n=9223372036854775807 o=1")),
              "{\"i\":42,\"f\":1.5,\"b\":true,\"h\":255,\"s\":\"7\",\"c:d\":-3,\"n\":9223372036854775807,\"o\":\"1\"}");
    CHECK_STR(run(d, STR("i=12ab f=x b=maybe h=0x1F n=-")), "{\"i\":12,\"f\":0.0,\"b\":\"maybe\",\"h\":31,\"n\":0}");
    CHECK_STR(run(d, STR("b=false f=1e400")), "{\"b\":false,\"f\":0.0}");
    d.types = STR("i:intger");
    CHECK(has(run(d, STR("")), "!parser `p`: types: unknown type `intger`; did you mean `integer`?"));
    d.types = STR("i");
    CHECK(has(run(d, STR("")), "key:type"));
    d.types = STR("i:quaternion");
    CHECK(has(run(d, STR("")), "hex and string are known"));
}

TEST(ltsv)
{
    struct parser_def d = of(PARSE_LTSV);

    CHECK_STR(run(d, STR("host:1.2.3.4\tua:a b:c\t\tempty:\tx-y.z_1:1\r\n")),
              "{\"host\":\"1.2.3.4\",\"ua\":\"a b:c\",\"x-y.z_1\":\"1\"}");
    CHECK(has(run(d, STR("a:1\tbad")), "-field 2 has no `label:`"));
    CHECK(has(run(d, STR("a b:1")), "-field 1"));
    CHECK(has(run(d, STR("")), "-the line is empty"));
    d.time_format = STR("%d/%b/%Y:%H:%M:%S %z");
    d.types = STR("status:integer");
    CHECK_STR(run(d, STR("time:[14/Nov/2023:22:13:20 +0000]\tstatus:200")),
              "{\"time\":\"[14/Nov/2023:22:13:20 +0000]\",\"status\":200}");
    d.time_format = STR("[%d/%b/%Y:%H:%M:%S %z]");
    CHECK_STR(run(d, STR("time:[14/Nov/2023:22:13:20 +0000]\tstatus:200")), "{\"status\":200}");
    CHECK_INT(parsed_time, now);
}

TEST(logfmt)
{
    struct parser_def d = of(PARSE_LOGFMT);

    CHECK_STR(run(d, STR(" level=info msg=\"a \\\"b\\\" \\u00e9\\n\" url=http://x?a=b bare empty= q=\"\"\n")),
              "{\"level\":\"info\",\"msg\":\"a \\\"b\\\" \xc3\xa9\\n\",\"url\":\"http://x?a=b\",\"bare\":true}");
    CHECK_STR(run(d, STR("m=\"open end")), "{\"m\":\"open end\"}");
    CHECK_STR(run(d, STR("m=\"end\\")), "{\"m\":\"end\\\\\"}");
    CHECK(has(run(d, STR("=x")), "-a key is missing"));
    CHECK(has(run(d, STR("  ")), "-the line is empty"));
    d.logfmt_no_bare_keys = true;
    CHECK(has(run(d, STR("a=1 bare")), "-key 2 has no value"));
    CHECK_STR(run(d, STR("a=1")), "{\"a\":\"1\"}");
    d.skip_empty_values = false;
    CHECK_STR(run(d, STR("a=")), "{\"a\":\"\"}");
}

TEST(mistakes_are_named)
{
    CHECK(has(run(of(PARSE_REGEX), STR("")), "!parser `p`: format regex needs the key `regex`"));
    CHECK(has(run(regex("(a"), STR("")), "no `)`"));
    CHECK(has(run(regex("(a)"), STR("")), "no named group"));
}

TEST(a_parser_is_used_many_times)
{
    struct parser_def d = regex("^(?<a>\\S+) (?<b>\\S+)$");
    struct parser *p = parser_new(&d, NULL);
    struct buf out = {0};
    int64_t time = 0;

    CHECK_STR(parser_name(p), "p");
    for (int i = 0; i < 100; i++) {
        CHECK(parser_run(p, STR("x y"), now, &out, &time, NULL));
        CHECK(!parser_run(p, STR("xy"), now, &out, &time, NULL));
    }
    CHECK_INT(out.n, 100 * 9);
    buf_free(&out);
    parser_free(p);
}
