/* SPDX-License-Identifier: Apache-2.0 */
/* `daemon on`: into the background, and the parent's exit status says whether the start was good. */
#pragma once
#include "base/err.h"

/* Before any thread.  Returns in the child only; the parent waits for daemon_ready and exits with 0, or with 1 where
 * the child ended without it.  *fd is for daemon_ready. */
bool daemon_begin(int *fd, struct err *e);
void daemon_ready(int fd); /* lets go of the terminal too */
