/*
 * tls_context.h - the inside of a TLS context, for tls.c and tls_session.c.
 */
#ifndef NET_TLS_CONTEXT_H
#define NET_TLS_CONTEXT_H

#include <openssl/ssl.h>
#include <stdatomic.h>
#include <stdbool.h>

struct tls_context {
    atomic_size_t references;
    SSL_CTX *ctx;
    BIO_METHOD *bio; /* of tls_session.c: bytes in and out of memory */
    bool server;
    bool http2;
};

/* The method of the BIOs that connect the library to a session; ours. */
BIO_METHOD *tls_session_bio_method(void);

#endif
