/* SPDX-License-Identifier: Apache-2.0 */
/* What privacy.c and clean.c share. */
#pragma once
#include "lua/privacy.h"
#include "lua/record_internal.h"
#include "lua/scan.h"
#include "lua/secret.h"

enum { ACTIONS = 5 }; /* that have a name */

struct privacy {
    struct bridge *bridge;
    const char *key_dir;
    struct secret *secret;
    struct buf work;            /* here and not on a C stack that an error would leave */
    const void *words[ACTIONS]; /* the strings that name actions, which the registry holds */
};

struct privacy *privacy_of(lua_State *L); /* upvalue 1; its work is empty then */
size_t privacy_hash(struct privacy *p, struct str value, char out[SECRET_TEXT]);
int privacy_clean(lua_State *L); /* weir.clean */
void privacy_words(struct privacy *p);
