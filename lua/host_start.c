/* SPDX-License-Identifier: Apache-2.0 */
/* From options to a state with the rule's function in it. */
#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "lua/fenced.h"
#include "lua/host_internal.h"
#include "lua/privacy.h"

#include <fcntl.h>

enum { START_LIMIT_S = 10 }; /* for the body of a script */

struct host *host_new(const struct host_options *o, struct err *e)
{
    struct host *h = alloc_new(sizeof *h);

    h->o = *o;
    h->fence = (struct fence){.bridge = &h->bridge,
                              .memory_limit = o->sandbox ? o->memory_limit : 0,
                              .time_limit = START_LIMIT_S * INT64_C(1000000000),
                              .string_limit = o->string_limit,
                              .on = o->sandbox,
                              .rule_dir = -1,
                              .allow_env = o->allow_env};
    h->L = fence_state(&h->fence);
    if (!h->L) {
        free(h);
        err_set(e, "no memory for a Lua state");
        return NULL;
    }
    h->bridge.L = h->L;
    h->bridge.lazy = o->lazy != HOST_LAZY_OFF;
    h->bridge.flb_null = o->flb_null;
    h->bridge.int_keys = o->int_keys;
    h->bridge.array_keys = o->array_keys;
    fence_open(&h->fence, h->L, o->jit);
    lua_newtable(h->L);
    lua_setglobal(h->L, "FLB_ENV");
    if (o->flb_null)
        lua_pushlightuserdata(h->L, NULL);
    else
        lua_pushnil(h->L);
    lua_setglobal(h->L, "flb_null");
    return h;
}

void host_variable(struct host *h, const char *name, const char *value)
{
    lua_getglobal(h->L, "FLB_ENV");
    lua_pushstring(h->L, value);
    lua_setfield(h->L, -2, name);
    lua_pop(h->L, 1);
}

void host_free(struct host *h)
{
    if (!h)
        return;
    fence_close(&h->fence, h->L);
    if (h->fence.rule_dir >= 0)
        close(h->fence.rule_dir);
    bridge_free(&h->bridge);
    buf_free(&h->in);
    buf_free(&h->text);
    buf_free(&h->tag);
    free(h);
}

struct str host_error_text(lua_State *L)
{
    struct str s = {0};

    if (lua_type(L, -1) == LUA_TSTRING)
        s.p = lua_tolstring(L, -1, &s.n);
    else
        s = STR("an error value that is no string");
    return s;
}

static bool start_failed(struct host *h, struct err *e)
{
    struct str s = host_error_text(h->L);

    if (lua_islightuserdata(h->L, -1) && lua_touserdata(h->L, -1) == &h->bridge)
        s = str_of(h->bridge.fail_text);
    err_set(e, STR_FMT, STR_ARG(str_head(s, 400)));
    fence_leave(&h->fence, h->L);
    lua_settop(h->L, 0);
    return false;
}

static bool find_script(struct host *h, struct buf *path, struct err *e)
{
    buf_str(path, h->o.script);
    if (access(buf_text(path), R_OK) == 0 || h->o.script.p[0] == '/' || !h->o.dir)
        return true;
    buf_clear(path);
    buf_fmt(path, "%s/" STR_FMT, h->o.dir, STR_ARG(h->o.script));
    if (access(buf_text(path), R_OK) == 0)
        return true;
    return err_errno(e, "script " STR_FMT " (also looked for in %s)", STR_ARG(h->o.script), h->o.dir);
}

static void remember_dir(struct host *h, const char *path)
{
    const char *slash = strrchr(path, '/');
    CLEANUP(buf_free) struct buf dir = {0};

    if (slash)
        buf_add(&dir, path, (size_t)(slash - path) + 1);
    else
        buf_str(&dir, STR("."));
    h->fence.rule_dir = open(buf_text(&dir), O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (!h->fence.on) {
        lua_getglobal(h->L, "package"); /* unfenced rules look there too, behind the usual places */
        lua_getfield(h->L, -1, "path");
        lua_pushfstring(h->L, "%s;%s/?.lua", lua_tostring(h->L, -1), buf_text(&dir));
        lua_setfield(h->L, -3, "path");
        lua_pop(h->L, 2);
    }
}

static void warn_fenced(void *arg, struct str name, unsigned line)
{
    struct host *h = arg;

    buf_clear(&h->text);
    buf_str(&h->text, name);
    log_warn("the script uses what the sandbox does not have; `sandbox off` would open it", "filter", h->o.name, "call",
             buf_text(&h->text), "line", log_num(line));
}

static bool load_chunk(struct host *h, struct err *e)
{
    CLEANUP(buf_free) struct buf path = {0}, text = {0}, name = {0};
    const char *slash;

    if (h->o.code.n) {
        if (h->o.dir)
            h->fence.rule_dir = open(h->o.dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (h->fence.on)
            fenced_names(h->o.code, warn_fenced, h);
        if (luaL_loadbufferx(h->L, h->o.code.p, h->o.code.n, "@fluentbit.lua", h->fence.on ? "t" : NULL))
            return start_failed(h, e);
        return true;
    }
    if (!find_script(h, &path, e) || !script_read(AT_FDCWD, buf_text(&path), &text, e))
        return false;
    remember_dir(h, buf_text(&path));
    if (h->fence.on)
        fenced_names(buf_view(&text), warn_fenced, h);
    slash = strrchr(path.p, '/');
    buf_fmt(&name, "@%s", slash ? slash + 1 : path.p);
    if (luaL_loadbufferx(h->L, text.p, text.n, buf_text(&name), h->fence.on ? "t" : NULL))
        return start_failed(h, e);
    return true;
}

/* Leaves a function on the stack that tells how many parameters another one names; debug is not there for scripts. */
static bool push_counter(lua_State *L)
{
    return luaL_dostring(L, "local info = debug.getinfo return function(f) return info(f, 'u').nparams end") == 0;
}

bool host_load(struct host *h, struct err *e)
{
    lua_State *L = h->L;

    if (!push_counter(L))
        return start_failed(h, e);
    if (h->fence.on)
        fence_library(&h->fence, L);
    privacy_open(&h->bridge, h->o.key_dir);
    bridge_setup(&h->bridge);
    if (!load_chunk(h, e))
        return false;
    fence_enter(&h->fence, L);
    if (lua_pcall(L, 0, 0, 0))
        return start_failed(h, e);
    lua_getglobal(L, h->o.call);
    if (!lua_isfunction(L, -1)) {
        lua_settop(L, 0);
        return err_set(e, "the script has no global function `%s`", h->o.call);
    }
    lua_pushvalue(L, -1);
    h->function = luaL_ref(L, LUA_REGISTRYINDEX);
    if (lua_pcall(L, 1, 1, 0))
        return start_failed(h, e);
    h->five = lua_tonumber(L, -1) >= 5;
    lua_settop(L, 0);
    lua_pushcfunction(L, host_call);
    h->run = luaL_ref(L, LUA_REGISTRYINDEX);
    h->fence.stack = NULL;
    h->fence.time_limit = h->o.time_limit;
    return true;
}
