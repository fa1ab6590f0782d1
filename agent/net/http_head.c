/* SPDX-License-Identifier: Apache-2.0 */
#include "net/http_head.h"

#include "base/alloc.h"

#include <llhttp.h>
#include <stdlib.h>

static long refuse(struct head_scan *scan, int status, const char *why)
{
    scan->why = why;
    return -status;
}

static bool has_control(const char *p, size_t n)
{
    bool bad = false;

    for (size_t i = 0; i < n; i++) {
        unsigned char b = (unsigned char)p[i];
        bad |= (b < 0x20 && b != '\t') || b == 0x7f;
    }
    return bad;
}

/* One line without its CRLF.  What llhttp lets pass depends on its version, so nothing is left to it here. */
static const char *line_fault(struct str line, bool first)
{
    size_t colon;

    if (has_control(line.p, line.n))
        return "a control character in the head";
    if (first)
        return line.p[0] == ' ' || line.p[0] == '\t' ? "white space before the request line" : NULL;
    if (line.p[0] == ' ' || line.p[0] == '\t')
        return "a folded header line";
    colon = str_find_char(line, ':');
    if (colon == SIZE_MAX || colon == 0)
        return "a header line without a name and a colon";
    if (line.p[colon - 1] == ' ' || line.p[colon - 1] == '\t')
        return "white space before a colon";
    return NULL;
}

/* A CRLF left over from a sloppy client's last body is skipped, once (RFC 9112 section 2.2). */
static size_t skip_blank(struct str in)
{
    return in.n >= 2 && in.p[0] == '\r' && in.p[1] == '\n' ? 2 : 0;
}

static long judge_size(struct head_scan *scan, size_t at, const struct head_limits *limits)
{
    if (!scan->lines && at > scan->seen && at - scan->seen > limits->line_max)
        return refuse(scan, 414, "the request line is too long");
    if (scan->lines && at > scan->line_end && at - scan->line_end > limits->header_max)
        return refuse(scan, 431, "the headers are too long");
    return 0;
}

long head_find(struct str in, const struct head_limits *limits, struct head_scan *scan)
{
    const char *newline;
    long refused;

    if (!scan->seen)
        scan->seen = skip_blank(in);
    while ((newline = scan->seen < in.n ? memchr(in.p + scan->seen, '\n', in.n - scan->seen) : NULL)) {
        size_t end = (size_t)(newline - in.p);
        struct str line = {in.p + scan->seen, end - scan->seen};
        const char *fault;
        if (!line.n || line.p[line.n - 1] != '\r')
            return refuse(scan, 400, "a line feed without a carriage return");
        line.n--;
        refused = judge_size(scan, end - 1, limits);
        if (refused)
            return refused;
        if (!line.n)
            return scan->lines ? (long)end + 1 : refuse(scan, 400, "no request line");
        fault = line_fault(line, !scan->lines);
        if (fault)
            return refuse(scan, 400, fault);
        if (scan->lines > limits->count_max)
            return refuse(scan, 431, "too many headers");
        scan->seen = end + 1;
        if (!scan->lines++)
            scan->line_end = end + 1;
    }
    /* the last byte may be half of a line's end, which does not count */
    return judge_size(scan, in.n && in.p[in.n - 1] == '\r' ? in.n - 1 : in.n, limits);
}

/* ---- llhttp ---- */

struct parse {
    llhttp_t llhttp; /* first: the callbacks get back from it */
    struct head *head;
    const char *base;
};

static struct span span_of(const struct parse *p, const char *at, size_t n)
{
    return (struct span){(uint32_t)(at - p->base), (uint32_t)n};
}

static void extend(const struct parse *p, struct span *s, const char *at, size_t n)
{
    if (s->n)
        s->n = (uint32_t)(at + n - p->base) - s->at;
    else
        *s = span_of(p, at, n);
}

static int on_url(llhttp_t *l, const char *at, size_t n)
{
    struct parse *p = (struct parse *)l;

    extend(p, &p->head->target, at, n);
    return 0;
}

static int on_field(llhttp_t *l, const char *at, size_t n)
{
    struct parse *p = (struct parse *)l;
    struct head *h = p->head;

    h->fields = alloc_grow(h->fields, h->n, &h->cap, sizeof *h->fields);
    h->fields[h->n++] = (struct head_field){span_of(p, at, n), {0, 0}};
    return 0;
}

static int on_value(llhttp_t *l, const char *at, size_t n)
{
    struct parse *p = (struct parse *)l;

    if (!p->head->n)
        return -1;
    extend(p, &p->head->fields[p->head->n - 1].value, at, n);
    return 0;
}

