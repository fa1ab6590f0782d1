/* SPDX-License-Identifier: Apache-2.0 */
/* JSON text to msgpack in one pass: no tree, and the only memory is the output and a word per key of the open objects.
 * A container's header is one byte until its members are counted. */
#include "base/io.h"
#include "event/json_parse.h"
#include "event/json_scan.h"
#include "event/json_shape.h"
#include "event/msgpack_put.h"

#include <pthread.h>
#include <stdlib.h>

enum { TEXT_MAX = 512 * 1024 * 1024 }; /* so that places in the output, at most three times as long, fit 31 bits */

#define INLINE static inline __attribute__((always_inline))

const struct json_limits json_limits_default = {JSON_DEPTH, 1000000, 65536, false, false};

/* Keys for the hash: nobody who does not know them can write many keys that collide. */
static uint64_t secret[2];
static pthread_once_t drawn = PTHREAD_ONCE_INIT;

static _Thread_local struct json_shapes shapes;

static void draw(void)
{
    io->random(secret, sizeof secret);
}

__attribute__((cold, noinline)) char *json_fail(struct json_reader *r, const char *at, const char *why)
{
    err_set(r->e, "at byte %zu: %s", (size_t)(at - r->text), why);
    return NULL;
}

__attribute__((noinline)) char *json_more(struct json_reader *r, char *w, size_t want)
{
    struct buf *out = r->out;

    out->n = (size_t)(w - out->p);
    w = buf_room(out, want + 2 * JSON_ROOM);
    r->start = out->p + r->base;
    r->limit = out->p + out->cap - JSON_ROOM;
    return w;
}

