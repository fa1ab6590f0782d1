/* SPDX-License-Identifier: Apache-2.0 */
/* What is left of a real log after its files were cut, scribbled over and bent. */
#include "store_help.h"

static void path_of(char out[256], const char *dir, const char *file)
{
    snprintf(out, 256, "%s/%s", dir, file);
}

static void slurp(const char *path, struct buf *out)
{
    FILE *f = fopen(path, "rb");
    size_t got;

    buf_clear(out);
    while (f && (got = fread(buf_room(out, 65536), 1, 65536, f)) > 0)
        out->n += got;
    if (f)
        fclose(f);
}

static void spill(const char *path, struct str bytes)
{
    FILE *f = fopen(path, "wb");

    if (!f || fwrite(bytes.p, 1, bytes.n, f) != bytes.n)
        abort();
    fclose(f);
}

static unsigned count_files(const char *dir, const char *sub)
{
    char path[256];
    unsigned n = 0;
    struct buf out = {0};
    FILE *p;

    snprintf(path, sizeof path, "ls %s/%s | wc -l", dir, sub);
    p = popen(path, "r");
    if (!p || fscanf(p, "%u", &n) != 1)
        abort();
    pclose(p);
    buf_free(&out);
    return n;
}

/* Offsets of the frames of the first segment, header by header. */
struct frames {
    struct buf bytes;
    struct segment_header h;
    size_t at[64], end[64];
    uint16_t type[64], flags[64];
    unsigned n;
};

static void load_frames(struct frames *f, const char *dir)
{
    char path[256];
    struct frame_header h;

    path_of(path, dir, "log/0000000000000001.seg");
    slurp(path, &f->bytes);
    CHECK(segment_header_read(f->bytes.p, &f->h) == SEGMENT_OK);
    f->n = 0;
    for (size_t at = SEGMENT_HEADER;
         at + FRAME_HEADER <= f->bytes.n && frame_header_read(f->bytes.p + at, f->h.generation, &h);
         at += frame_size(h.payload_len)) {
        f->at[f->n] = at;
        f->end[f->n] = at + frame_size(h.payload_len);
        f->type[f->n] = h.type;
        f->flags[f->n++] = h.flags;
    }
}

static const char *const words[] = {"alpha", "beta", "gamma", "delta", "epsilon"};

/* alpha; beta gamma in one transaction; delta; epsilon.  No clean end: as kill -9 leaves it. */
static void make_log(const struct store_options *o, struct frames *f)
{
    struct store *s;
    char path[256];

    remove_tree(o->dir);
    s = must_open(o);
    CHECK(put(s, words[0]));
    CHECK(put_frames(s, words + 1, 2));
    CHECK(put(s, words[3]));
    CHECK(put(s, words[4]));
    load_frames(f, o->dir); /* before the mark of a clean end */
    store_close(s);
    path_of(path, o->dir, "log/0000000000000001.seg");
    spill(path, buf_view(&f->bytes));
}

static void read_back(const struct store_options *o, struct buf *out)
{
    struct store *s = must_open(o);

    buf_clear(out);
    read_all(s, 0, out);
    store_close(s);
}

static unsigned frame_of(const struct frames *f, const char *word)
{
    for (unsigned i = 0; i < f->n; i++)
        if (f->end[i] - f->at[i] >= FRAME_HEADER + strlen(word) &&
            !memcmp(f->bytes.p + f->at[i] + FRAME_HEADER, word, strlen(word)))
            return i;
    abort();
}

/* The words whose transactions end at or before `n` bytes. */
static void whole_words(const struct frames *f, size_t n, struct buf *out)
{
    unsigned frames_of[] = {frame_of(f, "alpha"), frame_of(f, "gamma"), frame_of(f, "gamma"), frame_of(f, "delta"),
                            frame_of(f, "epsilon")};

    buf_clear(out);
    for (int i = 0; i < 5; i++) {
        size_t payload = f->at[frames_of[i]] + FRAME_HEADER + strlen(words[i == 1 ? 2 : i]);
        if (payload <= n)
            buf_fmt(out, "%s%s", out->n ? " " : "", words[i]);
    }
}

