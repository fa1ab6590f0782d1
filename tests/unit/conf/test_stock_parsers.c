/* SPDX-License-Identifier: Apache-2.0 */
/* conf/parsers.conf: a line of each format, and what becomes of it. */
#include "test.h"

#include "conf/config.h"
#include "event/json.h"
#include "event/parser.h"
#include "event/time.h"

static struct config *stock(void)
{
    static struct config *c;
    struct err e = {{0}};
    struct tree *t;

    if (c)
        return c;
    t = tree_load("../conf/parsers.conf", &e);
    c = t ? config_new(t, &e) : NULL;
    if (!c) {
        fprintf(stderr, "%s\n", e.text);
        exit(1);
    }
    return c;
}

__attribute__((destructor)) static void release(void)
{
    config_free(stock());
}

#define NOW INT64_C(1767323045000000000) /* 2026-01-02T03:04:05Z */

static void gives(const char *name, const char *line, const char *json, const char *when)
{
    struct err e = {{0}};
    const struct parser_def *def = config_parser(stock(), str_of(name));
    struct parser *p = def ? parser_new(def, &e) : NULL;
    struct buf bytes = {0}, text = {0};
    int64_t time = NOW;

    CHECK(p != NULL);
    if (!p)
        return;
    if (!parser_run(p, str_of(line), NOW, &bytes, &time, &e)) {
        test_failures++;
        fprintf(stderr, "%s: %s\n", name, e.text);
    } else {
        struct value v = value_raw(buf_view(&bytes));
        json_write(&text, &v);
        CHECK_STR(buf_view(&text), json);
        buf_clear(&text);
        time_write_rfc3339(&text, time, 3);
        CHECK_STR(buf_view(&text), when);
    }
    buf_free(&bytes);
    buf_free(&text);
    parser_free(p);
}

static void refuses(const char *name, const char *line)
{
    struct err e = {{0}};
    struct parser *p = parser_new(config_parser(stock(), str_of(name)), &e);
    struct buf bytes = {0};
    int64_t time = NOW;

    CHECK(p && !parser_run(p, str_of(line), NOW, &bytes, &time, &e));
    buf_free(&bytes);
    parser_free(p);
}

TEST(no_warnings)
{
    CHECK_INT(stock()->warnings.n + stock()->notices.n, 0);
}

TEST(structured)
{
    gives("json", "{\"a\":1}", "{\"a\":1}", "2026-01-02T03:04:05.000Z");
    gives("json-iso8601", "{\"time\":\"2025-06-01T10:00:00.250Z\",\"a\":1}",
          "{\"time\":\"2025-06-01T10:00:00.250Z\",\"a\":1}", "2025-06-01T10:00:00.250Z");
    gives("logfmt", "level=info msg=\"a b\"", "{\"level\":\"info\",\"msg\":\"a b\"}", "2026-01-02T03:04:05.000Z");
    gives("ltsv", "time:[02/Jan/2025:03:04:05 +0100]\thost:h\tstatus:200", "{\"host\":\"h\",\"status\":200}",
          "2025-01-02T02:04:05.000Z");
}

#define COMBINED                                                                                 \
    "10.0.0.1 - bob [02/Jan/2025:03:04:05 +0000] \"GET /a?b=c HTTP/1.1\" 200 512 \"http://x/\" " \
    "\"Mozilla/5.0 \\\"q\\\" (X11)\""

