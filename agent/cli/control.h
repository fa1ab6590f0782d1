/* SPDX-License-Identifier: Apache-2.0 */
/* Asking the running agent over its control socket. */
#pragma once
#include "base/buf.h"
#include "base/err.h"

enum control { CONTROL_OK, CONTROL_NOT_RUNNING, CONTROL_FAILED };
/* Appends the body of the answer. */
enum control control_ask(const char *store_dir, const char *method, const char *path, struct buf *body, struct err *e);
/* Adds ?name=value, or &name=value, percent-encoded; nothing where the value is empty. */
void control_query(struct buf *path, const char *name, struct str value);
