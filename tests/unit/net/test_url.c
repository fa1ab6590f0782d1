/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "base/cleanup.h"
#include "net/url.h"

static void good(const char *text, bool tls, const char *host, int port, const char *path)
{
    struct url u;
    struct err e = {0};

    CHECK(url_parse(str_of(text), &u, &e));
    if (e.text[0])
        fprintf(stderr, "%s: %s\n", text, e.text);
    CHECK_INT(u.tls, tls);
    CHECK_STR(u.host, host);
    CHECK_INT(u.port, port);
    CHECK_STR(u.path, path);
    url_free(&u);
}

static void bad(const char *text, const char *why)
{
    struct url u;
    struct err e = {0};

    CHECK(!url_parse(str_of(text), &u, &e));
    CHECK(strstr(e.text, why) != NULL);
    if (!strstr(e.text, why))
        fprintf(stderr, "%s: %s\n", text, e.text);
    url_free(&u);
}

TEST(urls)
{
    good("http://example.org", false, "example.org", 80, "/");
    good("HTTPS://example.org/a?b=c", true, "example.org", 443, "/a?b=c");
    good("http://h:8080/x/y", false, "h", 8080, "/x/y");
    good("http://h?x=1", false, "h", 80, "/?x=1");
    good("http://[::1]:99/p", false, "::1", 99, "/p");
    good("http://[fe80::1%eth0]", false, "fe80::1%eth0", 80, "/");
    bad("example.org", "begins with");
    bad("ftp://x", "begins with");
    bad("http://", "no host");
    bad("http:///x", "no host");
    bad("http://[::1", "not closed");
    bad("http://a b/", "character 2");
    bad("http://h:0/", "port");
    bad("http://h:65536/", "port");
    bad("http://h:x/", "port");
    bad("http://h:/", "port");
    bad("http://user:pw@h/", "user name");
    bad("http://h/a b", "path");
    bad("http://h/a\r\nX: y", "path");
    bad("http://h/#frag", "path");
    bad("http://h\r\n/", "host name");
}

static void segment(struct str in, const char *want)
{
    CLEANUP(buf_free) struct buf out = {0};

    percent_segment(&out, in);
    CHECK_STR(buf_view(&out), want);
}

TEST(segments)
{
    CLEANUP(buf_free) struct buf a = {0}, b = {0}, data = {0};

    segment(STR("app.log-1_2=x"), "app.log-1_2=x");
    segment(STR("../../etc"), "..%2F..%2Fetc");
    segment(STR("."), "%2E");
    segment(STR(".."), "%2E%2E");
    segment(STR("..."), "...");
    segment(STR(""), "~");
    segment(STR("~"), "%7E");
    segment(STR("a\0b\n"), "a%00b%0A");
    segment(STR("%2e"), "%252e");
    segment(STR("\303\244"), "%C3%A4");
    for (int i = 0; i < 100; i++)
        buf_str(&data, STR("/x"));
    percent_segment(&a, buf_view(&data));
    data.p[data.n - 1] = 'y';
    percent_segment(&b, buf_view(&data));
    CHECK(a.n <= 200 && b.n <= 200 && !str_eq(buf_view(&a), buf_view(&b)));
    CHECK(memchr(a.p, '~', a.n) != NULL && memchr(a.p, '/', a.n) == NULL);
    buf_clear(&a);
    memset(data.p, 'z', 200);
    percent_segment(&a, (struct str){data.p, 200});
    CHECK_INT(a.n, 200);
    CHECK(memchr(a.p, '~', a.n) == NULL);
}

TEST(decoding)
{
    CLEANUP(buf_free) struct buf out = {0};

    CHECK(percent_decode(&out, STR("a%41%7a+b"), false));
    CHECK_STR(buf_view(&out), "aAz+b");
    CHECK(percent_decode(&out, STR("+%2B"), true));
    CHECK_STR(buf_view(&out), "aAz+b +");
    CHECK(!percent_decode(&out, STR("x%4"), false));
    CHECK(!percent_decode(&out, STR("x%"), false));
    CHECK(!percent_decode(&out, STR("x%g1"), false));
    CHECK_STR(buf_view(&out), "aAz+b +");
}
