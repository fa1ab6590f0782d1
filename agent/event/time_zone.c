/* SPDX-License-Identifier: Apache-2.0 */
#include "event/time_internal.h"
#include "base/alloc.h"
#include "base/buf.h"
#include "base/cleanup.h"

#include <fcntl.h>

#define ZONE_DIR "/usr/share/zoneinfo"

enum {
    ZONE_FILE_LIMIT = 256 * 1024, /* the largest file of the database has less than 4 KiB */
    ZONE_NAME_LIMIT = 100,
    TZIF_HEADER = 44
};

struct zone {
    int64_t *at;     /* n transitions */
    int32_t *offset; /* after each */
    size_t n;
    int32_t before; /* the first */
    bool has_rule;  /* after the last */
    struct tz_rule rule;
};

static uint32_t be32(const char *p)
{
    const unsigned char *u = (const unsigned char *)p;

    return (uint32_t)u[0] << 24 | (uint32_t)u[1] << 16 | (uint32_t)u[2] << 8 | u[3];
}

static int64_t be64(const char *p)
{
    return (int64_t)((uint64_t)be32(p) << 32 | be32(p + 4));
}

struct tzif {
    uint32_t isut, isstd, leaps, times, types, chars;
    size_t size; /* of the data block */
};

static bool tzif_header(struct str s, size_t wide, struct tzif *h)
{
    if (s.n < TZIF_HEADER || memcmp(s.p, "TZif", 4))
        return false;
    h->isut = be32(s.p + 20);
    h->isstd = be32(s.p + 24);
    h->leaps = be32(s.p + 28);
    h->times = be32(s.p + 32);
    h->types = be32(s.p + 36);
    h->chars = be32(s.p + 40);
    if (h->isut > 256 || h->isstd > 256 || h->leaps > 10000 || h->times > 20000 || h->types > 256 || h->chars > 10000)
        return false;
    h->size = h->times * (wide + 1) + h->types * 6 + h->chars + h->leaps * (wide + 4) + h->isstd + h->isut;
    return h->types > 0 && s.n - TZIF_HEADER >= h->size;
}

static bool tzif_parse(struct str s, struct zone *z)
{
    struct tzif h;
    size_t wide = 4;

    if (!tzif_header(s, wide, &h))
        return false;
    if (s.p[4] >= '2') {
        s = str_from(s, TZIF_HEADER + h.size);
        wide = 8;
        if (!tzif_header(s, wide, &h))
            return false;
    }
    s = str_from(s, TZIF_HEADER);
    const char *types = s.p + h.times * (wide + 1), *index = s.p + h.times * wide;
    z->n = h.times;
    z->at = alloc_array(h.times + 1, sizeof *z->at);
    z->offset = alloc_array(h.times + 1, sizeof *z->offset);
    z->before = (int32_t)be32(types);
    for (size_t i = 0; i < h.times; i++) {
        uint8_t type = (uint8_t)index[i];
        if (type >= h.types)
            return false;
        z->at[i] = wide == 8 ? be64(s.p + i * 8) : (int32_t)be32(s.p + i * 4);
        z->offset[i] = (int32_t)be32(types + type * 6);
        if (i && z->at[i] <= z->at[i - 1])
            return false;
    }
    struct str footer = str_trim(str_from(s, h.size));
    z->has_rule = wide == 8 && footer.n && tz_rule_parse(footer, &z->rule);
    return true;
}

static bool zone_read(const char *path, struct buf *out)
{
    CLEANUP(cleanup_fd) int fd = io->openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
    ssize_t n;

    if (fd < 0)
        return false;
    n = io_pread_all(fd, buf_room(out, ZONE_FILE_LIMIT), ZONE_FILE_LIMIT, 0);
    if (n <= 0)
        return false;
    out->n = (size_t)n;
    return true;
}

struct nearest {
    struct str word;
    size_t distance;
    char name[ZONE_NAME_LIMIT];
};

static void nearest_name(void *arg, const char *name)
{
    struct nearest *n = arg;
    size_t d = str_distance(n->word, str_of(name), n->distance), length = strlen(name);

    if (d < n->distance && length < sizeof n->name) {
        n->distance = d;
        memcpy(n->name, name, length + 1);
    }
}

