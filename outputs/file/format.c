/* SPDX-License-Identifier: Apache-2.0 */
#include "format.h"

#include "event/json.h"
#include "event/msgpack.h"

#define NANO INT64_C(1000000000)

const char *const format_names[] = {"out_file|json", "plain", "json_lines", "csv", "ltsv", "template", "msgpack", NULL};
const char *const format_suffix[] = {"log", "jsonl", "jsonl", "csv", "ltsv", "log", "msgpack"};

struct str format_delimiter(struct str text, struct str otherwise)
{
    if (!text.n)
        return otherwise;
    if (str_eq_fold(text, STR("\\t")) || str_eq_fold(text, STR("tab")))
        return STR("\t");
    if (str_eq_fold(text, STR("space")))
        return STR(" ");
    if (str_eq_fold(text, STR("comma")))
        return STR(",");
    return text;
}

static char *put_digits(char *p, uint64_t n, unsigned width)
{
    for (unsigned i = width; i--; n /= 10)
        p[i] = (char)('0' + n % 10);
    return p + width;
}

/* Seconds, a dot and `width` digits of the fraction. */
static void put_time(struct buf *out, int64_t ns, unsigned width)
{
    int64_t sec = ns / NANO, frac = ns % NANO;
    unsigned digits = 1;
    char *p = buf_room(out, 40), *start = p;

    if (frac < 0) {
        frac += NANO;
        sec--;
    }
    if (sec < 0) {
        *p++ = '-';
        sec = -sec;
    }
    for (int64_t n = sec; n > 9; n /= 10)
        digits++;
    p = put_digits(p, (uint64_t)sec, digits);
    *p++ = '.';
    p = put_digits(p, (uint64_t)(width == 6 ? frac / 1000 : frac), width);
    out->n += (size_t)(p - start);
}

/* Text of an event inside a line of free form: what could end the line or move a terminal is escaped as JSON does. */
static void plain_text(struct str s, struct buf *out)
{
    size_t i = 0;

    while (i < s.n && (unsigned char)s.p[i] >= 0x20 && s.p[i] != 0x7f)
        i++;
    buf_add(out, s.p, i);
    for (; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c == '\n')
            buf_add(out, "\\n", 2);
        else if (c == '\r')
            buf_add(out, "\\r", 2);
        else if ((c < 0x20 && c != '\t') || c == 0x7f)
            buf_fmt(out, "\\u%04x", c);
        else
            buf_char(out, (char)c);
    }
}

static void out_file_line(struct event *ev, struct buf *out)
{
    plain_text(ev->tag, out);
    buf_add(out, ": [", 3);
    put_time(out, ev->time, 9);
    buf_add(out, ", ", 2);
    json_write(out, &ev->body);
    buf_add(out, "]\n", 2);
}

static void json_line(const struct format *f, struct event *ev, struct buf *out)
{
    event_write_json(out, ev, f->date_key, (enum json_date)f->date_format);
    buf_char(out, '\n');
}

/* RFC 4180: quotes are doubled.  A cell that a spreadsheet would run as a formula gets an apostrophe in front. */
static void csv_text(const struct format *f, struct str s, struct buf *out)
{
    buf_char(out, '"');
    if (f->escape_formulas && s.n && memchr("=+-@\t\r", s.p[0], 6))
        buf_char(out, '\'');
    for (size_t quote; (quote = str_find_char(s, '"')) != SIZE_MAX; s = str_from(s, quote + 1)) {
        buf_str(out, str_head(s, quote + 1));
        buf_char(out, '"');
    }
    buf_str(out, s);
    buf_char(out, '"');
}

static void csv_cell(const struct format *f, const struct value *v, struct arena *a, struct buf *out)
{
    if (v->type == V_BOOL || v->type == V_INT || v->type == V_UINT || v->type == V_FLOAT)
        buf_str(out, value_text(v, a));
    else if (v->type != V_NIL)
        csv_text(f, value_text(v, a), out);
}

static void csv_line(const struct format *f, struct event *ev, bool first, struct buf *out)
{
    value_open(&ev->body, ev->arena);
    if (first && f->column_names) {
        buf_str(out, STR("timestamp"));
        for (uint32_t i = 0; i < ev->body.n; i++) {
            buf_str(out, f->delimiter);
            csv_text(f, value_text(&ev->body.fields[i].key, ev->arena), out);
        }
        buf_char(out, '\n');
    }
    put_time(out, ev->time, 9);
    for (uint32_t i = 0; i < ev->body.n; i++) {
        buf_str(out, f->delimiter);
        csv_cell(f, &ev->body.fields[i].val, ev->arena, out);
    }
    buf_char(out, '\n');
}

static void ltsv_line(const struct format *f, struct event *ev, struct buf *out)
{
    value_open(&ev->body, ev->arena);
    buf_str(out, STR("\"time\""));
    buf_str(out, f->label_delimiter);
    put_time(out, ev->time, 6);
    for (uint32_t i = 0; i < ev->body.n; i++) {
        buf_str(out, f->delimiter);
        json_write(out, &ev->body.fields[i].key);
        buf_str(out, f->label_delimiter);
        json_write(out, &ev->body.fields[i].val);
    }
    buf_char(out, '\n');
}

/* {time}, {key}; a key that is missing stays as it was written. */
static void template_line(const struct format *f, struct event *ev, struct buf *out)
{
    struct str rest = f->template;

    while (rest.n) {
        size_t open = str_find_char(rest, '{'), close;
        struct str inside;
        struct value *v;
        if (open == SIZE_MAX)
            break;
        buf_str(out, str_head(rest, open));
        rest = str_from(rest, open);
        close = str_find_char(rest, '}');
        if (close == SIZE_MAX)
            break;
        inside = str_from(str_head(rest, close), 1);
        if (str_eq(inside, STR("time")))
            put_time(out, ev->time, 6);
        else if ((v = event_get(ev, inside)))
            plain_text(value_text(v, ev->arena), out);
        else
            buf_str(out, str_head(rest, close + 1));
        rest = str_from(rest, close + 1);
    }
    buf_str(out, rest);
    buf_char(out, '\n');
}

void format_line(const struct format *f, struct event *ev, bool first, struct buf *out)
{
    switch ((enum format_kind)f->kind) {
    case FORMAT_OUT_FILE:
        out_file_line(ev, out);
        break;
    case FORMAT_PLAIN:
    case FORMAT_JSON_LINES:
        json_line(f, ev, out);
        break;
    case FORMAT_CSV:
        csv_line(f, ev, first, out);
        break;
    case FORMAT_LTSV:
        ltsv_line(f, ev, out);
        break;
    case FORMAT_TEMPLATE:
        template_line(f, ev, out);
        break;
    case FORMAT_MSGPACK:
        msgpack_array(out, 2);
        msgpack_array(out, 2);
        msgpack_time(out, ev->time);
        msgpack_value(out, &ev->meta);
        msgpack_value(out, &ev->body);
        break;
    }
}
