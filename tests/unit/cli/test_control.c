/* SPDX-License-Identifier: Apache-2.0 */
/* What the commands make of the agent's answers on the control socket. */
#include "cli/control.h"

#include "base/buf.h"
#include "pipe/admin.h"
#include "test.h"

#include <pthread.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static char dir[64];

/* Takes one connection, reads its request, answers and closes. */
struct server {
    int fd;
    const char *answer;
    struct buf request;
    pthread_t thread;
};

static void *serve(void *arg)
{
    struct server *s = arg;
    int fd = accept(s->fd, NULL, NULL);
    ssize_t got;

    while (str_find(buf_view(&s->request), STR("\r\n\r\n")) == SIZE_MAX &&
           (got = read(fd, buf_room(&s->request, 512), 512)) > 0)
        s->request.n += (size_t)got;
    CHECK(write(fd, s->answer, strlen(s->answer)) == (ssize_t)strlen(s->answer));
    close(fd);
    return NULL;
}

static void server_start(struct server *s, const char *answer)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    char *path;

    snprintf(dir, sizeof dir, "/tmp/weir-test-control-%d", (int)getpid());
    mkdir(dir, 0700);
    path = admin_socket_path(dir);
    snprintf(at.sun_path, sizeof at.sun_path, "%s", path);
    unlink(path);
    *s = (struct server){.fd = socket(AF_UNIX, SOCK_STREAM, 0), .answer = answer};
    CHECK(bind(s->fd, (struct sockaddr *)&at, sizeof at) == 0);
    CHECK(listen(s->fd, 1) == 0);
    CHECK(pthread_create(&s->thread, NULL, serve, s) == 0);
    free(path);
}

static void server_stop(struct server *s)
{
    char *path = admin_socket_path(dir);

    pthread_join(s->thread, NULL);
    close(s->fd);
    unlink(path);
    rmdir(dir);
    buf_free(&s->request);
    free(path);
}

static void answers(const char *answer, enum control want, const char *body_or_error)
{
    struct server s;
    struct buf body = {0};
    struct err e = {0};

    server_start(&s, answer);
    CHECK_INT(control_ask(dir, "POST", "/quarantine/replay?id=1", &body, &e), want);
    CHECK_STR(want == CONTROL_OK ? buf_view(&body) : str_of(e.text), body_or_error);
    CHECK(str_starts(buf_view(&s.request), STR("POST /quarantine/replay?id=1 HTTP/1.1\r\nHost: weir\r\n")));
    CHECK(str_find(buf_view(&s.request), STR("\r\nConnection: close\r\n")) != SIZE_MAX);
    server_stop(&s);
    buf_free(&body);
}

TEST(answers_of_an_agent)
{
    answers("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", CONTROL_OK, "{}");
    answers("HTTP/1.1 204 No Content\r\n\r\n", CONTROL_OK, "");
    answers("HTTP/1.1 404 Not Found\r\n\r\nno such page", CONTROL_FAILED, "no such page");
    answers("HTTP/1.1 500 Oops\r\n\r\nwhy", CONTROL_FAILED, "why");
    answers("HTTP/1.1 200 OK\r\nContent-Le", CONTROL_FAILED, "the agent's answer was cut short");
    answers("", CONTROL_FAILED, "the agent's answer was cut short");
    answers("\r\n\r\n", CONTROL_FAILED, "the agent's answer was cut short");
}

TEST(nobody_there)
{
    struct buf body = {0};
    struct err e = {0};
    char deep[300];

    CHECK_INT(control_ask("/tmp/weir-test-no-such-dir", "GET", "/", &body, &e), CONTROL_NOT_RUNNING);
    CHECK_INT(control_ask(NULL, "GET", "/", &body, &e), CONTROL_NOT_RUNNING);
    memset(deep, 'x', sizeof deep - 1);
    deep[0] = '/';
    deep[sizeof deep - 1] = 0;
    CHECK_INT(control_ask(deep, "GET", "/", &body, &e), CONTROL_NOT_RUNNING);
    CHECK_INT(body.n, 0);
    buf_free(&body);
}
