/* Tests net/tls_session without sockets: two ends exchange bytes cut at every
 * place, and peers that are not what they should be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/attr.h"
#include "base/buf.h"
#include "net/tls.h"
#include "net/tls_session.h"
#include "os/thread.h"
#include "pki.h"

static struct pki pki;

struct end {
    struct tls_session *t;
    struct buf out; /* sent, not yet given to the other end */
    struct buf plain;
    bool opened, ended, failed;
};

static void on_send(void *user, struct str bytes)
{
    assert_true(buf_add(&((struct end *)user)->out, bytes));
}

static struct tls_context *server_context(enum tls_client_auth auth, bool h2)
{
    struct tls_server_options o = {.cert_file = str_from(pki.server_cert),
                                   .key_file = str_from(pki.server_key),
                                   .client_ca_file = str_from(pki.ca),
                                   .client_auth = auth,
                                   .http2 = h2};
    struct tls_context *c;
    const char *why;
    assert_int_equal(tls_context_server(&o, &c, &why), ERR_OK);
    return c;
}

static struct tls_context *client_context(bool with_cert, bool h2)
{
    struct tls_client_options o = {.ca_file = str_from(pki.ca), .http2 = h2};
    if (with_cert) {
        o.cert_file = str_from(pki.client_cert);
        o.key_file = str_from(pki.client_key);
    }
    struct tls_context *c;
    const char *why;
    assert_int_equal(tls_context_client(&o, &c, &why), ERR_OK);
    return c;
}

static void open_end(struct end *e, struct tls_context *c, const char *host)
{
    *e = (struct end){0};
    buf_init(&e->out, 64 * 1024 * 1024);
    buf_init(&e->plain, 64 * 1024 * 1024);
    assert_int_equal(tls_session_new(c, str_from(host), on_send, e, &e->t),
                     ERR_OK);
    tls_context_unref(c); /* the session holds its own */
}

static void close_end(struct end *e)
{
    tls_session_free(e->t);
    buf_release(&e->out);
    buf_release(&e->plain);
}

static void run(struct end *e)
{
    char room[TLS_RECORD_MAX];
    for (;;) {
        struct str plain;
        switch (tls_session_step(e->t, room, sizeof(room), &plain)) {
        case TLS_STEP_MORE:
            return;
        case TLS_STEP_OPENED:
            assert_false(e->opened);
            e->opened = true;
            break;
        case TLS_STEP_DATA:
            assert_true(e->opened);
            assert_true(buf_add(&e->plain, plain));
            break;
        case TLS_STEP_ENDED:
            assert_false(e->ended);
            e->ended = true;
            break;
        case TLS_STEP_FAILED:
            e->failed = true;
            return;
        }
    }
}

/* Gives `to` what `from` has sent, in pieces of `piece` bytes, each in
 * memory of its own that is gone afterwards. */
static bool carry(struct end *from, struct end *to, size_t piece)
{
    struct buf bytes = from->out;
    buf_init(&from->out, 64 * 1024 * 1024);
    for (size_t at = 0; at < bytes.len && !to->failed; at += piece) {
        struct str part = str_first(str_skip(buf_str(&bytes), at), piece);
        char *copy = malloc(part.len);
        assert_non_null(copy);
        memcpy(copy, part.ptr, part.len);
        assert_int_equal(tls_session_feed(to->t, (struct str){copy, part.len}),
                         ERR_OK);
        run(to);
        if (!to->failed)
            assert_int_equal(tls_session_keep(to->t), ERR_OK);
        free(copy);
    }
    bool any = bytes.len > 0;
    buf_release(&bytes);
    return any;
}

static void talk(struct end *a, struct end *b, size_t piece)
{
    run(a);
    bool any = true;
    while (any) {
        any = carry(a, b, piece);
        any |= carry(b, a, piece);
    }
}

