/* SPDX-License-Identifier: Apache-2.0 */
/* Whether an input may bring more: the store's own limit, and those of the outputs that it feeds
 * (storage.total_limit_size).  On the lane's thread. */
#pragma once
#include "pipe/build.h"
#include "pipe/lane.h"

void room_init(struct lane *l, const struct build *b); /* which inputs may fill which limited outputs */
enum store_room room_of(const struct feed *f);
void room_check(struct lane *l); /* after a commit: pauses what is refused, and looks again until it is not */