enum tail { CUT, ZEROS, GARBAGE };

/* Every length of the file from the second transaction on, with nothing, zeros or garbage behind it. */
static void try_tails(enum tail tail)
{
    struct store_options o = options_of(fresh_dir("tail"));
    struct frames f = {0};
    struct buf want = {0}, got = {0}, bytes = {0};
    char path[256];
    size_t from;

    make_log(&o, &f);
    path_of(path, o.dir, "log/0000000000000001.seg");
    from = f.at[frame_of(&f, "beta")];
    for (size_t n = from; n <= f.end[frame_of(&f, "epsilon")] + 8; n += n % 8 == 7 || tail == CUT ? 1 : 7) {
        struct store *s;
        remove_tree(o.dir);
        store_close(must_open(&o)); /* the directories */
        {
            char json[256];
            path_of(json, o.dir, "store.json");
            unlink(json); /* the segment says whose it is */
        }
        buf_clear(&bytes);
        buf_add(&bytes, f.bytes.p, n);
        for (size_t i = n; tail != CUT && i < f.bytes.n; i++)
            buf_char(&bytes, tail == ZEROS ? 0 : (char)(i * 2654435761u >> 13));
        spill(path, buf_view(&bytes));
        whole_words(&f, n, &want);
        read_back(&o, &got);
        CHECK_STR(buf_view(&got), buf_text(&want));
        /* It goes on from there, and a second start finds the same. */
        s = must_open(&o);
        CHECK(put(s, "more"));
        store_close(s);
        buf_fmt(&want, "%smore", want.n ? " " : "");
        read_back(&o, &got);
        CHECK_STR(buf_view(&got), buf_text(&want));
    }
    buf_free(&want);
    buf_free(&got);
    buf_free(&bytes);
    buf_free(&f.bytes);
    remove_tree(o.dir);
}

TEST(cut_at_every_byte)
{
    try_tails(CUT);
}

TEST(zeros_behind)
{
    try_tails(ZEROS);
}

TEST(garbage_behind)
{
    try_tails(GARBAGE);
}

/* A commit of which a part is missing is gone as a whole, even where the rest of it can be read. */
TEST(torn_commit_with_a_good_end)
{
    struct store_options o = options_of(fresh_dir("torn"));
    struct frames f = {0};
    struct buf got = {0};
    char path[256];

    make_log(&o, &f);
    path_of(path, o.dir, "log/0000000000000001.seg");
    for (unsigned i = frame_of(&f, "delta"); i < f.n; i++) /* beta gamma is the last commit */
        memset(f.bytes.p + f.at[i], 0, f.end[i] - f.at[i]);
    f.bytes.p[f.at[frame_of(&f, "beta")] + FRAME_HEADER] ^= 1;
    spill(path, buf_view(&f.bytes));
    read_back(&o, &got);
    CHECK_STR(buf_view(&got), "alpha");
    CHECK_INT(count_files(o.dir, "corrupt"), 0);
    buf_free(&got);
    buf_free(&f.bytes);
    remove_tree(o.dir);
}

