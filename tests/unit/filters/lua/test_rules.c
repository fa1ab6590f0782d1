/* SPDX-License-Identifier: Apache-2.0 */
/* The rules that the product team edits, as they stand. */
#include "fake_machine.h"

#include <sys/stat.h>
#include <unistd.h>

extern const struct plugin filter_lua;

static void rules_run(const char *lazy, const char *tag, const char *json, struct filter_result *r)
{
    struct buf body = {0};
    char properties[256];
    struct fake f;
    struct err e = {""};

    snprintf(properties, sizeof properties, "call weir_rules\nscript ../lua/rules/rules.lua\nlazy %s", lazy);
    fake_json(&body, json);
    CHECK(fake_start(&f, &filter_lua, properties, &e));
    CHECK_STR(str_of(e.text), "");
    if (f.started)
        filter_run_bytes(&f, tag, 1, buf_view(&body), r);
    fake_free(&f);
    buf_free(&body);
}

/* Hashes are shown as "#". */
static void hide_hashes(struct buf *json)
{
    struct buf out = {0};

    for (size_t i = 0; i < json->n; i++) {
        if (json->p[i] == '"' && i + 37 < json->n && json->p[i + 1] == 'h' && json->p[i + 3] == ':' &&
            json->p[i + 36] == '"') {
            buf_str(&out, STR("\"#\""));
            i += 36;
        } else {
            buf_char(&out, json->p[i]);
        }
    }
    buf_free(json);
    *json = out;
}

static void becomes(const char *tag, const char *json, const char *want)
{
    static const char *const modes[] = {"on", "off"};

    for (int i = 0; i < 2; i++) {
        struct filter_result r = {0};
        rules_run(modes[i], tag, json, &r);
        CHECK_INT(r.pass, KEEP);
        hide_hashes(&r.json);
        CHECK_STR(buf_view(&r.json), want);
        filter_result_free(&r);
    }
}

static void quarantined(const char *json, const char *code, const char *pointer)
{
    struct filter_result r = {0};

    rules_run("auto", "events", json, &r);
    CHECK_INT(r.pass, QUARANTINE);
    CHECK_STR(str_of(r.emit.code), code);
    CHECK_STR(str_of(r.emit.text), pointer);
    filter_result_free(&r);
}

#define HEAD                                                                                                        \
    "\"event_id\":\"e\",\"event_type\":\"prompt:submitted\",\"timestamp\":\"2026-01-01T00:00:00Z\",\"session_id\":" \
    "\"s\""

TEST(event_is_reduced_to_what_is_allowed)
{
    becomes(
        "events",
        "{" HEAD ",\"user_id\":\"ada\",\"sketch_id\":\"k\",\"client_ip\":\"203.0.113.7\",\"email\":\"ada@example.com\","
        "\"properties\":{\"prompt_text\":\"write to ada@example.com\",\"secret\":1,\"success\":true,\"tokens\":12.0},"
        "\"metadata\":{\"app_version\":\"1.0.0\",\"x\":1,\"platform_info\":{\"browser\":\"Chrome\",\"serial\":\"9\"}}}",
        "{" HEAD ",\"user_id\":\"#\",\"sketch_id\":\"k\",\"client_ip\":\"203.0.113.0\","
        "\"properties\":{\"prompt_text\":\"write to [mail]\",\"success\":true,\"tokens\":12.0},"
        "\"metadata\":{\"app_version\":\"1.0.0\",\"platform_info\":{\"browser\":\"Chrome\"}}}");
}

TEST(event_without_maps)
{
    becomes("events", "{" HEAD ",\"user_id\":\"ada\"}", "{" HEAD ",\"user_id\":\"#\"}");
    becomes("events", "{" HEAD ",\"user_id\":\"ada\",\"properties\":{},\"metadata\":{}}",
            "{" HEAD ",\"user_id\":\"#\",\"properties\":{},\"metadata\":{}}");
    becomes("events", "{" HEAD ",\"user_id\":\"ada\",\"metadata\":{\"platform_info\":\"x\"}}",
            "{" HEAD ",\"user_id\":\"#\",\"metadata\":{}}");
}

