/*
 * stream.h - a connected byte stream: TCP, TLS over TCP, or a local socket.
 *
 * What is inside (plain or TLS, h1 or h2 by ALPN) does not show in how it is
 * used.  Reads are pushed from the loop's scratch buffer and can be paused;
 * writes try the socket at once and keep the rest, so the writer must watch
 * stream_queued() and wait for `drained`.
 *
 * Life: made by stream_accept() or stream_dial(); the last event is `closed`,
 * in a later turn than the call that caused it; the object is freed after it.
 * TCP_NODELAY is always set.
 */
#ifndef NET_STREAM_H
#define NET_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/str.h"

struct loop;
struct stream;
struct resolver;
struct tls_context;

struct stream_events {
    /* Connected and, for TLS, shaken hands.  Not called for a plain accept. */
    void (*opened)(void *user);
    /* Bytes, borrowed for the call.  The callee may pause or close. */
    void (*data)(void *user, struct str bytes);
    /*
     * The peer sent FIN, or close_notify where there is TLS: no more data
     * will come.  A FIN alone cuts a TLS stream: `closed`, ERR_CLOSED.
     */
    void (*ended)(void *user);
    /* All that was queued has been taken by the socket. */
    void (*drained)(void *user);
    /* The last event.  ERR_OK: by stream_close(); else why.  An accepted TLS
     * stream that did not shake hands: ERR_CONNECT. */
    void (*closed)(void *user, enum err why);
};

/*
 * Takes the connected descriptor `fd`.  `tls` NULL: plain.  On failure `fd`
 * is closed.  Reading starts at once; events come in later turns.
 */
MUST_CHECK enum err stream_accept(struct loop *l, int fd,
                                  struct tls_context *tls,
                                  const struct stream_events *events,
                                  void *user, struct stream **ret);

struct stream_target {
    struct str host; /* a name, an IP address, or a path for local sockets */
    uint16_t port;   /* 0: `host` is the path of an AF_UNIX socket */
    struct tls_context *tls; /* NULL: plain */
    /* Loopback, link-local and metadata addresses are refused unless set. */
    bool allow_local;
};

/*
 * Resolves, connects (the addresses in turn) and shakes hands, all within
 * `timeout_ms`; failure is a `closed` event with ERR_CONNECT or ERR_TIMEOUT.
 * The target is copied.  `resolver` may be NULL for addresses and paths.
 */
MUST_CHECK enum err stream_dial(struct loop *l, struct resolver *resolver,
                                const struct stream_target *target,
                                int64_t timeout_ms,
                                const struct stream_events *events, void *user,
                                struct stream **ret);

/*
 * Writes the pieces, in order, as one write where the socket allows.  What
 * is not taken is copied.  ERR_CLOSED: closing already.
 * ERR_NO_MEMORY: nothing was written or queued.
 */
MUST_CHECK enum err stream_write(struct stream *s, const struct str *pieces,
                                 size_t n);

/* Bytes that wait in the stream for the socket to take them. */
size_t stream_queued(const struct stream *s);

/* No `data` and no `ended` until resumed.  Costs no system call unless
 * something comes meanwhile. */
void stream_pause(struct stream *s);
void stream_resume(struct stream *s);

/* Sends FIN (close_notify) after what is queued; reading goes on. */
void stream_finish(struct stream *s);

/* Closes at once; queued bytes are dropped.  Idempotent. */
void stream_close(struct stream *s);

/* "h2", "http/1.1" or "" (no TLS, or no ALPN). */
struct str stream_alpn(const struct stream *s);

/* "192.0.2.1:443" or "local", into the stream; borrowed. */
struct str stream_peer(const struct stream *s);

/* Of a local socket: whose process connected it, as the kernel knows.  False:
 * not a local socket. */
MUST_CHECK bool stream_peer_uid(const struct stream *s, uint32_t *ret_uid);

/* The peer's verified certificate as DER, or empty; borrowed. */
struct str stream_peer_certificate(const struct stream *s);

#endif
