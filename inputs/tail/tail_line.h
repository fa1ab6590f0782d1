/* SPDX-License-Identifier: Apache-2.0 */
/* From bytes to events. */
#pragma once
#include "tail_file.h"

/* Pushes the full lines of n bytes that stand at f->offset, and moves it behind them; `final`: the rest too.  Returns
 * how many bytes of an unterminated line are left at the end. */
size_t line_push(struct file *f, const char *p, size_t n, bool final);
void line_prepare(struct tail *t);