static void test_records_may_be_cut_anywhere(void **state)
{
    (void)state;
    for (size_t piece = 1; piece < 3000; piece += piece < 40 ? 1 : 333) {
        struct end a, b;
        open_end(&a, client_context(false, true), "localhost");
        open_end(&b, server_context(TLS_CLIENT_AUTH_NONE, true), "");
        talk(&a, &b, piece);
        assert_true(a.opened && b.opened && !a.failed && !b.failed);
        struct str pieces[] = {STR("POST / HTTP/1.1\r\n\r\n"), STR("body")};
        assert_int_equal(tls_session_write(a.t, pieces, 2), ERR_OK);
        struct str answer = STR("HTTP/1.1 200 OK\r\n\r\n");
        assert_int_equal(tls_session_write(b.t, &answer, 1), ERR_OK);
        talk(&a, &b, piece);
        assert_true(
            str_eq(buf_str(&b.plain), STR("POST / HTTP/1.1\r\n\r\nbody")));
        assert_true(str_eq(buf_str(&a.plain), answer));
        assert_true(str_eq(tls_session_alpn(a.t), STR("h2")));
        assert_true(str_eq(tls_session_alpn(b.t), STR("h2")));

        tls_session_finish(a.t);
        talk(&a, &b, piece);
        assert_true(b.ended && !a.ended);
        assert_int_equal(tls_session_write(b.t, &answer, 1), ERR_OK);
        tls_session_finish(b.t);
        talk(&a, &b, piece);
        assert_true(a.ended && !a.failed && !b.failed);
        assert_int_equal(a.plain.len, 2 * answer.len);
        close_end(&a);
        close_end(&b);
    }
}

/* One record for a head and a small body: one write, one packet. */
static void test_small_pieces_share_a_record(void **state)
{
    (void)state;
    struct end a, b;
    open_end(&a, client_context(false, false), "localhost");
    open_end(&b, server_context(TLS_CLIENT_AUTH_NONE, true), "");
    talk(&a, &b, 4096);
    struct str pieces[] = {STR("head"), STR(""), STR("body"), STR("tail")};
    assert_int_equal(tls_session_write(a.t, pieces, 4), ERR_OK);
    size_t record =
        ((size_t)(uint8_t)a.out.ptr[3] << 8) + (uint8_t)a.out.ptr[4] + 5;
    assert_int_equal(record, a.out.len);
    talk(&a, &b, 4096);
    assert_true(str_eq(buf_str(&b.plain), STR("headbodytail")));

    /* Sizes around the joining buffer arrive whole and in order. */
    static char big[40000];
    for (size_t i = 0; i < sizeof(big); i++)
        big[i] = (char)(i % 251);
    static const size_t sizes[] = {1, 16383, 16384, 16385, 40000};
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        for (size_t k = 0; k < ARRAY_LEN(sizes); k++) {
            buf_clear(&b.plain);
            struct str two[] = {{big, sizes[i]}, {big, sizes[k]}};
            assert_int_equal(tls_session_write(a.t, two, 2), ERR_OK);
            talk(&a, &b, 5000);
            assert_int_equal(b.plain.len, sizes[i] + sizes[k]);
            assert_memory_equal(b.plain.ptr, big, sizes[i]);
            assert_memory_equal(b.plain.ptr + sizes[i], big, sizes[k]);
        }
    }
    close_end(&a);
    close_end(&b);
}

static void test_alpn_prefers_h2_where_both_want_it(void **state)
{
    (void)state;
    static const struct {
        bool client, server;
        const char *chosen;
    } rows[] = {{true, true, "h2"},
                {true, false, "http/1.1"},
                {false, true, "http/1.1"},
                {false, false, "http/1.1"}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct end a, b;
        open_end(&a, client_context(false, rows[i].client), "localhost");
        open_end(&b, server_context(TLS_CLIENT_AUTH_NONE, rows[i].server), "");
        talk(&a, &b, 4096);
        assert_true(a.opened && b.opened);
        struct str want = str_from(rows[i].chosen);
        assert_true(str_eq(tls_session_alpn(a.t), want));
        assert_true(str_eq(tls_session_alpn(b.t), want));
        close_end(&a);
        close_end(&b);
    }
}

static void test_a_client_accepts_only_whom_it_asked_for(void **state)
{
    (void)state;
    static const struct {
        const char *host;
        bool ok;
    } rows[] = {
        {"localhost", true},  {"LOCALHOST", true},   {"localhost.", true},
        {"127.0.0.1", true},  {"x.wild.test", true}, {"wrong.test", false},
        {"127.0.0.2", false}, {"::1", false},        {"x.y.wild.test", false},
        {"server", false}, /* the CN counts not */
        {"wild.test", false},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct end a, b;
        open_end(&a, client_context(false, false), rows[i].host);
        open_end(&b, server_context(TLS_CLIENT_AUTH_NONE, false), "");
        talk(&a, &b, 4096);
        assert_int_equal(a.opened, rows[i].ok);
        assert_int_equal(a.failed, !rows[i].ok);
        close_end(&a);
        close_end(&b);
    }
}

