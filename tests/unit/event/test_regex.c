/* SPDX-License-Identifier: Apache-2.0 */
#include "event/regex.h"
#include "event/regex_internal.h"
#include "test.h"

#include <time.h>

/* The whole match, "-" for none, "!" and the error for a pattern that is refused. */
static const char *match(const char *pattern, struct str text)
{
    static char out[600];
    struct err e = {0};
    struct regex *r = regex_new(str_of(pattern), &e);

    if (!r) {
        snprintf(out, sizeof out, "!%s", e.text);
    } else if (!regex_match(r, text)) {
        strcpy(out, "-");
    } else {
        struct str s = regex_capture(r, 0);
        snprintf(out, sizeof out, "%.*s", (int)s.n, s.p);
    }
    regex_free(r);
    return out;
}

#define MATCH(pattern, text, want) CHECK_STR(str_of(match(pattern, STR(text))), want)
#define REFUSED(pattern, part)                       \
    do {                                             \
        const char *got_ = match(pattern, STR("x")); \
        if (*got_ != '!' || !strstr(got_, part))     \
            fprintf(stderr, "%s\n", got_);           \
        CHECK(*got_ == '!' && strstr(got_, part));   \
    } while (0)

static void add_pair(void *arg, struct str name, struct str value)
{
    buf_fmt(arg, STR_FMT "=" STR_FMT ";", STR_ARG(name), STR_ARG(value));
}

static const char *named(const char *pattern, const char *text)
{
    static struct buf out;
    struct err e = {0};
    struct regex *r = regex_new(str_of(pattern), &e);

    buf_clear(&out);
    if (!r)
        return e.text[0] ? "refused" : "";
    if (regex_match(r, str_of(text)))
        regex_named(r, add_pair, &out);
    regex_free(r);
    return buf_text(&out);
}

#define NAMED(pattern, text, want) CHECK_STR(str_of(named(pattern, text)), want)

TEST(anchors_are_of_lines)
{
    MATCH("^b", "a\nb", "b");
    MATCH("a$", "a\nb", "a");
    MATCH("\\Ab", "a\nb", "-");
    MATCH("a\\z", "a\n", "-");
    MATCH("a\\Z", "a\n", "a");
    MATCH("a.b", "a\nb", "-");
}

TEST(flags)
{
    MATCH("/ab/", "xab", "ab");
    MATCH("/AB/i", "xab", "ab");
    MATCH("/a.b/m", "a\nb", "a\nb");
    MATCH("/a b # comment )/x", "ab", "ab");
    MATCH("(?m)a.b", "a\nb", "a\nb");
    MATCH("(?m:a.)b", "a\nb", "a\nb");
    MATCH("(?i)AB", "ab", "ab");
    MATCH("(?i-m:A)B", "aB", "aB");
    MATCH("(?i-m:A)B", "ab", "-");
    MATCH("(?a)\\w", "a", "a");
    MATCH("x(?i)y|z", "z", "-"); /* Ruby: x(?i:y|z) */
    MATCH("x(?i)y|z", "xZ", "xZ");
    MATCH("(x(?i)Y)Z", "xyz", "-");
    MATCH("(x(?i)Y)Z", "xyZ", "xyZ");
    MATCH("(?x) a (?# one ) b", "ab", "ab");
    MATCH("/path", "/path", "/path"); /* no closing slash */
    MATCH("/a/b/", "a/b", "a/b");
    REFUSED("/a/q", "flag");
}

TEST(escapes)
{
    MATCH("\\h+", "xyz09aFg", "09aF");
    MATCH("\\H+", "09xyz", "xyz");
    MATCH("[\\h-]+", "x-1f", "-1f");
    MATCH("[\\H]+", "09x\xc3\xa9 1", "x\xc3\xa9 ");
    MATCH("\\v", "\x0b", "\x0b");
    MATCH("\\u00e9", "caf\xc3\xa9", "\xc3\xa9");
    MATCH("\\xc3\\xa9", "caf\xc3\xa9", "\xc3\xa9");
    MATCH("\\x41\\/\\-\\_", "A/-_", "A/-_");
    MATCH("\\i\\Q\\E", "iQE", "iQE");
    MATCH("\\p{Alpha}+", "12\xc3\xa9x", "\xc3\xa9x");
    MATCH("\\p{^Digit}+", "12x", "x");
    MATCH("\\p{Han}", "\xe6\xbc\xa2", "\xe6\xbc\xa2");
    MATCH("a{,2}b", "aaab", "aab");
    MATCH("a{2}+", "aaaaa", "aaaa"); /* not possessive: (?:a{2})+ */
    MATCH("x(?:ab){1,2}+", "xababab", "xababab");
    MATCH("\xc3\xa9{2}+", "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9", "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9");
    MATCH("[a]{2}?b", "b", "b"); /* (?:[a]{2})? */
    MATCH("a{1,2}?", "aa", "a");
    MATCH("\\d{2}+", "12345", "1234");
    MATCH("a{b{,}", "a{b{,}", "a{b{,}");
    MATCH("a{}", "a{}", "a{}");
    MATCH("\\w+", "ab\xc3\xa9", "ab"); /* ASCII, as in Ruby */
    MATCH("\xc3\xa9.", "\xc3\xa9\xc3\xa9", "\xc3\xa9\xc3\xa9");
}

