/* SPDX-License-Identifier: Apache-2.0 */
#include "store/image.h"

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/reader.h"

enum { IMAGE_VERSION = 1, ROUTES_MAX = 1 << 16, OUTPUTS_MAX = 1 << 12 };

static void put_str(struct buf *b, struct str s)
{
    buf_varint(b, s.n);
    buf_str(b, s);
}

static struct str get_str(struct reader *r)
{
    uint64_t n = reader_varint(r);

    if (n > reader_left(r)) {
        r->bad = true;
        return STR("");
    }
    return reader_bytes(r, (size_t)n);
}

static void free_value(void *p)
{
    struct buf *b = p;

    if (b)
        buf_free(b);
    free(b);
}

static void free_values(struct map *m)
{
    for (struct map_entry *e = NULL; (e = map_next(m, e));)
        free_value(e->value);
    map_free(m);
}

static void free_outputs(struct image_route_set *set)
{
    for (size_t i = 0; i < set->outputs.n; i++)
        free((char *)set->outputs.items[i].p);
    free(set->outputs.items);
    set->outputs = (struct strs){0};
}

void image_free(struct image *image)
{
    free_values(&image->positions);
    free_values(&image->state);
    for (struct map_entry *e = NULL; (e = map_next(&image->ledger, e));)
        free(e->value);
    map_free(&image->ledger);
    for (size_t i = 0; i < image->nroutes; i++)
        free_outputs(&image->routes[i]);
    free(image->routes);
    *image = (struct image){0};
}

static struct image_route_set *route_set(struct image *image, uint32_t number)
{
    for (size_t i = 0; i < image->nroutes; i++)
        if (image->routes[i].number == number)
            return &image->routes[i];
    if (image->nroutes == ROUTES_MAX)
        return NULL;
    image->routes = alloc_grow(image->routes, image->nroutes, &image->routes_cap, sizeof *image->routes);
    image->routes[image->nroutes] = (struct image_route_set){.number = number};
    return &image->routes[image->nroutes++];
}

/* "owner\0key" -> value; an empty value deletes. */
static void set_value(struct map *m, struct str key, struct str value)
{
    struct buf *b;

    if (!value.n) {
        free_value(map_del(m, key));
        return;
    }
    b = map_get(m, key);
    if (!b) {
        b = alloc_new(sizeof *b);
        map_set(m, key, b);
    }
    buf_clear(b);
    buf_str(b, value);
}

static void set_pair(struct map *m, struct str owner, struct str key, struct str value)
{
    CLEANUP(buf_free) struct buf joined = {0};

    buf_str(&joined, owner);
    buf_char(&joined, 0);
    buf_str(&joined, key);
    set_value(m, buf_view(&joined), value);
}

static bool apply_pair(struct map *m, struct str payload)
{
    struct reader r = reader_of(payload);
    struct str owner = get_str(&r), key = get_str(&r), value = get_str(&r);

    if (r.bad)
        return false;
    set_pair(m, owner, key, value);
    return true;
}

static bool read_route(struct image *image, struct reader *r)
{
    uint32_t number = reader_le32(r);
    uint64_t n = reader_varint(r);
    struct image_route_set *set;

    if (r->bad || n > OUTPUTS_MAX || !(set = route_set(image, number)))
        return false;
    free_outputs(set);
    set->outputs.items = alloc_array((size_t)n, sizeof(struct str));
    while (set->outputs.n < n) {
        struct str name = get_str(r);
        if (r->bad)
            return false;
        set->outputs.items[set->outputs.n++] = (struct str){alloc_text(name.p, name.n), name.n};
    }
    return true;
}

static void add_counter(struct image *image, struct str name, uint64_t delta)
{
    uint64_t *n = map_get(&image->ledger, name);

    if (!n) {
        n = alloc_new(sizeof *n);
        map_set(&image->ledger, name, n);
    }
    *n += delta;
}

static bool apply_ledger(struct image *image, struct str payload)
{
    struct reader r = reader_of(payload);

    while (reader_left(&r)) {
        struct str name = get_str(&r);
        uint64_t delta = reader_le64(&r);
        if (r.bad)
            return false;
        add_counter(image, name, delta);
    }
    return true;
}

/* The head of a batch's payload, see event/batch.h; its columns are the readers' business. */
static bool apply_events(struct image *image, struct str payload)
{
    struct reader r = reader_of(payload);
    struct image_route_set *set;
    uint32_t number, count;

    reader_bytes(&r, reader_le16(&r));
    number = reader_le32(&r);
    reader_u8(&r);
    count = reader_le32(&r);
    if (r.bad || !(set = route_set(image, number)))
        return false;
    set->events += count;
    return true;
}

