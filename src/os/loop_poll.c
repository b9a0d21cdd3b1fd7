/* loop_poll.c - readiness of descriptors; see loop.h. */
#include <assert.h>
#include <stdlib.h>
#include <uv.h>

#include "base/container.h"
#include "os/loop.h"

struct loop_poll {
    uv_poll_t uv;
    int events; /* asked for */
    void (*ready)(void *user, int events);
    void *user;
};

enum err loop_poll_new(struct loop *l, int fd,
                       void (*ready)(void *user, int events), void *user,
                       struct loop_poll **ret)
{
    struct loop_poll *p = calloc(1, sizeof(*p));
    if (p == NULL)
        return ERR_NO_MEMORY;
    if (uv_poll_init(loop_uv(l), &p->uv, fd) != 0) {
        free(p);
        return ERR_IO;
    }
    p->ready = ready;
    p->user = user;
    *ret = p;
    return ERR_OK;
}

static void on_ready(uv_poll_t *uv, int status, int events)
{
    struct loop_poll *p = CONTAINER_OF(uv, struct loop_poll, uv);
    if (status < 0) {
        /* libuv has stopped it; the owner reads the error off the socket. */
        p->events = 0;
        p->ready(p->user, LOOP_READABLE | LOOP_WRITABLE);
        return;
    }
    int to = ((events & UV_READABLE) != 0 ? LOOP_READABLE : 0) |
             ((events & UV_WRITABLE) != 0 ? LOOP_WRITABLE : 0);
    p->ready(p->user, to);
}

enum err loop_poll_set(struct loop_poll *p, int events)
{
    assert((events & ~(LOOP_READABLE | LOOP_WRITABLE)) == 0);
    if (events == p->events)
        return ERR_OK;
    int to = ((events & LOOP_READABLE) != 0 ? UV_READABLE : 0) |
             ((events & LOOP_WRITABLE) != 0 ? UV_WRITABLE : 0);
    int rc = events == 0 ? uv_poll_stop(&p->uv)
                         : uv_poll_start(&p->uv, to, on_ready);
    if (rc != 0)
        return ERR_IO;
    p->events = events;
    return ERR_OK;
}

static void on_closed(uv_handle_t *uv)
{
    free(CONTAINER_OF(uv, struct loop_poll, uv));
}

void loop_poll_free(struct loop_poll *p)
{
    if (p != NULL)
        uv_close((uv_handle_t *)&p->uv, on_closed);
}
