/* SPDX-License-Identifier: Apache-2.0 */
/* Sealed bytes: u8 version | 12 bytes nonce | 16 bytes tag | AES-256-GCM ciphertext; the version is authenticated too.
 * Random nonces: at 2^32 entries under one key the odds of a repetition are 2^-33. */
#include "store/quarantine.h"

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <mbedtls/gcm.h>
#include <stdio.h>
#include <stdlib.h>

enum { KEY = 32, NONCE = 12, TAG = 16, SEAL_VERSION = 1, OVERHEAD = 1 + NONCE + TAG };

struct quarantine_key {
    unsigned char bytes[KEY];
};

static bool make_key(const char *path, struct err *e)
{
    CLEANUP(buf_free) struct buf half = {0};
    unsigned char bytes[KEY];
    bool ok;
    int fd;

    buf_fmt(&half, "%s.new", path);
    io->unlinkat(AT_FDCWD, buf_text(&half), 0); /* of a start that was cut short */
    fd = io->openat(AT_FDCWD, buf_text(&half), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
    if (fd < 0)
        return err_errno(e, "cannot make the quarantine key %s", path);
    io->random(bytes, sizeof bytes);
    ok = io_write_all(fd, bytes, sizeof bytes) == KEY && !io->fsync(fd);
    explicit_bzero(bytes, sizeof bytes);
    if (!ok || io->renameat(AT_FDCWD, buf_text(&half), AT_FDCWD, path)) {
        err_errno(e, "cannot make the quarantine key %s", path);
        io->close(fd);
        return false;
    }
    io->close(fd);
    return true;
}

static int open_key(const char *path, bool make, struct err *e)
{
    int fd = io->openat(AT_FDCWD, path, O_RDONLY | O_NOFOLLOW, 0);

    if (fd < 0 && errno == ENOENT && make) {
        if (!make_key(path, e))
            return -1;
        fd = io->openat(AT_FDCWD, path, O_RDONLY | O_NOFOLLOW, 0);
    }
    if (fd < 0)
        err_errno(e, "cannot read the quarantine key %s", path);
    return fd;
}

struct quarantine_key *quarantine_key_load(const char *path, bool make, struct err *e)
{
    struct quarantine_key *k;
    struct stat st;
    char more;
    int fd = open_key(path, make, e);
    bool ok;

    if (fd < 0)
        return NULL;
    k = alloc_new(sizeof *k);
    ok = !io->fstat(fd, &st) && io_pread_all(fd, k->bytes, KEY, 0) == KEY && io_pread_all(fd, &more, 1, KEY) == 0;
    io->close(fd);
    if (!ok)
        err_set(e, "the quarantine key %s must have %d bytes", path, KEY);
    else if (st.st_mode & 077)
        ok = err_set(e, "the quarantine key %s can be read by others: chmod 600 it", path);
    if (ok)
        return k;
    quarantine_key_free(k);
    return NULL;
}

void quarantine_key_free(struct quarantine_key *k)
{
    if (!k)
        return;
    explicit_bzero(k, sizeof *k);
    free(k);
}

static bool start(mbedtls_gcm_context *gcm, const struct quarantine_key *k)
{
    mbedtls_gcm_init(gcm);
    return !mbedtls_gcm_setkey(gcm, MBEDTLS_CIPHER_ID_AES, k->bytes, KEY * 8);
}

void quarantine_seal(struct quarantine_key *k, struct str plain, struct buf *out)
{
    mbedtls_gcm_context gcm;
    unsigned char *p = (unsigned char *)buf_room(out, OVERHEAD + plain.n);

    p[0] = SEAL_VERSION;
    io->random(p + 1, NONCE);
    /* Neither can fail with a 256-bit key and a length below 2^32; writing the plain text instead is no way out. */
    if (!start(&gcm, k) ||
        mbedtls_gcm_crypt_and_tag(&gcm, MBEDTLS_GCM_ENCRYPT, plain.n, p + 1, NONCE, p, 1,
                                  (const unsigned char *)plain.p, p + OVERHEAD, TAG, p + 1 + NONCE)) {
        fprintf(stderr, "weir: cannot encrypt for the quarantine\n");
        abort();
    }
    mbedtls_gcm_free(&gcm); /* wipes the key schedule */
    out->n += OVERHEAD + plain.n;
}

bool quarantine_unseal(const struct quarantine_key *k, struct str sealed, struct buf *out, struct err *e)
{
    mbedtls_gcm_context gcm;
    const unsigned char *p = (const unsigned char *)sealed.p;
    size_t n = sealed.n - OVERHEAD;
    int failed;

    if (sealed.n < OVERHEAD)
        return err_set(e, "sealed entry is cut short");
    if (p[0] != SEAL_VERSION)
        return err_set(e, "sealed entry has version %u; this agent knows %d", p[0], SEAL_VERSION);
    failed = !start(&gcm, k) || mbedtls_gcm_auth_decrypt(&gcm, n, p + 1, NONCE, p, 1, p + 1 + NONCE, TAG, p + OVERHEAD,
                                                         (unsigned char *)buf_room(out, n + 1));
    mbedtls_gcm_free(&gcm);
    if (failed)
        return err_set(e, "sealed entry does not open: another key, or it was changed");
    out->n += n;
    return true;
}
