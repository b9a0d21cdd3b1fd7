/* listener.c - see listener.h. */
#include "net/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/container.h"
#include "os/loop.h"
#include "os/timer.h"

enum {
    BATCH_MAX = 64,      /* accepted in one turn; then the others go on */
    RETRY_AFTER_MS = 100 /* when the system had no descriptor or memory */
};

struct listener {
    struct loop *loop;
    int fd;
    struct loop_poll *poll;
    struct timer retry; /* set: short of descriptors */
    void (*accepted)(void *user, int fd);
    void *user;
    bool paused, busy, closed;
};

static void watch(struct listener *l)
{
    bool on = !l->paused && !timer_is_set(&l->retry);
    /* The poll exists already: it only cannot fail to change. */
    enum err e = loop_poll_set(l->poll, on ? LOOP_READABLE : 0);
    (void)e;
}

static void on_retry(struct timer *t)
{
    watch(CONTAINER_OF(t, struct listener, retry));
}

/* One connection, or -1 and *ret_more false when to stop trying for now. */
static int accept_one(struct listener *l, bool *ret_more)
{
    int fd = accept4(l->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    *ret_more = true;
    if (fd >= 0)
        return fd;
    switch (errno) {
    case EAGAIN:
        *ret_more = false;
        break;
    case EINTR:
    case ECONNABORTED: /* this caller gave up, the next may not have */
    case EPROTO:
    case ENETDOWN:
    case ENETUNREACH:
    case EHOSTDOWN:
    case EHOSTUNREACH:
        break;
    default: /* EMFILE, ENFILE, ENOBUFS, ENOMEM: pause instead of spinning */
        *ret_more = false;
        timer_set(l->loop, &l->retry, RETRY_AFTER_MS, on_retry);
        watch(l);
        break;
    }
    return -1;
}

static void destroy(struct listener *l)
{
    timer_cancel(&l->retry);
    loop_poll_free(l->poll);
    (void)close(l->fd);
    free(l);
}

static void on_ready(void *user, int events)
{
    (void)events;
    struct listener *l = user;
    l->busy = true;
    bool more = true;
    for (int i = 0; more && i < BATCH_MAX && !l->paused && !l->closed; i++) {
        int fd = accept_one(l, &more);
        if (fd >= 0)
            l->accepted(l->user, fd);
    }
    l->busy = false;
    if (l->closed)
        destroy(l);
}

enum err listener_open(struct loop *loop, int fd,
                       void (*accepted)(void *user, int fd), void *user,
                       struct listener **ret)
{
    struct listener *l = calloc(1, sizeof(*l));
    if (l == NULL) {
        (void)close(fd);
        return ERR_NO_MEMORY;
    }
    l->loop = loop;
    l->fd = fd;
    l->accepted = accepted;
    l->user = user;
    enum err e = loop_poll_new(loop, fd, on_ready, l, &l->poll);
    if (e == ERR_OK)
        e = loop_poll_set(l->poll, LOOP_READABLE);
    if (e != ERR_OK) {
        destroy(l);
        return e;
    }
    *ret = l;
    return ERR_OK;
}

void listener_pause(struct listener *l)
{
    l->paused = true;
    watch(l);
}

void listener_resume(struct listener *l)
{
    l->paused = false;
    watch(l);
}

void listener_close(struct listener *l)
{
    if (l == NULL)
        return;
    l->closed = true;
    if (!l->busy)
        destroy(l);
}