TEST(classes)
{
    MATCH("[[:alpha:]]+", "1\xc3\xa9x2", "\xc3\xa9x");
    MATCH("[^[:space:]]+", " ab ", "ab");
    MATCH("[[:^alpha:]x]+", "a12xb", "12x");
    MATCH("[a-z&&[^aeiou]]+", "aeibcdo", "bcd");
    MATCH("[^a-z&&[^aeiou]]+", "bcdaei12", "aei12");
    MATCH("[a[bc]d]+", "xabcdx", "abcd");
    MATCH("[a[^b]]+", "bac", "ac");
    MATCH("[]a]+", "x]a", "]a");
    MATCH("[^]]+", "]ab]", "ab");
    MATCH("[\\[\\]]+", "x[]", "[]");
    MATCH("[a&&b]", "ab", "-");
    MATCH("[\\w.-]+", "x.y-z", "x.y-z");
    MATCH("/[ #]+/x", "a # b", " # ");
    MATCH("[(]", "(", "(");
}

TEST(groups)
{
    MATCH("(?>a+)b", "aab", "aab");
    MATCH("a++a", "aaa", "-");
    MATCH("(?<=a)b", "ab", "b");
    MATCH("(?<!a)b", "ab", "-");
    MATCH("(?<q>['\"]).*?\\k<q>", "say \"it's\"", "\"it's\"");
    MATCH("(?<p>\\((?:[^()]|\\g<p>)*\\))", "x(a(b)c)", "(a(b)c)");
    MATCH("(a)\\1", "aa", "aa");
    MATCH("(?<x>a)?b(?(<x>)c|d)", "abc", "abc");
    MATCH("(?<x>a)?b(?(<x>)c|d)", "bd", "bd");
    NAMED("(?<a>.)(.)(?<b>.)", "xyz", "a=x;b=z;");
    NAMED("^(?<host>[^ ]*) (?<k8s.pod-name>[^ ]*)(?<none>q)?$", "h p", "host=h;k8s.pod-name=p;");
    NAMED("(?<a>x)|(?<a>y)", "y", "a=y;");
    NAMED("(?<a>x)(?<a>y)", "xy", "a=y;");
    NAMED("(?'a'x)(?P<b>y)", "xy", "a=x;b=y;");
    NAMED("(?<a>z*)", "xy", "a=;");
    struct regex *r = regex_new(STR("(?<n>b)(c)"), NULL);
    CHECK(regex_match(r, STR("abc")));
    CHECK_STR(regex_capture(r, 1), "b");
    CHECK_INT(regex_capture_count(r), 2); /* the plain group does not capture */
    CHECK_STR(regex_capture(r, 2), "");
    CHECK(!regex_match(r, STR("x")));
    CHECK_STR(regex_capture(r, 0), "");
    CHECK_INT(regex_capture_count(r), 0);
    regex_free(r);
    r = regex_new(STR("(a)|(b)"), NULL);
    CHECK(regex_match(r, STR("a")));
    CHECK_INT(regex_capture_count(r), 3);
    CHECK_STR(regex_capture(r, 1), "a");
    CHECK_STR(regex_capture(r, 2), "");
    regex_free(r);
}

TEST(broken_text)
{
    MATCH("^(?<a>[^ ]*) (?<b>.*)$", "caf\xe9 x\xff", "caf\xe9 x\xff");
    MATCH("^.{4}$", "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9", "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9");
    MATCH("\\u20ac", "\xff \xe2\x82\xac", "\xe2\x82\xac");
    MATCH("a", "\0a", "a");
    MATCH("^$", "", "");
    MATCH("", "x", "");
}

TEST(mistakes_are_named)
{
    REFUSED("(a", "no `)`");
    REFUSED("a)", "closes no group");
    REFUSED("[a", "no `]`");
    REFUSED("*a", "before `*a`");
    REFUSED("(*UTF)a", "nothing to repeat");
    REFUSED("(?~a)", "not supported");
    REFUSED("(?y)", "no group that Ruby knows");
    REFUSED("(?<>a)", "empty name");
    REFUSED("a\\", "single backslash");
    REFUSED("\\x{1", "no `}`");
    REFUSED("\\u12", "four");
    REFUSED("[[[[[[[[[[a]]]]]]]]]]", "nested deeper");
}

TEST(runaway_patterns_end)
{
    static const char *const patterns[] = {"(a+)+$", "(a|aa)+$", "^(([a-z])+.)+[A-Z]([a-z])+$", "(a*)*b",
                                           "(?:a?){40}a{40}b"};
    char text[60];
    struct timespec from, to;

    memset(text, 'a', sizeof text);
    text[sizeof text - 1] = '!';
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        struct regex *r = regex_new(str_of(patterns[i]), NULL);
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
        CHECK(!regex_match(r, (struct str){text, sizeof text}));
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
        double ms = (double)(to.tv_sec - from.tv_sec) * 1e3 + (double)(to.tv_nsec - from.tv_nsec) / 1e6;
        if (getenv("VERBOSE"))
            fprintf(stderr, "%s: %.1f ms, %d hits\n", patterns[i], ms, (int)regex_limit_hits(r));
        CHECK(ms < 500);
        regex_free(r);
    }
    struct regex *r = regex_new(STR("(a+)+$"), NULL);
    CHECK(!regex_match(r, (struct str){text, sizeof text}));
    CHECK_INT(regex_limit_hits(r), 1);
    CHECK(regex_match(r, STR("aaa"))); /* and the next text is matched as ever */
    regex_free(r);
}

TEST(long_text)
{
    size_t n = 4 << 20;
    char *text = malloc(n);
    struct regex *r = regex_new(STR("^(?:(x)|y)*z|needle"), NULL);

    memset(text, 'x', n);
    memcpy(text + n - 6, "needle", 6);
    CHECK(regex_match(r, (struct str){text, n}) || regex_limit_hits(r));
    regex_free(r);
    r = regex_new(STR("needle$"), NULL);
    CHECK(regex_match(r, (struct str){text, n}));
    regex_free(r);
    free(text);
}
