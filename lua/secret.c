/* SPDX-License-Identifier: Apache-2.0 */
#include "lua/secret.h"
#include "base/alloc.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/hash.h"
#include "base/io.h"
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <mbedtls/md.h>
#include <mbedtls/platform_util.h>
#include <stdio.h>

enum { KEY = 32, BLOCK = 64, NAME = 16, FILE_MAX = 65536, SHOWN = 16 };
enum {
    KNOWN = 1024,   /* a power of two: one person's events come close together */
    KNOWN_TEXT = 47 /* longer values are hashed anew each time */
};

struct known {
    uint8_t n; /* of the value; 0: free */
    uint8_t shown;
    char value[KNOWN_TEXT], text[SECRET_TEXT];
};

struct secret {
    char name[NAME + 1];
    mbedtls_md_context_t inner, outer, work; /* inner and outer have taken in the padded key */
    struct known *known;                     /* what was hashed lately; each value has one place */
};

static void pad(mbedtls_md_context_t *c, const unsigned char key[KEY], unsigned char with)
{
    unsigned char block[BLOCK];

    memset(block, with, sizeof block);
    for (size_t i = 0; i < KEY; i++)
        block[i] ^= key[i];
    mbedtls_md_init(c);
    mbedtls_md_setup(c, mbedtls_md_info_from_type(MBEDTLS_MD_SHA256), 0);
    mbedtls_md_starts(c);
    mbedtls_md_update(c, block, sizeof block);
    mbedtls_platform_zeroize(block, sizeof block);
}

static struct secret *secret_new(const char *name, unsigned char key[KEY])
{
    struct secret *s = alloc_new(sizeof *s);

    snprintf(s->name, sizeof s->name, "%s", name);
    s->known = alloc_array(KNOWN, sizeof *s->known);
    pad(&s->inner, key, 0x36);
    pad(&s->outer, key, 0x5c);
    mbedtls_md_init(&s->work);
    mbedtls_md_setup(&s->work, mbedtls_md_info_from_type(MBEDTLS_MD_SHA256), 0);
    mbedtls_platform_zeroize(key, KEY);
    return s;
}

