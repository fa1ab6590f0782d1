/* SPDX-License-Identifier: Apache-2.0 */
/* Events that a rule, an input or an output could not handle, with their reasons.  They enter the log as
 * FRAME_QUARANTINE in the transaction of their siblings; a reader moves them to quarantine/%016x.seg, where the
 * commands find them.
 *
 * What failed in or before the rules is not redacted: its payload is sealed with AES-256-GCM before it reaches the
 * log.  What an output rejected was logged before and is stored as it was. */
#pragma once
#include "base/buf.h"
#include "base/err.h"
#include "base/hash.h"
#include "event/event.h"

struct store;

enum quarantine_payload { QUARANTINE_NONE, QUARANTINE_EVENT, QUARANTINE_BYTES }; /* none: quarantine.raw off */

struct quarantine_entry { /* strings are borrowed */
    struct id id;         /* of the entry */
    struct id event_id;
    int64_t time;      /* when it was quarantined, ns */
    struct str stage;  /* input, filter, output */
    struct str plugin; /* the instance that refused it */
    struct str input, tag;
    struct str code, text; /* the reason, without values */
    struct str listing;    /* field names, types and lengths; never values */
    uint32_t attempts;
    enum quarantine_payload kind;
    bool sealed;
    struct str payload; /* EVENT: msgpack [[time, meta], body]; BYTES: as they came; sealed or plain */
};

void quarantine_write(struct buf *payload, const struct quarantine_entry *entry); /* of a FRAME_QUARANTINE */
bool quarantine_read(struct str payload, struct quarantine_entry *out);
/* "body: {event_id: str 36, user: {mail: str 22}}" */
void quarantine_describe(struct buf *out, const struct event *ev);

struct quarantine_key;
/* Reads the 32-byte key file; `make`: draws one where there is none (0600). */
struct quarantine_key *quarantine_key_load(const char *path, bool make, struct err *e);
void quarantine_key_free(struct quarantine_key *k); /* wiped */
void quarantine_seal(struct quarantine_key *k, struct str plain, struct buf *out);
bool quarantine_unseal(const struct quarantine_key *k, struct str sealed, struct buf *out, struct err *e);

/* ---- the files below quarantine/ ---- */

struct quarantine; /* one writer (the agent); readers need no lock and may be other processes */

struct quarantine *quarantine_open(int store_dir_fd, bool write, struct err *e);
void quarantine_close(struct quarantine *q);
bool quarantine_append(struct quarantine *q, struct str payload, struct err *e); /* a FRAME_QUARANTINE's */
bool quarantine_sync(struct quarantine *q, struct err *e);
bool quarantine_mark_replayed(struct quarantine *q, struct id entry, struct err *e);
/* Oldest first; return false from `each` to stop. */
bool quarantine_each(struct quarantine *q, bool (*each)(void *arg, const struct quarantine_entry *entry, bool replayed),
                     void *arg, struct err *e);
void quarantine_expire(struct quarantine *q, int64_t before); /* whole files, all of whose entries are older */
void quarantine_drop_replayed(struct quarantine *q); /* the oldest files, as long as all their entries were replayed */
int64_t quarantine_bytes(const struct quarantine *q);