TEST(event_that_breaks_a_rule)
{
    quarantined("{\"event_type\":\"prompt:submitted\"}", "Required-Missing", "/event_id");
    quarantined("{}", "Required-Missing", "/event_id");
    quarantined("{" HEAD "}", "Required-Missing", "/user_id");
    quarantined("{" HEAD ",\"user_id\":null}", "Required-Missing", "/user_id");
    quarantined("{" HEAD ",\"user_id\":\"\"}", "Required-Missing", "/user_id");
    quarantined("{" HEAD ",\"user_id\":7}", "Type-Mismatch", "/user_id");
    quarantined("{" HEAD ",\"user_id\":\"u\",\"properties\":[1]}", "Type-Mismatch", "/properties");
    quarantined("{" HEAD ",\"user_id\":\"u\",\"properties\":\"x\"}", "Type-Mismatch", "/properties");
    quarantined(
        "{\"event_id\":\"e\",\"event_type\":\"nonsense\",\"timestamp\":\"t\",\"session_id\":\"s\",\"user_id\":\"u\"}",
        "Event-Type-Unknown", "/event_type");
    quarantined(
        "{\"event_id\":\"e\",\"event_type\":\"x:y\",\"timestamp\":\"t\",\"session_id\":\"s\",\"user_id\":\"u\"}",
        "Event-Type-Unknown", "/event_type");
}

TEST(access_log)
{
    becomes("access",
            "{\"remote\":\"203.0.113.7\",\"host\":\"-\",\"user\":\"ada\",\"method\":\"POST\","
            "\"path\":\"/api/prompts?token=abc&page=2&e=joe%40example.com\",\"code\":201,"
            "\"referer\":\"https://a.example/?session=1\",\"agent\":\"Mozilla/5.0\"}",
            "{\"remote\":\"203.0.113.0\",\"user\":\"#\",\"method\":\"POST\",\"path\":\"/api/prompts?page=2\","
            "\"code\":201,\"referer\":\"https://a.example/\",\"agent\":\"Mozilla/5.0\"}");
    becomes("access", "{\"host\":\"2001:db8:85a3:8d3::1\",\"user\":\"-\",\"request\":\"GET /a?password=x HTTP/1.1\"}",
            "{\"host\":\"2001:db8:85a3::\",\"user\":\"-\",\"request\":\"GET /a HTTP/1.1\"}");
}

TEST(application_log)
{
    becomes(
        "app",
        "{\"time\":\"t\",\"level\":\"info\",\"user_id\":\"ada\",\"client\":\"2001:db8:85a3:8d3:1319:8a2e:370:7348\","
        "\"message\":\"prompt done for ada@example.com\",\"duration_ms\":12.0,\"password\":\"x\"}",
        "{\"time\":\"t\",\"level\":\"info\",\"user_id\":\"#\",\"client\":\"2001:db8:85a3::\","
        "\"message\":\"prompt done for [mail]\",\"duration_ms\":12.0}");
    becomes("app", "{\"log\":\"login token=abc123 ok, Authorization: Bearer xyz.abc, password: hunter2; x=1\"}",
            "{\"log\":\"login token=[gone] ok, Authorization: Bearer [token], password: [gone]; x=1\"}");
    becomes("app", "{\"log\":\"nothing\",\"n\":null,\"big\":9007199254740993,\"nested\":{\"l\":[\"a@b.org\"]}}",
            "{\"log\":\"nothing\",\"n\":null,\"big\":9007199254740993,\"nested\":{\"l\":[\"[mail]\"]}}");
}

TEST(hash_is_stable_and_its_key_is_kept)
{
    char dir[] = "/tmp/weir-key-XXXXXX", path[300];
    struct filter_result a, b, c;
    struct stat st;
    const char *event = "{" HEAD ",\"user_id\":\"ada\"}";

    CHECK(mkdtemp(dir) != NULL);
    fake_env.state_dir = dir;
    rules_run("on", "events", event, &a);
    rules_run("on", "events", event, &b);
    CHECK(str_eq(buf_view(&a.json), buf_view(&b.json)));
    CHECK(str_find(buf_view(&a.json), STR("\"user_id\":\"h1:")) != SIZE_MAX);
    snprintf(path, sizeof path, "%s/hmac.key", dir);
    CHECK(stat(path, &st) == 0 && (st.st_mode & 0777) == 0600 && st.st_size == 3 + 64 + 1);
    unlink(path);
    rules_run("on", "events", event, &c);
    CHECK(!str_eq(buf_view(&a.json), buf_view(&c.json))); /* another key, another hash */
    filter_result_free(&a);
    filter_result_free(&b);
    filter_result_free(&c);
    CHECK(truncate(path, 5) == 0);
    rules_run("on", "events", event, &c);
    CHECK_INT(c.pass, QUARANTINE);
    CHECK_STR(str_of(c.emit.code), "Rule-No-Key");
    filter_result_free(&c);
    unlink(path);
    rmdir(dir);
    fake_env.state_dir = NULL;
}