static bool read_map(struct map *m, struct reader *r)
{
    uint64_t n = reader_varint(r);

    while (n-- && !r->bad) {
        struct str key = get_str(r), value = get_str(r);
        if (!r->bad)
            set_value(m, key, value);
    }
    return !r->bad;
}

static bool read_checkpoint(struct image *image, struct reader *r)
{
    uint64_t n;

    if (reader_u8(r) != IMAGE_VERSION || !read_map(&image->positions, r) || !read_map(&image->state, r))
        return false;
    n = reader_varint(r);
    while (n-- && !r->bad) {
        struct str name = get_str(r);
        uint64_t value = reader_le64(r);
        if (!r->bad)
            add_counter(image, name, value);
    }
    n = reader_varint(r);
    while (n-- && !r->bad) {
        struct reader ahead = *r;
        struct image_route_set *set = route_set(image, reader_le32(&ahead));
        if (!set || !read_route(image, r))
            return false;
        set = route_set(image, set->number);
        set->events = reader_le64(r);
    }
    return !r->bad;
}

static bool apply_checkpoint(struct image *image, struct str payload)
{
    struct image fresh = {0};
    struct reader r = reader_of(payload);

    if (!read_checkpoint(&fresh, &r)) {
        image_free(&fresh);
        return false;
    }
    image_free(image);
    *image = fresh;
    return true;
}

bool image_apply(struct image *image, const struct frame *frame)
{
    struct reader r;

    switch (frame->type) {
    case FRAME_EVENTS:
        return apply_events(image, frame->payload);
    case FRAME_TAILPOS:
        return apply_pair(&image->positions, frame->payload);
    case FRAME_STATE:
        return apply_pair(&image->state, frame->payload);
    case FRAME_ROUTES:
        r = reader_of(frame->payload);
        return read_route(image, &r);
    case FRAME_LEDGER:
        return apply_ledger(image, frame->payload);
    case FRAME_CHECKPOINT:
        return apply_checkpoint(image, frame->payload);
    default:
        return true;
    }
}

static void write_map(struct buf *b, const struct map *m)
{
    buf_varint(b, m->live);
    for (struct map_entry *e = NULL; (e = map_next(m, e));) {
        put_str(b, e->key);
        put_str(b, buf_view(e->value));
    }
}

void image_checkpoint(const struct image *image, struct buf *b)
{
    buf_char(b, IMAGE_VERSION);
    write_map(b, &image->positions);
    write_map(b, &image->state);
    buf_varint(b, image->ledger.live);
    for (struct map_entry *e = NULL; (e = map_next(&image->ledger, e));) {
        put_str(b, e->key);
        buf_le64(b, *(uint64_t *)e->value);
    }
    buf_varint(b, image->nroutes);
    for (size_t i = 0; i < image->nroutes; i++) {
        image_write_routes(b, image->routes[i].number, &image->routes[i].outputs);
        buf_le64(b, image->routes[i].events);
    }
}

static void write_pair(struct buf *b, struct str owner, struct str key, struct str value)
{
    put_str(b, owner);
    put_str(b, key);
    put_str(b, value);
}

void image_write_position(struct buf *b, struct str input, struct str key, struct str value)
{
    write_pair(b, input, key, value);
}

void image_write_state(struct buf *b, struct str owner, struct str key, struct str value)
{
    write_pair(b, owner, key, value);
}

void image_write_routes(struct buf *b, uint32_t number, const struct strs *outputs)
{
    buf_le32(b, number);
    buf_varint(b, outputs->n);
    for (size_t i = 0; i < outputs->n; i++)
        put_str(b, outputs->items[i]);
}

void image_write_ledger(struct buf *b, struct str counter, int64_t delta)
{
    put_str(b, counter);
    buf_le64(b, (uint64_t)delta);
}

uint64_t image_counter(const struct image *image, struct str counter)
{
    const uint64_t *n = map_get(&image->ledger, counter);

    return n ? *n : 0;
}

uint64_t image_owed(const struct image *image, struct str output)
{
    uint64_t n = 0;

    for (size_t i = 0; i < image->nroutes; i++)
        for (size_t j = 0; j < image->routes[i].outputs.n; j++)
            if (str_eq(image->routes[i].outputs.items[j], output)) {
                n += image->routes[i].events;
                break;
            }
    return n;
}