/* on_url, on_field and on_value are spans, which llhttp may give in pieces only across calls: there is one call. */
static const llhttp_settings_t *settings(void)
{
    static const llhttp_settings_t s = {.on_url = on_url, .on_header_field = on_field, .on_header_value = on_value};

    return &s;
}

/* ---- what the fields mean ---- */

static int bad(struct head *h, int status, const char *why)
{
    h->why = why;
    return status;
}

bool head_lists(struct str list, struct str word)
{
    while (list.n)
        if (str_eq_fold(str_trim(str_cut(&list, ',')), word))
            return true;
    return false;
}

static int host_fault(struct head *h, struct str v)
{
    if (!v.n)
        return bad(h, 400, "an empty Host");
    for (size_t i = 0; i < v.n; i++) {
        unsigned char b = (unsigned char)v.p[i];
        bool name = (b >= '0' && b <= '9') || ((b | 0x20) >= 'a' && (b | 0x20) <= 'z');
        if (!name && (b >= 0x80 || !strchr("-._~:[]%!$&'()*+;=", b)))
            return bad(h, 400, "a Host that is none");
    }
    return 0;
}

static int length_fault(struct head *h, struct str v)
{
    if (h->has_length)
        return bad(h, 400, "Content-Length twice");
    if (!v.n || v.n > 18)
        return bad(h, 400, "a Content-Length that is no number");
    for (size_t i = 0; i < v.n; i++) {
        if (v.p[i] < '0' || v.p[i] > '9')
            return bad(h, 400, "a Content-Length that is no number");
        h->length = h->length * 10 + (uint64_t)(v.p[i] - '0');
    }
    h->has_length = true;
    return 0;
}

static void encoding(struct head *h, struct str v, bool again)
{
    if (again)
        h->codec = HEAD_CODEC_UNKNOWN;
    else if (str_eq_fold(v, STR("gzip")) || str_eq_fold(v, STR("x-gzip")))
        h->codec = CODEC_GZIP;
    else if (str_eq_fold(v, STR("deflate")))
        h->codec = CODEC_DEFLATE;
    else if (str_eq_fold(v, STR("zstd")))
        h->codec = CODEC_ZSTD;
    else if (v.n && !str_eq_fold(v, STR("identity")))
        h->codec = HEAD_CODEC_UNKNOWN;
}

struct seen {
    bool host, encoding, keep, close;
};

static int judge_field(struct head *h, struct str name, struct str v, struct seen *seen)
{
    if (str_eq_fold(name, STR("host"))) {
        if (seen->host)
            return bad(h, 400, "Host twice");
        seen->host = true;
        return host_fault(h, v);
    }
    if (str_eq_fold(name, STR("content-length")))
        return length_fault(h, v);
    if (str_eq_fold(name, STR("transfer-encoding"))) {
        if (h->chunked || !str_eq(v, STR("chunked")))
            return bad(h, 400, "a Transfer-Encoding other than chunked");
        h->chunked = true;
    } else if (str_eq_fold(name, STR("content-encoding"))) {
        encoding(h, v, seen->encoding);
        seen->encoding = true;
    } else if (str_eq_fold(name, STR("connection"))) {
        seen->close |= head_lists(v, STR("close"));
        seen->keep |= head_lists(v, STR("keep-alive"));
    } else if (str_eq_fold(name, STR("expect"))) {
        h->expect_continue |= str_eq_fold(v, STR("100-continue"));
        h->expect_other |= !str_eq_fold(v, STR("100-continue"));
    }
    return 0;
}

static int judge_fields(struct head *h, const char *base)
{
    struct seen seen = {0};
    int status;

    for (size_t i = 0; i < h->n; i++) {
        struct head_field *f = &h->fields[i];
        struct str name = {base + f->name.at, f->name.n}, v = str_trim((struct str){base + f->value.at, f->value.n});
        if (v.n)
            f->value.at = (uint32_t)(v.p - base);
        f->value.n = (uint32_t)v.n;
        /* 4 to 17 bytes: the names looked at, a cheap way past most others */
        status = name.n >= 4 && name.n <= 17 ? judge_field(h, name, v, &seen) : 0;
        if (status)
            return status;
    }
    if (!seen.host && !h->http10)
        return bad(h, 400, "no Host");
    if (h->chunked && h->has_length)
        return bad(h, 400, "both Content-Length and Transfer-Encoding");
    if (h->chunked && h->http10)
        return bad(h, 400, "Transfer-Encoding in HTTP/1.0");
    h->keep = !seen.close && (!h->http10 || seen.keep);
    h->expect_continue &= !h->http10;
    return 0;
}