/* What a torn commit left is at its place, and a whole frame, when something of the same size is written before it. */
TEST(nothing_left_behind_comes_back)
{
    struct store_options o = options_of(fresh_dir("behind"));
    struct frames f = {0};
    struct wait_txn t1 = {.txn.done = wait_done}, t2 = {.txn.done = wait_done};
    char sector[SEGMENT_SECTOR - FRAME_HEADER], path[256], command[400];
    struct store *s;

    memset(sector, 's', sizeof sector);
    o.commit_delay = 100 * MILLISECOND;
    s = must_open(&o);
    CHECK(put(s, "alpha"));
    txn_add(&t1.txn, FRAME_QUARANTINE, 1, (struct str){sector, sizeof sector});
    txn_add(&t2.txn, FRAME_QUARANTINE, 1, STR("ghost"));
    log_append(store_log(s), &t1.txn);
    log_append(store_log(s), &t2.txn);
    CHECK(wait_answer(&t1) && wait_answer(&t2));
    load_frames(&f, o.dir);
    store_close(s);
    CHECK_INT(f.at[frame_of(&f, "ghost")] % SEGMENT_SECTOR, 0);
    CHECK(!(f.flags[frame_of(&f, "ghost")] & FRAME_GROUP));
    f.bytes.p[f.at[frame_of(&f, "ssss")] + FRAME_HEADER] = 'x';
    path_of(path, o.dir, "log/0000000000000001.seg");
    spill(path, buf_view(&f.bytes));
    s = must_open(&o);
    CHECK_LOG(s, "alpha");
    memset(sector, 'n', sizeof sector);
    txn_clear(&t1.txn);
    t1.answer = 0;
    txn_add(&t1.txn, FRAME_QUARANTINE, 1, (struct str){sector, sizeof sector});
    log_append(store_log(s), &t1.txn);
    CHECK(wait_answer(&t1));
    snprintf(command, sizeof command, "rm -rf %s-copy && cp -r %s %s-copy", o.dir, o.dir, o.dir);
    CHECK_INT(system(command), 0);
    store_close(s);
    snprintf(command, sizeof command, "%s-copy", o.dir);
    {
        struct store_options copy = o;
        copy.dir = command;
        s = must_open(&copy);
        CHECK_LOG(s, "alpha nnnnnnnnnnnnnnnnnnnnnnnn");
        store_close(s);
        remove_tree(command);
    }
    txn_free(&t1.txn);
    txn_free(&t2.txn);
    buf_free(&f.bytes);
    remove_tree(o.dir);
}

static void flip(const char *word, size_t offset, const char *want, int64_t records)
{
    struct store_options o = options_of(fresh_dir("flip"));
    struct frames f = {0};
    struct buf got = {0};
    char path[256];
    int64_t before = counter_of("weir_log_corrupt_records_total");

    make_log(&o, &f);
    path_of(path, o.dir, "log/0000000000000001.seg");
    f.bytes.p[f.at[frame_of(&f, word)] + offset] ^= 0x10;
    spill(path, buf_view(&f.bytes));
    read_back(&o, &got);
    CHECK_STR(buf_view(&got), want);
    CHECK_INT(counter_of("weir_log_corrupt_records_total") - before, records);
    CHECK_INT(count_files(o.dir, "corrupt"), 1);
    read_back(&o, &got); /* and again */
    CHECK_STR(buf_view(&got), want);
    CHECK_INT(count_files(o.dir, "corrupt"), 1);
    buf_free(&got);
    buf_free(&f.bytes);
    remove_tree(o.dir);
}

TEST(flipped_bit_in_a_payload)
{
    flip("alpha", FRAME_HEADER, "beta gamma delta epsilon", 1);
    flip("beta", FRAME_HEADER + 2, "alpha gamma delta epsilon", 1);
    flip("delta", FRAME_HEADER, "alpha beta gamma epsilon", 1);
}

TEST(flipped_bit_in_a_header)
{
    flip("beta", 8, "alpha gamma delta epsilon", 1);  /* the length */
    flip("gamma", 17, "alpha beta delta epsilon", 1); /* the LSN */
    flip("delta", 0, "alpha beta gamma epsilon", 1);
}

TEST(flipped_bit_after_a_clean_end)
{
    struct store_options o = options_of(fresh_dir("clean"));
    struct frames f = {0};
    struct buf got = {0};
    char path[256];
    struct store *s = must_open(&o);

    CHECK(put(s, "alpha"));
    CHECK(put_frames(s, words + 1, 2));
    store_close(s);
    load_frames(&f, o.dir);
    f.bytes.p[f.at[frame_of(&f, "beta")] + FRAME_HEADER] ^= 1;
    path_of(path, o.dir, "log/0000000000000001.seg");
    spill(path, buf_view(&f.bytes));
    read_back(&o, &got);
    CHECK_STR(buf_view(&got), "alpha gamma");
    buf_free(&got);
    buf_free(&f.bytes);
    remove_tree(o.dir);
}

TEST(segment_header_survives_a_sector)
{
    struct store_options o = options_of(fresh_dir("head"));
    struct frames f = {0};
    struct buf got = {0};
    char path[256];

    make_log(&o, &f);
    path_of(path, o.dir, "log/0000000000000001.seg");
    memset(f.bytes.p, 0x5a, 512);
    spill(path, buf_view(&f.bytes));
    read_back(&o, &got);
    CHECK_STR(buf_view(&got), "alpha beta gamma delta epsilon");
    buf_free(&got);
    buf_free(&f.bytes);
    remove_tree(o.dir);
}

