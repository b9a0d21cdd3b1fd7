/* dial.c - see dial.h. */
#include "net/dial.h"

#include <assert.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/container.h"
#include "net/address.h"
#include "net/resolver.h"
#include "os/loop.h"
#include "os/timer.h"

struct dial {
    struct loop *loop;
    const struct dial_events *events;
    void *user;
    struct resolver_query *query; /* while resolving */
    struct loop_poll *poll;       /* while connecting, with `fd` */
    int fd;
    struct timer timer; /* the attempt's, never later than the deadline */
    int64_t deadline_ms;
    bool allow_local;
    unsigned at, count; /* the next address, and how many */
    struct sockaddr_storage addresses[RESOLVER_ADDRESSES_MAX];
};

static void drop_attempt(struct dial *d)
{
    loop_poll_free(d->poll);
    d->poll = NULL;
    if (d->fd >= 0)
        (void)close(d->fd);
    d->fd = -1;
}

static void on_connect(void *user, int events);
static void on_time(struct timer *t);

static int64_t left_ms(const struct dial *d)
{
    return d->deadline_ms - loop_now_ms(d->loop);
}

static enum err begin_connect(struct dial *d, int family,
                              const struct sockaddr *to, socklen_t len)
{
    d->fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (d->fd < 0)
        return ERR_CONNECT;
    int on = 1;
    if (family != AF_UNIX)
        (void)setsockopt(d->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    enum err e = ERR_CONNECT;
    if (connect(d->fd, to, len) == 0 || errno == EINPROGRESS)
        e = loop_poll_new(d->loop, d->fd, on_connect, d, &d->poll);
    if (e == ERR_OK)
        e = loop_poll_set(d->poll, LOOP_WRITABLE);
    if (e != ERR_OK)
        drop_attempt(d);
    return e;
}

/*
 * Starts on the next address that may be used.  Each gets an equal share of
 * the time that is left, so that one that never answers does not starve the
 * others.
 */
static enum err try_next(struct dial *d)
{
    drop_attempt(d);
    while (d->at < d->count) {
        const struct sockaddr_storage *a = &d->addresses[d->at++];
        if (!d->allow_local && address_is_local(a))
            continue;
        if (begin_connect(d, a->ss_family, (const struct sockaddr *)a,
                          address_len(a)) != ERR_OK)
            continue;
        int64_t share = left_ms(d) / (int64_t)(d->count - d->at + 1);
        timer_set(d->loop, &d->timer, share, on_time);
        return ERR_OK;
    }
    return ERR_CONNECT;
}

static void go_on(struct dial *d)
{
    if (try_next(d) == ERR_OK)
        return;
    timer_cancel(&d->timer);
    d->events->failed(d->user, ERR_CONNECT);
}

static void on_time(struct timer *t)
{
    struct dial *d = CONTAINER_OF(t, struct dial, timer);
    if (left_ms(d) <= 0 || d->poll == NULL) {
        drop_attempt(d);
        d->events->failed(d->user, ERR_TIMEOUT);
    } else {
        go_on(d);
    }
}

static void on_connect(void *user, int events)
{
    (void)events;
    struct dial *d = user;
    int error = 0;
    socklen_t len = sizeof(error);
    if (getsockopt(d->fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0 ||
        error != 0) {
        go_on(d);
        return;
    }
    int fd = d->fd;
    d->fd = -1;
    drop_attempt(d);
    timer_set(d->loop, &d->timer, left_ms(d), on_time);
    d->events->connected(d->user, fd, &d->addresses[d->at > 0 ? d->at - 1 : 0]);
}

static void on_answer(void *user, const struct resolver_answer *a)
{
    struct dial *d = user;
    d->query = NULL;
    d->count = a->err == ERR_OK ? a->count : 0;
    assert(d->count <= RESOLVER_ADDRESSES_MAX);
    for (unsigned i = 0; i < d->count; i++)
        d->addresses[i] = a->addresses[i];
    go_on(d);
}

static enum err dial_path(struct dial *d, struct str path)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    if (path.len == 0 || path.len >= sizeof(to.sun_path))
        return ERR_CONNECT;
    memcpy(to.sun_path, path.ptr, path.len);
    d->addresses[0].ss_family = AF_UNIX;
    enum err e = begin_connect(d, AF_UNIX, (const struct sockaddr *)&to,
                               (socklen_t)sizeof(to));
    if (e == ERR_OK)
        timer_set(d->loop, &d->timer, left_ms(d), on_time);
    return e;
}

static enum err begin(struct dial *d, struct resolver *resolver,
                      const struct stream_target *t)
{
    if (t->port == 0)
        return dial_path(d, t->host);
    if (address_parse(t->host, t->port, &d->addresses[0])) {
        d->count = 1;
        return try_next(d);
    }
    if (resolver == NULL)
        return ERR_CONNECT;
    enum err e =
        resolver_ask(resolver, t->host, t->port, on_answer, d, &d->query);
    if (e == ERR_OK)
        timer_set(d->loop, &d->timer, left_ms(d), on_time);
    return e;
}

/* NOLINTNEXTLINE(readability-function-size): as many as stream_dial() has */
enum err dial_new(struct loop *l, struct resolver *resolver,
                  const struct stream_target *target, int64_t timeout_ms,
                  const struct dial_events *events, void *user,
                  struct dial **ret)
{
    struct dial *d = calloc(1, sizeof(*d));
    if (d == NULL)
        return ERR_NO_MEMORY;
    d->loop = l;
    d->events = events;
    d->user = user;
    d->fd = -1;
    d->deadline_ms = loop_now_ms(l) + timeout_ms;
    d->allow_local = target->allow_local;
    enum err e = begin(d, resolver, target);
    if (e == ERR_OK)
        *ret = d;
    else
        dial_free(d);
    return e;
}

void dial_free(struct dial *d)
{
    if (d == NULL)
        return;
    timer_cancel(&d->timer);
    if (d->query != NULL)
        resolver_cancel(d->query);
    drop_attempt(d);
    free(d);
}
