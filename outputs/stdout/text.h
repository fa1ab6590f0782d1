/* SPDX-License-Identifier: Apache-2.0 */
/* Events as Fluent Bit shows them: [N] tag: [[SEC.NSEC, {meta}], {"k"=>"v"}] */
#pragma once
#include "event/event.h"

void text_write(struct buf *out, uint32_t number, struct event *ev);
/* The form of msgpack-c's printer: => between key and value, nil, nothing but ASCII unescaped. */
void text_value(struct buf *out, const struct value *v);
