/* SPDX-License-Identifier: Apache-2.0 */
/* The library that a fenced rule sees. */
#include "lua/sandbox.h"
#include "base/cleanup.h"
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <lauxlib.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>

/* Symbolic links are followed while they stay below the directory. */
static int open_below(int dir, const char *path)
{
    struct open_how how = {.flags = O_RDONLY | O_CLOEXEC, .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
    int fd = (int)syscall(SYS_openat2, dir, path, &how, sizeof how);

    if (fd >= 0 || (errno != ENOSYS && errno != EPERM))
        return fd;
    if (*path == '/' || strstr(path, ".."))
        return errno = EACCES, -1;
    return openat(dir, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
}

bool script_read(int dir, const char *path, struct buf *out, struct err *e)
{
    CLEANUP(cleanup_fd) int fd = dir == AT_FDCWD ? open(path, O_RDONLY | O_CLOEXEC) : open_below(dir, path);
    struct stat st;
    ssize_t n;

    if (fd < 0 || fstat(fd, &st) < 0)
        return err_errno(e, "%s", path);
    if (!S_ISREG(st.st_mode))
        return err_set(e, "%s: is no file", path);
    if (st.st_size > SCRIPT_MAX)
        return err_set(e, "%s: larger than %d MiB", path, SCRIPT_MAX >> 20);
    buf_clear(out);
    while ((n = read(fd, buf_room(out, 65536), 65536)) > 0 && out->n <= SCRIPT_MAX)
        out->n += (size_t)n;
    if (n < 0)
        return err_errno(e, "%s", path);
    if (out->n && out->p[0] == '#') /* #!, as Lua's own loader has it; the line stays for the numbering */
        for (size_t i = 0; i < out->n && out->p[i] != '\n'; i++)
            out->p[i] = i < 2 ? '-' : ' ';
    return true;
}

/* nil and the message, as load does. */
static int load_failed(lua_State *L)
{
    lua_pushnil(L);
    lua_insert(L, -2);
    return 2;
}

static int fenced_load(lua_State *L)
{
    int64_t limit = fence_of(L)->string_limit;
    const char *text, *name;
    size_t n;

    if (lua_isfunction(L, 1)) { /* gives pieces until nil or "" */
        lua_settop(L, 5);
        lua_pushliteral(L, "");
        lua_replace(L, 5);
        for (;;) {
            lua_pushvalue(L, 1);
            lua_call(L, 0, 1);
            if (lua_isnil(L, -1) || (lua_isstring(L, -1) && lua_objlen(L, -1) == 0))
                break;
            if (!lua_isstring(L, -1))
                return luaL_error(L, "reader function must return a string");
            lua_pushvalue(L, 5);
            lua_insert(L, -2);
            lua_concat(L, 2);
            lua_replace(L, 5);
            if ((int64_t)lua_objlen(L, 5) > limit)
                return luaL_error(L, "chunk is too long");
        }
        text = lua_tolstring(L, 5, &n);
    } else {
        text = luaL_checklstring(L, 1, &n);
    }
    name = luaL_optstring(L, 2, "=(load)");
    if (luaL_loadbufferx(L, text, n, name, "t"))
        return load_failed(L);
    if (lua_istable(L, 4)) {
        lua_pushvalue(L, 4);
        lua_setfenv(L, -2);
    }
    return 1;
}

static bool load_below(lua_State *L, const char *path)
{
    struct fence *f = fence_of(L);
    struct buf text = {0};
    struct err e;
    bool ok;

    if (f->rule_dir < 0 || !script_read(f->rule_dir, path, &text, &e)) {
        buf_free(&text);
        lua_pushfstring(L, "cannot read '%s' below the rule directory", path);
        return false;
    }
    lua_pushfstring(L, "@%s", path);
    ok = luaL_loadbufferx(L, text.p, text.n, lua_tostring(L, -1), "t") == 0;
    buf_free(&text);
    lua_remove(L, -2);
    return ok;
}

static int fenced_loadfile(lua_State *L)
{
    return load_below(L, luaL_checkstring(L, 1)) ? 1 : load_failed(L);
}

static int fenced_dofile(lua_State *L)
{
    if (!load_below(L, luaL_checkstring(L, 1)))
        return lua_error(L);
    lua_settop(L, 2);
    lua_call(L, 0, LUA_MULTRET);
    return lua_gettop(L) - 1;
}

/* require "a.b": what was loaded before (upvalue 1), then a/b.lua or a/b/init.lua below the rule directory. */
static int fenced_require(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1), *path;

    lua_settop(L, 1);
    lua_getfield(L, lua_upvalueindex(1), name);
    if (!lua_isnil(L, -1))
        return 1;
    for (const char *c = name; *c; c++)
        if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.", *c) ||
            (c[0] == '.' && c[1] == '.'))
            return luaL_error(L, "bad module name");
    path = luaL_gsub(L, name, ".", "/");
    lua_pushfstring(L, "%s.lua", path);
    if (!load_below(L, lua_tostring(L, -1))) {
        lua_pop(L, 2);
        lua_pushfstring(L, "%s/init.lua", path);
        if (!load_below(L, lua_tostring(L, -1)))
            return luaL_error(L, "module '%s' is not below the rule directory", name);
    }
    lua_pushboolean(L, 1); /* a module that requires itself gets true, as in Lua */
    lua_setfield(L, lua_upvalueindex(1), name);
    lua_pushvalue(L, 1);
    lua_call(L, 1, 1);
    if (lua_isnil(L, -1)) {
        lua_pop(L, 1);
        lua_pushboolean(L, 1);
    }
    lua_pushvalue(L, -1);
    lua_setfield(L, lua_upvalueindex(1), name);
    return 1;
}

