/* tls.c - see tls.h. */
#include "net/tls.h"

#include <assert.h>
#include <limits.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

#include "net/tls_context.h"
#include "net/tls_session.h"

enum {
    DEPTH_MAX = 8,               /* certificates between leaf and root */
    CHAIN_BYTES_MAX = 64 * 1024, /* a peer's, before it is verified */
    TICKET_LIFE_S = 2 * 60 * 60,
};

/* ECDHE and AEAD only; TLS 1.3 has nothing else. */
static const char tls12_ciphers[] = "ECDHE+AESGCM:ECDHE+CHACHA20";

/* RFC 7301: each name after its length. */
static const unsigned char alpn_h1[] = "\x08http/1.1";
static const unsigned char alpn_both[] = "\x02h2\x08http/1.1";

static enum err refuse(const char **ret_why, const char *why)
{
    ERR_clear_error();
    *ret_why = why;
    return ERR_CONFIG;
}

/* File names as C strings; false when they cannot be. */
static bool as_path(struct str s, char to[PATH_MAX])
{
    if (s.len == 0 || s.len >= PATH_MAX || memchr(s.ptr, '\0', s.len) != NULL)
        return false;
    memcpy(to, s.ptr, s.len);
    to[s.len] = '\0';
    return true;
}

static enum err use_key(SSL_CTX *ctx, struct str cert_file, struct str key_file,
                        const char **ret_why)
{
    char cert[PATH_MAX], key[PATH_MAX];
    if (!as_path(cert_file, cert) ||
        SSL_CTX_use_certificate_chain_file(ctx, cert) != 1)
        return refuse(ret_why, "the certificate file cannot be read as PEM");
    if (!as_path(key_file, key) ||
        SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1)
        return refuse(ret_why, "the key file cannot be read as PEM, or does "
                               "not fit the certificate");
    if (SSL_CTX_check_private_key(ctx) != 1)
        return refuse(ret_why, "key and certificate do not match");
    return ERR_OK;
}

static enum err use_roots(SSL_CTX *ctx, struct str ca_file,
                          const char **ret_why)
{
    char path[PATH_MAX];
    if (ca_file.len == 0) {
        if (SSL_CTX_set_default_verify_paths(ctx) != 1)
            return refuse(ret_why, "the system's certificate roots cannot be "
                                   "read");
        return ERR_OK;
    }
    if (!as_path(ca_file, path) || SSL_CTX_load_verify_file(ctx, path) != 1)
        return refuse(ret_why, "the CA file cannot be read as PEM");
    return ERR_OK;
}

/* What both directions share. */
static enum err new_context(const SSL_METHOD *method, bool http2,
                            struct tls_context **ret, const char **ret_why)
{
    struct tls_context *c = calloc(1, sizeof(*c));
    if (c == NULL)
        return ERR_NO_MEMORY;
    atomic_init(&c->references, 1);
    c->http2 = http2;
    c->ctx = SSL_CTX_new(method);
    c->bio = tls_session_bio_method();
    if (c->ctx == NULL || c->bio == NULL) {
        tls_context_unref(c);
        ERR_clear_error();
        return ERR_NO_MEMORY;
    }
    (void)SSL_CTX_set_options(c->ctx, SSL_OP_NO_COMPRESSION |
                                          SSL_OP_NO_RENEGOTIATION |
                                          SSL_OP_CIPHER_SERVER_PREFERENCE |
                                          SSL_OP_PRIORITIZE_CHACHA);
    (void)SSL_CTX_set_mode(c->ctx, SSL_MODE_RELEASE_BUFFERS);
    (void)SSL_CTX_set_session_cache_mode(c->ctx, SSL_SESS_CACHE_OFF);
    (void)SSL_CTX_set_timeout(c->ctx, TICKET_LIFE_S);
    SSL_CTX_set_verify_depth(c->ctx, DEPTH_MAX);
    (void)SSL_CTX_set_max_cert_list(c->ctx, CHAIN_BYTES_MAX);
    if (SSL_CTX_set_min_proto_version(c->ctx, TLS1_2_VERSION) != 1 ||
        SSL_CTX_set_cipher_list(c->ctx, tls12_ciphers) != 1) {
        tls_context_unref(c);
        return refuse(ret_why, "the TLS library knows no strong ciphers");
    }
    *ret = c;
    return ERR_OK;
}

