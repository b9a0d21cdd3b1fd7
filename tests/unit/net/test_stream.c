/* Tests net/stream without TLS: every way a connection starts and ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "os/clock.h"
#include "os/loop.h"
#include "party.h"

/* A connected pair: a->s dialled, b->s was accepted. */
static void connect_pair(struct net *n, struct party *a, struct party *b)
{
    party_init(a);
    party_init(b);
    net_open(n, b);
    party_dial(a, n, NULL, "127.0.0.1");
    net_wait(n, party_is_opened, a);
    while (b->s == NULL)
        net_turn(n, 5);
    assert_int_equal(b->opened, 0); /* a plain accept is open at once */
}

static void close_pair(struct net *n, struct party *a, struct party *b)
{
    if (a->closed == 0)
        stream_close(a->s);
    if (b->closed == 0)
        stream_close(b->s);
    net_close(n);
    assert_int_equal(a->closed, 1);
    assert_int_equal(b->closed, 1);
    party_release(a);
    party_release(b);
}

static void test_bytes_go_there_and_back(void **state)
{
    (void)state;
    struct net n;
    struct party a, b;
    connect_pair(&n, &a, &b);
    b.echo = true;
    party_write(&a, STR("hello, world"));
    assert_int_equal(stream_queued(a.s), 0);
    net_wait_bytes(&n, &a, 12);
    assert_true(str_eq(buf_str(&a.got), STR("hello, world")));
    assert_true(str_eq(stream_alpn(a.s), STR("")));
    assert_int_equal(stream_peer_certificate(a.s).len, 0);

    char want[32];
    int len = snprintf(want, sizeof(want), "127.0.0.1:%u", n.port);
    assert_true(str_eq(stream_peer(a.s), (struct str){want, (size_t)len}));
    assert_true(str_starts(stream_peer(b.s), STR("127.0.0.1:")));
    close_pair(&n, &a, &b);
    assert_int_equal(a.why, ERR_OK);
}

static void test_many_pieces_arrive_in_order(void **state)
{
    (void)state;
    struct net n;
    struct party a, b;
    connect_pair(&n, &a, &b);
    struct str pieces[30];
    char letters[30];
    for (size_t i = 0; i < 30; i++) {
        letters[i] = (char)('a' + i % 26);
        pieces[i] = (struct str){letters + i, i % 3 == 0 ? 0 : 1};
    }
    assert_int_equal(stream_write(a.s, pieces, 30), ERR_OK);
    assert_int_equal(stream_write(a.s, NULL, 0), ERR_OK);
    net_wait_bytes(&n, &b, 20);
    size_t at = 0;
    for (size_t i = 0; i < 30; i++) {
        if (i % 3 != 0)
            assert_int_equal(b.got.ptr[at++], letters[i]);
    }
    close_pair(&n, &a, &b);
}

enum { BIG = 8 * 1024 * 1024 };

static char *new_pattern(void)
{
    char *big = malloc(BIG);
    assert_non_null(big);
    for (size_t i = 0; i < BIG; i++)
        big[i] = (char)(i * 31 + i / 4096);
    return big;
}

static void test_what_a_slow_reader_leaves_is_queued_and_drained(void **state)
{
    (void)state;
    struct net n;
    struct party a, b;
    connect_pair(&n, &a, &b);
    char *big = new_pattern();
    stream_pause(b.s);
    party_write(&a, (struct str){big, BIG / 2});
    assert_true(stream_queued(a.s) > 0);
    size_t queued = stream_queued(a.s);
    /* Small ones behind it join the queue in order. */
    for (size_t i = BIG / 2; i < BIG; i += 64 * 1024)
        party_write(&a, (struct str){big + i, 64 * 1024});
    assert_int_equal(stream_queued(a.s), queued + BIG / 2);
    net_turn(&n, 30);
    assert_int_equal(b.got.len, 0);
    assert_int_equal(a.drained, 0);

    stream_resume(b.s);
    net_wait_bytes(&n, &b, BIG);
    assert_memory_equal(b.got.ptr, big, BIG);
    net_wait(&n, party_is_drained, &a);
    assert_int_equal(a.drained, 1);
    assert_int_equal(stream_queued(a.s), 0);
    free(big);
    close_pair(&n, &a, &b);
}

