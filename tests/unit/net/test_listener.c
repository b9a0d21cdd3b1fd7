/* Tests net/listener: pausing, closing inside, and no descriptors left. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "os/loop.h"
#include "party.h"

enum { CALLERS = 12 };

struct door {
    struct net n; /* only for its loop and its waiting */
    struct listener *l;
    int fds[CALLERS], count;
    bool pause_after_one, close_after_one;
};

static void on_accepted(void *user, int fd)
{
    struct door *d = user;
    assert_true(d->count < CALLERS);
    assert_true((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
    assert_true((fcntl(fd, F_GETFL) & O_NONBLOCK) != 0);
    d->fds[d->count++] = fd;
    if (d->pause_after_one)
        listener_pause(d->l);
    if (d->close_after_one) {
        listener_close(d->l);
        d->l = NULL;
    }
}

static bool all_came(void *arg)
{
    return ((struct door *)arg)->count == CALLERS;
}

static void open_door(struct door *d, uint16_t *ret_port)
{
    *d = (struct door){0};
    assert_int_equal(loop_new(&d->n.l), ERR_OK);
    int fd = net_listen_socket(ret_port, 64);
    assert_int_equal(listener_open(d->n.l, fd, on_accepted, d, &d->l), ERR_OK);
}

static void close_door(struct door *d)
{
    listener_close(d->l);
    for (int i = 0; i < d->count; i++)
        close(d->fds[i]);
    loop_run(d->n.l);
    loop_free(d->n.l);
}

static void call(uint16_t port, int *fds, int n)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons(port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    for (int i = 0; i < n; i++) {
        fds[i] = socket(AF_INET, SOCK_STREAM, 0);
        assert_true(fds[i] >= 0);
        assert_int_equal(connect(fds[i], (struct sockaddr *)&to, sizeof(to)),
                         0);
    }
}

static void hang_up(int *fds, int n)
{
    for (int i = 0; i < n; i++)
        close(fds[i]);
}

static void test_a_paused_listener_lets_callers_wait(void **state)
{
    (void)state;
    struct door d;
    uint16_t port;
    open_door(&d, &port);
    d.pause_after_one = true;
    int fds[CALLERS];
    call(port, fds, CALLERS);
    net_turn(&d.n, 30);
    assert_int_equal(d.count, 1);
    d.pause_after_one = false;
    listener_resume(d.l);
    net_wait(&d.n, all_came, &d);
    hang_up(fds, CALLERS);
    close_door(&d);
}

static void test_a_listener_may_be_closed_inside_its_event(void **state)
{
    (void)state;
    struct door d;
    uint16_t port;
    open_door(&d, &port);
    d.close_after_one = true;
    int fds[3];
    call(port, fds, 3);
    loop_run(d.n.l); /* ends */
    assert_int_equal(d.count, 1);
    hang_up(fds, 3);
    close_door(&d);
}

static void test_without_descriptors_it_pauses_and_recovers(void **state)
{
    (void)state;
    struct door d;
    uint16_t port;
    open_door(&d, &port);
    int fds[CALLERS];
    call(port, fds, CALLERS);

    /* Room for three more. */
    int next = dup(0);
    close(next);
    struct rlimit before, few;
    getrlimit(RLIMIT_NOFILE, &before);
    few = before;
    few.rlim_cur = (rlim_t)next + 3;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    struct rusage from, to;
    getrusage(RUSAGE_SELF, &from);
    net_turn(&d.n, 300);
    getrusage(RUSAGE_SELF, &to);
    assert_int_equal(d.count, 3);
    int64_t cpu_us = (to.ru_utime.tv_sec - from.ru_utime.tv_sec) * 1000000 +
                     to.ru_utime.tv_usec - from.ru_utime.tv_usec +
                     (to.ru_stime.tv_sec - from.ru_stime.tv_sec) * 1000000 +
                     to.ru_stime.tv_usec - from.ru_stime.tv_usec;
    assert_true(cpu_us < 150000); /* it does not spin */

    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    net_wait(&d.n, all_came, &d);
    hang_up(fds, CALLERS);
    close_door(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_paused_listener_lets_callers_wait),
        cmocka_unit_test(test_a_listener_may_be_closed_inside_its_event),
        cmocka_unit_test(test_without_descriptors_it_pauses_and_recovers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