/* The first of ours that the client offers; an offer without any ends the
 * handshake (RFC 7301, 3.2). */
static int choose_alpn(SSL *ssl, const unsigned char **ret,
                       unsigned char *ret_len, const unsigned char *offered,
                       unsigned offered_len, void *arg)
{
    (void)ssl;
    const struct tls_context *c = arg;
    const unsigned char *ours = c->http2 ? alpn_both : alpn_h1;
    unsigned len = c->http2 ? sizeof(alpn_both) - 1 : sizeof(alpn_h1) - 1;
    union { /* the library gives what it was given as if it might change */
        unsigned char *given;
        const unsigned char *chosen;
    } u;
    if (SSL_select_next_proto(&u.given, ret_len, ours, len, offered,
                              offered_len) != OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *ret = u.chosen;
    return SSL_TLSEXT_ERR_OK;
}

/*
 * Without certificates a caller may resume by ticket, sealed under a key of
 * this context.  With them it may not: resuming would skip the look at expiry
 * and trust.
 */
static enum err ask_for_certificates(SSL_CTX *ctx,
                                     const struct tls_server_options *o,
                                     const char **ret_why)
{
    (void)SSL_CTX_set_num_tickets(ctx, 1);
    if (o->client_auth == TLS_CLIENT_AUTH_NONE)
        return ERR_OK;
    enum err e = use_roots(ctx, o->client_ca_file, ret_why);
    if (e != ERR_OK)
        return e;
    int mode = SSL_VERIFY_PEER;
    if (o->client_auth == TLS_CLIENT_AUTH_REQUIRED)
        mode |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
    SSL_CTX_set_verify(ctx, mode, NULL);
    (void)SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
    (void)SSL_CTX_set_num_tickets(ctx, 0);
    return ERR_OK;
}

enum err tls_context_server(const struct tls_server_options *o,
                            struct tls_context **ret, const char **ret_why)
{
    struct tls_context *c;
    enum err e = new_context(TLS_server_method(), o->http2, &c, ret_why);
    if (e != ERR_OK)
        return e;
    c->server = true;
    SSL_CTX_set_alpn_select_cb(c->ctx, choose_alpn, c);
    e = use_key(c->ctx, o->cert_file, o->key_file, ret_why);
    if (e == ERR_OK)
        e = ask_for_certificates(c->ctx, o, ret_why);
    if (e == ERR_OK)
        *ret = c;
    else
        tls_context_unref(c);
    return e;
}

enum err tls_context_client(const struct tls_client_options *o,
                            struct tls_context **ret, const char **ret_why)
{
    struct tls_context *c;
    enum err e = new_context(TLS_client_method(), o->http2, &c, ret_why);
    if (e != ERR_OK)
        return e;
    SSL_CTX_set_verify(c->ctx, SSL_VERIFY_PEER, NULL);
    int rc =
        o->http2
            ? SSL_CTX_set_alpn_protos(c->ctx, alpn_both, sizeof(alpn_both) - 1)
            : SSL_CTX_set_alpn_protos(c->ctx, alpn_h1, sizeof(alpn_h1) - 1);
    e = rc == 0 ? use_roots(c->ctx, o->ca_file, ret_why) : ERR_NO_MEMORY;
    if (e == ERR_OK && o->cert_file.len > 0)
        e = use_key(c->ctx, o->cert_file, o->key_file, ret_why);
    if (e == ERR_OK)
        *ret = c;
    else
        tls_context_unref(c);
    return e;
}

struct tls_context *tls_context_ref(struct tls_context *c)
{
    (void)atomic_fetch_add_explicit(&c->references, 1, memory_order_relaxed);
    return c;
}

void tls_context_unref(struct tls_context *c)
{
    if (c == NULL)
        return;
    size_t before =
        atomic_fetch_sub_explicit(&c->references, 1, memory_order_acq_rel);
    assert(before > 0);
    if (before > 1)
        return;
    SSL_CTX_free(c->ctx);
    BIO_meth_free(c->bio);
    free(c);
}
