/* SPDX-License-Identifier: Apache-2.0 */
#include "parser_helper.h"
#include "event/parser_internal.h"

static struct str rules[2][3];

/* Each list is ended by NULL; `as` first. */
static struct parser_def decoding(const char *as1, const char *as2, const char *field1, const char *field2)
{
    struct parser_def d = {.name = STR("p"), .format = PARSE_JSON, .time_strict = true};
    const char *all[2][2] = {{as1, as2}, {field1, field2}};
    size_t n[2] = {0, 0};

    for (int l = 0; l < 2; l++)
        for (int i = 0; i < 2; i++)
            if (all[l][i])
                rules[l][n[l]++] = str_of(all[l][i]);
    d.decode_field_as = (struct strs){rules[0], n[0]};
    d.decode_field = (struct strs){rules[1], n[1]};
    return d;
}

TEST(as_replaces)
{
    struct parser_def d = decoding("json log", NULL, NULL, NULL);

    CHECK_STR(run(d, STR("{\"a\":1,\"log\":\" {\\\"x\\\":[1,2]} \",\"b\":2}")),
              "{\"a\":1,\"log\":{\"x\":[1,2]},\"b\":2}");
    CHECK_STR(run(d, STR("{\"log\":\"[1]\"}")), "{\"log\":[1]}");
    CHECK_STR(run(d, STR("{\"log\":\"plain\"}")), "{\"log\":\"plain\"}");
    CHECK_STR(run(d, STR("{\"log\":\"{bad\"}")), "{\"log\":\"{bad\"}");
    CHECK_STR(run(d, STR("{\"log\":\"5\"}")), "{\"log\":\"5\"}"); /* no object or array */
    CHECK_STR(run(d, STR("{\"log\":5}")), "{\"log\":5}");
    CHECK_STR(run(d, STR("{\"other\":\"{}\"}")), "{\"other\":\"{}\"}");
    d = decoding("escaped log", NULL, NULL, NULL);
    CHECK_STR(run(d, STR("{\"log\":\"a\\\\nb\\\\u00e9\"}")), "{\"log\":\"a\\nb\\\\u00e9\"}");
    d = decoding("escaped_utf8 log", NULL, NULL, NULL);
    CHECK_STR(run(d, STR("{\"log\":\"a\\\\nb\\\\u00e9\"}")), "{\"log\":\"a\\nb\xc3\xa9\"}");
    d = decoding("mysql_quoted log", NULL, NULL, NULL);
    CHECK_STR(run(d, STR("{\"log\":\"'it\\\\'s'\"}")), "{\"log\":\"it's\"}");
}

TEST(field_adds)
{
    struct parser_def d = decoding(NULL, NULL, "json log", NULL);

    CHECK_STR(run(d, STR("{\"log\":\"{\\\"x\\\":1,\\\"a\\\":2}\",\"a\":1}")),
              "{\"log\":\"{\\\"x\\\":1,\\\"a\\\":2}\",\"a\":2,\"x\":1}");
    CHECK_STR(run(d, STR("{\"log\":\"[1]\"}")), "{\"log\":\"[1]\"}"); /* nothing to add */
    d = decoding("json log", NULL, "json log", NULL);
    CHECK_STR(run(d, STR("{\"log\":\"{\\\"x\\\":1}\"}")), "{\"log\":{\"x\":1}}"); /* replaced: no text is left */
}

TEST(chains)
{
    const char *line = "{\"log\":\"{\\\\\\\"x\\\\\\\":1}\"}"; /* log is {\"x\":1} with its backslashes */
    struct str text = str_of(line);

    CHECK_STR(run(decoding("escaped log do_next", "json log", NULL, NULL), text), "{\"log\":{\"x\":1}}");
    CHECK_STR(run(decoding("escaped log", "json log", NULL, NULL), text), "{\"log\":\"{\\\"x\\\":1}\"}");
    CHECK_STR(run(decoding("escaped log try_next", "json log", NULL, NULL), text), "{\"log\":\"{\\\"x\\\":1}\"}");
    CHECK_STR(run(decoding("json log try_next", "escaped log", NULL, NULL), text), "{\"log\":\"{\\\"x\\\":1}\"}");
    CHECK_STR(run(decoding("json log", "escaped log", NULL, NULL), text), "{\"log\":\"{\\\\\\\"x\\\\\\\":1}\"}");
    CHECK_STR(run(decoding("escaped log", NULL, "json log", NULL), text), "{\"log\":\"{\\\"x\\\":1}\",\"x\":1}");
    CHECK_STR(run(decoding(NULL, NULL, "escaped log do_next", "json log"), text),
              "{\"log\":\"{\\\\\\\"x\\\\\\\":1}\",\"x\":1}");
}

static struct str unescape(enum escaping kind, struct str text)
{
    static struct buf b;

    buf_clear(&b);
    decoder_unescape(kind, text, &b);
    return buf_view(&b);
}

TEST(escapings)
{
    CHECK_STR(unescape(ESCAPED, STR("\\a\\b\\f\\n\\r\\t\\v\\\\\\/\\\"\\'\\q\\")), "\a\b\f\n\r\t\v\\/\"'\\q\\");
    CHECK_STR(unescape(ESCAPED_UTF8, STR("\\u00e9\\u20AC\\ud83d\\ude00\\U0001F600\\x41\\101\\7")),
              "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\xf0\x9f\x98\x80"
              "AA\a");
    CHECK_STR(unescape(ESCAPED_UTF8, STR("\\ud83dx\\ude00\\u12\\x")),
              "\xef\xbf\xbdx\xef\xbf\xbd\\u12\\x"); /* half a pair, and what is none */
    CHECK_STR(unescape(MYSQL_QUOTED, STR("\"a\\n\\Z\\%\"")), "a\n\x1a\\%");
    CHECK_STR(unescape(MYSQL_QUOTED, STR("'open")), "'open");
    CHECK_STR(unescape(MYSQL_QUOTED, STR("'")), "'");
    CHECK_STR(unescape(MYSQL_QUOTED, STR("''")), "");
    CHECK_INT(unescape(MYSQL_QUOTED, STR("'\\0'")).n, 1);
    CHECK_INT(unescape(ESCAPED_UTF8, STR("\\777")).n, 2); /* \77 and a 7: a byte has no more */
}

TEST(depth_is_bounded)
{
    struct buf text = {0};

    buf_str(&text, STR("{\"log\":\""));
    for (int i = 0; i < 100; i++)
        buf_char(&text, '[');
    buf_str(&text, STR("\"}"));
    CHECK(str_eq(run(decoding("json log", NULL, NULL, NULL), buf_view(&text)), buf_view(&text)));
    buf_free(&text);
}

TEST(mistakes_are_named)
{
    CHECK(has(run(decoding("jsn log", NULL, NULL, NULL), STR("{}")),
              "!parser `p`: decode_field_as: unknown decoder `jsn`"));
    CHECK(has(run(decoding(NULL, NULL, "json", NULL), STR("{}")), "decode_field: the field is missing"));
    CHECK(has(run(decoding(NULL, NULL, "json log sometimes", NULL), STR("{}")), "try_next or do_next"));
}