/* The handler of Lua's own xpcall runs inside the hook that raised, where no hook fires: an endless one would never
 * end. Here it runs when the call has been unwound. */
static int fenced_xpcall(lua_State *L)
{
    int n = lua_gettop(L);

    luaL_checkany(L, 2);
    lua_pushvalue(L, 2); /* becomes handler, function, arguments */
    lua_insert(L, 1);
    lua_remove(L, 3);
    if (lua_pcall(L, n - 2, LUA_MULTRET, 0) == 0) {
        lua_pushboolean(L, 1);
        lua_replace(L, 1);
        return lua_gettop(L);
    }
    lua_call(L, 1, 1); /* handler, error */
    lua_pushboolean(L, 0);
    lua_insert(L, -2);
    return 2;
}

/* The memory cap does what a script would call this for. */
static int fenced_collectgarbage(lua_State *L)
{
    const char *what = luaL_optstring(L, 1, "collect");

    if (strcmp(what, "count") == 0)
        lua_pushnumber(L, (double)lua_gc(L, LUA_GCCOUNT, 0) + lua_gc(L, LUA_GCCOUNTB, 0) / 1024.0);
    else
        lua_pushinteger(L, 0);
    return 1;
}

static int fenced_getenv(lua_State *L)
{
    struct fence *f = fence_of(L);
    struct str name;
    const char *value;

    name.p = luaL_checklstring(L, 1, &name.n);
    for (size_t i = 0; i < f->allow_env.n; i++) {
        if (!str_eq(f->allow_env.items[i], name))
            continue;
        value = getenv(name.p);
        if (!value)
            return 0;
        lua_pushstring(L, value);
        return 1;
    }
    log_warn("os.getenv of a variable that allow_env does not name", "variable", name.p);
    return 0;
}

static int fenced_sort(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    if (lua_objlen(L, 1) > SORT_MEMBERS)
        return luaL_error(L, "table.sort: more than %d members", SORT_MEMBERS);
    fence_work(fence_of(L), L, 8 * lua_objlen(L, 1));
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, lua_gettop(L) - 1, 0);
    return 0;
}

static void set_os(lua_State *L)
{
    static const char *const kept[] = {"time", "date", "clock", "difftime"};

    lua_getglobal(L, "os");
    lua_createtable(L, 0, 5);
    for (size_t i = 0; i < ARRAY_LEN(kept); i++) {
        lua_getfield(L, -2, kept[i]);
        lua_setfield(L, -2, kept[i]);
    }
    lua_pushcfunction(L, fenced_getenv);
    lua_setfield(L, -2, "getenv");
    lua_setglobal(L, "os");
    lua_pop(L, 1);
}

static void set_function(lua_State *L, const char *name, lua_CFunction fn)
{
    lua_pushcfunction(L, fn);
    lua_setglobal(L, name);
}

static void forget(lua_State *L, const char *name)
{
    lua_pushnil(L);
    lua_setglobal(L, name);
}

void fence_library(struct fence *f, lua_State *L)
{
    static const char *const gone[] = {"newproxy", "module", "debug", "io", "jit", "package", "ffi"};

    (void)f;
    for (size_t i = 0; i < ARRAY_LEN(gone); i++)
        forget(L, gone[i]);
    set_function(L, "load", fenced_load);
    set_function(L, "loadstring", fenced_load);
    set_function(L, "loadfile", fenced_loadfile);
    set_function(L, "dofile", fenced_dofile);
    set_function(L, "collectgarbage", fenced_collectgarbage);
    set_function(L, "xpcall", fenced_xpcall);
    lua_newtable(L);
    lua_pushvalue(L, -1);
    lua_setfield(L, LUA_REGISTRYINDEX, "weir.loaded");
    lua_pushcclosure(L, fenced_require, 1);
    lua_setglobal(L, "require");
    set_os(L);

    lua_getglobal(L, "table");
    lua_getfield(L, -1, "sort");
    lua_pushcclosure(L, fenced_sort, 1);
    lua_setfield(L, -2, "sort");
    lua_pop(L, 1);

    lua_getglobal(L, "string");
    lua_pushnil(L);
    lua_setfield(L, -2, "dump");
    lua_pop(L, 1);
    lua_pushliteral(L, "");
    if (lua_getmetatable(L, -1)) { /* getmetatable("") shows nothing, setmetatable is refused anyway */
        lua_pushboolean(L, 0);
        lua_setfield(L, -2, "__metatable");
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    fence_strings(f, L);
}
