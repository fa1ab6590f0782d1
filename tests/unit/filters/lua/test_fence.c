/* SPDX-License-Identifier: Apache-2.0 */
/* What a fenced rule cannot do, and what becomes of a rule that tries. */
#include "fake_machine.h"
#include "base/io.h"
#include "breaker.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

extern const struct plugin filter_lua;

/* Runs `body` as a rule on {"a":"v"}; "code: text", "kept JSON" or "dropped" is what comes back. */
static const char *outcome(const char *options, const char *body)
{
    static char text[1024];
    char properties[4096];
    struct fake f;
    struct err e = {""};
    struct filter_result r = {0};

    snprintf(properties, sizeof properties, "call f\n%s\ncode function f(tag, ts, record) %s end", options, body);
    if (!fake_start(&f, &filter_lua, properties, &e)) {
        snprintf(text, sizeof text, "start: %s", e.text);
        fake_free(&f);
        return text;
    }
    filter_run(&f, "{\"a\":\"v\"}", &r);
    if (r.pass == QUARANTINE)
        snprintf(text, sizeof text, "%s: %s", r.emit.code, r.emit.text);
    else
        snprintf(text, sizeof text, "%s" STR_FMT, r.pass == KEEP ? "" : "dropped ", STR_ARG(buf_view(&r.json)));
    filter_result_free(&r);
    if (r.pass == QUARANTINE) { /* the state lives on */
        filter_run(&f, "{\"a\":\"again\"}", &r);
        CHECK_INT(r.pass, QUARANTINE);
        filter_result_free(&r);
    }
    fake_free(&f);
    return text;
}

#define EXPECT(options, body, want) CHECK_STR(str_of(outcome(options, body)), want)
#define EXPECT_CODE(options, body, code) CHECK_STR(str_head(str_of(outcome(options, body)), strlen(code)), code)

TEST(names_that_are_gone)
{
    static const char *const gone[] = {"io",        "debug",     "jit",         "ffi",          "package",
                                       "newproxy",  "module",    "string.dump", "os.execute",   "os.exit",
                                       "os.remove", "os.rename", "os.tmpname",  "os.setlocale", "string.gfind"};
    char body[256];

    for (size_t i = 0; i < sizeof gone / sizeof *gone; i++) {
        snprintf(body, sizeof body, "if %s == nil then return -1 end return 0", gone[i]);
        CHECK_STR(str_of(outcome("", body)), "dropped {\"a\":\"v\"}");
    }
}

TEST(names_that_stay)
{
    EXPECT("",
           "record.t = type(os.time() + os.clock()) .. type(os.date('%Y')) .. os.difftime(5, 3) return 2, ts, record",
           "{\"a\":\"v\",\"t\":\"numberstring2\"}");
    EXPECT("", "record.m = collectgarbage('count') > 0 collectgarbage() return 2, ts, record",
           "{\"a\":\"v\",\"m\":true}");
}

TEST(getenv_of_named_variables)
{
    setenv("WEIR_TEST_SHOWN", "yes", 1);
    setenv("WEIR_TEST_HIDDEN", "no", 1);
    EXPECT("allow_env WEIR_TEST_SHOWN OTHER",
           "record.s, record.h = os.getenv('WEIR_TEST_SHOWN'), os.getenv('WEIR_TEST_HIDDEN') return 2, ts, record",
           "{\"a\":\"v\",\"s\":\"yes\"}");
}

TEST(no_bytecode)
{
    EXPECT("", "record.ok = load('\\27LJ\\2') == nil and loadstring('\\27Lua') == nil return 2, ts, record",
           "{\"a\":\"v\",\"ok\":true}");
    filter_bad(&filter_lua, "call f\ncode \x1bLJ\x02", "attempt to load chunk");
    EXPECT("",
           "record.x = load('return 6 * 7')() record.y = load('return v', 'n', 't', {v = 5})() return 2, ts, record",
           "{\"a\":\"v\",\"x\":42,\"y\":5}");
    EXPECT("",
           "local n = 0 record.x = load(function() n = n + 1 return ({'return ', '8'})[n] end)() return 2, ts, record",
           "{\"a\":\"v\",\"x\":8}");
}

/* The lexer loads the ffi library where it meets 1LL; no name leads to it. */
TEST(no_way_to_ffi)
{
    EXPECT(
        "",
        "local x = 1LL record.x = pcall(require, 'ffi') or ffi ~= nil or getmetatable(x) ~= 'ffi' return 2, ts, record",
        "{\"a\":\"v\",\"x\":false}");
    EXPECT("", "record.x = 1LL return 2, ts, record",
           "Lua-Bad-Return: a function, thread or userdata cannot be part of a record");
    EXPECT("", "record.x = tonumber(5LL) return 2, ts, record", "{\"a\":\"v\",\"x\":5}");
}

