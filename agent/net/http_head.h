/* SPDX-License-Identifier: Apache-2.0 */
/* The head of a request: found, checked byte by byte where llhttp is lenient, parsed by llhttp, and judged. */
#pragma once
#include "net/compress.h"

struct span { /* from the first byte of the head */
    uint32_t at, n;
};

struct head_limits {
    size_t line_max, header_max;
    size_t count_max;
};

struct head_field {
    struct span name, value;
};

enum { HEAD_CODEC_UNKNOWN = -1 };

struct head { /* `fields` is owned and used again */
    struct head_field *fields;
    size_t n, cap;
    const char *method; /* static */
    struct span target, path, query;
    uint64_t length;
    int codec; /* of Content-Encoding: enum codec or HEAD_CODEC_UNKNOWN */
    bool has_length, chunked, keep, no_body, expect_continue, expect_other, http10, escaped;
    const char *why; /* static: what is wrong */
};

struct head_scan { /* zero at first */
    size_t seen, lines, line_end;
    const char *why; /* static */
};
/* Looks for the end of the head at the front of `in`, going on where it stopped before.  Returns the head's length, 0
 * when it is not all there yet, or minus the status to refuse with. */
long head_find(struct str in, const struct head_limits *limits, struct head_scan *scan);
/* Parses a head that head_find has found.  0, or the status to refuse with. */
int head_parse(struct str text, struct head *out);
void head_free(struct head *h);
/* Is the word one of a list separated by commas? */
bool head_lists(struct str list, struct str word);