static int judge_target(struct head *h, const char *base)
{
    struct str t = {base + h->target.at, h->target.n};
    size_t at = 0;

    for (size_t i = 0; i < t.n; i++)
        if ((unsigned char)t.p[i] <= ' ' || (unsigned char)t.p[i] >= 0x7f || t.p[i] == '#')
            return bad(h, 400, "a character in the target that cannot stand there");
    if (t.n > 7 && str_eq_fold(str_head(t, 7), STR("http://"))) {
        at = 7;
        while (at < t.n && t.p[at] != '/' && t.p[at] != '?')
            at++;
        if (at == 7)
            return bad(h, 400, "a target without a host");
    } else if (!t.n || (t.p[0] != '/' && !str_eq(t, STR("*")))) {
        return bad(h, 400, "a target that is no path");
    }
    t = str_from(t, at);
    h->path = (struct span){h->target.at + (uint32_t)at, (uint32_t)t.n};
    at = str_find_char(t, '?');
    if (at != SIZE_MAX) {
        h->query = (struct span){h->path.at + (uint32_t)at + 1, (uint32_t)(t.n - at - 1)};
        h->path.n = (uint32_t)at;
    }
    h->escaped = h->path.n && memchr(base + h->path.at, '%', h->path.n);
    return 0;
}

/* Does the request line end in an HTTP/x.y that is not spoken here? */
static bool other_version(struct str text)
{
    struct str line = str_head(text, str_find(text, STR("\r\n"))), v;

    if (line.n < 9)
        return false;
    v = str_from(line, line.n - 9);
    return str_starts(v, STR(" HTTP/")) && v.p[6] >= '0' && v.p[6] <= '9' && v.p[7] == '.' && v.p[8] >= '0' &&
           v.p[8] <= '9' && !str_eq(v, STR(" HTTP/1.1")) && !str_eq(v, STR(" HTTP/1.0"));
}

/* METHOD SP target SP HTTP/1.x, with single spaces: the version's eight bytes are compared here. */
static int judge_line(struct head *h, struct str text, const llhttp_t *l)
{
    size_t end = h->target.at + h->target.n, start = h->target.at;
    struct str version = str_from(text, end);

    if (!str_starts(version, STR(" HTTP/1.1\r\n")) && !str_starts(version, STR(" HTTP/1.0\r\n")))
        return other_version(text) ? bad(h, 505, "an HTTP version other than 1.0 and 1.1")
                                   : bad(h, 400, "a malformed request line");
    if (start < 2 || text.p[start - 1] != ' ' || text.p[start - 2] == ' ')
        return bad(h, 400, "a malformed request line");
    h->http10 = l->http_minor == 0;
    h->method = llhttp_method_name((llhttp_method_t)l->method);
    h->no_body = l->method == HTTP_HEAD;
    return l->method == HTTP_CONNECT ? bad(h, 405, "CONNECT is not offered") : 0;
}

static bool is_method(struct str text)
{
    struct str word = str_head(text, str_find_char(text, ' '));

    for (size_t i = 0; i < word.n; i++)
        if ((word.p[i] < 'A' || word.p[i] > 'Z') && word.p[i] != '-')
            return false;
    return word.n > 0;
}

int head_parse(struct str text, struct head *out)
{
    struct parse p;
    llhttp_errno_t rc;
    int status;

    *out = (struct head){.fields = out->fields, .cap = out->cap};
    llhttp_init(&p.llhttp, HTTP_REQUEST, settings());
    p.head = out;
    p.base = text.p;
    rc = llhttp_execute(&p.llhttp, text.p, text.n);
    if (rc != HPE_OK && other_version(text))
        return bad(out, 505, "an HTTP version other than 1.0 and 1.1");
    if (rc == HPE_INVALID_METHOD)
        return is_method(text) ? bad(out, 501, "an unknown method") : bad(out, 400, "a malformed request line");
    if (rc != HPE_OK && rc != HPE_PAUSED_UPGRADE)
        return bad(out, 400, "a malformed head");
    status = judge_line(out, text, &p.llhttp);
    if (!status)
        status = judge_target(out, text.p);
    return status ? status : judge_fields(out, text.p);
}

void head_free(struct head *h)
{
    free(h->fields);
    *h = (struct head){0};
}
