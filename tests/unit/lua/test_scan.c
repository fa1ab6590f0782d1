/* SPDX-License-Identifier: Apache-2.0 */
#include "lua/scan.c"
#include "lua/fenced.h"
#include "lua/scrub.h"
#include "lua/secret.h"
#include "test.h"

#include <fcntl.h>
#include <time.h>

static void mail(const char *in, const char *want)
{
    struct buf out = {0};

    if (!scan_mail(str_of(in), &out)) {
        CHECK_INT(out.n, 0);
        buf_str(&out, str_of(in));
    }
    CHECK_STR(buf_view(&out), want);
    buf_free(&out);
}

TEST(mail_is_found)
{
    mail("joe@example.com", "[mail]");
    mail("write to joe.doe+tag@mail.example.co.uk, please", "write to [mail], please");
    mail("<joe@example.com>", "<[mail]>");
    mail("mailto:joe@example.com.", "mailto:[mail].");
    mail("a@b.de b@c.de;c@d.de", "[mail] [mail];[mail]");
    mail("e=joe%40example.com&x=1", "e=[mail]&x=1");
    mail("\"joe doe\"@example.com", "[mail]");
    mail("j\xc3\xb6rg@m\xc3\xbcller.de", "[mail]");
    mail("user='joe@example.com'", "user='[mail]'");
    mail("JOE@EXAMPLE.ORG", "[mail]");
    mail("x@y@example.com", "x@[mail]");
}

TEST(what_is_no_mail_stays)
{
    mail("no address", "no address");
    mail("@home", "@home");
    mail("a@b", "a@b");
    mail("price @ 3.50", "price @ 3.50");
    mail("user@10.0.0.1", "user@10.0.0.1");
    mail("a@.com", "a@.com");
    mail("", "");
    mail("@", "@");
    mail("100%40", "100%40");
}

TEST(mail_in_linear_time)
{
    struct buf in = {0}, out = {0};
    clock_t start = clock();

    for (int i = 0; i < 300000; i++)
        buf_str(&in, i % 2 ? STR("a@") : STR("%40x"));
    scan_mail(buf_view(&in), &out);
    for (int i = 0; i < 1000000; i++)
        buf_char(&in, 'a');
    for (int i = 0; i < 1000000; i++)
        buf_char(&in, i % 3 ? '@' : '"');
    scan_mail(buf_view(&in), &out);
    CHECK((double)(clock() - start) / CLOCKS_PER_SEC < 5); /* squared it would be hours */
    buf_free(&in);
    buf_free(&out);
}

static void url(const char *in, const char *want)
{
    struct buf out = {0};

    scan_url(str_of(in), &out);
    CHECK_STR(buf_view(&out), want);
    buf_free(&out);
}

TEST(urls)
{
    url("/a/b", "/a/b");
    url("/a?x=1&y=2", "/a?x=1&y=2");
    url("/a?token=1", "/a");
    url("/a?x=1;ACCESS_TOKEN=2;y", "/a?x=1&y");
    url("/a?%74oken=1&q=joe%40example.com&z=a%20b", "/a?z=a%20b");
    url("https://joe:secret@example.com:8080/p?key=1#id_token=2", "https://example.com:8080/p");
    url("https://a@b@example.com/", "https://example.com/");
    url("", "");
    url("?", "");
    url("//", "//");
}

TEST(addresses)
{
    struct buf out = {0};

    CHECK(!scan_truncate_address(STR(""), &out));
    CHECK(!scan_truncate_address(STR("1.2.3"), &out));
    CHECK(!scan_truncate_address(STR("1.2.3.4.5"), &out));
    CHECK(!scan_truncate_address(STR("host.example.com"), &out));
    CHECK(!scan_truncate_address(STR("1.2.3.4\0x"), &out));
    CHECK(!scan_truncate_address(STR("1.2.3.4, 5.6.7.8"), &out));
    CHECK_INT(out.n, 0);
    CHECK(scan_truncate_address(STR(" fe80::1%eth0 "), &out));
    CHECK_STR(buf_view(&out), "fe80::");
    buf_free(&out);
}

static void scrubbed(const char *in, const char *want)
{
    struct buf out = {0};

    scrub_message(str_of(in), &out);
    CHECK_STR(buf_view(&out), want);
    buf_free(&out);
}

TEST(scrubbed_messages)
{
    scrubbed("rules.lua:12: attempt to index field 'x' (a nil value)",
             "rules.lua:12: attempt to index field 'x' (a nil value)");
    scrubbed("rules.lua:12: user joe is bad", "rules.lua:12: error raised by the rule");
    scrubbed("joe:12: attempt to call a nil value", "error raised by the rule");
    scrubbed("bad argument #1 to 'gsub' (string expected, got nil)",
             "bad argument #1 to 'gsub' (string expected, got nil)");
    scrubbed("bad argument #1 to 'format' (invalid option '%joe')", "bad argument #1 to 'format'");
    scrubbed("attempt to index field 'joe@example.com' (a nil value)", "error raised by the rule");
    scrubbed("", "error raised by the rule");
    scrubbed("a/b/c.lua:3: not enough memory", "a/b/c.lua:3: not enough memory");
}

/* RFC 4231's second case has a short key; a key of 32 bytes was computed with Python's hmac module. */
TEST(keyed_hash)
{
    char dir[] = "/tmp/weir-hmac-XXXXXX", path[300], out[SECRET_TEXT];
    const char *text = "# shared\nold 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n"
                       "h2 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n";
    struct secret *s;
    struct err e;
    FILE *f;

    CHECK(mkdtemp(dir) != NULL);
    snprintf(path, sizeof path, "%s/hmac.key", dir);
    f = fopen(path, "w");
    fputs(text, f);
    fclose(f);
    s = secret_open(dir, &e);
    CHECK(s != NULL);
    if (s) {
        CHECK_INT(secret_hash(s, STR("ada"), out), 35);
        CHECK_STR(str_of(out), "h2:9556fd532c3b9e35076ea008688401f9");
    }
    secret_free(s);
    f = fopen(path, "w");
    fputs("h1 short\n", f);
    fclose(f);
    CHECK(!secret_open(dir, &e));
    CHECK(strstr(e.text, "hmac.key:1: expected a key's name and 64 hex digits") != NULL);
    unlink(path);
    rmdir(dir);
    CHECK(!secret_open("/nowhere/at/all", &e));
}

static void note(void *arg, struct str name, unsigned line)
{
    buf_fmt(arg, STR_FMT ":%u ", STR_ARG(name), line);
}

TEST(fenced_names_of_a_script)
{
    struct buf out = {0};

    fenced_names(STR("io.open('x')\n-- io.close()\nlocal t = os.time() os.exit(1)\nrecord.io.x = 1 x:io.y()\n"
                     "string.dump(f) string.rep('a', 2) audio.play() debug.getinfo(1)"),
                 note, &out);
    CHECK_STR(buf_view(&out), "io.open:1 os.exit:3 string.dump:5 debug.getinfo:5 ");
    buf_free(&out);
}
