/* party.c - see party.h. */
#include "party.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/container.h"
#include "os/loop.h"
#include "os/timer.h"

static void on_opened(void *user)
{
    struct party *p = user;
    assert_false(p->inside);
    p->opened++;
    if (p->close_in_opened)
        stream_close(p->s);
}

static void on_data(void *user, struct str bytes)
{
    struct party *p = user;
    assert_false(p->inside);
    assert_int_equal(p->closed, 0);
    assert_int_equal(p->ended, 0);
    assert_true(buf_add(&p->got, bytes));
    if (p->echo)
        party_write(p, bytes);
    if (p->pause_in_data)
        stream_pause(p->s);
    if (p->close_in_data)
        stream_close(p->s);
}

static void on_ended(void *user)
{
    struct party *p = user;
    assert_false(p->inside);
    p->ended++;
    if (p->finish_in_ended)
        stream_finish(p->s);
    if (p->close_in_ended)
        stream_close(p->s);
}

static void on_drained(void *user)
{
    struct party *p = user;
    assert_false(p->inside);
    p->drained++;
}

static void on_closed(void *user, enum err why)
{
    struct party *p = user;
    assert_false(p->inside);
    p->closed++;
    p->why = why;
}

const struct stream_events party_events = {on_opened, on_data, on_ended,
                                           on_drained, on_closed};

void party_init(struct party *p)
{
    *p = (struct party){0};
    buf_init(&p->got, 64 * 1024 * 1024);
}

void party_release(struct party *p)
{
    buf_release(&p->got);
}

int net_listen_socket(uint16_t *ret_port, int backlog)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(a);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, len), 0);
    assert_int_equal(listen(fd, backlog), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
    *ret_port = ntohs(a.sin_port);
    return fd;
}

static void on_accepted(void *user, int fd)
{
    struct net *n = user;
    assert_non_null(n->server);
    struct party *p = n->server;
    n->server = NULL;
    p->inside = true;
    assert_int_equal(stream_accept(n->l, fd, n->accept_tls, &party_events, p,
                                   &p->s),
                     ERR_OK);
    p->inside = false;
}

void net_open(struct net *n, struct party *server)
{
    *n = (struct net){.server = server};
    assert_int_equal(loop_new(&n->l), ERR_OK);
    int fd = net_listen_socket(&n->port, 16);
    assert_int_equal(listener_open(n->l, fd, on_accepted, n, &n->listener),
                     ERR_OK);
}

void net_close(struct net *n)
{
    listener_close(n->listener);
    loop_run(n->l); /* ends: what is left closes */
    loop_free(n->l);
}

void party_dial(struct party *p, struct net *n, struct tls_context *tls,
                const char *host)
{
    struct stream_target t = {.host = str_from(host),
                              .port = n->port,
                              .tls = tls,
                              .allow_local = true};
    p->inside = true;
    assert_int_equal(stream_dial(n->l, NULL, &t, 5000, &party_events, p, &p->s),
                     ERR_OK);
    p->inside = false;
}

void party_write(struct party *p, struct str bytes)
{
    /* In two pieces, as a head and a body are. */
    struct str pieces[] = {str_first(bytes, bytes.len / 3),
                           str_skip(bytes, bytes.len / 3)};
    bool before = p->inside;
    p->inside = true;
    assert_int_equal(stream_write(p->s, pieces, 2), ERR_OK);
    p->inside = before;
}

struct wait {
    struct loop_hook hook;
    struct timer limit;
    struct loop *l;
    bool (*done)(void *arg);
    void *arg;
    bool late;
};

static void look(struct loop_hook *h)
{
    struct wait *w = CONTAINER_OF(h, struct wait, hook);
    if (w->done != NULL && w->done(w->arg))
        loop_stop(w->l);
}

static void on_limit(struct timer *t)
{
    struct wait *w = CONTAINER_OF(t, struct wait, limit);
    w->late = true;
    loop_stop(w->l);
}

static bool wait_for(struct net *n, bool (*done)(void *arg), void *arg,
                     int64_t ms)
{
    struct wait w = {.l = n->l, .done = done, .arg = arg, .hook.run = look};
    loop_hook_add(n->l, &w.hook);
    timer_set(n->l, &w.limit, ms, on_limit);
    loop_run(n->l);
    timer_cancel(&w.limit);
    loop_hook_remove(&w.hook);
    return !w.late;
}

void net_wait(struct net *n, bool (*done)(void *arg), void *arg)
{
    if (!wait_for(n, done, arg, 10000))
        fail_msg("nothing happened for ten seconds");
}

void net_turn(struct net *n, int64_t ms)
{
    (void)wait_for(n, NULL, NULL, ms);
}

bool party_is_opened(void *p)
{
    return ((struct party *)p)->opened > 0;
}

bool party_is_closed(void *p)
{
    return ((struct party *)p)->closed > 0;
}

bool party_is_ended(void *p)
{
    return ((struct party *)p)->ended > 0;
}

bool party_is_drained(void *p)
{
    return ((struct party *)p)->drained > 0;
}

struct amount {
    struct party *p;
    size_t bytes;
};

static bool has_amount(void *arg)
{
    struct amount *a = arg;
    return a->p->got.len >= a->bytes;
}

void net_wait_bytes(struct net *n, struct party *p, size_t bytes)
{
    struct amount a = {p, bytes};
    net_wait(n, has_amount, &a);
    assert_int_equal(p->got.len, bytes);
}