static void test_a_paused_stream_gives_no_data(void **state)
{
    (void)state;
    struct net n;
    struct party a, b;
    connect_pair(&n, &a, &b);
    b.pause_in_data = true;
    party_write(&a, STR("one"));
    net_wait_bytes(&n, &b, 3);
    party_write(&a, STR("two"));
    net_turn(&n, 30);
    assert_int_equal(b.got.len, 3);
    stream_resume(b.s);
    net_wait_bytes(&n, &b, 6);
    stream_resume(b.s);
    stream_pause(b.s);
    stream_resume(b.s);
    party_write(&a, STR("three"));
    net_wait_bytes(&n, &b, 11);
    close_pair(&n, &a, &b);
}

static void test_each_side_may_finish_first(void **state)
{
    (void)state;
    for (int first = 0; first < 2; first++) {
        struct net n;
        struct party a, b;
        connect_pair(&n, &a, &b);
        struct party *x = first == 0 ? &a : &b, *y = first == 0 ? &b : &a;
        party_write(x, STR("question"));
        stream_finish(x->s);
        stream_finish(x->s);
        struct str more = STR("x");
        assert_int_equal(stream_write(x->s, &more, 1), ERR_CLOSED);
        net_wait(&n, party_is_ended, y);
        assert_int_equal(y->got.len, 8);
        assert_int_equal(x->ended, 0);

        party_write(y, STR("answer")); /* the other half is still open */
        net_wait_bytes(&n, x, 6);
        stream_finish(y->s);
        net_wait(&n, party_is_ended, x);
        assert_int_equal(x->closed + y->closed, 0);
        close_pair(&n, &a, &b);
        assert_int_equal(a.why, ERR_OK);
    }
}

static void test_finish_waits_for_what_is_queued(void **state)
{
    (void)state;
    struct net n;
    struct party a, b;
    connect_pair(&n, &a, &b);
    char *big = new_pattern();
    stream_pause(b.s);
    party_write(&a, (struct str){big, BIG});
    stream_finish(a.s);
    net_turn(&n, 10);
    stream_resume(b.s);
    net_wait(&n, party_is_ended, &b);
    assert_int_equal(b.got.len, BIG);
    free(big);
    close_pair(&n, &a, &b);
}

static void test_close_drops_the_queue_and_tells_once(void **state)
{
    (void)state;
    struct net n;
    struct party a, b;
    connect_pair(&n, &a, &b);
    char *big = new_pattern();
    stream_pause(b.s);
    party_write(&a, (struct str){big, BIG});
    a.inside = true; /* no event inside the call */
    stream_close(a.s);
    stream_close(a.s);
    struct str more = STR("x");
    assert_int_equal(stream_write(a.s, &more, 1), ERR_CLOSED);
    a.inside = false;
    net_wait(&n, party_is_closed, &a);
    assert_int_equal(a.why, ERR_OK);
    assert_int_equal(a.drained, 0);
    free(big);
    stream_resume(b.s);
    net_wait(&n, party_is_ended, &b);
    assert_true(b.got.len < BIG);
    close_pair(&n, &a, &b);
}

static void test_a_stream_may_close_inside_its_events(void **state)
{
    (void)state;
    struct net n;
    struct party a, b;
    connect_pair(&n, &a, &b);
    b.close_in_data = true;
    a.close_in_ended = true;
    party_write(&a, STR("go"));
    net_wait(&n, party_is_closed, &b);
    net_wait(&n, party_is_closed, &a);
    close_pair(&n, &a, &b);
}

