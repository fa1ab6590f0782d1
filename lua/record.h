/* SPDX-License-Identifier: Apache-2.0 */
/* Records to Lua and back.  A map becomes an ordinary table whose fields arrive when first touched; an array is filled
 * at once.  Every table that came from a record remembers the encoded bytes it came from (its source), and on the way
 * back whatever still has the value it came with keeps its bytes.  So a table gives the same record whether it was
 * filled lazily or eagerly.  All functions may raise Lua errors: they are called below a pcall. */
#pragma once
#include "base/buf.h"

#include <lua.h>

enum {
    RECORD_DEPTH = 64,     /* of nesting; also what ends a table that contains itself */
    RECORD_MAX = 32 << 20, /* bytes of one encoded result: a table met twice is written twice */
    LAZY_MEMBERS = 128,    /* larger maps are filled at once: a look-up walks the fields */
    REPEATED_KEYS = 64,    /* equal keys in one large map */
};

struct slot {
    uint32_t key, nkey; /* text of the key */
    uint32_t val, end;  /* the encoded value */
    uint8_t type;       /* of the value */
    uint8_t flags;
    uint16_t now;  /* during the way back: what is in the table now, see writeback.c */
    uint16_t mark; /* of the key: see slot_mark */
};

enum {
    SLOT_LOADED = 1, /* its value was in the table at some time: what is there now counts */
    SLOT_GONE = 2,   /* a null that was deleted */
    SLOT_SHADOW = 4, /* a later field has the same key */
    SLOT_HIDDEN = 8, /* a key that no Lua table can have: kept as it is */
    SLOT_OTHER = 16, /* the key is no string */
    SLOT_READ = 32,  /* a scalar that was read once, and is not in the table yet */
};

/* Lives in a userdata that its table owns. */
struct source {
    uint32_t magic;
    bool map, lazy;
    bool simple;  /* the keys are strings, and no two are equal */
    bool busy;    /* on its way back; a table inside it that a script gave the same source goes the slow way */
    bool extra;   /* a key that did not come with it was assigned */
    bool foreign; /* the script has given the table another metatable */
    uint32_t n, head, size;
    const char *bytes;
    struct slot slots[];
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
    bool side;                  /* some table's source is in the side table */
    bool mixed;                 /* a table with integer keys lost its other keys */
    uint64_t offered, touched;  /* fields of lazy maps, and those that were looked at */
    const char *fail_code;      /* what a raised bridge error means */
    char fail_text[160], quarantine_code[48];
};

void bridge_setup(struct bridge *b);
void bridge_free(struct bridge *b);
/* Pushes an encoded map or array.  bridge_push: it is the record; below it its source is left, and both stay on the
 * caller's stack during the call. */
void bridge_push(struct bridge *b, struct str bytes);
void bridge_push_more(struct bridge *b, struct str bytes);
/* Appends the value at `index`, encoded, to b->out. */
void bridge_encode(struct bridge *b, int index);
/* Raises an error that no handler can read; the host takes code and text from the bridge. */
int bridge_fail(struct bridge *b, const char *code, const char *text) __attribute__((noreturn));
/* The source of the table at `index`, or NULL. */
struct source *source_of(struct bridge *b, int index);
void source_fill(struct bridge *b, int index, struct source *s);
struct slot *source_find(struct source *s, const char *key, size_t n); /* NULL: not there */
