/* Tests TLS streams over sockets: handshakes, pauses, cuts, slow peers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "os/loop.h"
#include "party.h"
#include "pki.h"

static struct pki pki;

static struct tls_context *server_context(enum tls_client_auth auth)
{
    struct tls_server_options o = {.cert_file = str_from(pki.server_cert),
                                   .key_file = str_from(pki.server_key),
                                   .client_ca_file = str_from(pki.ca),
                                   .client_auth = auth,
                                   .http2 = true};
    struct tls_context *c;
    const char *why;
    assert_int_equal(tls_context_server(&o, &c, &why), ERR_OK);
    return c;
}

static struct tls_context *client_context(bool with_cert)
{
    struct tls_client_options o = {.ca_file = str_from(pki.ca), .http2 = true};
    if (with_cert) {
        o.cert_file = str_from(pki.client_cert);
        o.key_file = str_from(pki.client_key);
    }
    struct tls_context *c;
    const char *why;
    assert_int_equal(tls_context_client(&o, &c, &why), ERR_OK);
    return c;
}

static void begin(struct net *n, struct party *a, struct party *b,
                  const char *host)
{
    party_init(a);
    party_init(b);
    net_open(n, b);
    n->accept_tls = server_context(TLS_CLIENT_AUTH_OPTIONAL);
    struct tls_context *c = client_context(true);
    party_dial(a, n, c, host);
    tls_context_unref(c);
}

/* "localhost" is a name, so dials of it need a resolver; the certificate has
 * the address too. */
static void connect_pair(struct net *n, struct party *a, struct party *b)
{
    begin(n, a, b, "127.0.0.1");
    net_wait(n, party_is_opened, a);
    net_wait(n, party_is_opened, b);
}

static void close_pair(struct net *n, struct party *a, struct party *b)
{
    if (a->closed == 0)
        stream_close(a->s);
    if (b->closed == 0)
        stream_close(b->s);
    net_close(n);
    tls_context_unref(n->accept_tls);
    assert_int_equal(a->closed, 1);
    assert_int_equal(b->closed, 1);
    party_release(a);
    party_release(b);
}

static void test_sealed_bytes_go_there_and_back(void **state)
{
    (void)state;
    struct net n;
    struct party a, b;
    connect_pair(&n, &a, &b);
    assert_int_equal(a.opened + b.opened, 2);
    b.echo = true;
    party_write(&a, STR("hello, world"));
    net_wait_bytes(&n, &a, 12);
    assert_true(str_eq(buf_str(&a.got), STR("hello, world")));
    assert_true(str_eq(stream_alpn(a.s), STR("h2")));
    assert_true(str_eq(stream_alpn(b.s), STR("h2")));
    assert_true(stream_peer_certificate(b.s).len > 0);
    close_pair(&n, &a, &b);
    assert_int_equal(a.why, ERR_OK);
}

static void test_a_slow_reader_gets_everything_in_order(void **state)
{
    (void)state;
    enum { BIG = 6 * 1024 * 1024 };
    struct net n;
    struct party a, b;
    connect_pair(&n, &a, &b);
    char *big = malloc(BIG);
    assert_non_null(big);
    for (size_t i = 0; i < BIG; i++)
        big[i] = (char)(i * 31 + i / 4096);
    b.pause_in_data = true; /* after each record */
    party_write(&a, (struct str){big, BIG});
    assert_true(stream_queued(a.s) > 0);
    size_t before = 0;
    for (int i = 0; i < 20; i++) {
        net_turn(&n, 2);
        assert_true(b.got.len - before <= 16384);
        before = b.got.len;
        stream_resume(b.s);
    }
    b.pause_in_data = false;
    stream_resume(b.s);
    net_wait_bytes(&n, &b, BIG);
    assert_memory_equal(b.got.ptr, big, BIG);
    net_wait(&n, party_is_drained, &a);
    free(big);
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
        net_wait(&n, party_is_ended, y);
        assert_int_equal(y->got.len, 8);
        party_write(y, STR("answer"));
        net_wait_bytes(&n, x, 6);
        stream_finish(y->s);
        net_wait(&n, party_is_ended, x);
        assert_int_equal(x->closed + y->closed, 0);
        close_pair(&n, &a, &b);
    }
}

static void test_a_fin_without_close_notify_is_a_cut(void **state)
{
    (void)state;
    struct net n;
    struct party a, b;
    connect_pair(&n, &a, &b);
    party_write(&a, STR("half a messa"));
    net_wait_bytes(&n, &b, 12);
    stream_close(a.s); /* at once, without a word */
    net_wait(&n, party_is_closed, &b);
    assert_int_equal(b.why, ERR_CLOSED);
    assert_int_equal(b.ended, 0);
    close_pair(&n, &a, &b);
}

