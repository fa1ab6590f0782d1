/* SPDX-License-Identifier: Apache-2.0 */
/* What a table remembers of the encoded bytes that it came from. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

enum { SOURCE_MAGIC = 0x77e17a61 };

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
