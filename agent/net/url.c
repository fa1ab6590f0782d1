/* SPDX-License-Identifier: Apache-2.0 */
#include "net/url.h"

#include "base/alloc.h"
#include "base/hash.h"

#include <stdlib.h>

enum { URL_MAX = 4096, HOST_MAX = 255, SEGMENT_MAX = 200, HASH_DIGITS = 32 };

static struct str owned(struct str s)
{
    return (struct str){alloc_text(s.p, s.n), s.n};
}

static bool host_char(char c, bool v6)
{
    if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.')
        return true;
    return v6 ? c == ':' || c == '%' : c == '-' || c == '_';
}

static bool parse_host(struct str *rest, struct str *host, struct err *e)
{
    bool v6 = rest->n && rest->p[0] == '[';
    struct str s = *rest;

    if (v6) {
        s = str_from(s, 1);
        *host = str_cut(&s, ']');
        if (!s.p)
            return err_set(e, "the address is not closed by ']'");
    } else {
        host->p = s.p;
        for (host->n = 0; host->n < s.n && !memchr(":/?#", s.p[host->n], 4);)
            host->n++;
        s = str_from(s, host->n);
    }
    if (!host->n || host->n > HOST_MAX)
        return err_set(e, host->n ? "the host name is longer than 255 bytes" : "there is no host name");
    for (size_t i = 0; i < host->n; i++)
        if (!host_char(host->p[i], v6))
            return err_set(e, "character %zu of the host name cannot stand there", i + 1);
    *rest = s;
    return true;
}

static bool parse_port(struct str *rest, int *port, struct err *e)
{
    struct str digits;
    uint64_t n;

    if (!rest->n || rest->p[0] != ':')
        return true;
    digits = (struct str){rest->p + 1, 0};
    while (digits.n < rest->n - 1 && !memchr("/?#", digits.p[digits.n], 3))
        digits.n++;
    if (!str_u64(digits, &n) || !n || n > 65535)
        return err_set(e, "the port must be a number from 1 to 65535");
    *port = (int)n;
    *rest = str_from(*rest, digits.n + 1);
    return true;
}

static bool parse_rest(struct str rest, struct url *out, struct err *e)
{
    char *path;

    for (size_t i = 0; i < rest.n; i++)
        if ((unsigned char)rest.p[i] <= ' ' || (unsigned char)rest.p[i] >= 0x7f || rest.p[i] == '#')
            return err_set(e, "byte %zu of the path cannot stand there; write it as %%XX", i + 1);
    if (rest.n && rest.p[0] == '/') {
        out->path = owned(rest);
        return true;
    }
    path = alloc_raw(rest.n + 2);
    path[0] = '/';
    if (rest.n)
        memcpy(path + 1, rest.p, rest.n);
    path[rest.n + 1] = 0;
    out->path = (struct str){path, rest.n + 1};
    return true;
}

bool url_parse(struct str text, struct url *out, struct err *e)
{
    struct str rest = text, host;

    *out = (struct url){.port = 80};
    if (text.n > URL_MAX)
        return err_set(e, "the URL is longer than %d bytes", URL_MAX);
    if (text.n >= 8 && str_eq_fold(str_head(text, 8), STR("https://"))) {
        out->tls = true;
        out->port = 443;
        rest = str_from(text, 8);
    } else if (text.n >= 7 && str_eq_fold(str_head(text, 7), STR("http://"))) {
        rest = str_from(text, 7);
    } else {
        return err_set(e, "a URL begins with http:// or https://");
    }
    for (size_t i = 0; i < rest.n && rest.p[i] != '/'; i++)
        if (rest.p[i] == '@')
            return err_set(e, "a URL may not hold a user name or password; use the options made for them");
    if (!parse_host(&rest, &host, e) || !parse_port(&rest, &out->port, e) || !parse_rest(rest, out, e))
        return false;
    out->host = owned(host);
    return true;
}

void url_free(struct url *u)
{
    free((char *)u->host.p);
    free((char *)u->path.p);
    u->host = u->path = (struct str){0};
}

static bool plain(unsigned char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' || c == '_' ||
           c == '=' || c == '-';
}

/* '~' stands for "" and in front of the hash: no other input gives that character. */
void percent_segment(struct buf *out, struct str data)
{
    static const char hex[] = "0123456789ABCDEF";
    static const struct id key = {0x7765697273656721, 0x7365676d656e7421};
    size_t start = out->n, cut = start;
    char digits[33];

    if (!data.n) {
        buf_str(out, STR("~"));
        return;
    }
    for (size_t i = 0; i < data.n; i++) {
        unsigned char c = (unsigned char)data.p[i];
        if (plain(c) && !(c == '.' && (data.n == 1 || (data.n == 2 && data.p[0] == '.' && data.p[1] == '.')))) {
            buf_char(out, (char)c);
        } else {
            buf_char(out, '%');
            buf_char(out, hex[c >> 4]);
            buf_char(out, hex[c & 15]);
        }
        if (out->n - start <= SEGMENT_MAX - HASH_DIGITS - 1)
            cut = out->n;
        if (out->n - start > SEGMENT_MAX) {
            id_text(hash_128(data, &key), digits);
            out->n = cut;
            buf_char(out, '~');
            buf_add(out, digits, HASH_DIGITS);
            return;
        }
    }
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool percent_decode(struct buf *out, struct str text, bool plus_is_space)
{
    size_t was = out->n;

    buf_room(out, text.n + 1);
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (c == '%') {
            int hi = i + 2 < text.n ? hex_digit(text.p[i + 1]) : -1, lo = hi >= 0 ? hex_digit(text.p[i + 2]) : -1;
            if (lo < 0) {
                out->n = was;
                return false;
            }
            c = (char)(hi * 16 + lo);
            i += 2;
        } else if (c == '+' && plus_is_space) {
            c = ' ';
        }
        out->p[out->n++] = c;
    }
    return true;
}
