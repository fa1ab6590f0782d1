/* SPDX-License-Identifier: Apache-2.0 */
/* Between the files that implement config.h. */
#pragma once
#include "conf/build.h"
#include "conf/config.h"

/* Merges every [SERVICE] into one section and loads it; notes what is ignored. */
bool service_load(struct config *c, struct err *e);
void service_free(struct config *c);
extern const struct option service_options[];

/* Parsers_File, Plugins_File, Streams_File: reads them into the tree. */
bool service_files(struct config *c, struct err *e);

/* Checks one [PARSER] and adds it to c->parsers. */
bool parser_load(struct config *c, const struct section *s, struct err *e);
/* That every `parser NAME` in the section names one. */
bool parsers_check(struct config *c, const struct section *s, struct err *e);
void parsers_free(struct config *c);
extern const struct option parser_options[];

bool multiline_check(struct config *c, const struct section *s, struct err *e);
bool upstream_check(const struct section *s, struct err *e);
