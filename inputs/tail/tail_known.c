/* SPDX-License-Identifier: Apache-2.0 */
/* Positions of files that are not followed: not found yet after a start, or rotated away and read to the end. */
#include "tail_file.h"

#include "base/alloc.h"
#include "base/crc32c.h"
#include "base/io.h"

#include <fcntl.h>

const int64_t known_keep = 24 * 3600 * SECOND;

void known_add(struct tail *t, struct str key, const struct position *p, int64_t until)
{
    struct known *k = map_get(&t->known, key);

    if (k)
        known_drop(t, k);
    k = alloc_new(sizeof *k + p->path.n + 1);
    memcpy(k->path, p->path.p, p->path.n);
    memcpy(k->key, key.p, key.n < sizeof k->key ? key.n : sizeof k->key - 1);
    k->position = *p;
    k->position.path.p = k->path;
    k->until = until;
    map_set(&t->known, key, k);
    list_append(&t->retired, &k->link);
    t->nretired++;
}

void known_drop(struct tail *t, struct known *k)
{
    map_del(&t->known, str_of(k->key));
    list_remove(&k->link);
    t->nretired--;
    free(k);
}

static bool same_head(int fd, const struct head *h)
{
    char bytes[HEAD_BYTES];

    return h->n && io_pread_all(fd, bytes, h->n, 0) == (ssize_t)h->n && crc32c(0, bytes, h->n) == h->crc;
}

/* Device numbers may change when the host starts again.  Then a file is known by inode, birth and head. */
static struct known *find_moved(struct tail *t, const struct seen *s, int fd)
{
    list_each (it, &t->retired) {
        struct known *k = container_of(it, struct known, link);
        uint64_t device, inode;
        if (position_parse_key(str_of(k->key), &device, &inode) && inode == s->inode && s->birth &&
            k->position.birth == s->birth && s->size >= k->position.offset && same_head(fd, &k->position.head))
            return k;
    }
    return NULL;
}

struct known *known_find(struct tail *t, const struct seen *s, int fd)
{
    char key[40];
    size_t n = position_key(key, s->device, s->inode);
    struct known *k = map_get(&t->known, (struct str){key, n});

    return k || t->scanned || fd < 0 ? k : find_moved(t, s, fd);
}

/* A file that is there and is not followed, as one too old for ignore_older, would be read anew without its position.
 */
static bool still_there(const struct known *k)
{
    struct seen s;
    char key[40];

    return file_stat(AT_FDCWD, k->path, true, &s) && position_key(key, s.device, s.inode) && !strcmp(key, k->key);
}

void known_expire(struct tail *t, int64_t now)
{
    bool any = false;

    list_each (it, &t->retired) {
        struct known *k = container_of(it, struct known, link);
        bool full = t->nretired > RETIRED_MAX;
        if (k->until > now && !full)
            continue;
        if (!full && still_there(k)) {
            k->until = now + known_keep;
            continue;
        }
        feed_position(t->feed, str_of(k->key), STR(""));
        known_drop(t, k);
        any = true;
    }
    if (any)
        feed_commit(t->feed, NULL);
}
