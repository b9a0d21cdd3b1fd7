/*
 * floor.c - the least that a proxy in user space can cost on this kernel:
 * copies bytes between two sockets and knows nothing else.
 *
 *     floor PORT UPSTREAM_PORT
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common.h"

enum { EVENTS_MAX = 256, BUFFER_LEN = 256 * 1024 };

/* One side of a pair.  A dead one stays allocated: events for it may still be
 * in the batch in hand, and a bench is short. */
struct side {
    int fd;
    bool dead;
    struct side *other;
};

static void open_pair(int epoll, int caller, uint16_t upstream)
{
    struct side *a = allocate(sizeof(*a));
    struct side *b = allocate(sizeof(*b));

    *a = (struct side){.fd = caller, .other = b};
    *b = (struct side){.fd = connect_to(upstream), .other = a};
    watch(epoll, a->fd, EPOLLIN, a);
    watch(epoll, b->fd, EPOLLIN, b);
}

static void close_pair(struct side *s)
{
    s->dead = s->other->dead = true;
    (void)close(s->fd);
    (void)close(s->other->fd);
}

static bool send_all(int fd, const char *text, size_t len)
{
    while (len > 0) {
        ssize_t n = send(fd, text, len, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n < 0 && errno != EAGAIN)
            return false;
        if (n < 0) {
            struct pollfd room = {.fd = fd, .events = POLLOUT};
            (void)poll(&room, 1, 100);
            continue;
        }
        text += n;
        len -= (size_t)n;
    }
    return true;
}

static void copy(struct side *s, char *buffer)
{
    if (s->dead)
        return;
    ssize_t n = recv(s->fd, buffer, BUFFER_LEN, MSG_DONTWAIT);
    if (n < 0 && errno == EAGAIN)
        return;
    if (n <= 0 || !send_all(s->other->fd, buffer, (size_t)n))
        close_pair(s);
}

int main(int argc, char **argv)
{
    if (argc != 3)
        usage("floor PORT UPSTREAM_PORT");
    int listener = listen_on((uint16_t)number(argv[1], UINT16_MAX));
    uint16_t upstream = (uint16_t)number(argv[2], UINT16_MAX);
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    char *buffer = allocate(BUFFER_LEN);

    watch(epoll, listener, EPOLLIN, NULL);
    for (;;) {
        struct epoll_event events[EVENTS_MAX];
        int fd;
        int n = epoll_wait(epoll, events, EVENTS_MAX, -1);
        for (int i = 0; i < n; i++) {
            if (events[i].data.ptr != NULL)
                copy(events[i].data.ptr, buffer);
            else
                while ((fd = accept_from(listener)) >= 0)
                    open_pair(epoll, fd, upstream);
        }
    }
}