static void test_a_reset_closes(void **state)
{
    (void)state;
    struct net n;
    struct party a;
    party_init(&a);
    net_open(&n, NULL);
    listener_close(n.listener);
    int fd = net_listen_socket(&n.port, 4);
    n.listener = NULL;
    party_dial(&a, &n, NULL, "127.0.0.1");
    net_wait(&n, party_is_opened, &a);
    int peer = accept(fd, NULL, NULL);
    assert_true(peer >= 0);
    struct linger hard = {1, 0};
    setsockopt(peer, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
    close(peer);
    net_wait(&n, party_is_closed, &a);
    assert_int_equal(a.why, ERR_CLOSED);
    assert_int_equal(a.ended, 0);
    close(fd);
    net_close(&n);
    party_release(&a);
}

/* An upstream that refuses the rest and goes away is still heard. */
static void test_the_last_words_of_a_peer_are_read(void **state)
{
    (void)state;
    struct net n;
    struct party a;
    party_init(&a);
    net_open(&n, NULL);
    listener_close(n.listener);
    int fd = net_listen_socket(&n.port, 4);
    n.listener = NULL;
    party_dial(&a, &n, NULL, "127.0.0.1");
    net_wait(&n, party_is_opened, &a);
    int peer = accept(fd, NULL, NULL);
    assert_int_equal(write(peer, "413", 3), 3);
    close(peer);
    struct str piece = STR("body");
    enum err e = ERR_OK;
    for (int i = 0; i < 100 && e == ERR_OK; i++) /* until the RST is here */
        e = stream_write(a.s, &piece, 1);
    net_wait(&n, party_is_closed, &a);
    assert_int_equal(a.got.len, 3);
    close(fd);
    net_close(&n);
    party_release(&a);
}

static void test_a_refused_connect_is_told_later(void **state)
{
    (void)state;
    struct net n;
    struct party a;
    party_init(&a);
    net_open(&n, NULL);
    listener_close(n.listener); /* now nobody listens there */
    n.listener = NULL;
    party_dial(&a, &n, NULL, "127.0.0.1");
    net_wait(&n, party_is_closed, &a);
    assert_int_equal(a.why, ERR_CONNECT);
    assert_int_equal(a.opened, 0);
    net_close(&n);
    party_release(&a);
}

static void test_local_addresses_are_refused_unless_allowed(void **state)
{
    (void)state;
    static const char *const hosts[] = {
        "127.0.0.1",        "::1",   "0.0.0.0", "169.254.169.254",
        "::ffff:127.0.0.1", "[::1]", "::",      "224.0.0.1"};
    struct net n;
    struct party b;
    party_init(&b);
    net_open(&n, &b);
    for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
        struct party a;
        party_init(&a);
        struct stream_target t = {.host = str_from(hosts[i]), .port = n.port};
        assert_int_equal(stream_dial(n.l, NULL, &t, 5000, &party_events, &a,
                                     &a.s),
                         ERR_OK);
        net_wait(&n, party_is_closed, &a);
        assert_int_equal(a.why, ERR_CONNECT);
        party_release(&a);
    }
    assert_null(b.s); /* nobody came */
    net_close(&n);
    party_release(&b);
}