TEST(string_metatable_is_locked)
{
    EXPECT("", "record.x = getmetatable('') == false return 2, ts, record", "{\"a\":\"v\",\"x\":true}");
    EXPECT_CODE("", "getmetatable('').__index.upper = nil return 0", "Lua-Error: fluentbit.lua:1: attempt to index a ");
}

TEST(endless_loops_end)
{
    EXPECT("time_limit 20ms", "while true do end", "Lua-Time: the rule ran longer than its time_limit");
    EXPECT("time_limit 20ms", "while true do pcall(function() while true do end end) end",
           "Lua-Time: the rule ran longer than its time_limit");
    EXPECT("time_limit 20ms", "pcall(function() while true do end end) return 2, ts, record",
           "Lua-Time: the rule ran longer than its time_limit");
    EXPECT("time_limit 20ms", "xpcall(function() while true do end end, function(m) while true do end end) return 0",
           "Lua-Time: the rule ran longer than its time_limit");
    EXPECT("time_limit 20ms", "coroutine.wrap(function() while true do end end)() return 0",
           "Lua-Time: the rule ran longer than its time_limit");
    EXPECT("time_limit 20ms",
           "local co = coroutine.create(function() while true do end end) coroutine.resume(co) return 0",
           "Lua-Time: the rule ran longer than its time_limit");
    EXPECT("time_limit 20ms", "string.gsub(record.a, '.', function() while true do end end) return 0",
           "Lua-Time: the rule ran longer than its time_limit");
    EXPECT_CODE("time_limit 20ms", "local function r() return r() end return r()", "Lua-Time");
    EXPECT_CODE("", "local function r() return 1 + r() end return r()", "Lua-Error: stack overflow");
    EXPECT_CODE("", "local function c(n) return coroutine.wrap(function() return c(n + 1) end)() end return c(1)",
                "Lua-");
    /* C's stack is what ends this one. */
    EXPECT_CODE("memory_limit 1000M",
                "local function c(n) return coroutine.wrap(function() return c(n + 1) end)() end return c(1)",
                "Lua-Error");
    EXPECT_CODE("sandbox off",
                "local function c(n) return coroutine.wrap(function() return c(n + 1) end)() end return c(1)",
                "Lua-Error");
}

TEST(patterns_have_a_budget)
{
    EXPECT_CODE("", "local s = string.rep('a', 60) return s:find(string.rep('a?', 60) .. string.rep('a', 61))", "Lua-");
    EXPECT("time_limit 10s", "local s = string.rep('a', 3000) return s:find('.-.-.-.-b')",
           "Lua-Time: string functions took more steps than a rule may use");
    EXPECT("time_limit 10s", "local s = string.rep('x', 100000) for w in s:gmatch('x*x*x*y') do end return 0",
           "Lua-Time: string functions took more steps than a rule may use");
    EXPECT_CODE("", "return string.rep('(', 300) and ('x'):find(string.rep('(', 300))", "Lua-Error");
    EXPECT_CODE("", "local t = {} for i = 1, 300000 do t[i] = -i end table.sort(t) return 0",
                "Lua-Error: fluentbit.lua:1: table.sort: more than 200000 members");
}

TEST(memory_has_a_cap)
{
    EXPECT("", "return string.rep('x', 1e9)", "Lua-Memory: a string grew beyond string_limit");
    EXPECT("", "return ('x'):rep(1e5, ('y'):rep(1e5))", "Lua-Memory: a string grew beyond string_limit");
    EXPECT("", "local s = ('x'):rep(1e6) return s:gsub('x', s)", "Lua-Memory: a string grew beyond string_limit");
    EXPECT("", "local s = ('x'):rep(3e6) return string.format('%s%s', s, s)",
           "Lua-Memory: a string grew beyond string_limit");
    EXPECT("memory_limit 2M\ntime_limit 10s", "local t = {} while true do t[#t + 1] = {} end",
           "Lua-Memory: the rule used more than its memory_limit");
    EXPECT("memory_limit 2M\ntime_limit 10s", "local s = 'x' while true do s = s .. s end",
           "Lua-Memory: the rule used more than its memory_limit");
    EXPECT("memory_limit 2M\ntime_limit 10s", "local t = {} for i = 1, 1e9 do t[i] = i end return 0",
           "Lua-Memory: the rule used more than its memory_limit");
    EXPECT_CODE("time_limit 10s", "local t = {1} for i = 1, 60 do t = {t, t} end record.x = t return 2, ts, record",
                "Lua-Bad-Return: the record grew");
}

