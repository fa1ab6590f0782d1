/* SPDX-License-Identifier: Apache-2.0 */
/* Records to Lua and back.  A map becomes an ordinary table whose fields arrive when first touched; an array is filled
 * at once.  Every table that came from a record remembers the encoded bytes it came from (its source), and on the way
 * back whatever still has the value it came with keeps its bytes.  So a table gives the same record whether it was
 * filled lazily or eagerly.  All functions may raise Lua errors: they are called below a pcall. */
#pragma once
#include "base/buf.h"
#include "lua/source.h"

#include <lua.h>

enum {
    RECORD_DEPTH = 64,     /* of nesting; also what ends a table that contains itself */
    RECORD_MAX = 32 << 20, /* bytes of one encoded result: a table met twice is written twice */
    LAZY_MEMBERS = 128,    /* larger maps are filled at once: a look-up walks the fields */
    REPEATED_KEYS = 64,    /* equal keys in one large map */
    KEY_HINTS = 256,       /* a power of two */
    KNOWN_TABLES = 4,
    KNOWN_MOST = 16 << 10, /* bytes: they stay in memory until other tables take their places */
};

/* A lazy table inside the record; the registry keeps it and its source alive. */
struct known {
    const void *table;
    struct source *source;
    int table_ref, source_ref;
};

struct bridge {
    lua_State *L;
    struct buf out, scratch; /* scratch: a stack of keys to sort */
    bool lazy, flb_null;
    struct strs int_keys, array_keys;
    const void *lazy_meta;
    int lazy_ref;               /* of the same, in the registry */
    const void *root;           /* the record's own table during a call, kept alive by the host's stack ... */
    struct source *root_source; /* ... and its source, which is asked for most */
    struct known known[KNOWN_TABLES];
    unsigned nknown;           /* of this call */
    uint8_t hints[KEY_HINTS];  /* by the place of a key: which field it was, in whichever map */
    bool side;                 /* some table's source is in the side table */
    bool mixed;                /* a table with integer keys lost its other keys */
    uint64_t offered, touched; /* fields of lazy maps, and those that were looked at */
    const char *fail_code;     /* what a raised bridge error means */
    char fail_text[160], quarantine_code[48];
};

void bridge_setup(struct bridge *b);
void bridge_free(struct bridge *b);
/* Pushes an encoded map or array.  bridge_push: it is the record; below it its source is left, and both stay on the
 * caller's stack during the call. */
void bridge_push(struct bridge *b, struct str bytes);
void bridge_push_more(struct bridge *b, struct str bytes);
void bridge_forget(struct bridge *b); /* after the call: what it knows of the record's tables */
/* Appends the value at `index`, encoded, to b->out. */
void bridge_encode(struct bridge *b, int index);
/* Raises an error that no handler can read; the host takes code and text from the bridge. */
int bridge_fail(struct bridge *b, const char *code, const char *text) __attribute__((noreturn));
/* The source of the table at `index`, or NULL. */
struct source *source_of(struct bridge *b, int index);
void source_fill(struct bridge *b, int index, struct source *s);
/* NULL: not there.  The key is a string of Lua's: the same text mostly comes from the same place. */
struct slot *source_find(struct bridge *b, struct source *s, const char *key, size_t n);