static void test_the_wrong_host_is_refused(void **state)
{
    (void)state;
    struct net n;
    struct party a, b;
    begin(&n, &a, &b, "127.0.0.2"); /* the same machine, another name */
    listener_close(n.listener);
    n.listener = NULL;
    net_wait(&n, party_is_closed, &a);
    assert_int_equal(a.why, ERR_CONNECT);
    assert_int_equal(a.opened, 0);
    net_close(&n);
    tls_context_unref(n.accept_tls);
    party_release(&a);
    party_release(&b);
}

static void test_a_certificate_for_another_name_is_refused(void **state)
{
    (void)state;
    struct net n;
    struct party a, b;
    party_init(&a);
    party_init(&b);
    net_open(&n, &b);
    struct tls_server_options o = {.cert_file = str_from(pki.other_cert),
                                   .key_file = str_from(pki.other_key)};
    const char *why;
    assert_int_equal(tls_context_server(&o, &n.accept_tls, &why), ERR_OK);
    struct tls_context *c = client_context(false);
    party_dial(&a, &n, c, "127.0.0.1");
    tls_context_unref(c);
    net_wait(&n, party_is_closed, &a);
    assert_int_equal(a.why, ERR_CONNECT);
    assert_int_equal(a.opened, 0);
    net_wait(&n, party_is_closed, &b);
    assert_int_equal(b.opened, 0);
    assert_int_equal(b.why, ERR_CONNECT);
    close_pair(&n, &a, &b);
}

static void test_a_plain_caller_of_a_tls_port_is_closed(void **state)
{
    (void)state;
    struct net n;
    struct party a, b;
    party_init(&a);
    party_init(&b);
    net_open(&n, &b);
    n.accept_tls = server_context(TLS_CLIENT_AUTH_NONE);
    party_dial(&a, &n, NULL, "127.0.0.1");
    net_wait(&n, party_is_opened, &a);
    party_write(&a, STR("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"));
    net_wait(&n, party_is_closed, &b);
    assert_int_equal(b.why, ERR_CONNECT);
    assert_int_equal(b.opened, 0);
    close_pair(&n, &a, &b);
}

static void test_the_handshake_is_within_the_dials_time(void **state)
{
    (void)state;
    struct net n;
    struct party a, b;
    party_init(&a);
    party_init(&b);
    net_open(&n, &b); /* plain, and says nothing */
    struct tls_context *c = client_context(false);
    struct stream_target t = {.host = STR("127.0.0.1"),
                              .port = n.port,
                              .tls = c,
                              .allow_local = true};
    assert_int_equal(stream_dial(n.l, NULL, &t, 100, &party_events, &a, &a.s),
                     ERR_OK);
    tls_context_unref(c);
    net_wait(&n, party_is_closed, &a);
    assert_int_equal(a.why, ERR_TIMEOUT);
    assert_true(b.got.len > 0); /* the hello was there */
    close_pair(&n, &a, &b);
}

static void test_a_stream_may_close_inside_its_events(void **state)
{
    (void)state;
    struct net n;
    struct party a, b;
    begin(&n, &a, &b, "127.0.0.1");
    a.close_in_opened = true;
    net_wait(&n, party_is_closed, &a);
    assert_int_equal(a.opened, 1);
    net_wait(&n, party_is_closed, &b);
    close_pair(&n, &a, &b);

    connect_pair(&n, &a, &b);
    b.close_in_data = true;
    party_write(&a, STR("one"));
    party_write(&a, STR("two")); /* another record of the same read */
    net_wait(&n, party_is_closed, &b);
    assert_int_equal(b.got.len, 3);
    close_pair(&n, &a, &b);
}

static void test_a_paused_stream_may_be_closed(void **state)
{
    (void)state;
    struct net n;
    struct party a, b;
    connect_pair(&n, &a, &b);
    b.pause_in_data = true;
    for (int i = 0; i < 100; i++)
        party_write(&a, STR("some records that will wait"));
    net_wait_bytes(&n, &b, 27);
    stream_resume(b.s); /* the work is put off; the stream goes before */
    stream_close(b.s);
    net_wait(&n, party_is_closed, &b);
    assert_int_equal(b.got.len, 27);
    close_pair(&n, &a, &b);
}

static int set_up(void **state)
{
    (void)state;
    pki_make(&pki);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    pki_remove(&pki);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sealed_bytes_go_there_and_back),
        cmocka_unit_test(test_a_slow_reader_gets_everything_in_order),
        cmocka_unit_test(test_each_side_may_finish_first),
        cmocka_unit_test(test_a_fin_without_close_notify_is_a_cut),
        cmocka_unit_test(test_the_wrong_host_is_refused),
        cmocka_unit_test(test_a_certificate_for_another_name_is_refused),
        cmocka_unit_test(test_a_plain_caller_of_a_tls_port_is_closed),
        cmocka_unit_test(test_the_handshake_is_within_the_dials_time),
        cmocka_unit_test(test_a_stream_may_close_inside_its_events),
        cmocka_unit_test(test_a_paused_stream_may_be_closed),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
