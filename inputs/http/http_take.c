/* SPDX-License-Identifier: Apache-2.0 */
#include "http.h"

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/io.h"
#include "event/json.h"
#include "event/msgpack.h"

#include <stdio.h>

enum { EVENT_ID_MAX = 64, KEY_MAX = 255, TAG_MAX = 1024, RETRY_SECONDS = 2 };

/* The same on every host and for all time: a client that tries another agent is still recognised downstream. */
static const struct id id_key = {0x636c69656e742d65, 0x76656e742d696421};

struct unit {
    struct commit commit;
    struct http_request *request;
    struct front *front;
    int status;
    bool json;
    struct str reply;
};

static void unit_done(struct commit *c, bool durable)
{
    struct unit *u = container_of(c, struct unit, commit);
    struct front *f = u->front;
    size_t skip = u->json ? 0 : 1;

    f->waiting--;
    if (durable)
        http_reply(u->request, u->status, f->headers + skip, f->nheaders - skip, u->reply);
    else
        http_reply_error(u->request, 503, RETRY_SECONDS, "the events could not be stored; none was taken");
    if (f->stopped && !f->waiting) {
        http_server_free(f->server);
        arena_free(f->arena);
        free(f);
    }
}

/* The unit lives in the request's arena, until the reply. */
static void commit(struct http_in *in, struct http_request *r, int status, bool json, struct str reply)
{
    struct unit *u = arena_zero(http_arena(r), sizeof *u);

    *u = (struct unit){.commit = {.done = unit_done}, .request = r, .front = in->front, .status = status, .json = json};
    u->reply = reply.n ? arena_str(http_arena(r), reply) : STR("");
    in->front->waiting++;
    http_forget(r);
    feed_commit(in->feed, &u->commit);
}

/* ---- identities ---- */

static struct id id_of(char kind, struct str text, uint32_t index)
{
    char bytes[1 + KEY_MAX + 4];

    bytes[0] = kind;
    memcpy(bytes + 1, text.p, text.n);
    for (int i = 0; i < 4; i++)
        bytes[1 + text.n + (size_t)i] = (char)(index >> (8 * i));
    return hash_128((struct str){bytes, 1 + text.n + 4}, &id_key);
}

/* False: the header is not usable and the request was refused. */
static bool idempotency_key(struct http_request *r, struct str *key)
{
    *key = http_header(r, "idempotency-key");
    if (key->n <= KEY_MAX)
        return true;
    http_reply_error(r, 400, 0, "the Idempotency-Key is longer than 255 bytes");
    return false;
}

/* ---- one event ---- */

static void reject_value(struct http_in *in, struct str bytes, const char *code, const char *text)
{
    CLEANUP(buf_free) struct buf json = {0};
    struct value v;

    msgpack_read(bytes, &v);
    json_write(&json, &v);
    feed_reject(in->feed, buf_view(&json), code, text);
}

static bool good_tag(struct str tag)
{
    for (size_t i = 0; i < tag.n; i++)
        if ((unsigned char)tag.p[i] < 0x20 || tag.p[i] == 0x7f)
            return false;
    return tag.n > 0 && tag.n <= TAG_MAX;
}

static void decorate(struct http_in *in, struct event *ev, struct str remote)
{
    struct value *tag = in->tag_path ? path_find(in->tag_path, ev) : NULL;
    struct str text;

    if (tag && value_as_str(tag, &text) && good_tag(text))
        ev->tag = text;
    if (in->add_remote_addr)
        event_set(ev, in->remote_addr_key, value_str(remote));
}

static struct event event_of(struct http_in *in, struct str bytes, struct str tag, int64_t now)
{
    return (struct event){.time = now,
                          .tag = tag,
                          .body = value_raw(bytes),
                          .meta = value_raw(STR("\x80")),
                          .arena = feed_arena(in->feed)};
}

static struct str remote_of(const struct http_in *in, const struct http_request *r)
{
    return in->add_remote_addr ? remote_address(r, in->proxies, in->nproxies) : STR("");
}

/* ---- the plain endpoint ---- */

void take_plain(struct http_in *in, struct http_request *r, struct str tag)
{
    int64_t now = io->wall();
    struct str key, remote = remote_of(in, r);

    if (!idempotency_key(r, &key))
        return;
    for (size_t i = 0; i < in->items.n; i++) {
        const struct item *item = &in->items.v[i];
        struct str bytes = item_bytes(&in->items, item);
        if (!item->n) {
            feed_reject(in->feed, item->line, "json", "a line that is no JSON");
        } else if (!body_is_map(bytes)) {
            reject_value(in, bytes, "not_a_map", "an element that is no object");
        } else {
            struct event ev = event_of(in, bytes, tag, now);
            if (key.n)
                ev.id = id_of('i', key, (uint32_t)i);
            decorate(in, &ev, remote);
            feed_push(in->feed, &ev, key.n > 0);
        }
    }
    commit(in, r, (int)in->status, false, STR(""));
}

