/* tls_session.c - see tls_session.h. */
#include "net/tls_session.h"

#include <arpa/inet.h>
#include <assert.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "net/tls.h"
#include "net/tls_context.h"

enum {
    KEPT_MAX =
        1024 * 1024, /* ciphertext of a paused reader, few reads' worth */
    NAME_LEN_MAX = 253,
};

struct tls_session {
    struct tls_context *context;
    SSL *ssl;
    struct str in;   /* to be read; borrowed, or in `kept` */
    struct buf kept; /* empty but while a reader is paused */
    void (*send)(void *user, struct str bytes);
    void *user;
    unsigned char *der; /* the peer's certificate, once asked for */
    size_t der_len;
    bool opened, ended, failed;
};

/* The library reads from what was fed and holds at most one record. */
static int bio_read(BIO *bio, char *to, size_t room, size_t *ret_n)
{
    struct tls_session *t = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    if (t->in.len == 0) {
        BIO_set_retry_read(bio);
        return 0;
    }
    size_t n = t->in.len < room ? t->in.len : room;
    memcpy(to, t->in.ptr, n);
    t->in = str_skip(t->in, n);
    *ret_n = n;
    return 1;
}

static int bio_write(BIO *bio, const char *bytes, size_t n, size_t *ret_n)
{
    struct tls_session *t = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    t->send(t->user, (struct str){bytes, n});
    *ret_n = n;
    return 1;
}

static long bio_control(BIO *bio, int command, long number, void *pointer)
{
    (void)bio;
    (void)number;
    (void)pointer;
    return command == BIO_CTRL_FLUSH ? 1 : 0;
}

BIO_METHOD *tls_session_bio_method(void)
{
    BIO_METHOD *m = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "session");
    if (m == NULL)
        return NULL;
    if (BIO_meth_set_read_ex(m, bio_read) == 1 &&
        BIO_meth_set_write_ex(m, bio_write) == 1 &&
        BIO_meth_set_ctrl(m, bio_control) == 1)
        return m;
    BIO_meth_free(m);
    return NULL;
}

/* Whom a client expects.  An address is never sent as SNI (RFC 6066, 3). */
static bool expect(SSL *ssl, struct str host)
{
    char name[NAME_LEN_MAX + 1];
    if (host.len > 2 && host.ptr[0] == '[' && host.ptr[host.len - 1] == ']')
        host = (struct str){host.ptr + 1, host.len - 2};
    if (host.len > 1 && host.ptr[host.len - 1] == '.')
        host.len--; /* the root's dot is not part of a certificate's name */
    if (host.len == 0 || host.len >= sizeof(name) ||
        memchr(host.ptr, '\0', host.len) != NULL)
        return false;
    memcpy(name, host.ptr, host.len);
    name[host.len] = '\0';

    unsigned char address[sizeof(struct in6_addr)];
    if (inet_pton(AF_INET, name, address) == 1 ||
        inet_pton(AF_INET6, name, address) == 1)
        return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name) == 1;
    SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS |
                               X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    return SSL_set1_host(ssl, name) == 1 &&
           SSL_set_tlsext_host_name(ssl, name) == 1;
}

enum err tls_session_new(struct tls_context *context, struct str host,
                         void (*send)(void *user, struct str bytes), void *user,
                         struct tls_session **ret)
{
    struct tls_session *t = calloc(1, sizeof(*t));
    if (t == NULL)
        return ERR_NO_MEMORY;
    t->context = tls_context_ref(context);
    t->send = send;
    t->user = user;
    buf_init(&t->kept, KEPT_MAX);
    t->ssl = SSL_new(context->ctx);
    BIO *bio = t->ssl == NULL ? NULL : BIO_new(context->bio);
    if (bio == NULL) {
        tls_session_free(t);
        ERR_clear_error();
        return ERR_NO_MEMORY;
    }
    BIO_set_data(bio, t);
    BIO_set_init(bio, 1);
    SSL_set_bio(t->ssl, bio, bio);
    if (context->server) {
        SSL_set_accept_state(t->ssl);
    } else {
        SSL_set_connect_state(t->ssl);
        if (!expect(t->ssl, host)) {
            tls_session_free(t);
            ERR_clear_error();
            return ERR_CONNECT;
        }
    }
    *ret = t;
    return ERR_OK;
}

void tls_session_free(struct tls_session *t)
{
    if (t == NULL)
        return;
    SSL_free(t->ssl);
    buf_release(&t->kept);
    OPENSSL_free(t->der);
    tls_context_unref(t->context);
    free(t);
}

bool tls_session_has_input(const struct tls_session *t)
{
    return t->in.len > 0;
}

enum err tls_session_keep(struct tls_session *t)
{
    bool is_kept = t->kept.len > 0;
    if (t->in.len == 0) {
        buf_release(&t->kept);
        return ERR_OK;
    }
    if (is_kept) { /* `in` is its end */
        buf_drop(&t->kept, t->kept.len - t->in.len);
    } else if (!buf_add(&t->kept, t->in)) {
        buf_clear(&t->kept);
        return ERR_NO_MEMORY;
    }
    t->in = buf_str(&t->kept);
    return ERR_OK;
}

