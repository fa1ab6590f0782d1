/* SPDX-License-Identifier: Apache-2.0 */
/* Lua's error messages without what they may carry of the event: the place stays, and the message where its form is
 * one of the interpreter's own; what a script raised itself may hold anything and is not shown. */
#pragma once
#include "base/buf.h"

void scrub_message(struct str message, struct buf *out);
