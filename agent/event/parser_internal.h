/* SPDX-License-Identifier: Apache-2.0 */
/* What the formats of a parser share. */
#pragma once
#include "base/metrics.h"
#include "event/parser.h"
#include "event/regex.h"
#include "event/time.h"

struct parser {
    const struct parser_def *def;
    struct regex *regex;
    struct time_format *time; /* NULL: it takes no time out of the line */
    struct str time_key;
    struct metric *time_failures;
    struct types *types;     /* NULL: every value is a string */
    struct decoder *decoder; /* NULL: none */
    struct buf scratch, text;
};

/* A map that grows field by field in `out`. */
struct fields {
    struct parser *p;
    struct buf *out;
    size_t start;
    uint32_t n;
    int64_t now, *time;
};
struct fields fields_begin(struct parser *p, struct buf *out, int64_t now, int64_t *time);
/* Empty values, the time key and types are minded here. */
void fields_add(struct fields *f, struct str key, struct str value);
void fields_end(struct fields *f); /* writes the map's header */

/* Reads the time of a field; false: it is none of this format, which is counted and logged. */
bool parser_time(struct parser *p, struct str text, int64_t now, int64_t *time);
/* Replaces the header of `bytes` (of the map at `start` in b) by the smallest one for n pairs. */
void parser_map_head(struct buf *b, size_t start, size_t bytes, uint32_t n);

bool parser_json(struct parser *p, struct str line, int64_t now, struct buf *out, int64_t *time, struct err *e);
bool parser_regex(struct parser *p, struct str line, struct fields *f, struct err *e);
bool parser_ltsv(struct str line, struct fields *f, struct err *e);
bool parser_logfmt(struct str line, bool no_bare_keys, struct fields *f, struct err *e);

/* `key:type ...`; *out NULL where the text is empty. */
bool types_new(struct str text, struct types **out, struct err *e);
void types_free(struct types *t);
/* The value in the type of its key (t may be NULL). */
void types_write(const struct types *t, struct str key, struct str value, struct buf *out);

bool decoder_new(const struct parser_def *def, struct decoder **out, struct err *e);
void decoder_free(struct decoder *d);
/* Decodes the fields of the map and appends the result to `out`. */
void decoder_run(struct decoder *d, struct str map, struct buf *out);
/* Text of the three escapings, appended to `out`. */
enum escaping { ESCAPED, ESCAPED_UTF8, MYSQL_QUOTED };
void decoder_unescape(enum escaping escaping, struct str text, struct buf *out);