static __attribute__((noinline)) const char *blanks(const char *p, const char *end)
{
    while (p < end && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t'))
        p++;
    return p;
}

INLINE const char *blank(const char *p, const char *end)
{
    return __builtin_expect(p < end && (unsigned char)*p <= ' ', 0) ? blanks(p, end) : p;
}

INLINE uint64_t fold(uint64_t a, uint64_t b)
{
    unsigned __int128 product = (unsigned __int128)a * b;

    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* Of n bytes in the output, behind which JSON_ROOM may be read. */
INLINE uint64_t key_hash(const char *p, size_t n)
{
    static const uint64_t keep[9] = {
        0, 0xff, 0xffff, 0xffffff, 0xffffffff, 0xffffffffff, 0xffffffffffff, 0xffffffffffffff, ~0ull};
    uint64_t a, b, hash = secret[0] + n;

    for (; __builtin_expect(n > 16, 0); n -= 16, p += 16) {
        memcpy(&a, p, 8);
        memcpy(&b, p + 8, 8);
        hash = fold(a ^ hash, b ^ secret[1]);
    }
    memcpy(&a, p, 8);
    memcpy(&b, p + 8, 8);
    if (n <= 8) {
        a = le64toh(a) & keep[n];
        b = 0;
    } else {
        b = le64toh(b) & keep[n - 8];
    }
    return fold(a ^ hash, b ^ secret[1]);
}

/* The string at p, behind its opening quote. */
INLINE char *string(struct json_reader *r, const char **at, char *w)
{
    const char *p = *at;
    unsigned hit, n;

    if (__builtin_expect(r->end - p >= 2 * SCAN, 1)) {
        hit = scan_copy(p, w + 1);
        n = hit ? (unsigned)__builtin_ctz(hit) : 0;
        if (!hit) {
            hit = scan_copy(p + SCAN, w + 1 + SCAN);
            n = hit ? SCAN + (unsigned)__builtin_ctz(hit) : 0;
        }
        if (__builtin_expect(hit && p[n] == '"', 1)) {
            *w = (char)(0xa0 | n);
            *at = p + n + 1;
            return w + 1 + n;
        }
    }
    w = json_string(r, p, w);
    *at = r->p;
    return w;
}

INLINE char *number(struct json_reader *r, const char **at, char *w)
{
    const char *p = *at, *end = r->end, *first;
    bool negative = *p == '-';
    uint64_t u = 0;

    first = p += negative;
    while (p < end && (unsigned char)(*p - '0') <= 9)
        u = u * 10 + (unsigned char)(*p++ - '0');
    if (__builtin_expect(p < end && *p == '.' && p - first <= 18, 0)) {
        w = json_fraction(r, first, p, u, w);
        *at = r->p;
        return w;
    }
    /* Anything but plain digits that fit: no digit, 01, -0, an exponent, more than 18. */
    if (p - first > 18 || (p < end && (*p | 0x20) == 'e') || p == first ||
        (*first == '0' && (p > first + 1 || negative))) {
        w = json_number(r, *at, w);
        *at = r->p;
        return w;
    }
    *at = p;
    return negative ? put_int(w, -(int64_t)u) : put_uint(w, u);
}

INLINE char *literal(struct json_reader *r, const char **at, char *w)
{
    const char *p = *at;
    size_t left = (size_t)(r->end - p);

    if (left >= 4 && memcmp(p, "true", 4) == 0)
        *w = (char)0xc3;
    else if (left >= 4 && memcmp(p, "null", 4) == 0)
        *w = (char)0xc0;
    else if (left >= 5 && memcmp(p, "false", 5) == 0)
        *w = (char)0xc2;
    else
        return json_fail(r, p, "a value is expected");
    *at = p + 4 + ((uint8_t)*w == 0xc2);
    return w + 1;
}

INLINE char *scalar(struct json_reader *r, const char **p, char *w)
{
    char c = **p;

    if (c == '"') {
        ++*p;
        return string(r, p, w);
    }
    if (c == '-' || (unsigned char)(c - '0') <= 9)
        return number(r, p, w);
    return literal(r, p, w);
}

/* Of an encoded string of n bytes. */
static uint32_t str_payload(uint32_t n)
{
    return n <= 1 + 31 ? n - 1 : n <= 2 + UINT8_MAX ? n - 2 : n <= 3 + UINT16_MAX ? n - 3 : n - 5;
}

INLINE void see(struct json_level *top, uint32_t hash)
{
    top->seen[hash >> 6 & 3] |= 1ull << (hash & 63);
}

/* The key just recorded is new in its map; its text began at `first`, behind the value before it. */
static void learn(struct json_reader *r, struct json_level *top, const char *first, const char *p, uint32_t n)
{
    const struct json_key *k = &r->keys[r->nkeys - 1];
    const char *encoded = r->start + k->at;
    struct json_shape *shape = NULL;

    /* Up to its value; and no escapes, so that the same text is the same key in every reading. */
    p = blank(p, r->end);
    if (n <= SHAPE_TEXT && p - first <= SHAPE_TEXT && top->count < JSON_LINEAR &&
        !memchr(first, '\\', (size_t)(p - first)) && memmem(first, (size_t)(p - first), encoded + 1, n - 1))
        shape = shape_learn(&shapes, top->next, (struct str){first, (size_t)(p - first)}, (struct str){encoded, n},
                            k->hash);
    top->next = shape ? &shape->next : NULL;
    top->child = shape ? &shape->child : NULL;
}

/* The usual case: the key that was in this place before, and all between two values.  False: another. */
INLINE bool known_key(struct json_reader *r, struct json_level *top, const char **at, char **w)
{
    const char *p = *at;
    struct json_shape *shape;
    char last[SHAPE_TEXT] __attribute__((uninitialized));
    size_t left = (size_t)(r->end - p);

    if (__builtin_expect(left < SHAPE_TEXT, 0)) {
        memset(last, 0, sizeof last);
        memcpy(last, p, left);
        p = last;
    }
    shape = shape_find(&shapes, *top->next, p);
    if (__builtin_expect(!shape || r->nkeys == r->cap_keys, 0))
        return false;
    r->keys[r->nkeys++] = (struct json_key){(uint32_t)(*w - r->start), shape->hash};
    top->count++;
    top->next = &shape->next;
    top->child = &shape->child;
    memcpy(*w, shape->encoded, SHAPE_TEXT);
    *w += shape->n;
    *at += shape->bytes;
    return true;
}

/* Any key, and the colon behind it; its text begins at `begin`, perhaps with the comma in front. */
static __attribute__((noinline)) char *key(struct json_reader *r, struct json_level *top, const char *begin,
                                           const char **at, char *w)
{
    const char *p = blank(*at, r->end), *first = p;
    uint32_t place, n, hash, dead = top->dead;

    if (p == r->end || *p != '"')
        return json_fail(r, p, "a key in quotes is expected");
    if (w > r->limit)
        w = json_more(r, w, 0);
    place = (uint32_t)(w - r->start);
    p++;
    w = string(r, &p, w);
    if (!w)
        return NULL;
    n = (uint32_t)(w - r->start) - place;
    if (n - 1 > r->limits->key_bytes && str_payload(n) > r->limits->key_bytes)
        return json_fail(r, first, "a key is too long");
    if (w > r->limit)
        w = json_more(r, w, 0);
    for (uint32_t i = top->keys; top->next && i < r->nkeys; i++)
        see(top, r->keys[i].hash); /* those that were known */
    /* The header is part of what is hashed: it saves finding out how long it is. */
    hash = (uint32_t)(key_hash(w - n, n) >> 32);
    if (r->nkeys == r->cap_keys)
        json_more_keys(r);
    r->keys[r->nkeys++] = (struct json_key){place, hash};
    top->count++;
    if (__builtin_expect((top->seen[hash >> 6 & 3] & 1ull << (hash & 63)) || top->count > JSON_LINEAR, 0) &&
        !json_key_again(r, top, n))
        return json_fail(r, first, "the key was there before in the same object");
    see(top, hash);
    p = blank(p, r->end);
    if (p == r->end || *p != ':')
        return json_fail(r, p, "a colon is expected");
    p++;
    if (top->next && top->dead == dead)
        learn(r, top, begin, p, n);
    else
        top->next = top->child = NULL;
    *at = p;
    return w;
}

INLINE char *open_container(struct json_reader *r, struct json_level *top, bool map, char *w)
{
    uint16_t *child = top[-1].child;

    *top = (struct json_level){.head = (uint32_t)(w - r->start),
                               .keys = r->nkeys,
                               .map = map,
                               .close = map ? '}' : ']',
                               .next = map ? child : NULL,
                               .child = map ? NULL : child};
    return w + 1;
}

INLINE char *close_container(struct json_reader *r, struct json_level *top, char *w)
{
    if (__builtin_expect(top->count > 15 || top->dead, 0))
        w = json_close(r, top, w);
    else
        r->start[top->head] = (char)((top->map ? 0x80 : 0x90) | top->count);
    r->nkeys = top->keys;
    return w;
}

/* Behind a value: closes what closes, and stops where the next value begins; *p is its first byte.  At the end of the
 * whole *depth is r->levels. */
INLINE char *next(struct json_reader *r, struct json_level **depth, const char **at, char *w, bool opened)
{
    struct json_level *top = *depth;
    const char *p = *at, *end = r->end, *begin;

    while (top != r->levels) {
        if (__builtin_expect(w > r->limit, 0))
            w = json_more(r, w, 0);
        if (top->next && known_key(r, top, &p, &w))
            break;
        begin = p;
        p = blank(p, end);
        if (p == end)
            return json_fail(r, p, "the text ends inside of a value");
        if (*p == top->close) {
            w = close_container(r, top--, w);
            p++;
            opened = false;
            continue;
        }
        if (!opened && *p++ != ',')
            return json_fail(r, p - 1, top->map ? "a comma or } is expected" : "a comma or ] is expected");
        if (top->count >= r->limits->members)
            return json_fail(r, p, "too many members");
        if (top->map)
            w = key(r, top, begin, &p, w);
        else
            top->count++;
        break;
    }
    *at = p;
    *depth = top;
    return w;
}

INLINE char *value(struct json_reader *r, const char **at, char *w)
{
    const char *p = *at;
    unsigned digit = (unsigned)(unsigned char)*p - '0';

    /* One digit, and nothing behind it that belongs to a number. */
    if (digit <= 9 && r->end - p >= 2 && (p[1] == ',' || p[1] == ']' || p[1] == '}')) {
        *at = p + 1;
        *w = (char)digit;
        return w + 1;
    }
    return scalar(r, at, w);
}

static const char *run(struct json_reader *r, const char *p, char *w)
{
    struct json_level *top = r->levels;
    uint32_t depth = r->limits->depth < JSON_DEPTH ? r->limits->depth : JSON_DEPTH;

    do {
        bool opened = false;
        p = blank(p, r->end);
        if (p == r->end) {
            w = json_fail(r, p, "a value is expected");
            break;
        }
        if (w > r->limit)
            w = json_more(r, w, 0);
        if ((*p | 0x20) == '{') { /* or [ */
            if (top == r->levels + depth) {
                w = json_fail(r, p, "nested too deep");
                break;
            }
            w = open_container(r, ++top, *p++ == '{', w);
            opened = true;
        } else {
            w = value(r, &p, w);
            if (!w)
                break;
        }
        w = next(r, &top, &p, w, opened);
    } while (w && top != r->levels);
    if (w) {
        r->out->n = (size_t)(w - r->out->p);
        return p;
    }
    while (top > r->levels)
        free((top--)->slots);
    return NULL;
}

bool json_read(struct str text, const struct json_limits *limits, struct buf *out, struct json_result *result,
               struct err *e)
{
    struct json_reader r __attribute__((uninitialized));
    const char *p = text.p, *end;

    if (text.n > TEXT_MAX)
        return err_set(e, "at byte %d: the text is too long", TEXT_MAX);
    pthread_once(&drawn, draw);
    r.text = p;
    r.end = p + text.n;
    r.limits = limits;
    r.out = out;
    r.base = out->n;
    r.budget = text.n * 4 + 4096;
    r.replaced = 0;
    r.e = e;
    r.p = p;
    r.keys = r.few;
    r.nkeys = 0;
    r.cap_keys = JSON_FEW_KEYS;
    r.edits = NULL;
    r.nedits = r.cap_edits = 0;
    r.defer = false;
    r.levels[0].child = limits->key_bytes >= SHAPE_TEXT && limits->members >= JSON_LINEAR ? &shapes.root : NULL;
    if (shapes.misses > SHAPE_MISSES)
        shape_forget(&shapes);
    if (text.n >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0)
        p += 3; /* a byte order mark, which RFC 8259 lets a reader ignore */
    buf_room(out, 2 * JSON_ROOM);
    end = run(&r, blank(p, r.end), json_more(&r, out->p + out->n, 0));
    if (r.keys != r.few)
        free(r.keys);
    if (!end)
        out->n = r.base;
    else if (r.nedits)
        json_finish_edits(&r);
    free(r.edits);
    if (end && result)
        *result = (struct json_result){(size_t)(end - text.p), r.replaced};
    return end != NULL;
}

bool json_read_whole(struct str text, const struct json_limits *limits, struct buf *out, struct err *e)
{
    struct json_result result = {0};
    size_t was = out->n;
    const char *p, *end = text.p + text.n;

    if (!json_read(text, limits, out, &result, e))
        return false;
    p = blank(text.p + result.used, end);
    if (p == end)
        return true;
    out->n = was;
    return err_set(e, "at byte %zu: something follows the value", (size_t)(p - text.p));
}
