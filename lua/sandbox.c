/* SPDX-License-Identifier: Apache-2.0 */
#include "lua/sandbox.h"
#include "base/io.h"

#include <lauxlib.h>
#include <luajit.h>
#include <lualib.h>
#include <stdlib.h>

static __attribute__((noinline)) void *counted_other(struct fence *f, void *p, size_t old, size_t n)
{
    void *q;

    if (n > old && f->memory_limit && f->used + (int64_t)(n - old) > f->memory_limit)
        return NULL;
    /* Whatever goes deep in C makes something on its way, and LuaJIT does not count how deep coroutines are nested. */
    if (n > old && f->stack && f->stack - (const char *)__builtin_frame_address(0) > STACK_MAX)
        return NULL;
    q = f->under ? f->under(f->under_arg, p, old, n) : pool_take(&f->pool, p, old, n);
    if (q || !n)
        f->used += (int64_t)n - (int64_t)old;
    return q;
}

/* The allocator: what is made and dropped most goes through here without another call. */
static void *counted(void *arg, void *p, size_t old, size_t n)
{
    struct fence *f = arg;

    if (!n && p && !f->under && pool_owns(&f->pool, p)) {
        pool_put(&f->pool, p, old);
        f->used -= (int64_t)old;
        return NULL;
    }
    if (!p && n && n <= POOL_MOST && !f->under && (!f->memory_limit || f->used + (int64_t)n <= f->memory_limit) &&
        (!f->stack || f->stack - (const char *)__builtin_frame_address(0) <= STACK_MAX)) {
        void **list = &f->pool.free[pool_class(n)];
        if ((p = *list)) {
            *list = *(void **)p;
            f->used += (int64_t)n;
            return p;
        }
    }
    return counted_other(f, p, old, n);
}

lua_State *fence_state(struct fence *f)
{
    lua_State *L = lua_newstate(counted, f);

    if (L)
        return L;
    L = luaL_newstate(); /* a LuaJIT that needs low addresses takes memory from nobody else */
    if (L) {
        f->under = lua_getallocf(L, &f->under_arg);
        f->used = (int64_t)lua_gc(L, LUA_GCCOUNT, 0) * 1024;
        lua_setallocf(L, counted, f);
    }
    return L;
}

void fence_close(struct fence *f, lua_State *L)
{
    if (f->under)
        lua_setallocf(L, f->under, f->under_arg); /* LuaJIT knows its allocator by it and gives back its segments */
    f->memory_limit = 0;
    lua_close(L);
    pool_end(&f->pool);
    buf_free(&f->text);
}

struct fence *fence_of(lua_State *L)
{
    void *f;

    lua_getallocf(L, &f);
    return f;
}

static void expire(struct fence *f, lua_State *L, const char *text) __attribute__((noreturn));

static void hook(lua_State *L, lua_Debug *d)
{
    struct fence *f = fence_of(L);
    int64_t now;

    (void)d;
    if (f->expired)
        expire(f, L, "the rule ran longer than its time_limit");
    now = io->monotonic();
    if (f->hook_call != f->call) {
        f->hook_call = f->call;
        f->started = now;
    } else if (now - f->started > f->time_limit) {
        expire(f, L, "the rule ran longer than its time_limit");
    }
}

/* The script may catch this: from now on every instruction raises it again, until the call has ended. */
static void expire(struct fence *f, lua_State *L, const char *text)
{
    if (!f->expired) {
        f->expired = true;
        lua_sethook(L, hook, LUA_MASKCOUNT, 1);
    }
    f->bridge->L = L;
    bridge_fail(f->bridge, "Lua-Time", text);
}

void fence_leave(struct fence *f, lua_State *L)
{
    if (f->expired)
        lua_sethook(L, hook, LUA_MASKCOUNT, HOOK_INSTRUCTIONS);
    f->expired = false;
    if (f->memory_limit && f->used > f->memory_limit / 2)
        lua_gc(L, LUA_GCCOLLECT, 0);
}

void fence_work(struct fence *f, lua_State *L, uint64_t steps)
{
    f->steps += steps;
    if (f->on && f->steps > PATTERN_STEPS)
        expire(f, L, "string functions took more steps than a rule may use");
}

/* A collection costs what is alive, and a rule keeps little alive from one event to the next: with Lua's own pace most
 * of the collector's work would be to look at the libraries again. */
void fence_pace(struct fence *f, lua_State *L)
{
    f->lavish = f->used < LAVISH_BELOW;
    if (f->memory_limit && f->memory_limit < LAVISH_LIMIT)
        return;
    lua_gc(L, LUA_GCSETPAUSE, f->lavish ? 1000 : 200);
}

static void open_library(lua_State *L, lua_CFunction fn, const char *name)
{
    lua_pushcfunction(L, fn);
    lua_pushstring(L, name);
    lua_call(L, 1, 0);
}

/* Where a script loads C code, that code may read tables behind the bridge's back: from then on none is lazy. */
static int eager_loader(lua_State *L)
{
    fence_of(L)->bridge->lazy = false;
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
    return lua_gettop(L);
}

static void watch_loaders(lua_State *L)
{
    lua_getglobal(L, "package");
    lua_pushliteral(L, "loadlib");
    lua_getfield(L, -2, "loadlib");
    lua_pushcclosure(L, eager_loader, 1);
    lua_rawset(L, -3);
    lua_getfield(L, -1, "loaders");
    for (int i = 3; i <= 4; i++) { /* the two that look for C libraries; reached only when no Lua file was found */
        lua_rawgeti(L, -1, i);
        lua_pushcclosure(L, eager_loader, 1);
        lua_rawseti(L, -2, i);
    }
    lua_pop(L, 2);
}

void fence_open(struct fence *f, lua_State *L, bool jit)
{
    if (!f->on) {
        luaL_openlibs(L);
        watch_loaders(L);
    } else {
        open_library(L, luaopen_base, "");
        open_library(L, luaopen_table, LUA_TABLIBNAME);
        open_library(L, luaopen_string, LUA_STRLIBNAME);
        open_library(L, luaopen_math, LUA_MATHLIBNAME);
        open_library(L, luaopen_bit, LUA_BITLIBNAME);
        open_library(L, luaopen_os, LUA_OSLIBNAME);
        open_library(L, luaopen_debug, LUA_DBLIBNAME);
        lua_sethook(L, hook, LUA_MASKCOUNT, HOOK_INSTRUCTIONS);
    }
    luaJIT_setmode(L, 0, LUAJIT_MODE_ENGINE | (jit ? LUAJIT_MODE_ON : LUAJIT_MODE_OFF));
}
