/* SPDX-License-Identifier: Apache-2.0 */
#include "http.h"

#include <arpa/inet.h>

static bool address_parse(struct str text, uint8_t out[16], bool *four)
{
    char z[INET6_ADDRSTRLEN];

    if (!text.n || text.n >= sizeof z)
        return false;
    memcpy(z, text.p, text.n);
    z[text.n] = 0;
    memset(out, 0, 16);
    out[10] = out[11] = 0xff;
    *four = inet_pton(AF_INET, z, out + 12) == 1;
    return *four || inet_pton(AF_INET6, z, out) == 1;
}

bool network_parse(struct str text, struct network *out)
{
    struct str rest = text, address = str_cut(&rest, '/');
    uint64_t bits;
    bool four;

    if (!address_parse(address, out->address, &four))
        return false;
    out->bits = 128;
    if (!rest.p)
        return true;
    if (!str_u64(rest, &bits) || bits > (four ? 32 : 128))
        return false;
    out->bits = (unsigned)bits + (four ? 96 : 0);
    return true;
}

static bool inside(const struct network *n, const uint8_t address[16])
{
    unsigned bytes = n->bits / 8, rest = n->bits % 8;

    return memcmp(n->address, address, bytes) == 0 &&
           (!rest || (n->address[bytes] ^ address[bytes]) >> (8 - rest) == 0);
}

static bool trusted_address(struct str text, const struct network *trusted, size_t n, bool *valid)
{
    uint8_t address[16];
    bool four;

    *valid = address_parse(text, address, &four);
    for (size_t i = 0; *valid && i < n; i++)
        if (inside(&trusted[i], address))
            return true;
    return false;
}

/* Each proxy appends the address it was called from, so only the end of the list is worth anything: it is read from
 * there for as long as those who wrote it are trusted. */
struct str remote_address(const struct http_request *r, const struct network *trusted, size_t n)
{
    struct str address = http_peer(r), list = http_header(r, "x-forwarded-for");
    bool valid;

    while (list.n && trusted_address(address, trusted, n, &valid)) {
        size_t at = list.n;
        struct str last;
        while (at && list.p[at - 1] != ',')
            at--;
        last = str_trim(str_from(list, at));
        trusted_address(last, NULL, 0, &valid);
        if (!valid)
            break;
        address = last;
        list.n = at ? at - 1 : 0;
    }
    return address;
}
