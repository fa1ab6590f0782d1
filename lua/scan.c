/* SPDX-License-Identifier: Apache-2.0 */
#include "lua/scan.h"
#include "base/cleanup.h"

#include <arpa/inet.h>
#include <ctype.h>

static bool is_local(char c) /* of the part before the @; bytes of UTF-8 count as letters */
{
    return isalnum((unsigned char)c) || (unsigned char)c >= 0x80 || (c && strchr("._%+-!#$&'*/=?^`{|}~", c));
}

static bool is_domain(char c)
{
    return isalnum((unsigned char)c) || (unsigned char)c >= 0x80 || c == '.' || c == '-';
}

/* The next @ or %40 at or behind `from`: its place, or text.n; *width is its length. */
static size_t next_at(struct str text, size_t from, size_t *width)
{
    const char *end = text.p + text.n, *plain, *coded;

    if (from >= text.n)
        return text.n;
    plain = memchr(text.p + from, '@', text.n - from);
    coded = memmem(text.p + from, (size_t)((plain ? plain : end) - text.p) - from, "%40", 3);
    *width = coded ? 3 : 1;
    return coded ? (size_t)(coded - text.p) : plain ? (size_t)(plain - text.p) : text.n;
}

/* Where the local part begins that ends at `at`; not before `floor`. */
static size_t local_start(struct str text, size_t floor, size_t at)
{
    size_t i = at;

    if (at > floor && text.p[at - 1] == '"') { /* "any thing"@example.org */
        for (i = at - 1; i > floor && text.p[i - 1] != '"'; i--)
            ;
        return i > floor ? i - 1 : at;
    }
    while (i > floor && is_local(text.p[i - 1]))
        i--;
    /* What parameters and quoting put in front of an address is not part of it. */
    for (size_t j = i; j < at; j++)
        if (strchr("=&?/'`|{*", text.p[j]) && j + 1 < at)
            i = j + 1;
    return i;
}

/* The end of the domain at `start`; `start`: there is none with a dot and a last label of two letters. */
static size_t domain_end(struct str text, size_t start)
{
    size_t end = start, dot;

    while (end < text.n && is_domain(text.p[end]))
        end++;
    while (end > start && (text.p[end - 1] == '.' || text.p[end - 1] == '-'))
        end--;
    for (dot = end; dot > start && text.p[dot - 1] != '.'; dot--)
        ;
    if (dot <= start + 1 || end - dot < 2 || isdigit((unsigned char)text.p[dot]))
        return start;
    return end;
}

size_t scan_mail(struct str text, struct buf *out)
{
    size_t done = 0, found = 0, width = 1, at = next_at(text, 0, &width);

    while (at < text.n) {
        size_t start = local_start(text, done, at), behind = at + width, end = domain_end(text, behind);
        if (start < at && end > behind) {
            buf_add(out, text.p + done, start - done);
            buf_str(out, STR("[mail]"));
            done = behind = end;
            found++;
        }
        at = next_at(text, behind, &width);
    }
    if (found)
        buf_add(out, text.p + done, text.n - done);
    return found;
}

static void add_network(struct buf *out, const unsigned char part[3])
{
    char text[16], *p = text;

    for (int i = 0; i < 3; i++) {
        if (part[i] >= 100)
            *p++ = (char)('0' + part[i] / 100);
        if (part[i] >= 10)
            *p++ = (char)('0' + part[i] / 10 % 10);
        *p++ = (char)('0' + part[i] % 10);
        *p++ = '.';
    }
    *p++ = '0';
    buf_add(out, text, (size_t)(p - text));
}

