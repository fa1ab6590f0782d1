/* SPDX-License-Identifier: Apache-2.0 */
/* What host.c and host_start.c share. */
#pragma once
#include "lua/host.h"
#include "lua/sandbox.h"

#include <lauxlib.h>

struct host {
    struct host_options o;
    struct fence fence;
    struct bridge bridge;
    lua_State *L;
    struct buf in, text, tag;
    int function, run, tag_ref;               /* references; tag_ref 0: no tag was kept yet */
    bool five;                                /* cb(tag, ts, group, metadata, record) */
    bool odd_code, odd_time, odd_meta, mixed; /* said already */
    unsigned calls, eager_left;
    /* of the call that runs */
    struct event *ev;
    struct host_result *r;
    enum host_verdict verdict;
};

/* The protected part of a call. */
int host_call(lua_State *L);
/* The text of the error object on top, whatever it is: nothing of the script runs for it. */
struct str host_error_text(lua_State *L);
