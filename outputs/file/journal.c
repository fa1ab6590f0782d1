/* SPDX-License-Identifier: Apache-2.0 */
#include "state.h"

#include "base/alloc.h"
#include "base/crc32c.h"
#include "base/io.h"
#include "base/reader.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>

/* An entry: u32 length, u32 crc32c of the rest, then u32 generation, u64 dev, u64 ino, u64 len, root, NUL, name, NUL.
 */
enum { ENTRY_HEAD = 8, ENTRY_MAX = 2 * PATH_MAX + 64, JOURNAL_MAX = 64 << 20 };

bool journal_open(struct grow_set *s, const char *dir, struct err *e)
{
    char path[PATH_MAX];
    struct stat st;

    if (!dir)
        return true;
    if (snprintf(path, sizeof(path), "%s/file-%s.journal", dir, s->owner) >= (int)sizeof(path))
        return err_set(e, "the state directory's name is too long");
    s->journal = io->openat(AT_FDCWD, path, O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (s->journal < 0 || io->fstat(s->journal, &st))
        return err_errno(e, "cannot open %s", path);
    s->journal_len = st.st_size;
    return true;
}

static void put_entry(struct grow_set *s, const struct grow *g, struct buf *out)
{
    size_t head = out->n;
    uint32_t n, crc;
    struct buf sized = {0};

    buf_le32(out, 0);
    buf_le32(out, 0);
    buf_le32(out, s->generation);
    buf_le64(out, g->dev);
    buf_le64(out, g->ino);
    buf_le64(out, (uint64_t)g->len);
    buf_str(out, s->dir);
    buf_char(out, 0);
    buf_add(out, g->rel.p, g->rel.n + 1);
    n = (uint32_t)(out->n - head - ENTRY_HEAD);
    crc = crc32c(0, out->p + head + ENTRY_HEAD, n);
    buf_le32(&sized, n);
    buf_le32(&sized, crc);
    memcpy(out->p + head, sized.p, ENTRY_HEAD);
    buf_free(&sized);
}

bool journal_add(struct grow_set *s, struct err *e)
{
    CLEANUP(buf_free) struct buf out = {0};
    struct stat st;

    for (size_t i = 0; s->journal >= 0 && i < s->ntouched; i++)
        if (s->touched[i]->journal)
            put_entry(s, s->touched[i], &out);
    if (!out.n)
        return true;
    /* What a failed attempt left would hide the entries behind it. */
    if (io->fstat(s->journal, &st) || (st.st_size != s->journal_len && io->ftruncate(s->journal, s->journal_len)) ||
        io_write_all(s->journal, out.p, out.n) < 0 || io->fdatasync(s->journal))
        return err_errno(e, "cannot write the journal of opened files");
    s->journal_len += (int64_t)out.n;
    s->journal_gen = s->generation;
    for (size_t i = 0; i < s->ntouched; i++)
        s->touched[i]->journal = false;
    return true;
}

void journal_settled(struct grow_set *s)
{
    /* Entries made since the checkpoint was taken are needed still. */
    if (s->journal >= 0 && s->journal_len && s->journal_gen < s->generation && !io->ftruncate(s->journal, 0))
        s->journal_len = 0;
}

static bool get_entry(struct reader *r, struct journal_entry *j)
{
    uint32_t n = reader_le32(r), crc = reader_le32(r);
    struct str body = reader_bytes(r, n);
    struct reader in = reader_of(body);
    size_t nul;

    if (r->bad || n > ENTRY_MAX || crc32c(0, body.p, body.n) != crc)
        return false;
    j->generation = reader_le32(&in);
    j->dev = reader_le64(&in);
    j->ino = reader_le64(&in);
    j->len = (int64_t)reader_le64(&in);
    j->dir = reader_bytes(&in, reader_left(&in));
    nul = str_find_char(j->dir, 0);
    if (in.bad || nul == SIZE_MAX || !str_ends(j->dir, (struct str){"", 1}))
        return false;
    j->rel = str_from(j->dir, nul + 1);
    j->dir.n = nul;
    if (!j->rel.n)
        return false;
    j->rel.n--;
    return true;
}

bool journal_each(struct grow_set *s, bool (*each)(void *arg, const struct journal_entry *j, struct err *e), void *arg,
                  struct err *e)
{
    CLEANUP(cleanup_free) char *bytes = NULL;
    struct journal_entry j;
    struct reader r;
    ssize_t n;

    if (s->journal < 0 || !s->journal_len)
        return true;
    if (s->journal_len > JOURNAL_MAX)
        return err_set(e, "the journal of opened files is larger than %d bytes", JOURNAL_MAX);
    bytes = alloc_raw((size_t)s->journal_len);
    n = io_pread_all(s->journal, bytes, (size_t)s->journal_len, 0);
    if (n < 0)
        return err_errno(e, "cannot read the journal of opened files");
    r = reader_of((struct str){bytes, (size_t)n});
    while (reader_left(&r)) {
        const uint8_t *start = r.p;
        if (!get_entry(&r, &j)) {
            /* Torn by the crash: the file had not grown yet. */
            s->journal_len = (int64_t)((const char *)start - bytes);
            break;
        }
        if (j.generation > s->journal_gen)
            s->journal_gen = j.generation;
        if (!each(arg, &j, e))
            return false;
    }
    return true;
}
