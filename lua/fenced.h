/* SPDX-License-Identifier: Apache-2.0 */
/* Which calls of a script the sandbox will not have: said at start, before an event fails on them. */
#pragma once
#include "base/str.h"

/* Calls each(arg, name, line) for every such name in the text, comments left out. */
void fenced_names(struct str script, void (*each)(void *arg, struct str name, unsigned line), void *arg);
