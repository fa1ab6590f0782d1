/* SPDX-License-Identifier: Apache-2.0 */
#include "net/http_chunks.h"

#include <stdbool.h>
#include <string.h>

enum state { SIZE, EXTENSION, SIZE_LF, DATA, DATA_CR, DATA_LF, LINE, NAME, VALUE, LINE_LF, END_LF };
enum { DIGITS_MAX = 16 };

static int hex_digit(unsigned char b)
{
    if (b >= '0' && b <= '9')
        return b - '0';
    b |= 0x20;
    return b >= 'a' && b <= 'f' ? b - 'a' + 10 : -1;
}

static bool is_text(unsigned char b)
{
    return (b >= 0x20 && b != 0x7f) || b == '\t';
}

static bool is_token(unsigned char b)
{
    return (b >= '0' && b <= '9') || ((b | 0x20) >= 'a' && (b | 0x20) <= 'z') || (b && strchr("!#$%&'*+-.^_`|~", b));
}

static int on_size(struct chunks *c, unsigned char b, uint64_t max)
{
    int digit = hex_digit(b);

    if (digit >= 0) {
        if (++c->digits > DIGITS_MAX)
            return CHUNKS_BAD;
        c->left = c->left << 4 | (unsigned)digit;
        return c->left > max || c->total + c->left > max ? CHUNKS_TOO_LARGE : CHUNKS_MORE;
    }
    if (!c->digits || (b != '\r' && b != ';'))
        return CHUNKS_BAD;
    c->state = b == '\r' ? SIZE_LF : EXTENSION;
    return CHUNKS_MORE;
}

static int on_line_feed(struct chunks *c, unsigned char b)
{
    if (b != '\n')
        return CHUNKS_BAD;
    if (c->state == END_LF)
        return CHUNKS_DONE;
    if (c->state == SIZE_LF)
        c->state = c->left ? DATA : LINE;
    else
        c->state = c->state == DATA_LF ? SIZE : LINE;
    c->digits = 0;
    return CHUNKS_MORE;
}

static int on_trailer(struct chunks *c, unsigned char b)
{
    if (++c->trailer > CHUNK_TRAILER_MAX)
        return CHUNKS_BAD;
    if (c->state == LINE && b == '\r')
        c->state = END_LF;
    else if (c->state == VALUE && b == '\r')
        c->state = LINE_LF;
    else if (c->state == VALUE)
        return is_text(b) ? CHUNKS_MORE : CHUNKS_BAD;
    else if (c->state == NAME && b == ':')
        c->state = VALUE;
    else if (is_token(b))
        c->state = NAME;
    else
        return CHUNKS_BAD;
    return CHUNKS_MORE;
}

static int on_byte(struct chunks *c, unsigned char b, uint64_t max)
{
    switch (c->state) {
    case SIZE:
        return on_size(c, b, max);
    case EXTENSION:
        if (b == '\r') {
            c->state = SIZE_LF;
            return CHUNKS_MORE;
        }
        return is_text(b) && ++c->extensions <= CHUNK_EXTENSIONS_MAX ? CHUNKS_MORE : CHUNKS_BAD;
    case DATA_CR:
        c->state = DATA_LF;
        return b == '\r' ? CHUNKS_MORE : CHUNKS_BAD;
    case LINE:
    case NAME:
    case VALUE:
        return on_trailer(c, b);
    default:
        return on_line_feed(c, b);
    }
}

enum chunk_result chunks_decode(struct chunks *c, char *p, size_t n, size_t *read, size_t *write, uint64_t max)
{
    while (*read < n) {
        if (c->state == DATA) {
            size_t take = n - *read < c->left ? n - *read : (size_t)c->left;
            memmove(p + *write, p + *read, take);
            *read += take;
            *write += take;
            c->total += take;
            c->left -= take;
            if (!c->left)
                c->state = DATA_CR;
        } else {
            int result = on_byte(c, (unsigned char)p[*read], max);
            ++*read;
            if (result != CHUNKS_MORE)
                return (enum chunk_result)result;
        }
    }
    return CHUNKS_MORE;
}