TEST(xpcall)
{
    EXPECT("",
           "record.x, record.y, record.z = xpcall(function(a, b) return a, b end, print, 1, 2) return 2, ts, record",
           "{\"a\":\"v\",\"x\":true,\"y\":1,\"z\":2}");
    EXPECT("",
           "record.x, record.y = xpcall(function() error('e', 0) end, function(m) return m .. '!' end) return 2, ts, "
           "record",
           "{\"a\":\"v\",\"x\":false,\"y\":\"e!\"}");
}

TEST(error_values_of_any_kind)
{
    EXPECT("", "error(setmetatable({}, {__tostring = function() while true do end end}))",
           "Lua-Error: error raised by the rule");
    EXPECT("", "error(nil)", "Lua-Error: error raised by the rule");
    EXPECT("", "error(print)", "Lua-Error: error raised by the rule");
    EXPECT("", "error('value ' .. record.a, 0)", "Lua-Error: error raised by the rule");
    EXPECT("", "error('attempt to index field: ' .. record.a)", "Lua-Error: fluentbit.lua:1: error raised by the rule");
    EXPECT("", "return record.a.b.c", "Lua-Error: fluentbit.lua:1: attempt to index field 'b' (a nil value)");
    EXPECT("", "local t = nil t.x = 1", "Lua-Error: fluentbit.lua:1: attempt to index local 't' (a nil value)");
    EXPECT("", "nothing()", "Lua-Error: fluentbit.lua:1: attempt to call global 'nothing' (a nil value)");
    EXPECT("", "return #nil", "Lua-Error: fluentbit.lua:1: attempt to get length of a nil value");
    EXPECT("", "return record.a .. {}", "Lua-Error: fluentbit.lua:1: attempt to concatenate a table value");
    EXPECT("", "return tonumber(record.a, 99)", "Lua-Error: bad argument #2 to '?' (base out of range)");
    EXPECT("", "record[nil] = 1", "Lua-Error: fluentbit.lua:1: table index is nil");
    EXPECT("", "collectgarbage(record.a) return string.format(record.a .. '%y', 1)", "Lua-Error: invalid option");
}

static void put(const char *dir, const char *name, const char *text)
{
    char path[512];
    int fd;

    snprintf(path, sizeof path, "%s/%s", dir, name);
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
}

TEST(require_below_the_rule_directory)
{
    char dir[] = "/tmp/weir-lua-XXXXXX", properties[512], path[300], outside[300];
    struct fake f;
    struct err e = {""};
    struct filter_result r;

    CHECK(mkdtemp(dir) != NULL);
    snprintf(path, sizeof path, "%s/rules", dir);
    mkdir(path, 0700);
    put(dir, "outside.lua", "leaked = true");
    put(path, "helper.lua", "local m = {} function m.twice(x) return x .. x end return m");
    snprintf(outside, sizeof outside, "%s/rules/link.lua", dir);
    CHECK(symlink("../outside.lua", outside) == 0);
    put(path, "rules.lua",
        "#!/usr/bin/lua\nlocal h = require 'helper'\nlocal same = require('helper') == h\n"
        "function f(tag, ts, record)\n record.a = h.twice(record.a)\n record.same = same\n"
        " record.up = pcall(require, '..outside') or pcall(dofile, '../outside.lua') or pcall(dofile, '/etc/passwd')\n"
        "  or pcall(require, 'link') or pcall(loadfile('../outside.lua') or error)\n"
        " record.leaked = leaked or false\n record.weir = require('weir.privacy') == weir\n"
        " if record.fail then local x = nil; x.y = 1 end\n return 2, ts, record\nend\n");
    snprintf(properties, sizeof properties, "script %s/rules.lua\ncall f", path);
    CHECK(fake_start(&f, &filter_lua, properties, &e));
    CHECK_STR(str_of(e.text), "");
    filter_run(&f, "{\"a\":\"v\"}", &r);
    CHECK_STR(buf_view(&r.json), "{\"a\":\"vv\",\"leaked\":false,\"same\":true,\"up\":false,\"weir\":true}");
    filter_result_free(&r);
    filter_run(&f, "{\"a\":\"v\",\"fail\":1}", &r);
    CHECK_STR(str_of(r.emit.text), "rules.lua:11: attempt to index local 'x' (a nil value)");
    filter_result_free(&r);
    fake_free(&f);
    snprintf(properties, sizeof properties, "rm -r %s", dir);
    CHECK(system(properties) == 0);
}