static void test_untrusted_and_expired_servers_are_refused(void **state)
{
    (void)state;
    const struct tls_server_options rows[] = {
        {.cert_file = str_from(pki.other_cert),
         .key_file = str_from(pki.other_key)},
        {.cert_file = str_from(pki.expired_cert),
         .key_file = str_from(pki.server_key)},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct tls_context *c;
        const char *why;
        assert_int_equal(tls_context_server(&rows[i], &c, &why), ERR_OK);
        struct end a, b;
        open_end(&a, client_context(false, false), "localhost");
        open_end(&b, c, "");
        talk(&a, &b, 4096);
        assert_true(a.failed && !a.opened && b.failed);
        close_end(&a);
        close_end(&b);
    }
}

static void test_client_certificates_are_verified_and_readable(void **state)
{
    (void)state;
    static const struct {
        enum tls_client_auth auth;
        bool gives, ok, seen;
    } rows[] = {
        {TLS_CLIENT_AUTH_NONE, false, true, false},
        {TLS_CLIENT_AUTH_NONE, true, true, false},
        {TLS_CLIENT_AUTH_OPTIONAL, false, true, false},
        {TLS_CLIENT_AUTH_OPTIONAL, true, true, true},
        {TLS_CLIENT_AUTH_REQUIRED, true, true, true},
        {TLS_CLIENT_AUTH_REQUIRED, false, false, false},
    };
    FILE *f = fopen(pki.client_cert, "r");
    assert_non_null(f);
    X509 *x = PEM_read_X509(f, NULL, NULL, NULL);
    (void)fclose(f);
    unsigned char *der = NULL;
    int len = i2d_X509(x, &der);
    X509_free(x);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct end a, b;
        open_end(&a, client_context(rows[i].gives, false), "localhost");
        open_end(&b, server_context(rows[i].auth, false), "");
        talk(&a, &b, 4096);
        assert_int_equal(b.opened, rows[i].ok);
        struct str seen = tls_session_certificate(b.t);
        assert_int_equal(seen.len > 0, rows[i].seen);
        if (rows[i].seen)
            assert_true(
                str_eq(seen, (struct str){(const char *)der, (size_t)len}));
        assert_int_equal(tls_session_certificate(a.t).len > 0, a.opened);
        close_end(&a);
        close_end(&b);
    }
    OPENSSL_free(der);
}

static void test_a_client_of_another_ca_is_refused(void **state)
{
    (void)state;
    struct tls_client_options o = {.ca_file = str_from(pki.ca),
                                   .cert_file = str_from(pki.other_cert),
                                   .key_file = str_from(pki.other_key)};
    for (int optional = 0; optional < 2; optional++) {
        struct tls_context *c;
        const char *why;
        assert_int_equal(tls_context_client(&o, &c, &why), ERR_OK);
        struct end a, b;
        open_end(&a, c, "localhost");
        open_end(&b,
                 server_context(optional == 1 ? TLS_CLIENT_AUTH_OPTIONAL
                                              : TLS_CLIENT_AUTH_REQUIRED,
                                false),
                 "");
        talk(&a, &b, 4096);
        assert_true(b.failed && !b.opened);
        assert_int_equal(tls_session_certificate(b.t).len, 0);
        close_end(&a);
        close_end(&b);
    }
}

