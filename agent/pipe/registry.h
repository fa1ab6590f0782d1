/* SPDX-License-Identifier: Apache-2.0 */
/* Every plugin that was built in; the table is generated from the folders. */
#pragma once
#include "plugin.h"

extern const struct plugin *const plugin_registry[]; /* NULL ends it */

enum plugin_kind { PLUGIN_INPUT, PLUGIN_FILTER, PLUGIN_OUTPUT };
const struct plugin *plugin_find(enum plugin_kind kind, struct str name); /* NULL: none of that name */
enum plugin_kind plugin_kind(const struct plugin *p);
const char *plugin_suggest(enum plugin_kind kind, struct str name); /* the nearest name, or NULL */
