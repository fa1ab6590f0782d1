/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/control.h"

#include "base/cleanup.h"
#include "base/io.h"
#include "pipe/admin.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/un.h>

static int dial(const char *path)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    size_t n = strlen(path);
    int fd;

    if (n >= sizeof addr.sun_path)
        return -1;
    memcpy(addr.sun_path, path, n + 1);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&addr, sizeof addr)) {
        close(fd);
        return -1;
    }
    return fd;
}

static bool read_all(int fd, struct buf *out)
{
    ssize_t got;

    while ((got = read(fd, buf_room(out, 4096), 4096)) > 0)
        out->n += (size_t)got;
    return got == 0;
}

enum control control_ask(const char *store_dir, const char *method, const char *path, struct buf *body, struct err *e)
{
    CLEANUP(cleanup_free) char *socket_path = admin_socket_path(store_dir);
    CLEANUP(cleanup_fd) int fd = socket_path ? dial(socket_path) : -1;
    CLEANUP(buf_free) struct buf request = {0}, answer = {0};
    size_t head;

    if (fd < 0)
        return CONTROL_NOT_RUNNING;
    buf_fmt(&request, "%s %s HTTP/1.1\r\nHost: weir\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", method, path);
    if (io_write_all(fd, request.p, request.n) < 0 || !read_all(fd, &answer)) {
        err_errno(e, "the agent did not answer on %s", socket_path);
        return CONTROL_FAILED;
    }
    head = str_find(buf_view(&answer), STR("\r\n\r\n"));
    if (head == SIZE_MAX || answer.n < 12) {
        err_set(e, "the agent's answer was cut short");
        return CONTROL_FAILED;
    }
    buf_str(body, str_from(buf_view(&answer), head + 4));
    if (answer.p[9] == '2')
        return CONTROL_OK;
    err_set(e, STR_FMT, STR_ARG(buf_view(body)));
    return CONTROL_FAILED;
}

void control_query(struct buf *path, const char *name, struct str value)
{
    static const char hex[] = "0123456789ABCDEF";

    if (!value.n)
        return;
    buf_fmt(path, "%c%s=", str_find_char(buf_view(path), '?') == SIZE_MAX ? '?' : '&', name);
    for (size_t i = 0; i < value.n; i++) {
        unsigned char c = (unsigned char)value.p[i];
        buf_char(path, '%');
        buf_char(path, hex[c >> 4]);
        buf_char(path, hex[c & 15]);
    }
}
