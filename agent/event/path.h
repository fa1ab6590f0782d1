/* SPDX-License-Identifier: Apache-2.0 */
/* Fluent Bit's record accessor: `$key`, `$key['sub'][0]`; dots belong to the key.  A pattern
 * without `$` names a top-level key. */
#pragma once
#include "base/err.h"
#include "event/event.h"

struct path;

struct path *path_compile(struct str text, struct err *e); /* NULL: e says what is wrong at which character */
void path_free(struct path *p);
/* The value in the event's body, or NULL.  Opens what it passes. */
struct value *path_find(const struct path *p, struct event *ev);
/* Sets it, making maps on the way; false where something else than a map stands in the way. */
bool path_set(const struct path *p, struct event *ev, struct value v);
bool path_delete(const struct path *p, struct event *ev);
struct str path_key(const struct path *p); /* the top-level key */
bool path_simple(const struct path *p);    /* only the top-level key */
