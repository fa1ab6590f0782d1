/* SPDX-License-Identifier: Apache-2.0 */
/* key=value key="quoted \"value\"" bare: https://brandur.org/logfmt */
#include "event/msgpack.h"
#include "event/parser_internal.h"

static bool is_blank(char c)
{
    return (unsigned char)c <= ' ';
}

/* Behind the opening quote: the value, its escapes resolved in the parser's buffer.  The rest of the line begins behind
 * the closing quote, or is empty where there is none. */
static struct str quoted(struct parser *p, struct str *rest)
{
    size_t n = 0;
    bool escapes = false;

    while (n < rest->n && rest->p[n] != '"') {
        bool escape = rest->p[n] == '\\' && n + 1 < rest->n;
        escapes |= escape;
        n += escape ? 2 : 1;
    }
    struct str value = str_head(*rest, n);
    *rest = str_from(*rest, n + 1);
    if (!escapes)
        return value;
    buf_clear(&p->text);
    decoder_unescape(ESCAPED_UTF8, value, &p->text);
    return buf_view(&p->text);
}

static struct str word(struct str *rest, bool key)
{
    size_t n = 0;

    while (n < rest->n && !is_blank(rest->p[n]) && !(key && (rest->p[n] == '=' || rest->p[n] == '"')))
        n++;
    struct str s = str_head(*rest, n);
    *rest = str_from(*rest, n);
    return s;
}

static void add_bare(struct fields *f, struct str key)
{
    msgpack_str(f->out, key);
    msgpack_bool(f->out, true);
    f->n++;
}

bool parser_logfmt(struct str line, bool no_bare_keys, struct fields *f, struct err *e)
{
    unsigned keys = 0;

    for (;;) {
        while (line.n && is_blank(line.p[0]))
            line = str_from(line, 1);
        if (!line.n)
            return keys || err_set(e, "the line is empty");
        struct str key = word(&line, true);
        if (!key.n)
            return err_set(e, "a key is missing behind %u others", keys);
        keys++;
        if (line.n && line.p[0] == '=') {
            line = str_from(line, 1);
            bool quote = line.n && line.p[0] == '"';
            line = str_from(line, quote);
            fields_add(f, key, quote ? quoted(f->p, &line) : word(&line, false));
        } else if (no_bare_keys) {
            return err_set(e, "key %u has no value, and logfmt_no_bare_keys is on", keys);
        } else {
            add_bare(f, key);
        }
    }
}
