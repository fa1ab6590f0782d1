/* SPDX-License-Identifier: Apache-2.0 */
/* Times of events: strptime with fractions and zones as Fluent Bit's parsers understand it, and the formats in which
 * outputs write them.  All times are ns since the epoch. */
#pragma once
#include "base/err.h"
#include "event/value.h"

struct time_format; /* a compiled Time_Format */

/* offset: "+0200" or empty; zone: IANA name, "localtime" or empty (wins over offset); an offset in the text wins over
 * both.  strict: all of the format must match; else what stands before `%L` is enough.  Text behind is ignored. */
struct time_format *time_format_new(struct str format, struct str offset, struct str zone, bool strict, struct err *e);
void time_format_free(struct time_format *f);
/* `now` gives the year, month and day that the format leaves out (the year before where that would lie half a year
 * ahead: a line of December that is read in January). */
bool time_parse(const struct time_format *f, struct str text, int64_t now, int64_t *out);

enum json_date { DATE_DOUBLE, DATE_EPOCH, DATE_EPOCH_MS, DATE_ISO8601, DATE_JAVA_SQL };
extern const char *const json_date_names[]; /* for OPT_ENUM: double epoch epoch_ms iso8601 java_sql_timestamp */
void time_write_json(struct buf *out, int64_t ns, enum json_date format); /* with quotes where it is a string */
void time_write_rfc3339(struct buf *out, int64_t ns, int digits);         /* 2026-01-02T03:04:05.678Z for digits 3 */
/* strftime in UTC; %L milliseconds, %N nanoseconds. */
void time_write(struct buf *out, int64_t ns, struct str format);
/* RFC 3339 / ISO 8601 with zone -> ns. */
bool time_read_rfc3339(struct str text, int64_t *ns);
