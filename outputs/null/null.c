/* SPDX-License-Identifier: Apache-2.0 */
#include "plugin.h"

static const struct option options[] = {OPT_NONE("format"), OPT_NONE("json_date_key"), OPT_NONE("json_date_format"),
                                        OPT_END};

static enum verdict null_write(void *self, struct delivery *d, struct err *e)
{
    (void)self;
    (void)d;
    (void)e;
    return DONE;
}

static const struct output output = {.write = null_write};
const struct plugin output_null = {.name = "null",
                                   .summary = "Takes events and throws them away.",
                                   .options = options,
                                   .size = sizeof(struct instance),
                                   .output = &output};
