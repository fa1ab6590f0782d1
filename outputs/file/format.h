/* SPDX-License-Identifier: Apache-2.0 */
/* How an event becomes a line of a file. */
#pragma once
#include "base/err.h"
#include "event/event.h"
#include "event/time.h"

enum format_kind {
    FORMAT_OUT_FILE,
    FORMAT_PLAIN,
    FORMAT_JSON_LINES,
    FORMAT_CSV,
    FORMAT_LTSV,
    FORMAT_TEMPLATE,
    FORMAT_MSGPACK
};
extern const char *const format_names[];
extern const char *const format_suffix[]; /* of finished files: jsonl, csv, ... */

struct format {
    int kind;
    struct str delimiter, label_delimiter, template;
    bool column_names, escape_formulas;
    struct str date_key; /* empty: none (json_lines) */
    int date_format;     /* enum json_date */
};

/* `first`: nothing stands before this line in its file. */
void format_line(const struct format *f, struct event *ev, bool first, struct buf *out);
/* "tab", "\t", "space", "comma", or the text itself; empty: `otherwise`. */
struct str format_delimiter(struct str text, struct str otherwise);
