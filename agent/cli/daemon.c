/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static void to_null(int fd, int flags)
{
    int null = open("/dev/null", flags | O_CLOEXEC);

    if (null < 0)
        return;
    dup2(null, fd);
    if (null > 2)
        close(null);
}

/* What the child says on stderr is still seen: mistakes are loud. */
static int wait_for_child(int fd)
{
    char byte;
    ssize_t got;

    do
        got = read(fd, &byte, 1);
    while (got < 0 && errno == EINTR);
    return got == 1 ? 0 : 1;
}

bool daemon_begin(int *fd, struct err *e)
{
    int ends[2];
    pid_t pid;

    if (pipe2(ends, O_CLOEXEC))
        return err_errno(e, "cannot become a daemon");
    pid = fork();
    if (pid < 0)
        return err_errno(e, "cannot become a daemon");
    if (pid > 0) {
        close(ends[1]);
        _exit(wait_for_child(ends[0]));
    }
    close(ends[0]);
    setsid();
    to_null(STDIN_FILENO, O_RDONLY);
    *fd = ends[1];
    return true;
}

void daemon_ready(int fd)
{
    ssize_t written = write(fd, "", 1);

    (void)written; /* a parent that was killed does not wait */
    close(fd);
    to_null(STDOUT_FILENO, O_WRONLY);
    to_null(STDERR_FILENO, O_WRONLY);
}
