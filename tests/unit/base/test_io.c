/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever the kernel takes or gives at a time, all of it arrives. */
#include "base/io.h"

#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static struct io odd;
static int at_a_time, interrupt_every, fail_at, zero_at, calls;

/* How much this call may do; -1: it fails. */
static ssize_t allowed(size_t n)
{
    calls++;
    if (interrupt_every && calls % interrupt_every == 0) {
        errno = EINTR;
        return -1;
    }
    if (calls == fail_at) {
        errno = ENOSPC;
        return -1;
    }
    if (calls == zero_at)
        return 0;
    return n < (size_t)at_a_time ? (ssize_t)n : at_a_time;
}

static ssize_t odd_pwritev(int fd, const struct iovec *v, int n, off_t at)
{
    size_t all = 0, left;
    ssize_t may;

    for (int i = 0; i < n; i++)
        all += v[i].iov_len;
    may = allowed(all);
    if (may <= 0)
        return may;
    left = (size_t)may;
    for (int i = 0; i < n && left; i++) {
        size_t part = v[i].iov_len < left ? v[i].iov_len : left;
        if (pwrite(fd, v[i].iov_base, part, at) != (ssize_t)part)
            return -1;
        at += (off_t)part;
        left -= part;
    }
    return may;
}

static ssize_t odd_pread(int fd, void *p, size_t n, off_t at)
{
    ssize_t may = allowed(n);

    return may <= 0 ? may : pread(fd, p, (size_t)may, at);
}

static ssize_t odd_write(int fd, const void *p, size_t n)
{
    ssize_t may = allowed(n);

    return may <= 0 ? may : write(fd, p, (size_t)may);
}

static int begin(int step, int interrupts, int fail, int zero)
{
    at_a_time = step;
    interrupt_every = interrupts;
    fail_at = fail;
    zero_at = zero;
    calls = 0;
    odd = io_system;
    odd.pwritev = odd_pwritev;
    odd.pread = odd_pread;
    odd.write = odd_write;
    io = &odd;
    return io->memfd("test");
}

TEST(vectors_are_written_whole)
{
    for (int step = 1; step < 14; step++)
        for (int interrupts = 0; interrupts < 4; interrupts += 2) {
            int fd = begin(step, interrupts, 0, 0);
            struct iovec v[] = {{(char *)"abc", 3}, {(char *)"", 0}, {(char *)"defgh", 5}, {(char *)"ij", 2}};
            char got[16] = "";
            CHECK_INT(io_pwritev_all(fd, v, 4, 2), 0);
            CHECK_INT(pread(fd, got, sizeof got, 2), 10);
            CHECK_STR(str_of(got), "abcdefghij");
            close(fd);
        }
    io = &io_system;
}

TEST(a_vector_that_fails)
{
    struct iovec v[] = {{(char *)"abcdef", 6}}, w[] = {{(char *)"abcdef", 6}};
    int fd = begin(2, 0, 2, 0);

    CHECK_INT(io_pwritev_all(fd, v, 1, 0), -1);
    CHECK_INT(errno, ENOSPC);
    close(fd);
    fd = begin(2, 0, 0, 2); /* takes nothing and says no error: not for ever */
    CHECK_INT(io_pwritev_all(fd, w, 1, 0), -1);
    CHECK_INT(errno, EIO);
    close(fd);
    io = &io_system;
}

TEST(reads_go_on_to_the_end)
{
    char got[16];
    int fd = begin(3, 3, 0, 0);

    CHECK_INT(io_write_all(fd, "0123456789", 10), 10);
    CHECK_INT(io_pread_all(fd, got, 10, 0), 10);
    CHECK_STR(((struct str){got, 10}), "0123456789");
    CHECK_INT(io_pread_all(fd, got, 10, 7), 3); /* the file ends before */
    CHECK_STR(((struct str){got, 3}), "789");
    CHECK_INT(io_pread_all(fd, got, 10, 20), 0);
    close(fd);
    fd = begin(3, 0, 2, 0);
    CHECK_INT(io_write_all(fd, "0123456789", 10), -1);
    CHECK_INT(errno, ENOSPC);
    fail_at = 1;
    calls = 0;
    CHECK_INT(io_pread_all(fd, got, 10, 0), -1);
    close(fd);
    io = &io_system;
}

static void count_name(void *arg, const char *name)
{
    CHECK(strcmp(name, ".") && strcmp(name, ".."));
    ++*(int *)arg;
}

TEST(listing)
{
    int n = 0, dir = open("/proc/self/task", O_RDONLY | O_DIRECTORY), file = open("/proc/self/stat", O_RDONLY);

    CHECK_INT(io->list(dir, count_name, &n), 0);
    CHECK_INT(n, 1);
    CHECK_INT(io->list(dir, count_name, &n), 0); /* again from the beginning */
    CHECK_INT(n, 2);
    CHECK_INT(io->list(file, count_name, &n), -1);
    CHECK_INT(io->list(-1, count_name, &n), -1);
    CHECK_INT(n, 2);
    close(dir);
    close(file);
}

TEST(settling)
{
    int fd = io->memfd("test");

    CHECK_INT(io_settle(fd), 0);
    close(fd);
    CHECK_INT(io_settle(-1), -1);
}

TEST(clocks_and_dice)
{
    int64_t a = io->monotonic(), b;
    uint64_t dice[2] = {0, 0};

    usleep(1000);
    b = io->monotonic();
    CHECK(b - a >= MILLISECOND && b - a < 10 * SECOND);
    CHECK(io->wall() > INT64_C(1600000000) * SECOND);
    io->random(dice, sizeof dice);
    CHECK(dice[0] != dice[1]);
}