/* Frames of an earlier use of the file are not taken for frames: their seed is another generation. */
TEST(stale_frames)
{
    struct store_options o = options_of(fresh_dir("stale"));
    struct frames f = {0};
    struct buf got = {0};
    char path[256];
    size_t end, stale;

    make_log(&o, &f);
    path_of(path, o.dir, "log/0000000000000001.seg");
    end = f.at[frame_of(&f, "delta")];
    stale = f.end[f.n - 1] - end;
    for (size_t at = end; at < end + stale;) { /* the same frames, as another generation wrote them */
        struct frame_header h;
        frame_header_peek(f.bytes.p + at, &h);
        frame_header_write(f.bytes.p + at, &h, f.h.generation + 1);
        at += frame_size(h.payload_len);
    }
    spill(path, buf_view(&f.bytes));
    read_back(&o, &got);
    CHECK_STR(buf_view(&got), "alpha beta gamma");
    buf_free(&got);
    buf_free(&f.bytes);
    remove_tree(o.dir);
}

static void put_big(struct store *s, int from, int to)
{
    char big[2000], text[16];

    for (int i = from; i < to; i++) {
        memset(big, 'x', sizeof big);
        big[sizeof big - 1] = 0;
        snprintf(text, sizeof text, "%d ", i);
        memcpy(big, text, strlen(text));
        if (!put(s, big))
            abort();
    }
}

static int count_numbers(struct store *s, uint64_t lsn, int first)
{
    struct log_reader *r = log_reader_new(store_log(s), lsn);
    struct frame f;
    int n = first;

    while (log_reader_next(r, &f, NULL) == READ_FRAME)
        if (atoi(f.payload.p) == n)
            n++;
    log_reader_free(r);
    return n - first;
}

TEST(many_segments_seek_trim_and_recycle)
{
    struct store_options o = options_of(fresh_dir("many"));
    struct store *s;
    struct cursor *c;
    struct cursor_state state = {0};
    bool fresh;
    struct err e = {0};

    o.segment_size = 32 << 10;
    s = must_open(&o);
    c = cursor_open(s, STR("out"), &state, &fresh, &e);
    CHECK(c && fresh);
    put_big(s, 0, 200);
    CHECK(store_log(s)->nsegments > 10);
    CHECK_INT(count_numbers(s, 0, 0), 200);
    CHECK_INT(count_numbers(s, 101, 100), 100);
    store_trim(s);
    CHECK_INT(log_oldest(store_log(s)), 1); /* nothing was saved yet: all is held */
    state.lsn = 150;
    CHECK(cursor_save(c, &state, true, &e));
    state.lsn = 180;
    CHECK(cursor_save(c, &state, false, &e)); /* not durable: does not count */
    store_trim(s);
    CHECK(log_oldest(store_log(s)) > 100 && log_oldest(store_log(s)) <= 150);
    CHECK_INT(count_numbers(s, 150, 149), 51);
    cursor_close(c);
    store_close(s);
    s = must_open(&o);
    CHECK_INT(count_numbers(s, 150, 149), 51);
    put_big(s, 200, 300);
    CHECK_INT(count_numbers(s, 0, (int)log_oldest(store_log(s)) - 1), 301 - (int)log_oldest(store_log(s)));
    CHECK(log_oldest(store_log(s)) <= 180); /* the orphan holds its backlog */
    CHECK(cursor_forget(s, STR("out"), &e));
    store_close(s);
    s = must_open(&o);
    CHECK(log_oldest(store_log(s)) <= 180); /* no cursor at all: nothing goes */
    store_close(s);
    remove_tree(o.dir);
}

