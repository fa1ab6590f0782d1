/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_machine.h"

extern const struct plugin filter_modify;
#define CASE(props, json, want) filter_case(&filter_modify, props, json, want)

TEST(set_and_add)
{
    CASE("set a 1", "{\"a\":0,\"b\":2}", "{\"b\":2,\"a\":\"1\"}");
    CASE("add a 1", "{\"a\":0}", "{\"a\":0}");
    CASE("Add c 1", "{\"a\":0}", "{\"a\":0,\"c\":\"1\"}");
    CASE("set msg \"two words\"", "{}", "{\"msg\":\"two words\"}");
    CASE("set 'my key' 'it\\'s'", "{}", "{\"my key\":\"it's\"}");
    CASE("set empty \"\"", "{}", "{\"empty\":\"\"}");
}

TEST(remove)
{
    CASE("remove a", "{\"a\":0,\"b\":2,\"ab\":1}", "{\"b\":2,\"ab\":1}");
    CASE("Remove_wildcard Mem", "{\"Mem.used\":1,\"Memory\":2,\"mem\":3}", "{\"mem\":3}");
    CASE("Remove_wildcard M*y", "{\"Mem.used\":1,\"Memory\":2}", "{\"Mem.used\":1}");
    CASE("remove_regex ^x|y$", "{\"xa\":1,\"by\":2,\"c\":3}", "{\"c\":3}");
    CASE("remove_wildcard *", "{\"a\":1,\"b\":2}", "{}");
}

TEST(rename)
{
    CASE("rename a z", "{\"a\":1,\"b\":2}", "{\"z\":1,\"b\":2}");
    CASE("rename a b", "{\"a\":1,\"b\":2}", "{\"a\":1,\"b\":2}");
    CASE("rename x b", "{\"a\":1,\"b\":2}", "{\"a\":1,\"b\":2}");
    CASE("hard_rename a b", "{\"a\":1,\"b\":2}", "{\"b\":1}");
    CASE("hard_rename a a", "{\"a\":1,\"b\":2}", "{\"a\":1,\"b\":2}");
    CASE("hard_rename x b", "{\"b\":2}", "{\"b\":2}");
}

TEST(copy)
{
    CASE("copy a z", "{\"a\":{\"x\":1},\"b\":2}", "{\"a\":{\"x\":1},\"z\":{\"x\":1},\"b\":2}");
    CASE("copy a b", "{\"a\":1,\"b\":2}", "{\"a\":1,\"b\":2}");
    CASE("hard_copy a b", "{\"a\":1,\"b\":2,\"c\":3}", "{\"a\":1,\"b\":1,\"c\":3}");
    CASE("hard_copy c b", "{\"a\":1,\"b\":2,\"c\":3}", "{\"a\":1,\"c\":3,\"b\":3}");
    CASE("copy nope b", "{\"a\":1}", "{\"a\":1}");
}

TEST(move)
{
    CASE("move_to_start b", "{\"a\":1,\"b1\":2,\"c\":3,\"b2\":4}", "{\"b1\":2,\"b2\":4,\"a\":1,\"c\":3}");
    CASE("move_to_end b*", "{\"a\":1,\"b1\":2,\"c\":3,\"b2\":4}", "{\"a\":1,\"c\":3,\"b1\":2,\"b2\":4}");
}

TEST(operations_run_in_the_order_of_the_file)
{
    CASE("set a 1\nrename a b\nset a 2", "{}", "{\"b\":\"1\",\"a\":\"2\"}");
    CASE("rename a b\nset a 1\nremove b", "{\"a\":0}", "{\"a\":\"1\"}");
}

TEST(conditions_on_keys)
{
    CASE("condition key_exists a\nset x 1", "{\"a\":null}", "{\"a\":null,\"x\":\"1\"}");
    CASE("condition key_exists $a['b']\nset x 1", "{\"a\":{\"b\":1}}", "{\"a\":{\"b\":1},\"x\":\"1\"}");
    CASE("condition key_exists $a['c']\nset x 1", "{\"a\":{\"b\":1}}", "{\"a\":{\"b\":1}}");
    CASE("Condition Key_Does_Not_Exist a\nset x 1", "{}", "{\"x\":\"1\"}");
    CASE("condition a_key_matches ^a\nset x 1", "{\"ab\":1}", "{\"ab\":1,\"x\":\"1\"}");
    CASE("condition a_key_matches ^a\nset x 1", "{\"b\":1}", "{\"b\":1}");
    CASE("condition no_key_matches ^a\nset x 1", "{\"b\":1}", "{\"b\":1,\"x\":\"1\"}");
    CASE("condition no_key_matches ^a\nset x 1", "{\"ab\":1}", "{\"ab\":1}");
}

