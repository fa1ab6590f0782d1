/* SPDX-License-Identifier: Apache-2.0 */
/* A failure that a person will read.  Filled where it happens, logged once by whoever decides. */
#pragma once
#include <stdbool.h>

struct err {
    char text[512];
};

/* Both return false, so that `return err_set(e, "...")` is the whole error path.  e may be NULL. */
bool err_set(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Puts context in front of what is there: "context: text". */
bool err_wrap(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* err_set with ": strerror(errno)" behind it. */
bool err_errno(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
