/* SPDX-License-Identifier: Apache-2.0 */
/* What the machine lends to plugins: see plugin.h. */
#pragma once
#include "conf/config.h"
#include "plugin.h"

struct env {
    const struct config *config;
    struct id host_id;
    const char *state_dir; /* NULL: nothing may be kept */
};
