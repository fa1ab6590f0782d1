/* SPDX-License-Identifier: Apache-2.0 */
#include "event/parser_internal.h"
#include "event/msgpack.h"
#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/log.h"

const char *const parser_format_names[] = {"json", "regex", "ltsv", "logfmt", NULL};

static bool build_regex(struct parser *p, struct err *e)
{
    if (p->def->format != PARSE_REGEX)
        return true;
    if (!p->def->regex.n)
        return err_set(e, "format regex needs the key `regex`");
    p->regex = regex_new(p->def->regex, e);
    if (!p->regex)
        return false;
    return regex_named_count(p->regex) > 0 ||
           err_set(e, "the regex has no named group `(?<name>...)`, so its records would be empty");
}

static bool build_time(struct parser *p, struct err *e)
{
    const struct parser_def *d = p->def;
    struct str zone = d->time_zone;

    if (!d->time_format.n)
        return true;
    if (!zone.n && !d->time_offset.n && d->time_system_timezone)
        zone = STR("localtime");
    p->time_key = d->time_key.n ? d->time_key : STR("time");
    p->time = time_format_new(d->time_format, d->time_offset, zone, d->time_strict, e);
    if (!p->time)
        return false;
    CLEANUP(buf_free) struct buf name = {0};
    buf_str(&name, d->name);
    p->time_failures = metric_named(METRIC_COUNTER, "weir_parser_time_failures_total",
                                    "Records whose time could not be read, so that they got the time of their arrival.",
                                    "parser", buf_text(&name));
    return true;
}

struct parser *parser_new(const struct parser_def *def, struct err *e)
{
    struct parser *p = alloc_new(sizeof *p);

    p->def = def;
    if (build_regex(p, e) && build_time(p, e) && (def->format == PARSE_JSON || types_new(def->types, &p->types, e)) &&
        decoder_new(def, &p->decoder, e))
        return p;
    err_wrap(e, "parser `" STR_FMT "`", STR_ARG(def->name));
    parser_free(p);
    return NULL;
}

void parser_free(struct parser *p)
{
    if (!p)
        return;
    regex_free(p->regex);
    time_format_free(p->time);
    types_free(p->types);
    decoder_free(p->decoder);
    buf_free(&p->scratch);
    buf_free(&p->text);
    free(p);
}

struct str parser_name(const struct parser *p)
{
    return p->def->name;
}

bool parser_time(struct parser *p, struct str text, int64_t now, int64_t *time)
{
    if (time_parse(p->time, text, now, time))
        return true;
    metric_add(p->time_failures, 1);
    CLEANUP(buf_free) struct buf name = {0};
    buf_str(&name, p->def->name);
    log_warn("the time of a record does not fit time_format; it gets the time of its arrival", "parser",
             buf_text(&name));
    return false;
}

void parser_map_head(struct buf *b, size_t start, size_t bytes, uint32_t n)
{
    size_t want = n < 16 ? 1 : n < 65536 ? 3 : 5;

    if (want > bytes)
        buf_room(b, want - bytes);
    unsigned char *head = (unsigned char *)b->p + start;
    if (want != bytes)
        memmove(head + want, head + bytes, b->n - start - bytes);
    b->n = b->n + want - bytes;
    if (want == 1) {
        head[0] = (unsigned char)(0x80 | n);
        return;
    }
    head[0] = want == 3 ? 0xde : 0xdf;
    for (size_t i = want - 1; i > 0; i--, n >>= 8)
        head[i] = (unsigned char)n;
}

struct fields fields_begin(struct parser *p, struct buf *out, int64_t now, int64_t *time)
{
    struct fields f = {.p = p, .out = out, .start = out->n, .now = now, .time = time};

    buf_char(out, 0); /* most maps have less than 16 pairs: one byte of header */
    return f;
}

void fields_add(struct fields *f, struct str key, struct str value)
{
    struct parser *p = f->p;

    if (!value.n && p->def->skip_empty_values)
        return;
    if (p->time && str_eq(key, p->time_key) && parser_time(p, value, f->now, f->time) && !p->def->time_keep)
        return;
    msgpack_str(f->out, key);
    types_write(p->types, key, value, f->out);
    f->n++;
}

void fields_end(struct fields *f)
{
    parser_map_head(f->out, f->start, 1, f->n);
}

static bool run(struct parser *p, struct str line, int64_t now, struct buf *out, int64_t *time, struct err *e)
{
    if (p->def->format == PARSE_JSON)
        return parser_json(p, line, now, out, time, e);
    struct fields f = fields_begin(p, out, now, time);
    bool ok = p->def->format == PARSE_REGEX  ? parser_regex(p, line, &f, e)
              : p->def->format == PARSE_LTSV ? parser_ltsv(line, &f, e)
                                             : parser_logfmt(line, p->def->logfmt_no_bare_keys, &f, e);
    fields_end(&f);
    return ok;
}

bool parser_run(struct parser *p, struct str line, int64_t now, struct buf *out, int64_t *time, struct err *e)
{
    size_t before = out->n;
    int64_t found = *time;

    if (!p->decoder) {
        if (run(p, line, now, out, &found, e)) {
            *time = found;
            return true;
        }
        out->n = before;
        return false;
    }
    buf_clear(&p->scratch);
    if (!run(p, line, now, &p->scratch, &found, e))
        return false;
    *time = found;
    decoder_run(p->decoder, buf_view(&p->scratch), out);
    return true;
}
