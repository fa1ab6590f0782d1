/* SPDX-License-Identifier: Apache-2.0 */
/* What the admin port says about the counters, in Fluent Bit's shapes. */
#pragma once
#include "base/buf.h"

void monitor_uptime(struct buf *out, int64_t seconds);
void monitor_v1_json(struct buf *out);
void monitor_v1_prometheus(struct buf *out); /* with the time in ms behind each sample */
void monitor_v2_text(struct buf *out);

/* Health over a period, fed once a second. */
struct health;
struct health *health_new(int64_t period_seconds, int64_t errors, int64_t retries_failed);
void health_sample(struct health *h);
bool health_good(const struct health *h);
void health_free(struct health *h);
