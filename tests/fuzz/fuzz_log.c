/* SPDX-License-Identifier: Apache-2.0 */
/* Hostile bytes as a segment, a cursor, an id file and a quarantine file: the first byte says which.  In a segment the
 * checksums are put right where the input's fifth bit asks for it, so that what lies behind them is reached. */
#include "base/cleanup.h"
#include "base/crc32c.h"
#include "base/io.h"
#include "base/log.h"
#include "store/cursor_format.h"
#include "store/log_private.h"
#include "store/store.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SIZE_MAX_USED = 64 << 10, GENERATION = 7 };
static const char *const dirs[] = {"log", "cur", "ids", "corrupt", "quarantine"};
static char root[64];
static const struct id store_id = {1, 2};

static void spill(const char *file, struct str bytes)
{
    char path[160];
    int fd;

    snprintf(path, sizeof path, "%s/%s", root, file);
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, bytes.p, bytes.n) != (ssize_t)bytes.n)
        abort();
    close(fd);
}

static void make_root(void)
{
    char path[160];

    snprintf(root, sizeof root, "%s/weir-fuzz-%d", access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm", (int)getpid());
    mkdir(root, 0700);
    for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
        snprintf(path, sizeof path, "%s/%s", root, dirs[i]);
        mkdir(path, 0700);
    }
    spill("store.json", STR("{\"uuid\": \"00000000000000010000000000000002\", \"version\": 1}\n"));
    log_setup(LOG_OFF, NULL, false, NULL);
}

static void remove_file(void *arg, const char *name)
{
    unlinkat(*(int *)arg, name, 0);
}

static void clean(void)
{
    for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
        char path[160];
        int fd;
        snprintf(path, sizeof path, "%s/%s", root, dirs[i]);
        fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        io->list(fd, remove_file, &fd);
        close(fd);
    }
}

static void remove_root(void)
{
    char command[128];

    snprintf(command, sizeof command, "rm -rf %s", root);
    if (system(command))
        abort();
}

/* Walks the bytes as frames and mends each header. */
static void mend(char *p, size_t n)
{
    for (size_t at = 0; at + FRAME_HEADER <= n;) {
        struct frame_header h;
        frame_header_peek(p + at, &h);
        h.payload_len %= 512;
        if (FRAME_HEADER + h.payload_len > n - at)
            h.payload_len = (uint32_t)(n - at - FRAME_HEADER);
        h.type = h.type % 12;
        h.first_lsn %= 64;
        h.payload_crc = crc32c(0, p + at + FRAME_HEADER, h.payload_len);
        frame_header_write(p + at, &h, GENERATION);
        at += frame_size(h.payload_len);
    }
}

static struct buf segment(struct str frames, bool mended)
{
    struct buf b = {0};
    struct segment_header h = {.store = store_id, .generation = GENERATION, .base = 1, .first = 1};

    segment_header_write(&h, buf_room(&b, SEGMENT_HEADER));
    b.n = SEGMENT_HEADER;
    buf_str(&b, frames);
    if (mended)
        mend(b.p + SEGMENT_HEADER, frames.n);
    return b;
}

static void each_cursor(void *arg, struct str output, const struct cursor_state *state)
{
    (void)arg, (void)output, (void)state;
}

/* Opens twice: what the first leaves must not make the second find something else. */
static void open_store(void)
{
    struct store_options o = {.dir = root,
                              .sync = STORE_OS,
                              .limit = 1 << 20,
                              .segment_size = 16 << 10,
                              .dedup_window = 600 * SECOND,
                              .dedup_ids = 1000};
    uint64_t found[2] = {0};

    for (int turn = 0; turn < 2; turn++) {
        struct err e = {0};
        struct store *s = store_open(&o, &e);
        struct log_reader *r;
        struct frame f;
        if (!s)
            return;
        cursor_each(s, each_cursor, NULL);
        r = log_reader_new(store_log(s), 0);
        while (log_reader_next(r, &f, &e) == READ_FRAME)
            found[turn] = found[turn] * 31 + f.first_lsn * 7 + f.payload.n + 1;
        log_reader_free(r);
        store_close(s);
    }
    if (found[0] != found[1])
        abort();
}

static bool each_entry(void *arg, const struct quarantine_entry *entry, bool replayed)
{
    (void)arg, (void)replayed;
    return entry->payload.n < SIZE_MAX_USED;
}

static void open_quarantine(struct str frames, bool mended)
{
    struct buf b = segment(frames, mended);
    struct quarantine *q;
    struct err e = {0};
    int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    spill("quarantine/0000000000000001.seg", buf_view(&b));
    q = quarantine_open(fd, true, &e);
    if (q) {
        quarantine_each(q, each_entry, NULL, &e);
        quarantine_mark_replayed(q, (struct id){3, 4}, &e);
        quarantine_expire(q, INT64_MAX);
        quarantine_close(q);
    }
    close(fd);
    buf_free(&b);
}

static void decode_cursor(struct str bytes)
{
    CLEANUP(buf_free) struct buf copy = {0};
    struct cursor_state state = {0};
    struct str output;
    uint64_t generation;
    uint32_t length = (uint32_t)bytes.n - CURSOR_HEADER, crc;

    if (bytes.n < CURSOR_HEADER)
        return;
    buf_str(&copy, bytes);
    memcpy(copy.p, "WEIRCUR\n", 8);
    memcpy(copy.p + 16, &length, 4);
    crc = crc32c(crc32c(0, copy.p + 8, 12), copy.p + CURSOR_HEADER, length);
    memcpy(copy.p + 20, &crc, 4);
    cursor_decode(buf_view(&copy), &generation, &output, &state);
    cursor_state_free(&state);
    cursor_decode(bytes, &generation, &output, &state);
    cursor_state_free(&state);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str bytes;
    struct buf b = {0};
    bool mended;

    if (!root[0]) {
        make_root();
        atexit(remove_root);
    }
    if (size < 1 || size > SIZE_MAX_USED)
        return 0;
    clean();
    bytes = (struct str){(const char *)data + 1, size - 1};
    mended = data[0] & 16;
    switch (data[0] & 3) {
    case 0:
        b = segment(bytes, mended);
        spill("log/0000000000000001.seg", buf_view(&b));
        open_store();
        break;
    case 1:
        spill("cur/out.cur", bytes);
        spill("ids/0000000000000001.ids", bytes);
        decode_cursor(bytes);
        open_store();
        break;
    case 2:
        spill("log/0000000000000001.seg", bytes);
        open_store();
        break;
    default:
        open_quarantine(bytes, mended);
    }
    buf_free(&b);
    return 0;
}
