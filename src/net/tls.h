/*
 * tls.h - TLS contexts: what a listener offers and what a dial accepts.
 *
 * TLS 1.2 with AEAD and ECDHE, and 1.3; no compression, no renegotiation, no
 * early data.  Server keys are read from files here; where they live is
 * hidden behind this header, so that they can move into the key process.
 *
 * Reference-counted and immutable; shared by all threads.
 */
#ifndef NET_TLS_H
#define NET_TLS_H

#include <stdbool.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/str.h"

struct tls_context;

enum tls_client_auth {
    TLS_CLIENT_AUTH_NONE = 0,
    TLS_CLIENT_AUTH_OPTIONAL, /* asked for; verified when given */
    TLS_CLIENT_AUTH_REQUIRED,
};

struct tls_server_options {
    struct str cert_file;      /* PEM chain, leaf first */
    struct str key_file;       /* PEM */
    struct str client_ca_file; /* PEM; empty: the system's roots */
    enum tls_client_auth client_auth;
    bool http2; /* offer "h2" before "http/1.1" */
};

struct tls_client_options {
    struct str ca_file;             /* PEM; empty: the system's roots */
    struct str cert_file, key_file; /* own certificate, or empty */
    bool http2;
};

/* ERR_CONFIG: a file cannot be read or key and certificate do not match;
 * *ret_why (static or thread-local text) says which. */
MUST_CHECK enum err tls_context_server(const struct tls_server_options *o,
                                       struct tls_context **ret,
                                       const char **ret_why);
MUST_CHECK enum err tls_context_client(const struct tls_client_options *o,
                                       struct tls_context **ret,
                                       const char **ret_why);
struct tls_context *tls_context_ref(struct tls_context *c);
void tls_context_unref(struct tls_context *c);

#endif