static void test_what_is_not_tls_fails(void **state)
{
    (void)state;
    static const struct str rows[] = {
        STR_INIT("GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
        STR_INIT("\x16\x03\x01\xff\xff\x01"),
        STR_INIT("\x17\x03\x03\x00\x05hello"),
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct end b;
        open_end(&b, server_context(TLS_CLIENT_AUTH_NONE, false), "");
        assert_int_equal(tls_session_feed(b.t, rows[i]), ERR_OK);
        run(&b);
        assert_true(b.failed && !b.opened);
        close_end(&b);
    }
}

static void test_a_changed_record_ends_the_session(void **state)
{
    (void)state;
    struct end a, b;
    open_end(&a, client_context(false, false), "localhost");
    open_end(&b, server_context(TLS_CLIENT_AUTH_NONE, false), "");
    talk(&a, &b, 4096);
    struct str words = STR("pay 1 to me");
    assert_int_equal(tls_session_write(a.t, &words, 1), ERR_OK);
    a.out.ptr[a.out.len - 1] ^= 1;
    (void)carry(&a, &b, 4096);
    assert_true(b.failed);
    assert_int_equal(b.plain.len, 0);
    close_end(&a);
    close_end(&b);
}

/* A client straight from the library, to offer what ours never does. */
struct raw {
    int max_version;
    const char *ciphers; /* of TLS 1.2 and before; NULL: the library's */
    bool with_cert;
    SSL_SESSION *session; /* to resume; replaced by the new one */
};

static SSL *raw_open(const struct raw *r)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_security_level(ctx, 0);
    SSL_CTX_set_min_proto_version(ctx, TLS1_VERSION);
    SSL_CTX_set_max_proto_version(ctx, r->max_version);
    if (r->ciphers != NULL)
        assert_int_equal(SSL_CTX_set_cipher_list(ctx, r->ciphers), 1);
    if (r->with_cert) {
        assert_int_equal(SSL_CTX_use_certificate_chain_file(ctx,
                                                            pki.client_cert),
                         1);
        assert_int_equal(SSL_CTX_use_PrivateKey_file(ctx, pki.client_key,
                                                     SSL_FILETYPE_PEM),
                         1);
    }
    SSL *ssl = SSL_new(ctx);
    SSL_set_bio(ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    SSL_set_connect_state(ssl);
    if (r->session != NULL)
        assert_int_equal(SSL_set_session(ssl, r->session), 1);
    SSL_CTX_free(ctx);
    return ssl;
}

/* Talks to a server of `c`; true when both have shaken hands. */
static bool raw_talk(struct raw *r, struct tls_context *c, bool *ret_reused)
{
    SSL *ssl = raw_open(r);
    struct end b;
    open_end(&b, c, "");
    for (int i = 0; i < 10; i++) {
        char bytes[32768];
        (void)SSL_do_handshake(ssl);
        (void)SSL_read(ssl, bytes, sizeof(bytes)); /* takes the tickets */
        int n = BIO_read(SSL_get_wbio(ssl), bytes, sizeof(bytes));
        if (n > 0)
            assert_int_equal(tls_session_feed(b.t,
                                              (struct str){bytes, (size_t)n}),
                             ERR_OK);
        if (!b.failed)
            run(&b);
        if (b.out.len > 0)
            (void)BIO_write(SSL_get_rbio(ssl), b.out.ptr, (int)b.out.len);
        buf_clear(&b.out);
    }
    bool in = b.opened && SSL_is_init_finished(ssl) == 1;
    *ret_reused = in && SSL_session_reused(ssl) == 1;
    SSL_SESSION_free(r->session);
    r->session = SSL_get1_session(ssl);
    SSL_set_shutdown(ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    close_end(&b);
    SSL_free(ssl);
    return in;
}

static bool raw_client_gets_in(int max_version, const char *ciphers)
{
    struct raw r = {.max_version = max_version, .ciphers = ciphers};
    bool reused;
    bool in =
        raw_talk(&r, server_context(TLS_CLIENT_AUTH_NONE, false), &reused);
    if (in)
        assert_int_equal(SSL_SESSION_get_protocol_version(r.session),
                         max_version);
    SSL_SESSION_free(r.session);
    return in;
}

static void test_sessions_resume_only_without_certificates(void **state)
{
    (void)state;
    static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
    for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
        for (int auth = 0; auth < 2; auth++) {
            struct tls_context *c =
                server_context(auth == 1 ? TLS_CLIENT_AUTH_REQUIRED
                                         : TLS_CLIENT_AUTH_NONE,
                               false);
            struct raw r = {.max_version = versions[i], .with_cert = auth == 1};
            bool reused;
            assert_true(raw_talk(&r, tls_context_ref(c), &reused));
            assert_false(reused);
            assert_true(raw_talk(&r, tls_context_ref(c), &reused));
            assert_int_equal(reused, auth == 0);
            SSL_SESSION_free(r.session);
            tls_context_unref(c);
        }
    }
}

enum { THREADS = 4, TALKS = 25 };

struct talker {
    struct thread thread;
    struct tls_context *client, *server;
    int done;
};

static void talk_often(void *arg)
{
    struct talker *t = arg;
    for (int i = 0; i < TALKS; i++) {
        struct end a, b;
        open_end(&a, tls_context_ref(t->client), "localhost");
        open_end(&b, tls_context_ref(t->server), "");
        talk(&a, &b, 4096);
        struct str words = STR("words");
        if (a.opened && tls_session_write(a.t, &words, 1) == ERR_OK)
            talk(&a, &b, 4096);
        t->done += str_eq(buf_str(&b.plain), words) ? 1 : 0;
        close_end(&a);
        close_end(&b);
    }
}

static void test_threads_share_contexts(void **state)
{
    (void)state;
    struct tls_context *client = client_context(true, true);
    struct tls_context *server = server_context(TLS_CLIENT_AUTH_NONE, true);
    static struct talker talkers[THREADS];
    for (int i = 0; i < THREADS; i++) {
        talkers[i] = (struct talker){.client = client, .server = server};
        assert_int_equal(thread_start(&talkers[i].thread, "talker", talk_often,
                                      &talkers[i]),
                         ERR_OK);
    }
    for (int i = 0; i < THREADS; i++) {
        thread_join(&talkers[i].thread);
        assert_int_equal(talkers[i].done, TALKS);
    }
    tls_context_unref(client);
    tls_context_unref(server);
}

static void test_only_strong_versions_and_ciphers_get_in(void **state)
{
    (void)state;
    assert_true(raw_client_gets_in(TLS1_3_VERSION, NULL));
    assert_true(raw_client_gets_in(TLS1_2_VERSION, NULL));
    assert_true(
        raw_client_gets_in(TLS1_2_VERSION, "ECDHE-ECDSA-AES128-GCM-SHA256"));
    assert_false(raw_client_gets_in(TLS1_1_VERSION, "ALL:@SECLEVEL=0"));
    assert_false(raw_client_gets_in(TLS1_VERSION, "ALL:@SECLEVEL=0"));
    static const char *const weak[] = {"ECDHE-ECDSA-AES128-SHA256",
                                       "ECDHE-ECDSA-AES256-SHA",
                                       "AES128-GCM-SHA256",
                                       "DHE-RSA-AES128-GCM-SHA256"};
    for (size_t i = 0; i < ARRAY_LEN(weak); i++)
        assert_false(raw_client_gets_in(TLS1_2_VERSION, weak[i]));
}

static void test_files_that_do_not_fit_are_refused_with_a_reason(void **state)
{
    (void)state;
    const struct tls_server_options rows[] = {
        {.cert_file = STR("/does/not/exist"),
         .key_file = str_from(pki.server_key)},
        {.cert_file = str_from(pki.server_cert), .key_file = STR("")},
        {.cert_file = str_from(pki.server_cert),
         .key_file = str_from(pki.client_key)},
        {.cert_file = str_from(pki.server_key),
         .key_file = str_from(pki.server_key)},
        {.cert_file = str_from(pki.server_cert),
         .key_file = str_from(pki.server_key),
         .client_auth = TLS_CLIENT_AUTH_REQUIRED,
         .client_ca_file = STR("/does/not/exist")},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct tls_context *c = NULL;
        const char *why = NULL;
        assert_int_equal(tls_context_server(&rows[i], &c, &why), ERR_CONFIG);
        assert_null(c);
        assert_non_null(why);
    }
    struct tls_client_options o = {.ca_file = STR("/does/not/exist")};
    struct tls_context *c;
    const char *why = NULL;
    assert_int_equal(tls_context_client(&o, &c, &why), ERR_CONFIG);
    assert_non_null(why);
    tls_context_unref(NULL);
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
        cmocka_unit_test(test_records_may_be_cut_anywhere),
        cmocka_unit_test(test_small_pieces_share_a_record),
        cmocka_unit_test(test_alpn_prefers_h2_where_both_want_it),
        cmocka_unit_test(test_a_client_accepts_only_whom_it_asked_for),
        cmocka_unit_test(test_untrusted_and_expired_servers_are_refused),
        cmocka_unit_test(test_client_certificates_are_verified_and_readable),
        cmocka_unit_test(test_a_client_of_another_ca_is_refused),
        cmocka_unit_test(test_what_is_not_tls_fails),
        cmocka_unit_test(test_a_changed_record_ends_the_session),
        cmocka_unit_test(test_threads_share_contexts),
        cmocka_unit_test(test_sessions_resume_only_without_certificates),
        cmocka_unit_test(test_only_strong_versions_and_ciphers_get_in),
        cmocka_unit_test(test_files_that_do_not_fit_are_refused_with_a_reason),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
