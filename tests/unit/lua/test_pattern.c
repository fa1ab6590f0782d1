/* SPDX-License-Identifier: Apache-2.0 */
/* The fence's string functions against the interpreter's own: the same answer for random patterns and subjects. */
#include "lua/host.h"
#include "base/arena.h"
#include "base/hash.h"
#include "event/json.h"
#include "event/msgpack.h"
#include "test.h"

/* One rule, told by its tag which cases to make from a seed; both hosts make the same ones. */
static const char script[] =
    "local state\n"
    "local function random(n) state = (state * 16807) % 2147483647 return state % n + 1 end\n"
    "local atoms = {'a', 'b', '.', '%a', '%d', '%s', '%w', '%W', '%p', '%x', '[ab]', '[^a]', '[a-c1]', '[]b]', '%.', "
    "'[%d_]',"
    "  '(a)', '()', '(%w+)', '(.-)', '%b()', '%f[%w]', '%1', '[%a-z]', '%', '[', '(', ')', '[^]', '%f', '-', 'x'}\n"
    "local counts = {'', '', '', '', '*', '+', '-', '?'}\n"
    "local letters = {'a', 'b', 'c', 'x', '1', '2', ' ', '(', ')', '.', '_', '-', ']', '%', 'A'}\n"
    "local function pattern() local t = {} if random(5) == 1 then t[1] = '^' end\n"
    "  for i = 1, random(5) do t[#t + 1] = atoms[random(#atoms)] .. counts[random(#counts)] end\n"
    "  if random(5) == 1 then t[#t + 1] = '$' end return table.concat(t) end\n"
    "local function subject() local t = {} for i = 1, random(14) - 1 do t[i] = letters[random(#letters)] end return "
    "table.concat(t) end\n"
    "local function shown(...) local t = {} for i = 1, select('#', ...) do local v = select(i, ...)\n"
    "  t[i] = type(v) == 'string' and v:match('^[%w.]+:%d+: (.*)') or tostring(v) end return table.concat(t, '|') end\n"
    "function f(tag, ts, record)\n"
    "  state = tonumber(tag) local out = {}\n"
    "  for i = 1, 40 do local s, p, k = subject(), pattern(), random(6)\n"
    "    local r\n"
    "    if k == 1 then r = shown(pcall(string.find, s, p, random(5) - 2))\n"
    "    elseif k == 2 then r = shown(pcall(string.match, s, p))\n"
    "    elseif k == 3 then r = shown(pcall(string.gsub, s, p, '<%0>', random(4)))\n"
    "    elseif k == 4 then r = shown(pcall(string.gsub, s, p, function(a, b) return b or a end))\n"
    "    elseif k == 5 then r = shown(pcall(function() local t = {} for a, b in string.gmatch(s, p) do\n"
    "      t[#t + 1] = shown(a, b) if #t > 30 then break end end return table.concat(t, ',') end))\n"
    "    else r = shown(pcall(string.gsub, s, p, {a = 'A', b = false, ['1'] = 2})) end\n"
    "    out[i] = s .. ' ~ ' .. p .. ' ' .. k .. ' => ' .. r\n"
    "  end return 2, ts, {out = out} end\n";

static struct host *host(bool sandbox)
{
    struct host_options o = {.name = "pattern",
                             .code = {script, sizeof script - 1},
                             .call = "f",
                             .sandbox = sandbox,
                             .memory_limit = 64 << 20,
                             .string_limit = 1 << 20,
                             .time_limit = INT64_C(10000000000)};
    struct err e = {""};
    struct host *h = host_new(&o, &e);

    CHECK(h && host_load(h, &e));
    CHECK_STR(str_of(e.text), "");
    return h;
}

static void run(struct host *h, unsigned seed, struct arena *a, struct buf *out)
{
    char tag[16];
    struct event ev = {.arena = a, .body = value_raw(STR("\x80")), .meta = value_raw(STR("\x80"))};
    struct host_result r;
    enum host_verdict v;

    snprintf(tag, sizeof tag, "%u", seed);
    ev.tag = str_of(tag);
    v = host_run(h, &ev, &r);
    CHECK_INT(v, HOST_EVENTS);
    buf_clear(out);
    if (v == HOST_EVENTS)
        json_write(out, &r.events[0].body);
    else
        fprintf(stderr, "seed %u: %s\n", seed, r.text);
}

TEST(random_patterns)
{
    struct host *fenced = host(true), *plain = host(false);
    struct arena *a = arena_new();
    struct buf one = {0}, two = {0};
    unsigned differ = 0;

    for (unsigned seed = 1; seed <= 400 && differ < 5; seed++) {
        run(fenced, seed * 7919, a, &one);
        run(plain, seed * 7919, a, &two);
        if (!str_eq(buf_view(&one), buf_view(&two))) {
            differ++;
            CHECK_STR(buf_view(&one), buf_text(&two));
        }
        arena_reset(a);
    }
    buf_free(&one);
    buf_free(&two);
    arena_free(a);
    host_free(fenced);
    host_free(plain);
}
