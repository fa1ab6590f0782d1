/* SPDX-License-Identifier: Apache-2.0 */
/* The key of keyed hashes.  The file `hmac.key` has one key a line, "h1 <64 hex digits>", the last one being used; it
 * is made, mode 0600, when it is first wanted.  Several agents that are to give the same hash share the file. */
#pragma once
#include "base/err.h"
#include "base/str.h"

struct secret;

struct secret *secret_open(const char *dir, struct err *e); /* dir NULL: a key that ends with the process */
void secret_free(struct secret *s);
enum { SECRET_TEXT = 64 };
/* "h1:" and 32 hex digits of HMAC-SHA-256, NUL terminated; returns its length. */
size_t secret_hash(struct secret *s, struct str value, char out[SECRET_TEXT]);