TEST(missing_segment_is_passed)
{
    struct store_options o = options_of(fresh_dir("hole"));
    struct store *s;
    char path[256], name[SEGMENT_NAME];

    o.segment_size = 32 << 10;
    s = must_open(&o);
    put_big(s, 0, 100);
    segment_name(store_log(s)->segments[2]->base, name);
    store_close(s);
    snprintf(path, sizeof path, "%s/log/%s", o.dir, name);
    CHECK(!unlink(path));
    s = must_open(&o);
    {
        struct log_reader *r = log_reader_new(store_log(s), 0);
        struct frame f;
        int n = 0, last = -1;
        while (log_reader_next(r, &f, NULL) == READ_FRAME) {
            CHECK(atoi(f.payload.p) > last);
            last = atoi(f.payload.p);
            n++;
        }
        CHECK_INT(last, 99);
        CHECK(n > 70 && n < 100);
        log_reader_free(r);
    }
    store_close(s);
    remove_tree(o.dir);
}

/* The newest checkpoint is damaged: the one before and the frames since say the same. */
static void look(void *arg, const struct image *image)
{
    *(uint64_t *)arg = image_counter(image, STR("n"));
}

TEST(damaged_checkpoint)
{
    struct store_options o = options_of(fresh_dir("point"));
    struct store *s;
    uint64_t n = 0;
    char path[256], name[SEGMENT_NAME];
    struct buf bytes = {0}, big = {0};

    o.segment_size = 16 << 10;
    s = must_open(&o);
    for (int i = 0; i < 40; i++) {
        struct wait_txn w = {.txn.done = wait_done};
        txn_open(&w.txn);
        image_write_ledger(&w.txn.bytes, STR("n"), 3);
        txn_close(&w.txn, FRAME_LEDGER, 1);
        buf_clear(&big);
        memset(buf_room(&big, 900), 'y', 900);
        big.n = 900;
        txn_add(&w.txn, FRAME_QUARANTINE, 1, buf_view(&big));
        log_append(store_log(s), &w.txn);
        CHECK(wait_answer(&w));
        txn_free(&w.txn);
    }
    CHECK(store_log(s)->nsegments > 2);
    segment_name(store_log(s)->segments[store_log(s)->nsegments - 1]->base, name);
    store_close(s);
    snprintf(path, sizeof path, "%s/log/%s", o.dir, name);
    slurp(path, &bytes);
    bytes.p[SEGMENT_HEADER + FRAME_HEADER + 1] ^= 1;
    spill(path, buf_view(&bytes));
    s = must_open(&o);
    store_image(s, look, &n);
    CHECK_INT(n, 120);
    store_close(s);
    buf_free(&bytes);
    buf_free(&big);
    remove_tree(o.dir);
}

TEST(cursor_beyond_the_log)
{
    struct store_options o = options_of(fresh_dir("beyond"));
    struct store *s = must_open(&o);
    struct cursor_state state = {.lsn = 5000};
    bool fresh;
    struct cursor *c = cursor_open(s, STR("out"), &state, &fresh, NULL);

    CHECK(put(s, "lost"));
    state.lsn = 5000;
    CHECK(cursor_save(c, &state, true, NULL));
    cursor_close(c);
    store_close(s);
    s = must_open(&o);
    CHECK(put(s, "new"));
    CHECK(log_durable(store_log(s)) > 5000);
    {
        struct buf out = {0};
        read_all(s, 5000, &out);
        CHECK_STR(buf_view(&out), "new");
        buf_free(&out);
    }
    store_close(s);
    remove_tree(o.dir);
}

TEST(store_refusals)
{
    struct store_options o = options_of(fresh_dir("refuse"));
    struct store *s = must_open(&o);
    struct err e = {0};
    char path[256];

    CHECK(!store_open(&o, &e));
    CHECK(strstr(e.text, "in use by another agent"));
    store_close(s);
    path_of(path, o.dir, "store.json");
    spill(path, STR("{\"uuid\": \"0123456789abcdef0123456789abcdef\", \"version\": 9}\n"));
    CHECK(!store_open(&o, &e));
    CHECK(strstr(e.text, "format 9"));
    unlink(path);
    chmod(o.dir, 0777);
    CHECK(!store_open(&o, &e));
    CHECK(strstr(e.text, "written by everybody"));
    chmod(o.dir, 0700);
    store_close(must_open(&o));
    remove_tree(o.dir);
}
