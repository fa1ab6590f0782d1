/* SPDX-License-Identifier: Apache-2.0 */
#include "net/http_inside.h"

#include <stdio.h>
#include <time.h>

static const struct status {
    int code;
    struct str line;
} statuses[] = {
    {200, {"HTTP/1.1 200 OK\r\n", 17}},
    {201, {"HTTP/1.1 201 Created\r\n", 22}},
    {202, {"HTTP/1.1 202 Accepted\r\n", 23}},
    {204, {"HTTP/1.1 204 No Content\r\n", 25}},
    {400, {"HTTP/1.1 400 Bad Request\r\n", 26}},
    {401, {"HTTP/1.1 401 Unauthorized\r\n", 27}},
    {403, {"HTTP/1.1 403 Forbidden\r\n", 24}},
    {404, {"HTTP/1.1 404 Not Found\r\n", 24}},
    {405, {"HTTP/1.1 405 Method Not Allowed\r\n", 33}},
    {408, {"HTTP/1.1 408 Request Timeout\r\n", 30}},
    {409, {"HTTP/1.1 409 Conflict\r\n", 23}},
    {413, {"HTTP/1.1 413 Content Too Large\r\n", 32}},
    {414, {"HTTP/1.1 414 URI Too Long\r\n", 27}},
    {415, {"HTTP/1.1 415 Unsupported Media Type\r\n", 37}},
    {417, {"HTTP/1.1 417 Expectation Failed\r\n", 33}},
    {422, {"HTTP/1.1 422 Unprocessable Content\r\n", 36}},
    {429, {"HTTP/1.1 429 Too Many Requests\r\n", 32}},
    {431, {"HTTP/1.1 431 Request Header Fields Too Large\r\n", 46}},
    {500, {"HTTP/1.1 500 Internal Server Error\r\n", 36}},
    {501, {"HTTP/1.1 501 Not Implemented\r\n", 30}},
    {503, {"HTTP/1.1 503 Service Unavailable\r\n", 34}},
    {505, {"HTTP/1.1 505 HTTP Version Not Supported\r\n", 41}},
};

static void add_status(struct buf *out, int code)
{
    for (size_t i = 0; i < ARRAY_LEN(statuses); i++)
        if (statuses[i].code == code) {
            buf_str(out, statuses[i].line);
            return;
        }
    buf_fmt(out, "HTTP/1.1 %d Status\r\n", code);
}

static void add_date(struct http_server *s, struct buf *out)
{
    int64_t second = io->wall() / SECOND;
    time_t t = (time_t)second;
    struct tm tm;

    if (second != s->date_second) {
        s->date_second = second;
        gmtime_r(&t, &tm);
        /* not %a and %b: those follow the locale */
        snprintf(s->date, sizeof s->date, "%.3s, %02u %.3s %04u %02u:%02u:%02u GMT",
                 &"SunMonTueWedThuFriSat"[tm.tm_wday % 7 * 3], (unsigned)tm.tm_mday % 100,
                 &"JanFebMarAprMayJunJulAugSepOctNovDec"[tm.tm_mon % 12 * 3], (unsigned)(tm.tm_year + 1900) % 10000,
                 (unsigned)tm.tm_hour % 100, (unsigned)tm.tm_min % 100, (unsigned)tm.tm_sec % 100);
    }
    buf_str(out, STR("Date: "));
    buf_add(out, s->date, 29);
    buf_str(out, STR("\r\n"));
}

static void add_number(struct buf *out, size_t n)
{
    char digits[20];
    size_t at = sizeof digits;

    do
        digits[--at] = (char)('0' + n % 10);
    while (n /= 10);
    buf_add(out, digits + at, sizeof digits - at);
}

/* A value that came from data could hold the end of its line and a header of its own. */
static void add_value(struct buf *out, struct str v)
{
    for (size_t i = 0; i < v.n; i++)
        buf_char(out, (unsigned char)v.p[i] < 0x20 || v.p[i] == 0x7f ? ' ' : v.p[i]);
}

void reply_queue(struct conn *c, int status, const struct http_head *headers, size_t n, struct str body)
{
    struct buf *out = &c->out;
    const struct head *h = &c->request.head;

    if (c->server->stopped || (c->eof && c->in.n == c->request.end))
        c->refused = true;
    buf_room(out, 256 + body.n);
    add_status(out, status);
    add_date(c->server, out);
    if (status != 204) {
        buf_str(out, STR("Content-Length: "));
        add_number(out, body.n);
        buf_str(out, STR("\r\n"));
    }
    for (size_t i = 0; i < n; i++) {
        buf_str(out, headers[i].name);
        buf_str(out, STR(": "));
        add_value(out, headers[i].value);
        buf_str(out, STR("\r\n"));
    }
    if (c->refused || !h->keep)
        buf_str(out, STR("Connection: close\r\n"));
    else if (h->http10)
        buf_str(out, STR("Connection: keep-alive\r\n"));
    buf_str(out, STR("\r\n"));
    if (!h->no_body && status != 204)
        buf_str(out, body);
}

static void add_json(struct buf *out, const char *text)
{
    for (; *text; text++) {
        unsigned char b = (unsigned char)*text;
        if (b == '"' || b == '\\')
            buf_char(out, '\\');
        if (b < 0x20)
            buf_fmt(out, "\\u%04x", b);
        else
            buf_char(out, (char)b);
    }
}

void reply_queue_error(struct conn *c, int status, int retry_after, const char *text)
{
    CLEANUP(buf_free) struct buf body = {0};
    struct http_head headers[2] = {{STR("Content-Type"), STR("application/json")}};
    size_t n = 1;
    char seconds[16];

    buf_str(&body, STR("{\"error\":\""));
    add_json(&body, text);
    buf_str(&body, STR("\"}\n"));
    if (retry_after > 0) {
        snprintf(seconds, sizeof seconds, "%d", retry_after);
        headers[n++] = (struct http_head){STR("Retry-After"), str_of(seconds)};
    }
    reply_queue(c, status, headers, n, buf_view(&body));
}
