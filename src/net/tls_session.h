/*
 * tls_session.h - one TLS connection as a machine of bytes: ciphertext in,
 * plaintext out, and the other way; it knows nothing of sockets.
 *
 *     tls_session_feed(t, received);
 *     while ((step = tls_session_step(t, room, sizeof(room), &plain)) != ...)
 *
 * What it has to send goes to `send`, record by record, from inside the calls.
 * Between records it holds no buffers of its own.
 */
#ifndef NET_TLS_SESSION_H
#define NET_TLS_SESSION_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/str.h"

struct tls_context;
struct tls_session;

/* Plaintext of one record; what tls_session_step() needs as room. */
enum { TLS_RECORD_MAX = 16384 };

/*
 * `host` is whom a client expects: a name (which becomes SNI) or an IP
 * address; a server ignores it.  `send` must take all the bytes, or fail the
 * connection by itself.
 */
MUST_CHECK enum err tls_session_new(struct tls_context *context,
                                    struct str host,
                                    void (*send)(void *user, struct str bytes),
                                    void *user, struct tls_session **ret);
void tls_session_free(struct tls_session *t);

/* Ciphertext for the next steps; borrowed until they want more, or until
 * tls_session_keep(). */
MUST_CHECK enum err tls_session_feed(struct tls_session *t, struct str bytes);

/* Copies what is not yet read, because its memory is about to go. */
MUST_CHECK enum err tls_session_keep(struct tls_session *t);

/* Ciphertext waits for a step. */
bool tls_session_has_input(const struct tls_session *t);

enum tls_step {
    TLS_STEP_FAILED = 0, /* an alert was sent where that makes sense */
    TLS_STEP_MORE,       /* all was read: feed more */
    TLS_STEP_OPENED,     /* shaken hands; once */
    TLS_STEP_DATA,       /* *ret_plain, in `room` */
    TLS_STEP_ENDED,      /* the peer's close_notify; once */
};

/* The next thing that happens.  A client's first step sends its hello. */
MUST_CHECK enum tls_step tls_session_step(struct tls_session *t, char *room,
                                          size_t room_len,
                                          struct str *ret_plain);

/*
 * Seals and sends the pieces, joined where they are small.  Only between
 * OPENED and tls_session_finish().  ERR_IO: the session is broken.
 */
MUST_CHECK enum err tls_session_write(struct tls_session *t,
                                      const struct str *pieces, size_t n);

/* Sends close_notify; reading goes on. */
void tls_session_finish(struct tls_session *t);

struct str tls_session_alpn(const struct tls_session *t);

/* The verified certificate as DER, or empty; made when first asked for. */
struct str tls_session_certificate(struct tls_session *t);

#endif
