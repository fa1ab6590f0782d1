/* SPDX-License-Identifier: Apache-2.0 */
/* Inside of json_read: its state, and the parts that are not on the shortest path. */
#pragma once
#include "event/json.h"

enum {
    JSON_DEPTH = 64,
    JSON_ROOM = 64,     /* always free behind `w`: two blocks of a scan, a header, a number */
    JSON_LINEAR = 64,   /* keys of one object up to which a look through their hashes is the cheapest */
    JSON_FEW_KEYS = 192 /* of all open objects, before the heap is asked */
};
#define JSON_DEAD (1u << 31) /* in at: a later key of the same name has won */

/* A key of an open object: where its bytes are in the output, from r->start. */
struct json_key {
    uint32_t at, hash;
};

struct json_level {
    uint32_t head;  /* where the header goes; one byte is reserved */
    uint32_t count; /* members */
    uint32_t keys;  /* the first of its keys in r->keys */
    uint32_t dead;
    bool map;
    char close;
    uint16_t *next;          /* the shape expected of its next key; NULL: none is */
    uint16_t *child;         /* the same of a map that is its next value */
    uint32_t *slots, nslots; /* beyond JSON_LINEAR keys: a hash set of 1 + index */
    uint64_t seen[4];        /* a bit per hash: not set means not seen */
};

/* What remains to be done to the output at its end, when doing it at once would move the same bytes too often. */
struct json_edit {
    uint32_t at, n; /* a header for n members at `at`, or n bytes to leave out */
    uint8_t kind;   /* 0x80 map, 0x90 array, 0 leave out */
};

struct json_reader {
    const char *text, *end;
    const struct json_limits *limits;
    struct buf *out;
    size_t base;     /* out->n before */
    char *start;     /* out->p + base */
    char *limit;     /* up to here JSON_ROOM is free */
    const char *p;   /* where a slow part stopped */
    uint64_t budget; /* bytes that may be moved at once */
    uint32_t replaced;
    struct err *e;
    struct json_key *keys;
    uint32_t nkeys, cap_keys;
    struct json_edit *edits;
    size_t nedits, cap_edits;
    bool defer;
    struct json_level levels[JSON_DEPTH + 1];
    struct json_key few[JSON_FEW_KEYS];
};

char *json_fail(struct json_reader *r, const char *at, const char *why); /* NULL */
char *json_more(struct json_reader *r, char *w, size_t want);            /* room for it, and JSON_ROOM; w, moved */
/* The string whose first byte is p; r->p is set behind its closing quote.  Returns where the next byte goes. */
char *json_string(struct json_reader *r, const char *p, char *w);
/* A number with a fraction or an exponent, or one of many digits; p is its first byte. */
char *json_number(struct json_reader *r, const char *p, char *w);
/* The usual one with a point: `whole` is the value of the digits from `first`, at most 18, up to the point. */
char *json_fraction(struct json_reader *r, const char *first, const char *point, uint64_t whole, char *w);
/* The key just recorded may be there already.  False: it is, and that is refused. */
bool json_key_again(struct json_reader *r, struct json_level *level, size_t bytes);
void json_more_keys(struct json_reader *r);
/* A container that has repeated keys or needs a longer header. */
char *json_close(struct json_reader *r, struct json_level *level, char *w);
void json_finish_edits(struct json_reader *r);
