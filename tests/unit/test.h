/* SPDX-License-Identifier: Apache-2.0 */
/* The unit test header: TEST(name) { CHECK(...); } in a file is a program; main is here.  A failed check is printed
 * with its values and the test goes on; the program exits 1 when any failed, and prints "N passed, N failed". */
#pragma once
#include "base/buf.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct test {
    const char *name;
    void (*run)(void);
    struct test *next;
};
static struct test *tests_first, **tests_last = &tests_first;
static unsigned test_failures;

#define TEST(name_)                                                 \
    static void test_##name_(void);                                 \
    __attribute__((constructor)) static void register_##name_(void) \
    {                                                               \
        static struct test t = {#name_, test_##name_, NULL};        \
        *tests_last = &t;                                           \
        tests_last = &t.next;                                       \
    }                                                               \
    static void test_##name_(void)

#define CHECK(cond) \
    ((cond) ? (void)0 : (void)(test_failures++, fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #cond)))

#define CHECK_INT(got, want)                                                                         \
    do {                                                                                             \
        long long got_ = (long long)(got), want_ = (long long)(want);                                \
        if (got_ != want_) {                                                                         \
            test_failures++;                                                                         \
            fprintf(stderr, "%s:%d: %s is %lld, not %lld\n", __FILE__, __LINE__, #got, got_, want_); \
        }                                                                                            \
    } while (0)

/* got: struct str; want: a C string. */
#define CHECK_STR(got, want) check_str(__FILE__, __LINE__, #got, got, want)
__attribute__((unused)) static void check_str(const char *file, int line, const char *what, struct str got,
                                              const char *want)
{
    if (str_eq(got, str_of(want)))
        return;
    test_failures++;
    fprintf(stderr, "%s:%d: %s is\n  \"%.*s\", not\n  \"%s\"\n", file, line, what, (int)got.n, got.p ? got.p : "",
            want);
}

int main(int argc, char **argv)
{
    unsigned passed = 0, failed = 0;

    for (struct test *t = tests_first; t; t = t->next) {
        unsigned before = test_failures;
        if (argc > 1 && strcmp(argv[1], t->name))
            continue;
        t->run();
        if (test_failures == before) {
            passed++;
        } else {
            failed++;
            fprintf(stderr, "FAILED %s\n", t->name);
        }
    }
    printf("%u passed, %u failed\n", passed, failed);
    return failed || !passed;
}