bool scan_truncate_address(struct str text, struct buf *out)
{
    char z[INET6_ADDRSTRLEN + 32], *p = z, *cut;
    unsigned char v4[4], v6[16];
    static const unsigned char mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

    text = str_trim(text);
    if (text.n >= sizeof z || memchr(text.p, 0, text.n))
        return false;
    memcpy(z, text.p, text.n);
    z[text.n] = 0;
    if (*p == '[' && (cut = strchr(p, ']'))) {
        *cut = 0;
        p++;
    } else if ((cut = strchr(p, ':')) && cut == strrchr(p, ':')) {
        *cut = 0; /* one colon: IPv4 with a port */
    }
    if ((cut = strchr(p, '%')))
        *cut = 0;
    if (inet_pton(AF_INET, p, v4) == 1) {
        add_network(out, v4);
        return true;
    }
    if (inet_pton(AF_INET6, p, v6) != 1)
        return false;
    if (memcmp(v6, mapped, sizeof mapped) == 0) {
        add_network(out, v6 + 12);
        return true;
    }
    memset(v6 + 6, 0, 10);
    inet_ntop(AF_INET6, v6, z, sizeof z);
    buf_str(out, str_of(z));
    return true;
}

static int hex(char c)
{
    return isdigit((unsigned char)c) ? c - '0' : isxdigit((unsigned char)c) ? (c | 32) - 'a' + 10 : -1;
}

/* Lower case, %XX and + decoded. */
static void decode(struct str s, struct buf *out)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (c == '%' && i + 2 < s.n && hex(s.p[i + 1]) >= 0 && hex(s.p[i + 2]) >= 0) {
            c = (char)(hex(s.p[i + 1]) * 16 + hex(s.p[i + 2]));
            i += 2;
        } else if (c == '+') {
            c = ' ';
        }
        buf_char(out, (char)tolower((unsigned char)c));
    }
}

static bool name_is_sensitive(struct str name)
{
    static const char *const parts[] = {"token",  "secret",  "passw",   "session", "mail",  "signature", "auth",
                                        "apikey", "api_key", "api-key", "jwt",     "phone", "credential"};
    static const char *const whole[] = {"key", "code", "sig",  "sid",      "pwd", "pass",
                                        "otp", "pin",  "user", "username", "ssn"};

    for (size_t i = 0; i < ARRAY_LEN(parts); i++)
        if (str_find(name, str_of(parts[i])) != SIZE_MAX)
            return true;
    for (size_t i = 0; i < ARRAY_LEN(whole); i++)
        if (str_eq(name, str_of(whole[i])))
            return true;
    return false;
}

static bool parameter_is_sensitive(struct str parameter)
{
    CLEANUP(buf_free) struct buf name = {0}, value = {0}, found = {0};
    size_t equals = str_find_char(parameter, '=');

    decode(str_head(parameter, equals), &name);
    if (name_is_sensitive(buf_view(&name)))
        return true;
    decode(equals == SIZE_MAX ? parameter : str_from(parameter, equals + 1), &value);
    return scan_mail(buf_view(&value), &found) > 0;
}

static void scan_query(struct str query, struct buf *out)
{
    char sep = '?';

    while (query.n) {
        size_t n = 0;
        struct str one;
        while (n < query.n && query.p[n] != '&' && query.p[n] != ';')
            n++;
        one = str_head(query, n);
        if (one.n && !parameter_is_sensitive(one)) {
            buf_char(out, sep);
            buf_str(out, one);
            sep = '&';
        }
        query = str_from(query, n + 1);
    }
}

void scan_url(struct str url, struct buf *out)
{
    size_t question, host, slash, at;
    struct str path, authority;

    url = str_head(url, str_find_char(url, '#'));
    question = str_find_char(url, '?');
    path = str_head(url, question);
    host = str_find(path, STR("//"));
    if (host != SIZE_MAX) {
        host += 2;
        slash = str_find_char(str_from(path, host), '/');
        authority = str_head(str_from(path, host), slash);
        for (at = authority.n; at > 0 && authority.p[at - 1] != '@'; at--)
            ;
        buf_add(out, path.p, host);
        path = str_from(path, host + at);
    }
    if (!scan_mail(path, out))
        buf_str(out, path);
    if (question != SIZE_MAX)
        scan_query(str_from(url, question + 1), out);
}