static int hex(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

static bool parse_line(struct str line, char name[NAME + 1], unsigned char key[KEY])
{
    struct str word = str_word(&line), digits = str_trim(line);

    if (!word.n || word.n > NAME || str_find_char(word, ':') != SIZE_MAX || digits.n != 2 * KEY)
        return false;
    for (size_t i = 0; i < KEY; i++) {
        int high = hex(digits.p[2 * i]), low = hex(digits.p[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        key[i] = (unsigned char)(high << 4 | low);
    }
    memcpy(name, word.p, word.n);
    name[word.n] = 0;
    return true;
}

static struct secret *parse(const char *path, struct str text, struct err *e)
{
    char name[NAME + 1] = "";
    unsigned char key[KEY];
    unsigned number = 0;

    while (text.n) {
        struct str line = str_trim(str_cut(&text, '\n'));
        number++;
        if (line.n && line.p[0] != '#' && !parse_line(line, name, key)) {
            err_set(e, "%s:%u: expected a key's name and 64 hex digits", path, number);
            return NULL;
        }
    }
    if (!*name) {
        err_set(e, "%s: has no key", path);
        return NULL;
    }
    return secret_new(name, key);
}

static bool make(int dir, const char *path, struct err *e)
{
    CLEANUP(buf_free) struct buf text = {0};
    unsigned char key[KEY];
    char temporary[64];
    int fd;
    bool ok;

    io->random(key, sizeof key);
    buf_str(&text, STR("h1 "));
    for (size_t i = 0; i < KEY; i++)
        buf_fmt(&text, "%02x", key[i]);
    buf_char(&text, '\n');
    snprintf(temporary, sizeof temporary, "hmac.key.%ld", (long)getpid());
    io->unlinkat(dir, temporary, 0);
    fd = io->openat(dir, temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return err_errno(e, "%s: cannot be made", path);
    ok = io_write_all(fd, text.p, text.n) == (ssize_t)text.n && io->fsync(fd) == 0;
    io->close(fd);
    mbedtls_platform_zeroize(text.p, text.n);
    mbedtls_platform_zeroize(key, sizeof key);
    if (!ok || io->renameat(dir, temporary, dir, "hmac.key") < 0 || io->fsync(dir) < 0)
        return err_errno(e, "%s: cannot be written", path);
    log_info("made the key of keyed hashes", "file", path);
    return true;
}

static struct secret *read_key(int dir, const char *path, struct err *e)
{
    CLEANUP(buf_free) struct buf text = {0};
    struct secret *s;
    struct stat st;
    ssize_t n = -1;
    int fd = io->openat(dir, "hmac.key", O_RDONLY | O_CLOEXEC, 0);

    if (fd < 0) {
        err_errno(e, "%s", path);
        return NULL;
    }
    if (io->fstat(fd, &st) == 0 && st.st_size <= FILE_MAX)
        n = io_pread_all(fd, buf_room(&text, FILE_MAX), FILE_MAX, 0);
    if (n < 0)
        err_errno(e, "%s", path);
    else if (st.st_mode & 077)
        log_warn("others may read the key of keyed hashes", "file", path);
    io->close(fd);
    if (n < 0)
        return NULL;
    text.n = (size_t)n;
    s = parse(path, buf_view(&text), e);
    mbedtls_platform_zeroize(text.p, text.n);
    return s;
}

struct secret *secret_open(const char *dir, struct err *e)
{
    CLEANUP(buf_free) struct buf path = {0};
    unsigned char key[KEY];
    struct secret *s;
    struct err first;
    int fd;

    if (!dir) {
        io->random(key, sizeof key);
        log_warn("keyed hashes use a key that ends with this process: there is no state directory");
        return secret_new("h0", key);
    }
    buf_fmt(&path, "%s/hmac.key", dir);
    fd = io->openat(AT_FDCWD, dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    if (fd < 0) {
        err_errno(e, "%s", dir);
        return NULL;
    }
    errno = 0;
    s = read_key(fd, buf_text(&path), &first);
    if (!s && errno == ENOENT && make(fd, path.p, e))
        s = read_key(fd, path.p, e);
    else if (!s && errno != ENOENT)
        *e = first;
    io->close(fd);
    return s;
}

void secret_free(struct secret *s)
{
    if (!s)
        return;
    mbedtls_md_free(&s->inner);
    mbedtls_md_free(&s->outer);
    mbedtls_md_free(&s->work);
    mbedtls_platform_zeroize(s->known, KNOWN * sizeof *s->known);
    free(s->known);
    free(s);
}

static size_t hash_anew(struct secret *s, struct str value, char out[SECRET_TEXT])
{
    static const char digits[] = "0123456789abcdef";
    unsigned char sum[32];
    char *p = out;

    mbedtls_md_clone(&s->work, &s->inner);
    mbedtls_md_update(&s->work, (const unsigned char *)value.p, value.n);
    mbedtls_md_finish(&s->work, sum);
    mbedtls_md_clone(&s->work, &s->outer);
    mbedtls_md_update(&s->work, sum, sizeof sum);
    mbedtls_md_finish(&s->work, sum);
    p = stpcpy(p, s->name);
    *p++ = ':';
    for (size_t i = 0; i < SHOWN; i++) {
        *p++ = digits[sum[i] >> 4];
        *p++ = digits[sum[i] & 15];
    }
    *p = 0;
    return (size_t)(p - out);
}

size_t secret_hash(struct secret *s, struct str value, char out[SECRET_TEXT])
{
    struct known *k;
    size_t n;

    if (!value.n || value.n > KNOWN_TEXT)
        return hash_anew(s, value, out);
    k = &s->known[hash_bytes(value) & (KNOWN - 1)];
    if (k->n == value.n && memcmp(k->value, value.p, value.n) == 0) {
        memcpy(out, k->text, k->shown + 1u);
        return k->shown;
    }
    n = hash_anew(s, value, out);
    memcpy(k->value, value.p, value.n);
    memcpy(k->text, out, n + 1);
    k->n = (uint8_t)value.n;
    k->shown = (uint8_t)n;
    return n;
}