enum err tls_session_feed(struct tls_session *t, struct str bytes)
{
    if (t->in.len == 0) {
        buf_release(&t->kept);
        t->in = bytes;
        return ERR_OK;
    }
    enum err e = tls_session_keep(t);
    if (e == ERR_OK && !buf_add(&t->kept, bytes))
        e = ERR_NO_MEMORY;
    if (e == ERR_OK)
        t->in = buf_str(&t->kept);
    return e;
}

static enum tls_step shake_hands(struct tls_session *t)
{
    int rc = SSL_do_handshake(t->ssl);
    if (rc == 1) {
        t->opened = true;
        return TLS_STEP_OPENED;
    }
    return SSL_get_error(t->ssl, rc) == SSL_ERROR_WANT_READ ? TLS_STEP_MORE
                                                            : TLS_STEP_FAILED;
}

static enum tls_step read_record(struct tls_session *t, char *room,
                                 size_t room_len, struct str *ret_plain)
{
    size_t n;
    int rc = SSL_read_ex(t->ssl, room, room_len, &n);
    if (rc == 1) {
        *ret_plain = (struct str){room, n};
        return TLS_STEP_DATA;
    }
    switch (SSL_get_error(t->ssl, rc)) {
    case SSL_ERROR_WANT_READ:
        return TLS_STEP_MORE;
    case SSL_ERROR_ZERO_RETURN:
        t->ended = true;
        t->in.len = 0; /* nothing after it counts */
        return TLS_STEP_ENDED;
    default:
        return TLS_STEP_FAILED;
    }
}

enum tls_step tls_session_step(struct tls_session *t, char *room,
                               size_t room_len, struct str *ret_plain)
{
    if (t->failed)
        return TLS_STEP_FAILED;
    if (t->ended) {
        t->in.len = 0;
        return TLS_STEP_MORE;
    }
    ERR_clear_error(); /* SSL_get_error() looks at the thread's queue */
    enum tls_step step =
        t->opened ? read_record(t, room, room_len, ret_plain) : shake_hands(t);
    t->failed = step == TLS_STEP_FAILED;
    if (t->failed)
        ERR_clear_error();
    return step;
}

static enum err seal(struct tls_session *t, struct str plain)
{
    ERR_clear_error();
    size_t n;
    /* `send` takes everything, so a write is never half done. */
    if (SSL_write_ex(t->ssl, plain.ptr, plain.len, &n) == 1)
        return ERR_OK;
    ERR_clear_error();
    t->failed = true;
    return ERR_IO;
}

/* Small pieces, such as a head and its body, are joined to full records. */
struct joiner {
    struct tls_session *t;
    char *room; /* TLS_RECORD_MAX bytes */
    size_t len;
};

static enum err join_flush(struct joiner *j)
{
    struct str record = {j->room, j->len};
    j->len = 0;
    return record.len == 0 ? ERR_OK : seal(j->t, record);
}

static enum err join(struct joiner *j, struct str piece)
{
    enum err e = ERR_OK;
    while (piece.len > 0 && e == ERR_OK) {
        if (j->len == 0 && piece.len >= TLS_RECORD_MAX)
            return seal(j->t, piece); /* as it is; the library cuts it */
        struct str part = str_first(piece, TLS_RECORD_MAX - j->len);
        memcpy(j->room + j->len, part.ptr, part.len);
        j->len += part.len;
        piece = str_skip(piece, part.len);
        if (j->len == TLS_RECORD_MAX)
            e = join_flush(j);
    }
    return e;
}

enum err tls_session_write(struct tls_session *t, const struct str *pieces,
                           size_t n)
{
    assert(t->opened);
    if (t->failed)
        return ERR_IO;
    if (n == 1)
        return pieces[0].len == 0 ? ERR_OK : seal(t, pieces[0]);
    char room[TLS_RECORD_MAX] UNINITIALIZED;
    struct joiner j = {.t = t, .room = room};
    enum err e = ERR_OK;
    for (size_t i = 0; i < n && e == ERR_OK; i++)
        e = join(&j, pieces[i]);
    return e == ERR_OK ? join_flush(&j) : e;
}

void tls_session_finish(struct tls_session *t)
{
    if (!t->opened || t->failed)
        return;
    ERR_clear_error();
    (void)SSL_shutdown(t->ssl); /* 0: sent, the peer's is not here */
    ERR_clear_error();
}

struct str tls_session_alpn(const struct tls_session *t)
{
    const unsigned char *name = NULL;
    unsigned len = 0;
    SSL_get0_alpn_selected(t->ssl, &name, &len);
    return (struct str){(const char *)name, len};
}

struct str tls_session_certificate(struct tls_session *t)
{
    X509 *x = t->opened ? SSL_get0_peer_certificate(t->ssl) : NULL;
    if (t->der == NULL && x != NULL &&
        SSL_get_verify_result(t->ssl) == X509_V_OK) {
        int len = i2d_X509(x, &t->der);
        t->der_len = len > 0 ? (size_t)len : 0;
        ERR_clear_error();
    }
    return (struct str){(const char *)t->der, t->der_len};
}
