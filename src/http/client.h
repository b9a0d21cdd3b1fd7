/*
 * client.h - HTTP/1.1 and HTTP/2 towards destinations, with keep-alive pools.
 *
 * One client per loop.  Connections are kept per origin, where an origin is
 * everything that must not be shared between two calls: scheme, host, port,
 * TLS context, and a partition word (tenant, credential).  HTTP/2 is used
 * when TLS agrees on it by ALPN.  Redirects are never followed.
 *
 * A call's life: http_client_send(); then either `failed`, once; or `head`,
 * once, after which the body is pulled through http_call_body().  `failed`
 * never comes after `head`: a later failure is the body's.
 */
#ifndef HTTP_CLIENT_H
#define HTTP_CLIENT_H

#include "base/attr.h"
#include "base/err.h"
#include "http/body.h"
#include "http/message.h"

struct http_client;
struct http_call;
struct loop;
struct resolver;
struct tls_context;

struct http_client_options {
    int64_t connect_timeout_ms;
    int64_t idle_timeout_ms; /* of a pooled connection */
    size_t pool_max;         /* connections per origin, idle ones */
    size_t connections_max;  /* per origin, open ones; beyond, calls queue */
};

struct http_origin {
    struct str host;
    uint16_t port;           /* 0: host is a local socket's path */
    struct tls_context *tls; /* NULL: plain */
    struct str partition;    /* connections are shared only where it is equal */
    bool allow_local;        /* loopback and link-local addresses */
    int64_t connect_timeout_ms; /* 0: the client's */
};

struct http_call_events {
    /* The final head (1xx are consumed), borrowed until the second piece of
     * the body is asked for, or the call is cancelled. */
    void (*head)(void *user, const struct http_response_head *head);
    /*
     * No head will come.  `sent` tells whether any byte of the request may
     * have reached the destination; only a call with !sent may be repeated
     * without thought.  ERR_CONNECT, ERR_TIMEOUT, ERR_UPSTREAM.
     */
    void (*failed)(void *user, enum err why, bool sent);
};

MUST_CHECK enum err http_client_new(struct loop *l, struct resolver *resolver,
                                    const struct http_client_options *o,
                                    struct http_client **ret);
/* Cancels all calls without an event, closes all connections.  Not from
 * inside an event.  NULL is allowed. */
void http_client_free(struct http_client *c);

struct http_call_request {
    const struct http_origin *origin; /* copied */
    struct str method;
    struct str target;         /* path and query, as sent */
    struct http_fields fields; /* the client adds host, framing and, when it
                                  is missing, accept-encoding: identity */
    struct str body;           /* borrowed until `head` or `failed` */
    int64_t head_timeout_ms;   /* from the last byte sent to the head */
    int64_t body_idle_ms;      /* between two pieces of the reply */
};

/*
 * Starts a call.  Events come in later turns.  On success *ret lives until
 * `failed`, until its body has ended, or http_call_cancel().
 * ERR_MALFORMED, ERR_LIMIT: this request cannot be sent.
 */
MUST_CHECK enum err http_client_send(struct http_client *c,
                                     const struct http_call_request *r,
                                     const struct http_call_events *events,
                                     void *user, struct http_call **ret);

/*
 * The same for a request without a body that somebody who goes away leaves
 * behind: whatever is answered, and whether anything is, is not told.
 */
MUST_CHECK enum err http_client_leave(struct http_client *c,
                                      const struct http_call_request *r);

/*
 * The reply's body; once, from `head` on.  The source ends with ERR_UPSTREAM
 * when the destination cuts it short (a length not reached, no last chunk)
 * and ERR_TIMEOUT when it stalls.  When it has ended the call is gone.
 */
struct body_source *http_call_body(struct http_call *call);

/* Gives up at any time before the end: closes or resets; no event follows. */
void http_call_cancel(struct http_call *call);

#endif
