/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_machine.h"

extern const struct plugin filter_record_modifier;
#define CASE(props, json, want) filter_case(&filter_record_modifier, props, json, want)

TEST(records_are_added)
{
    CASE("record host web-1\nRecord env prod eu", "{\"a\":1}", "{\"a\":1,\"host\":\"web-1\",\"env\":\"prod eu\"}");
    CASE("record a new", "{\"a\":1,\"b\":2}", "{\"a\":\"new\",\"b\":2}");
    CASE("record q \"in quotes\"", "{}", "{\"q\":\"in quotes\"}");
}

TEST(keys_are_removed)
{
    CASE("remove_key A\nremove_key c*", "{\"a\":1,\"b\":2,\"Cx\":3,\"c\":4}", "{\"b\":2}");
    CASE("remove_key a", "{\"ab\":1}", "{\"ab\":1}");
}

TEST(an_allow_list_is_never_undone)
{
    CASE("allowlist_key a\nwhitelist_key b*", "{\"A\":1,\"bb\":2,\"c\":3}", "{\"A\":1,\"bb\":2}");
    CASE("allowlist_key a", "{\"c\":3,\"d\":4}", "{}");
    CASE("allowlist_key a\nrecord x y", "{\"c\":3}", "{\"x\":\"y\"}");
}

TEST(a_key_that_is_no_string_is_on_no_list)
{
    static const char bytes[] = "\x82\x01\xa6secret\xa1"
                                "a\x02";
    struct fake f;
    struct err e = {""};
    struct filter_result r;
    CHECK(fake_start(&f, &filter_record_modifier, "allowlist_key a\nallowlist_key *", &e));
    filter_run_bytes(&f, "t", 1, (struct str){bytes, sizeof(bytes) - 1}, &r);
    CHECK_STR(buf_view(&r.json), "{\"a\":2}");
    filter_result_free(&r);
    fake_free(&f);
}

TEST(uuids_differ_and_have_their_form)
{
    struct fake f;
    struct err e = {""};
    struct filter_result a, b;
    const char *p;
    CHECK(fake_start(&f, &filter_record_modifier, "uuid_key id", &e));
    filter_run(&f, "{}", &a);
    filter_run(&f, "{}", &b);
    CHECK(!str_eq(buf_view(&a.json), buf_view(&b.json)));
    CHECK_INT(a.json.n, strlen("{\"id\":\"xxxxxxxx-xxxx-4xxx-8xxx-xxxxxxxxxxxx\"}"));
    p = buf_text(&a.json) + 7;
    CHECK(p[8] == '-' && p[13] == '-' && p[14] == '4' && p[18] == '-' && strchr("89ab", p[19]) && p[23] == '-');
    filter_result_free(&a);
    filter_result_free(&b);
    fake_free(&f);
}

TEST(mistakes)
{
    filter_bad(&filter_record_modifier, "remove_key a\nallowlist_key b", "exclude each other");
    filter_bad(&filter_record_modifier, "remove_key a\nrecord lonely", "test:2:1");
    filter_bad(&filter_record_modifier, "records a b", "record");
}