/* The entry of the named folder of the database that is nearest to the last part of the name. */
static bool zone_unknown(struct str name, struct err *e)
{
    size_t slash = 0;

    for (size_t i = 0; i < name.n; i++)
        slash = name.p[i] == '/' ? i + 1 : slash;
    struct nearest n = {.word = str_from(name, slash), .distance = (name.n - slash) / 3 + 2};
    CLEANUP(buf_free) struct buf path = {0};
    buf_fmt(&path, ZONE_DIR "/" STR_FMT, STR_ARG(str_head(name, slash)));
    CLEANUP(cleanup_fd) int dir = io->openat(AT_FDCWD, buf_text(&path), O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    if (dir >= 0)
        io->list(dir, nearest_name, &n);
    if (n.name[0])
        return err_set(e, "unknown time zone `" STR_FMT "`; did you mean `" STR_FMT "%s`?", STR_ARG(name),
                       STR_ARG(str_head(name, slash)), n.name);
    return err_set(e, "unknown time zone `" STR_FMT "`: it names a file below " ZONE_DIR ", such as Europe/Berlin",
                   STR_ARG(name));
}

static bool zone_name_ok(struct str name)
{
    if (!name.n || name.n >= ZONE_NAME_LIMIT || name.p[0] == '/' || str_find(name, STR("..")) != SIZE_MAX)
        return false;
    for (size_t i = 0; i < name.n; i++)
        if ((unsigned char)name.p[i] <= ' ' || (unsigned char)name.p[i] >= 127)
            return false;
    return true;
}

static bool zone_load(struct zone *z, struct str name, struct err *e)
{
    CLEANUP(buf_free) struct buf path = {0}, bytes = {0};
    bool system = str_eq(name, STR("localtime"));
    struct str tz = system ? str_of(getenv("TZ")) : (struct str){0};

    if (tz.n && tz.p[0] == ':')
        tz = str_from(tz, 1);
    if (tz.n)
        name = tz;
    if (str_eq_fold(name, STR("UTC")) || str_eq_fold(name, STR("GMT")) || str_eq_fold(name, STR("Etc/UTC")))
        return true;
    if (system && (!tz.n || tz.p[0] == '/'))
        buf_str(&path, tz.n ? tz : STR("/etc/localtime"));
    else if (!zone_name_ok(name))
        return err_set(e, "`" STR_FMT "` is no time zone: write a name such as Europe/Berlin", STR_ARG(name));
    else
        buf_fmt(&path, ZONE_DIR "/" STR_FMT, STR_ARG(name));
    if (zone_read(buf_text(&path), &bytes))
        return tzif_parse(buf_view(&bytes), z) || err_set(e, "%s is damaged: not a TZif file", buf_text(&path));
    if (system && tz.n && tz_rule_parse(tz, &z->rule))
        return z->has_rule = true;
    return system && !tz.n ? true : zone_unknown(name, e); /* no /etc/localtime: UTC, as the C library has it */
}

struct zone *zone_new(struct str name, struct err *e)
{
    struct zone *z = alloc_new(sizeof *z);

    if (zone_load(z, name, e))
        return z;
    zone_free(z);
    return NULL;
}

void zone_free(struct zone *z)
{
    if (!z)
        return;
    free(z->at);
    free(z->offset);
    free(z);
}

int32_t zone_offset(const struct zone *z, int64_t utc)
{
    size_t low = 0, high = z->n; /* the first transition after utc */

    if (z->has_rule && (!z->n || utc >= z->at[z->n - 1]))
        return tz_rule_offset(&z->rule, utc);
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (z->at[middle] <= utc)
            low = middle + 1;
        else
            high = middle;
    }
    return low ? z->offset[low - 1] : z->before;
}

int64_t zone_to_utc(const struct zone *z, int64_t local)
{
    /* Offsets change by less than a day and not twice within two. */
    int32_t before = zone_offset(z, local - 86400), after = zone_offset(z, local + 86400);

    if (before == after || zone_offset(z, local - before) == before)
        return local - before;
    return zone_offset(z, local - after) == after ? local - after : local - before;
}
