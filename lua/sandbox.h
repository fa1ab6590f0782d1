/* SPDX-License-Identifier: Apache-2.0 */
/* The fence around a rule: caps on memory, time and strings, and a library without the functions that reach outside.
 * It stops mistakes and crafted events; the process's own sandbox stands behind it. */
#pragma once
#include "base/err.h"
#include "lua/pool.h"
#include "lua/record.h"

enum {
    HOOK_INSTRUCTIONS = 5000, /* between two looks at the clock: about 50 us of interpreted code */
    PATTERN_STEPS = 4 << 20,  /* of pattern matching in one call of a rule: about 10 ms */
    SORT_MEMBERS = 200000,    /* table.sort runs in C, where no hook fires */
    LAVISH_BELOW = 8 << 20,   /* bytes in use under which the collector may wait ... */
    LAVISH_LIMIT = 32 << 20,  /* ... where memory_limit is at least this */
    SCRIPT_MAX = 8 << 20,     /* bytes of a script file */
    STACK_MAX = 1 << 20,      /* of C's stack: coroutines that resume coroutines take some for each */
};

struct fence {
    struct bridge *bridge;
    struct pool pool;
    lua_Alloc under; /* LuaJIT's own allocator, where it insists on it; else NULL */
    void *under_arg;
    int64_t used, memory_limit; /* bytes; limit 0: none */
    const char *stack;          /* where C's stack stood when the call began; NULL: no call */
    int64_t time_limit;         /* ns per call */
    int64_t string_limit;
    int64_t started;          /* at the first hook of this call */
    uint64_t call, hook_call; /* which call the hook saw last */
    uint64_t steps;           /* of pattern matching in this call */
    struct buf text;          /* what gsub works in */
    bool on, expired;
    bool lavish;  /* the collector runs seldom, because little is alive */
    int rule_dir; /* descriptor of the directory below which require looks, or -1 */
    struct strs allow_env;
};

/* The state with its counting allocator; NULL when there is no memory. */
lua_State *fence_state(struct fence *f);
void fence_close(struct fence *f, lua_State *L);
/* Opens the libraries: all of them, or those that the fence lets through. */
void fence_open(struct fence *f, lua_State *L, bool jit);
void fence_pace(struct fence *f, lua_State *L);
/* Before and after each call of a rule. */
static inline void fence_enter(struct fence *f, lua_State *L)
{
    f->call++;
    f->steps = 0;
    f->stack = __builtin_frame_address(0);
    if (__builtin_expect(f->lavish != (f->used < LAVISH_BELOW), 0))
        fence_pace(f, L);
}
void fence_leave(struct fence *f, lua_State *L); /* after a call that failed */
/* Counts work done in C; raises when the call has used up its budget. */
void fence_work(struct fence *f, lua_State *L, uint64_t steps);

struct fence *fence_of(lua_State *L);
void fence_strings(struct fence *f, lua_State *L); /* pattern.c: find match gmatch gsub rep format */
void fence_library(struct fence *f, lua_State *L); /* fence.c: load require os ... */
/* A file below `dir` (AT_FDCWD: anywhere) as text; false: e has why. */
bool script_read(int dir, const char *path, struct buf *out, struct err *e);
