/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_machine.h"

extern const struct plugin filter_grep;
#define KEPT(props, json) filter_case(&filter_grep, props, json, json)
#define DROPPED(props, json) filter_case(&filter_grep, props, json, NULL)

TEST(regex_keeps_what_matches)
{
    KEPT("regex log error", "{\"log\":\"an error here\"}");
    DROPPED("regex log error", "{\"log\":\"fine\"}");
    DROPPED("regex log error", "{\"other\":\"error\"}");
    KEPT("Regex $log ^an\\s+error", "{\"log\":\"an  error here\"}");
    KEPT("regex log /ERROR/i", "{\"log\":\"an error here\"}");
    KEPT("regex log a b c", "{\"log\":\"xa b cx\"}"); /* the pattern is the rest of the line */
}

TEST(exclude_drops_what_matches)
{
    DROPPED("exclude log debug", "{\"log\":\"debug: x\"}");
    KEPT("exclude log debug", "{\"log\":\"info: x\"}");
    KEPT("exclude log debug", "{}");
}

TEST(record_accessors)
{
    KEPT("regex $k8s['labels']['app'] ^web$", "{\"k8s\":{\"labels\":{\"app\":\"web\"}}}");
    KEPT("regex k8s['labels']['app'] ^web$", "{\"k8s\":{\"labels\":{\"app\":\"web\"}}}");
    DROPPED("regex $k8s['labels']['app'] ^web$", "{\"k8s\":{\"labels\":{\"app\":\"db\"}}}");
    DROPPED("regex $k8s['labels']['app'] ^web$", "{\"k8s\":\"web\"}");
    KEPT("regex $list[1] b", "{\"list\":[\"a\",\"b\"]}");
}

TEST(values_that_are_no_strings)
{
    KEPT("regex status ^5", "{\"status\":503}");
    DROPPED("exclude ok true", "{\"ok\":true}");
    KEPT("exclude gone .*", "{\"gone\":null}");
    KEPT("exclude map .*", "{\"map\":{\"a\":1}}");
    DROPPED("regex map .*", "{\"map\":{\"a\":1}}");
}

TEST(legacy_lets_the_first_match_decide)
{
    KEPT("regex a 1\nexclude b 2", "{\"a\":\"1\",\"b\":\"2\"}");
    DROPPED("exclude b 2\nregex a 1", "{\"a\":\"1\",\"b\":\"2\"}");
    DROPPED("exclude b 2\nregex a 1", "{\"a\":\"0\",\"b\":\"0\"}");
    KEPT("exclude b 2\nregex a 1", "{\"a\":\"1\",\"b\":\"0\"}");
    DROPPED("exclude a 1\nexclude b 2", "{\"a\":\"0\",\"b\":\"2\"}");
}

TEST(logical_and_or)
{
    KEPT("logical_op and\nregex a 1\nregex b 2", "{\"a\":\"1\",\"b\":\"2\"}");
    DROPPED("logical_op and\nregex a 1\nregex b 2", "{\"a\":\"1\",\"b\":\"0\"}");
    KEPT("logical_op OR\nregex a 1\nregex b 2", "{\"a\":\"0\",\"b\":\"2\"}");
    DROPPED("logical_op or\nregex a 1\nregex b 2", "{\"a\":\"0\",\"b\":\"0\"}");
    DROPPED("logical_op or\nexclude a 1\nexclude b 2", "{\"a\":\"0\",\"b\":\"2\"}");
    KEPT("logical_op AND\nexclude a 1\nexclude b 2", "{\"a\":\"0\",\"b\":\"2\"}");
    DROPPED("logical_op AND\nexclude a 1\nexclude b 2", "{\"a\":\"1\",\"b\":\"2\"}");
    KEPT("regex a 1\nregex b 2\nlogical_op or", "{\"a\":\"0\",\"b\":\"2\"}");
}

TEST(mistakes_are_refused_with_their_place)
{
    filter_bad(&filter_grep, "", "no rule");
    filter_bad(&filter_grep, "regex log", "test:1:1");
    filter_bad(&filter_grep, "regex log", "a key and a pattern");
    filter_bad(&filter_grep, "regex a b\nregex log (", "test:2:1");
    filter_bad(&filter_grep, "regex $a[ x", "the key");
    filter_bad(&filter_grep, "logical_op and\nregex a 1\nexclude b 2", "cannot stand in one filter");
    filter_bad(&filter_grep, "logical_op xor\nregex a 1", "logical_op");
    filter_bad(&filter_grep, "regexp a 1", "regex");
}

/* What grep looks into keeps its bytes. */
TEST(bytes_stay)
{
    /* {"n": 1 as a 32-bit integer, "f": 1.0 as a 32-bit float, "m": {"x": nil}} */
    static const char bytes[] = "\x83\xa1n\xd2\0\0\0\1\xa1"
                                "f\xca\x3f\x80\0\0\xa1m\x81\xa1x\xc0";
    struct fake f;
    struct err e = {""};
    struct filter_result r;
    CHECK(fake_start(&f, &filter_grep, "exclude $m['y'] z", &e));
    filter_run_bytes(&f, "t", 1, (struct str){bytes, sizeof(bytes) - 1}, &r);
    CHECK_INT(r.pass, KEEP);
    CHECK_STR(buf_view(&r.json), "{\"n\":1,\"f\":1.0,\"m\":{\"x\":null}}");
    filter_result_free(&r);
    fake_free(&f);
}

/* The rule could not be asked: the event goes to quarantine, and the next one is judged as ever. */
TEST(a_pattern_that_runs_away)
{
    struct fake f;
    struct err e = {""};
    struct filter_result r;
    struct buf json = {0};
    CHECK(fake_start(&f, &filter_grep, "exclude x ^(a|aa|aaa)+$", &e));
    buf_str(&json, STR("{\"x\":\""));
    for (int i = 0; i < 2000; i++)
        buf_char(&json, 'a');
    buf_str(&json, STR("b\"}"));
    filter_run(&f, buf_text(&json), &r);
    CHECK_INT(r.pass, QUARANTINE);
    CHECK_STR(str_of(r.emit.code), "regex_limit");
    filter_result_free(&r);
    filter_run(&f, "{\"x\":\"b\"}", &r);
    CHECK_INT(r.pass, KEEP);
    filter_result_free(&r);
    buf_free(&json);
    fake_free(&f);
}
