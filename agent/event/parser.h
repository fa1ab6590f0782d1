/* SPDX-License-Identifier: Apache-2.0 */
/* Fluent Bit's [PARSER]: a line of text to a map, with its time.  One thread at a time: it owns scratch space. */
#pragma once
#include "base/err.h"
#include "event/value.h"

enum parser_format { PARSE_JSON, PARSE_REGEX, PARSE_LTSV, PARSE_LOGFMT };
extern const char *const parser_format_names[]; /* json regex ltsv logfmt */

struct parser_def { /* borrowed while the parser lives */
    struct str name;
    enum parser_format format;
    struct str regex;
    bool skip_empty_values; /* default true */
    struct str time_key;    /* "time" where time_format is set */
    struct str time_format, time_offset, time_zone;
    bool time_keep, time_strict; /* default false, true */
    bool time_system_timezone;
    struct str types;         /* "k:integer k2:bool k3:float k4:hex k5:string" */
    struct strs decode_field; /* "json FIELD [try_next|do_next]", in order */
    struct strs decode_field_as;
    bool logfmt_no_bare_keys;
};

struct parser;

struct parser *parser_new(const struct parser_def *def, struct err *e);
void parser_free(struct parser *p);
struct str parser_name(const struct parser *p);

/* Appends a msgpack map to `out`.  *time is set only where the parser found one (else it is left alone).  False: the
 * line is not of this format, `out` is as it was, and e says why. */
bool parser_run(struct parser *p, struct str line, int64_t now, struct buf *out, int64_t *time, struct err *e);
