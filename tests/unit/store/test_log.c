/* SPDX-License-Identifier: Apache-2.0 */
#include "store_help.h"

TEST(append_and_read)
{
    const char *two[] = {"two", "three"};
    struct store_options o = options_of(fresh_dir("append"));
    struct store *s = must_open(&o);

    CHECK_INT(log_durable(store_log(s)), 1);
    CHECK_LOG(s, "");
    CHECK(put(s, "one"));
    CHECK(put_frames(s, two, 2));
    CHECK_INT(log_durable(store_log(s)), 4);
    CHECK_LOG(s, "one two three");
    store_close(s);
    s = must_open(&o);
    CHECK_LOG(s, "one two three");
    CHECK(put(s, "four"));
    CHECK_LOG(s, "one two three four");
    CHECK_INT(log_durable(store_log(s)), 5);
    store_close(s);
    s = must_open(&o);
    CHECK_LOG(s, "one two three four");
    store_close(s);
    remove_tree(o.dir);
}

TEST(memory)
{
    struct store_options o = options_of(NULL);
    struct store *s = must_open(&o);
    char text[32];

    for (int i = 0; i < 500; i++) {
        char big[1000];
        memset(big, 'x', sizeof big);
        snprintf(text, sizeof text, "%d", i);
        memcpy(big, text, strlen(text));
        big[sizeof big - 1] = 0;
        CHECK(put(s, big));
    }
    CHECK_INT(log_durable(store_log(s)), 501);
    CHECK(store_log(s)->nsegments > 5);
    {
        struct log_reader *r = log_reader_new(store_log(s), 0);
        struct frame f;
        int n = 0;
        while (log_reader_next(r, &f, NULL) == READ_FRAME) {
            CHECK_INT(atoi(f.payload.p), n);
            n++;
        }
        CHECK_INT(n, 500);
        log_reader_seek(r, 250);
        CHECK(log_reader_next(r, &f, NULL) == READ_FRAME);
        CHECK_INT(f.first_lsn, 250);
        log_reader_free(r);
    }
    store_close(s);
}
