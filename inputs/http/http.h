/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "event/path.h"
#include "net/http_server.h"
#include "plugin.h"

/* What the body of a request holds: every element, in order, before anything of it is taken. */
struct item {
    uint32_t at, n;  /* its msgpack in items.msgpack; n 0: it could not be read */
    struct str line; /* of the body: the line that could not be read */
};
struct items { /* used again by every request */
    struct buf msgpack;
    struct item *v;
    size_t n, cap, max;
    struct err why; /* of the last line that could not be read */
};

enum body_kind { BODY_JSON, BODY_LINES, BODY_FORM, BODY_OTHER, BODY_MISSING };
enum body_kind body_kind(struct str content_type);
/* envelope: {"events": [...]} stands for its elements.  0, or the status to refuse with; e says why. */
int body_read(struct str body, enum body_kind kind, bool envelope, struct items *out, struct err *e);
int body_form(struct str body, struct items *out, struct err *e); /* one event, from a form */
struct str item_bytes(const struct items *items, const struct item *item);
bool body_is_map(struct str msgpack);
/* The value of a key of an encoded map, which stays as it is. */
bool body_member(struct str map, struct str key, struct value *out);

struct network {
    uint8_t address[16]; /* IPv4 as ::ffff:a.b.c.d */
    unsigned bits;
};
bool network_parse(struct str text, struct network *out);
/* The client's address: the socket's, or what trusted proxies say of it. */
struct str remote_address(const struct http_request *r, const struct network *trusted, size_t n);

/* Outlives the instance until every request is answered. */
struct front {
    struct http_server *server;
    struct http_head *headers; /* Content-Type: application/json, then those of `success_header`, Weir-Durability */
    size_t nheaders;
    struct arena *arena; /* owns them */
    size_t waiting;      /* requests whose commit is under way */
    bool stopped;
};

struct http_in {
    struct instance base;
    struct str listen, host, tag_key, remote_addr_key, events_uri, events_tag;
    struct strs success_header, trusted_proxies;
    int64_t port, status, body_max, inflated_max, connections, per_address, events_max, backlog;
    int64_t idle_timeout, header_timeout, body_timeout;
    bool add_remote_addr, health, tls;

    struct feed *feed;
    struct front *front;
    struct path *tag_path;
    struct network *proxies;
    size_t nproxies;
    struct items items;
    struct buf results, reply;
};

/* Takes what in->items holds and answers when it is durable. */
void take_plain(struct http_in *in, struct http_request *r, struct str tag);
void take_events(struct http_in *in, struct http_request *r);
