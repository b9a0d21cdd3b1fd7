/* proxy.c - see proxy.h; one connection at a time is enough. */
#include "proxy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { STEP_MS = 20 };

static int dial(const char *path)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    (void)snprintf(at.sun_path, sizeof(at.sun_path), "%.*s",
                   (int)sizeof(at.sun_path) - 1, path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&at, sizeof(at)) == 0)
        return fd;
    if (fd >= 0)
        (void)close(fd);
    return -1;
}

/* Moves what has come; false: this connection is over. */
static bool move(struct proxy *p, int from, int to, enum proxy_cut cut)
{
    char bytes[65536];
    ssize_t n = read(from, bytes, sizeof(bytes));
    if (n <= 0)
        return false;
    int armed = (int)cut;
    if (atomic_compare_exchange_strong(&p->cut, &armed, PROXY_PASS))
        return false;
    for (ssize_t at = 0; at < n;) {
        ssize_t w = send(to, bytes + at, (size_t)(n - at), MSG_NOSIGNAL);
        if (w <= 0)
            return false;
        at += w;
    }
    return true;
}

static void serve(struct proxy *p, int client)
{
    int server = dial(p->target);
    bool open = server >= 0;
    while (open && !atomic_load(&p->stop)) {
        struct pollfd fds[2] = {{client, POLLIN, 0}, {server, POLLIN, 0}};
        if (poll(fds, 2, STEP_MS) <= 0)
            continue;
        if (fds[0].revents != 0)
            open = move(p, client, server, PROXY_CUT_ASK);
        if (open && fds[1].revents != 0)
            open = move(p, server, client, PROXY_CUT_ANSWER);
    }
    if (server >= 0)
        (void)close(server);
    (void)close(client);
}

static void *run(void *arg)
{
    struct proxy *p = arg;
    while (!atomic_load(&p->stop)) {
        struct pollfd fd = {p->listener, POLLIN, 0};
        if (poll(&fd, 1, STEP_MS) != 1)
            continue;
        int client = accept4(p->listener, NULL, NULL, SOCK_CLOEXEC);
        if (client >= 0)
            serve(p, client);
    }
    return NULL;
}

void proxy_start(struct proxy *p, const struct postgres_server *s)
{
    *p = (struct proxy){0};
    (void)snprintf(p->dir, sizeof(p->dir), "%s/proxy", s->dir);
    (void)snprintf(p->target, sizeof(p->target), "%s/.s.PGSQL.5432", s->dir);
    (void)snprintf(p->url, sizeof(p->url),
                   "postgres:///postgres?host=%s&user=writ", p->dir);
    assert_int_equal(mkdir(p->dir, 0700), 0);
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    (void)snprintf(at.sun_path, sizeof(at.sun_path), "%s/.s.PGSQL.5432",
                   p->dir);
    p->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (p->listener < 0 ||
        bind(p->listener, (const struct sockaddr *)&at, sizeof(at)) != 0 ||
        listen(p->listener, 8) != 0) {
        fail_msg("no socket");
        return;
    }
    assert_int_equal(pthread_create(&p->thread, NULL, run, p), 0);
}

void proxy_stop(struct proxy *p)
{
    atomic_store(&p->stop, true);
    assert_int_equal(pthread_join(p->thread, NULL), 0);
    (void)close(p->listener);
    char path[128];
    (void)snprintf(path, sizeof(path), "%s/.s.PGSQL.5432", p->dir);
    (void)unlink(path);
    (void)rmdir(p->dir);
}

void proxy_arm(struct proxy *p, enum proxy_cut cut)
{
    atomic_store(&p->cut, (int)cut);
}