TEST(starts_that_fail)
{
    filter_bad(&filter_lua, "call f", "either `script` or `code`");
    filter_bad(&filter_lua, "code x = 1", "call");
    filter_bad(&filter_lua, "call f\ncode x = 1", "the script has no global function `f`");
    filter_bad(&filter_lua, "call f\ncode local function f() end", "no global function `f`");
    filter_bad(&filter_lua, "call f\ncode f = 5", "no global function `f`");
    filter_bad(&filter_lua, "call f\ncode function f( end", "fluentbit.lua:1:");
    filter_bad(&filter_lua, "call f\ncode error('at start')", "at start");
    filter_bad(&filter_lua, "call f\nscript /nowhere/x.lua", "/nowhere/x.lua");
    filter_bad(&filter_lua, "call f\nscript /tmp", "/tmp: is no file");
    filter_bad(&filter_lua, "call f\ncode x = 1\ntime_limit 1h", "time_limit");
    filter_bad(&filter_lua, "call f\ncode x = 1\nscirpt x", "did you mean `script`");
}

TEST(on_error_drop)
{
    struct fake f;
    struct err e;
    struct filter_result r;

    CHECK(fake_start(&f, &filter_lua, "call f\non_error drop\ncode function f() error('x') end", &e));
    filter_run(&f, "{}", &r);
    CHECK_INT(r.pass, DISCARD);
    filter_result_free(&r);
    fake_free(&f);
}

static int64_t fake_now;

static int64_t fake_monotonic(void)
{
    return fake_now += 30 * MILLISECOND;
}

TEST(breaker_opens_for_one_type)
{
    struct io table = io_system;
    struct fake f;
    struct err e;
    struct filter_result r;

    table.monotonic = fake_monotonic;
    io = &table;
    CHECK(fake_start(
        &f, &filter_lua,
        "call f\ntime_limit 20ms\n"
        "code function f(tag, ts, record) if record.event_type == 'bad' then while true do end end return 0 end",
        &e));
    for (int i = 0; i < BREAKER_TRIPS + 2; i++) {
        filter_run(&f, "{\"event_type\":\"bad\"}", &r);
        CHECK_INT(r.pass, QUARANTINE);
        CHECK_STR(str_of(r.emit.code), i < BREAKER_TRIPS ? "Lua-Time" : "Rule-Circuit-Open");
        filter_result_free(&r);
        filter_run(&f, "{\"event_type\":\"good\"}", &r);
        CHECK_INT(r.pass, KEEP);
        filter_result_free(&r);
    }
    fake_now += (BREAKER_OPEN_S + 1) * SECOND;
    filter_run(&f, "{\"event_type\":\"bad\"}", &r);
    CHECK_STR(str_of(r.emit.code), "Lua-Time");
    filter_result_free(&r);
    fake_free(&f);
    io = &io_system;
}

TEST(breaker_opens_for_a_tag_whose_types_are_made_up)
{
    struct io table = io_system;
    char event[64];
    struct fake f;
    struct err e;
    struct filter_result r;

    table.monotonic = fake_monotonic;
    io = &table;
    CHECK(fake_start(&f, &filter_lua, "call f\ntime_limit 20ms\ncode function f() while true do end end", &e));
    for (int i = 0; i < BREAKER_ALL_TRIPS + 5; i++) {
        snprintf(event, sizeof event, "{\"event_type\":\"x%d\"}", i);
        filter_run(&f, event, &r);
        CHECK_STR(str_of(r.emit.code), i < BREAKER_ALL_TRIPS ? "Lua-Time" : "Rule-Circuit-Open");
        filter_result_free(&r);
    }
    fake_free(&f);
    io = &io_system;
}

TEST(breaker_counts_within_its_window)
{
    struct breaker b = {0};

    for (int i = 0; i < 20; i++)
        CHECK(!breaker_trip(&b, 1, BREAKER_TRIPS, i * 4 * SECOND)); /* never five within ten seconds */
    for (int i = 0; i < BREAKER_TRIPS - 1; i++)
        CHECK(!breaker_trip(&b, 2, BREAKER_TRIPS, 1000 * SECOND));
    CHECK(!breaker_open(&b, 2, 1000 * SECOND));
    CHECK(breaker_trip(&b, 2, BREAKER_TRIPS, 1000 * SECOND));
    CHECK(breaker_open(&b, 2, 1001 * SECOND));
    CHECK(!breaker_open(&b, 3, 1001 * SECOND));
    CHECK(!breaker_open(&b, 2, 1031 * SECOND));
    for (uint64_t i = 0; i < 1000; i++)
        breaker_trip(&b, 100 + i, BREAKER_TRIPS, 2000 * SECOND);
    CHECK_INT(b.live, BREAKER_TYPES);
}
