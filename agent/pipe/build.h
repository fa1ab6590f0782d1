/* SPDX-License-Identifier: Apache-2.0 */
/* The plugins of a configuration, made and checked but not started. */
#pragma once
#include "pipe/env.h"
#include "pipe/instance.h"

struct build {
    struct unit **inputs, **filters, **outputs;
    size_t ninputs, nfilters, noutputs;
};

bool build_units(struct config *config, const struct env *env, struct build *out, struct err *e);
/* Lua compiled, parsers found, ...; leaves nothing running. */
bool build_check(struct build *b, struct err *e);
/* Whether an event of this input may go to this output, as far as the configuration tells. */
bool build_may_reach(const struct unit *input, const struct unit *output);
void build_free(struct build *b);