TEST(web_servers)
{
    gives("combined", COMBINED,
          "{\"host\":\"10.0.0.1\",\"user\":\"bob\",\"method\":\"GET\",\"path\":\"/a?b=c\",\"protocol\":\"HTTP/1.1\","
          "\"code\":200,\"size\":512,\"referer\":\"http://x/\",\"agent\":\"Mozilla/5.0 \\\\\\\"q\\\\\\\" (X11)\"}",
          "2025-01-02T03:04:05.000Z");
    gives("apache", "::1 - - [02/Jan/2025:03:04:05 +0000] \"GET / HTTP/1.0\" 304 0",
          "{\"host\":\"::1\",\"user\":\"-\",\"method\":\"GET\",\"path\":\"/\",\"code\":304,\"size\":0}",
          "2025-01-02T03:04:05.000Z");
    gives("apache2", "h - - [02/Jan/2025:03:04:05 +0000] \"GET / HTTP/1.0\" 200 5 \"-\" \"curl/8\"",
          "{\"host\":\"h\",\"user\":\"-\",\"method\":\"GET\",\"path\":\"/\",\"code\":200,\"size\":5,\"referer\":\"-\","
          "\"agent\":\"curl/8\"}",
          "2025-01-02T03:04:05.000Z");
    gives("nginx", "10.0.0.1 - - [02/Jan/2025:03:04:05 +0000] \"GET /x HTTP/2.0\" 404 7 \"-\" \"curl/8\" \"1.2.3.4\"",
          "{\"remote\":\"10.0.0.1\",\"host\":\"-\",\"user\":\"-\",\"method\":\"GET\",\"path\":\"/x\",\"code\":404,"
          "\"size\":7,\"referer\":\"-\",\"agent\":\"curl/8\",\"forwarded\":\"1.2.3.4\"}",
          "2025-01-02T03:04:05.000Z");
    gives("nginx_error", "2025/01/02 03:04:05 [error] 12#34: *5 open() \"/x\" failed",
          "{\"level\":\"error\",\"pid\":12,\"tid\":34,\"connection\":5,\"message\":\"open() \\\"/x\\\" failed\"}",
          "2025-01-02T03:04:05.000Z");
    gives("apache_error",
          "[Thu Jan 02 03:04:05.250000 2025] [core:error] [pid 12:tid 34] [client 10.0.0.1:5000] AH1: no",
          "{\"module\":\"core\",\"level\":\"error\",\"pid\":12,\"tid\":34,\"client\":\"10.0.0.1:5000\",\"message\":"
          "\"AH1: "
          "no\"}",
          "2025-01-02T03:04:05.250Z");
    refuses("combined", "not an access log");
    refuses("combined", "10.0.0.1 - - [x] \"\" 400 0");
}

TEST(syslog)
{
    gives("syslog-rfc5424", "<34>1 2025-01-02T03:04:05.250Z host app 12 ID [x@1 k=\"a]b\\\"c\"][y] hello there",
          "{\"pri\":\"34\",\"time\":\"2025-01-02T03:04:05.250Z\",\"host\":\"host\",\"ident\":\"app\",\"pid\":\"12\","
          "\"msgid\":\"ID\",\"extradata\":\"[x@1 k=\\\"a]b\\\\\\\"c\\\"][y]\",\"message\":\"hello there\"}",
          "2025-01-02T03:04:05.250Z");
    gives(
        "syslog-rfc3164", "<13>Jan  2 01:02:03 host sshd[77]: hi",
        "{\"pri\":\"13\",\"time\":\"Jan  2 01:02:03\",\"host\":\"host\",\"ident\":\"sshd\",\"pid\":\"77\",\"message\":"
        "\"hi\"}",
        "2026-01-02T01:02:03.000Z");
    gives("syslog-rfc3164-local", "<13>Jan  2 01:02:03 cron: hi",
          "{\"pri\":\"13\",\"time\":\"Jan  2 01:02:03\",\"ident\":\"cron\",\"message\":\"hi\"}",
          "2026-01-02T01:02:03.000Z");
}

TEST(containers)
{
    gives("docker", "{\"log\":\"a\\n\",\"stream\":\"stdout\",\"time\":\"2025-01-02T03:04:05.250000001Z\"}",
          "{\"log\":\"a\\n\",\"stream\":\"stdout\",\"time\":\"2025-01-02T03:04:05.250000001Z\"}",
          "2025-01-02T03:04:05.250Z");
    gives("cri", "2025-01-02T04:04:05.250000001+01:00 stderr F hello",
          "{\"time\":\"2025-01-02T04:04:05.250000001+01:00\",\"stream\":\"stderr\",\"logtag\":\"F\",\"message\":"
          "\"hello\"}",
          "2025-01-02T03:04:05.250Z");
    gives("k8s-nginx-ingress",
          "10.0.0.1 - - [02/Jan/2025:03:04:05 +0000] \"GET /x HTTP/1.1\" 200 3 \"-\" \"curl\" 80 0.004 [ns-svc-80] [] "
          "10.0.0.2:80 3 0.004 200 abc",
          "{\"host\":\"10.0.0.1\",\"user\":\"-\",\"method\":\"GET\",\"path\":\"/"
          "x\",\"code\":200,\"size\":3,\"referer\":\"-\","
          "\"agent\":\"curl\",\"request_length\":80,\"request_time\":0.004,\"proxy_upstream_name\":\"ns-svc-80\","
          "\"upstream_addr\":\"10.0.0.2:80\",\"upstream_response_length\":\"3\",\"upstream_response_time\":\"0.004\","
          "\"upstream_status\":\"200\",\"reg_id\":\"abc\"}",
          "2025-01-02T03:04:05.000Z");
    gives("kube-file-name", "web-5d_prod_nginx-0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef.log",
          "{\"pod_name\":\"web-5d\",\"namespace_name\":\"prod\",\"container_name\":\"nginx\",\"docker_id\":"
          "\"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\"}",
          "2026-01-02T03:04:05.000Z");
}