static void test_a_dial_that_nobody_answers_times_out(void **state)
{
    (void)state;
    struct net n;
    struct party a;
    party_init(&a);
    net_open(&n, NULL);
    listener_close(n.listener);
    n.listener = NULL;
    /* A full queue of the kernel answers no further SYN. */
    int fd = net_listen_socket(&n.port, 0);
    int fill[8];
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons(n.port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    for (int i = 0; i < 8; i++) {
        fill[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        (void)connect(fill[i], (struct sockaddr *)&to, sizeof(to));
    }
    struct stream_target t = {.host = STR("127.0.0.1"),
                              .port = n.port,
                              .allow_local = true};
    int64_t from = clock_monotonic_ms();
    assert_int_equal(stream_dial(n.l, NULL, &t, 100, &party_events, &a, &a.s),
                     ERR_OK);
    net_wait(&n, party_is_closed, &a);
    int64_t took = clock_monotonic_ms() - from;
    assert_int_equal(a.why, ERR_TIMEOUT);
    assert_true(took >= 95 && took < 1000);
    for (int i = 0; i < 8; i++)
        close(fill[i]);
    close(fd);
    net_close(&n);
    party_release(&a);
}

static void test_a_dial_may_be_closed_before_it_connects(void **state)
{
    (void)state;
    struct net n;
    struct party a;
    party_init(&a);
    net_open(&n, NULL);
    listener_pause(n.listener);
    party_dial(&a, &n, NULL, "127.0.0.1");
    stream_close(a.s);
    net_wait(&n, party_is_closed, &a);
    assert_int_equal(a.opened, 0);
    assert_int_equal(a.why, ERR_OK);
    net_close(&n);
    party_release(&a);
}

static void test_local_sockets_are_dialled_by_path(void **state)
{
    (void)state;
    struct net n;
    struct party a, b;
    party_init(&a);
    party_init(&b);
    net_open(&n, &b);
    listener_close(n.listener);
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    (void)snprintf(at.sun_path, sizeof(at.sun_path), "/tmp/writ_net_%ld.sock",
                   (long)getpid());
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
    assert_int_equal(listen(fd, 4), 0);

    struct stream_target t = {.host = str_from(at.sun_path)};
    assert_int_equal(stream_dial(n.l, NULL, &t, 1000, &party_events, &a, &a.s),
                     ERR_OK);
    net_wait(&n, party_is_opened, &a);
    int peer = accept(fd, NULL, NULL);
    assert_int_equal(stream_accept(n.l, peer, NULL, &party_events, &b, &b.s),
                     ERR_OK);
    b.echo = true;
    party_write(&a, STR("local words"));
    net_wait_bytes(&n, &a, 11);
    assert_true(str_eq(stream_peer(a.s), STR("local")));
    assert_true(str_eq(stream_peer(b.s), STR("local")));

    close(fd);
    unlink(at.sun_path);
    n.listener = NULL;
    struct party c;
    party_init(&c);
    assert_int_equal(stream_dial(n.l, NULL, &t, 1000, &party_events, &c, &c.s),
                     ERR_OK);
    net_wait(&n, party_is_closed, &c);
    assert_int_equal(c.why, ERR_CONNECT);
    party_release(&c);
    close_pair(&n, &a, &b);
}

static void test_nagle_is_off_on_both_sides(void **state)
{
    (void)state;
    struct net n;
    struct party a, b;
    connect_pair(&n, &a, &b);
    int seen = 0;
    for (int fd = 3; fd < 64; fd++) {
        struct sockaddr_in peer;
        socklen_t len = sizeof(peer);
        if (getpeername(fd, (struct sockaddr *)&peer, &len) != 0 ||
            peer.sin_family != AF_INET)
            continue;
        int on = 0;
        len = sizeof(on);
        assert_int_equal(getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, &len),
                         0);
        assert_int_equal(on, 1);
        seen++;
    }
    assert_int_equal(seen, 2);
    close_pair(&n, &a, &b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bytes_go_there_and_back),
        cmocka_unit_test(test_many_pieces_arrive_in_order),
        cmocka_unit_test(test_what_a_slow_reader_leaves_is_queued_and_drained),
        cmocka_unit_test(test_a_paused_stream_gives_no_data),
        cmocka_unit_test(test_each_side_may_finish_first),
        cmocka_unit_test(test_finish_waits_for_what_is_queued),
        cmocka_unit_test(test_close_drops_the_queue_and_tells_once),
        cmocka_unit_test(test_a_stream_may_close_inside_its_events),
        cmocka_unit_test(test_a_reset_closes),
        cmocka_unit_test(test_the_last_words_of_a_peer_are_read),
        cmocka_unit_test(test_a_refused_connect_is_told_later),
        cmocka_unit_test(test_local_addresses_are_refused_unless_allowed),
        cmocka_unit_test(test_a_dial_that_nobody_answers_times_out),
        cmocka_unit_test(test_a_dial_may_be_closed_before_it_connects),
        cmocka_unit_test(test_local_sockets_are_dialled_by_path),
        cmocka_unit_test(test_nagle_is_off_on_both_sides),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