/* ---- POST /v1/events ---- */

struct answer {
    size_t counts[OUTCOMES];
    bool verbose, any;
    struct str event_id; /* of the event at hand; p NULL: none that can be shown */
};

static void add_result(struct http_in *in, struct answer *a, size_t index, enum outcome o, const char *status,
                       struct str reason)
{
    struct buf *b = &in->results;

    a->counts[o]++;
    if (o == ACCEPTED && !a->verbose)
        return;
    buf_str(b, a->any ? STR(",{") : STR("{"));
    a->any = true;
    if (a->event_id.p) {
        buf_str(b, STR("\"event_id\":"));
        json_write_str(b, a->event_id);
        buf_char(b, ',');
    }
    buf_fmt(b, "\"index\":%zu,\"status\":\"%s\"", index, status);
    if (reason.n) {
        buf_str(b, STR(",\"reason\":"));
        json_write_str(b, reason);
    }
    buf_char(b, '}');
}

/* What is wrong with the event's own id, or NULL; a->event_id is the id where there is one. */
static const char *id_fault(struct str bytes, struct answer *a)
{
    struct value v;

    a->event_id = (struct str){0};
    if (!body_member(bytes, STR("event_id"), &v))
        return NULL;
    if (v.type != V_STR)
        return "event_id is no string";
    if (!v.n)
        return "event_id is empty";
    if (v.n > EVENT_ID_MAX)
        return "event_id is longer than 64 bytes";
    a->event_id = value_bytes(&v);
    return NULL;
}

static void reject(struct http_in *in, struct answer *a, size_t index, const char *code, const char *text)
{
    const struct item *item = &in->items.v[index];
    char reason[128];

    if (item->n)
        reject_value(in, item_bytes(&in->items, item), code, text);
    else
        feed_reject(in->feed, item->line, code, text);
    snprintf(reason, sizeof reason, "%s: %s", code, text);
    add_result(in, a, index, QUARANTINED, "quarantined", str_of(reason));
}

static void take_event(struct http_in *in, struct answer *a, size_t index, struct event *ev, struct str key,
                       struct str remote)
{
    static const char *const names[OUTCOMES] = {
        [ACCEPTED] = "accepted",       [DUPLICATE] = "duplicate", [FILTERED] = "filtered",
        [QUARANTINED] = "quarantined", [DROPPED] = "dropped",     [UNROUTED] = "unrouted"};
    enum outcome o;

    if (a->event_id.p)
        ev->id = id_of('e', a->event_id, 0);
    else if (key.n)
        ev->id = id_of('i', key, (uint32_t)index);
    decorate(in, ev, remote);
    o = feed_push(in->feed, ev, a->event_id.p || key.n);
    add_result(in, a, index, o, names[o], o == QUARANTINED ? feed_reason(in->feed) : STR(""));
}

static void write_answer(struct http_in *in, const struct answer *a)
{
    struct buf *b = &in->reply;

    buf_clear(b);
    buf_fmt(b, "{\"accepted\":%zu,\"duplicate\":%zu,\"filtered\":%zu,\"quarantined\":%zu,\"dropped\":%zu",
            a->counts[ACCEPTED], a->counts[DUPLICATE], a->counts[FILTERED], a->counts[QUARANTINED], a->counts[DROPPED]);
    if (a->counts[UNROUTED])
        buf_fmt(b, ",\"unrouted\":%zu", a->counts[UNROUTED]);
    buf_str(b, STR(",\"results\":["));
    buf_str(b, a->any ? buf_view(&in->results) : STR(""));
    buf_str(b, STR("]}\n"));
}

void take_events(struct http_in *in, struct http_request *r)
{
    int64_t now = io->wall();
    struct str key, remote = remote_of(in, r);
    struct answer a = {.verbose = str_eq(http_query(r, "verbose"), STR("1"))};

    if (!idempotency_key(r, &key))
        return;
    buf_clear(&in->results);
    for (size_t i = 0; i < in->items.n; i++) {
        const struct item *item = &in->items.v[i];
        struct str bytes = item_bytes(&in->items, item);
        const char *fault = NULL;
        a.event_id = (struct str){0};
        if (!item->n) {
            reject(in, &a, i, "json", "a line that is no JSON");
        } else if (!body_is_map(bytes)) {
            reject(in, &a, i, "not_a_map", "an element that is no object");
        } else if ((fault = id_fault(bytes, &a))) {
            reject(in, &a, i, "event_id", fault);
        } else {
            struct event ev = event_of(in, bytes, in->events_tag, now);
            take_event(in, &a, i, &ev, key, remote);
        }
    }
    write_answer(in, &a);
    commit(in, r, 200, true, buf_view(&in->reply));
}