TEST(conditions_on_values)
{
    CASE("condition key_value_equals a yes\nset x 1", "{\"a\":\"yes\"}", "{\"a\":\"yes\",\"x\":\"1\"}");
    CASE("condition key_value_equals a 200\nset x 1", "{\"a\":200}", "{\"a\":200,\"x\":\"1\"}");
    CASE("condition key_value_equals a yes\nset x 1", "{\"a\":\"no\"}", "{\"a\":\"no\"}");
    CASE("condition key_value_equals a \"two words\"\nset x 1", "{\"a\":\"two words\"}",
         "{\"a\":\"two words\",\"x\":\"1\"}");
    CASE("condition key_value_does_not_equal a yes\nset x 1", "{\"a\":\"no\"}", "{\"a\":\"no\",\"x\":\"1\"}");
    CASE("condition key_value_does_not_equal a yes\nset x 1", "{}", "{}"); /* the key must be there */
    CASE("condition key_value_does_not_equal a yes\nset x 1", "{\"a\":{}}", "{\"a\":{},\"x\":\"1\"}");
    CASE("condition key_value_matches a ^y\nset x 1", "{\"a\":\"yes\"}", "{\"a\":\"yes\",\"x\":\"1\"}");
    CASE("condition key_value_does_not_match a ^y\nset x 1", "{\"a\":\"yes\"}", "{\"a\":\"yes\"}");
    CASE("condition key_value_does_not_match a ^y\nset x 1", "{\"a\":\"no\"}", "{\"a\":\"no\",\"x\":\"1\"}");
    CASE("condition key_value_does_not_match a ^y\nset x 1", "{}", "{}");
}

TEST(conditions_on_matching_keys)
{
    const char *have = "condition matching_keys_have_matching_values ^a ^1\nset x 1";
    const char *not = "condition matching_keys_do_not_have_matching_values ^a ^1\nset x 1";
    CASE(have, "{\"a1\":\"1\",\"a2\":12,\"b\":\"0\"}", "{\"a1\":\"1\",\"a2\":12,\"b\":\"0\",\"x\":\"1\"}");
    CASE(have, "{\"a1\":\"1\",\"a2\":\"0\"}", "{\"a1\":\"1\",\"a2\":\"0\"}");
    CASE(have, "{\"b\":\"0\"}", "{\"b\":\"0\",\"x\":\"1\"}");
    CASE(not, "{\"a1\":\"1\",\"a2\":\"0\"}", "{\"a1\":\"1\",\"a2\":\"0\",\"x\":\"1\"}");
    CASE(not, "{\"a1\":\"1\"}", "{\"a1\":\"1\"}");
}

TEST(every_condition_must_hold_before_anything_changes)
{
    CASE("set b 1\ncondition key_exists a\ncondition key_does_not_exist b", "{\"a\":1}", "{\"a\":1,\"b\":\"1\"}");
    CASE("condition key_exists a\ncondition key_exists b\nset x 1", "{\"a\":1}", "{\"a\":1}");
}

TEST(mistakes)
{
    filter_bad(&filter_modify, "", "no operation");
    filter_bad(&filter_modify, "condition key_exists a", "no operation");
    filter_bad(&filter_modify, "set a", "set KEY VALUE");
    filter_bad(&filter_modify, "set a b c", "in quotes");
    filter_bad(&filter_modify, "remove a b", "remove KEY");
    filter_bad(&filter_modify, "set a b\nremove_regex (", "test:2:1");
    filter_bad(&filter_modify, "set a b\ncondition key_exist a", "key_exists");
    filter_bad(&filter_modify, "set a b\ncondition key_exists", "one word");
    filter_bad(&filter_modify, "set a b\ncondition key_value_equals a", "two words");
    filter_bad(&filter_modify, "set a b\ncondition a_key_matches (", "condition");
    filter_bad(&filter_modify, "sett a b", "set");
}

TEST(untouched_fields_keep_their_bytes)
{
    /* {"n": 1 in five bytes, "m": {"f": 1.0 as a double}} */
    static const char bytes[] = "\x82\xa1n\xd2\0\0\0\1\xa1m\x81\xa1"
                                "f\xcb\x3f\xf0\0\0\0\0\0\0";
    struct fake f;
    struct err e = {""};
    struct filter_result r;
    CHECK(fake_start(&f, &filter_modify, "set x y", &e));
    filter_run_bytes(&f, "t", 1, (struct str){bytes, sizeof(bytes) - 1}, &r);
    /* the map under m is as it came, byte for byte */
    CHECK(str_find(buf_view(&r.body), (struct str){bytes + 8, sizeof(bytes) - 9}) != SIZE_MAX);
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
    CHECK(fake_start(&f, &filter_modify, "set y 1\ncondition key_value_matches x ^(a|aa|aaa)+$", &e));
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
