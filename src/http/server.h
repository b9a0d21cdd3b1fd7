/*
 * server.h - HTTP/1.1 and HTTP/2 towards callers.
 *
 * One server per loop, over any number of listeners.  HTTP/2 is chosen by
 * ALPN, or on a plain connection by its preface.  A client that sends FIN
 * while its request is in progress is taken to have hung up.  What the parsers
 * let through and a gateway must not (two Hosts, odd targets, framing that can
 * be read two ways, ...) is refused here, before a handler sees it.
 *
 * A request's life: `request` with the head; the handler either asks for the
 * body (http_request_read) or not; answers once (http_request_reply or
 * _reply_stream); gets `done` exactly once, after which the request is gone.
 * `done` comes after the last byte was handed to the socket, or as soon as the
 * client is gone (ERR_CLOSED), in which case replying is no longer possible
 * and a streamed reply's source has been cancelled.  The handler must not
 * touch the request after `done` and never gets `done` from inside a call
 * that it makes.
 */
#ifndef HTTP_SERVER_H
#define HTTP_SERVER_H

#include "base/arena.h"
#include "base/attr.h"
#include "base/err.h"
#include "http/body.h"
#include "http/message.h"

struct http_server;
struct http_request;
struct loop;
struct tls_context;

struct http_server_options {
    int64_t head_timeout_ms; /* from the first byte (or connect) to the head's
                                end */
    int64_t body_idle_ms;    /* between two pieces of a request body */
    int64_t idle_timeout_ms; /* between two requests */
    int64_t write_idle_ms; /* a client that takes nothing for so long is gone */
    size_t connections_max;  /* per server; beyond, accepting pauses */
    uint32_t h2_streams_max; /* concurrent, per connection */
};

struct http_server_events {
    /* A request head.  `r` stays until `done`. */
    void (*request)(void *user, struct http_request *r);
    void (*done)(void *user, struct http_request *r, enum err why);
};

MUST_CHECK enum err http_server_new(struct loop *l,
                                    const struct http_server_options *o,
                                    const struct http_server_events *events,
                                    void *user, struct http_server **ret);

/* Serves connections of the listening socket `fd`; takes it.  `tls` is
 * referenced; NULL: plain. */
MUST_CHECK enum err http_server_listen(struct http_server *s, int fd,
                                       struct tls_context *tls);

/* Drain: listeners close, idle connections close, busy ones close after
 * their reply (Connection: close, GOAWAY).  `drained` once none is left. */
void http_server_drain(struct http_server *s, void (*drained)(void *user));

/* Closes everything at once and frees; `done` for each open request first.
 * Not from inside `request` or `done`.  NULL is allowed. */
void http_server_free(struct http_server *s);

/* Connections open now; for status and tests. */
size_t http_server_connections(const struct http_server *s);

const struct http_request_head *http_request_head(const struct http_request *r);

/* Memory that lives until `done`; capped at REQUEST_ARENA_MAX. */
struct arena *http_request_arena(struct http_request *r);

/* One word of the handler's, NULL at first. */
void http_request_set_user(struct http_request *r, void *user);
void *http_request_user(const struct http_request *r);

/* Of the connection: "192.0.2.1:5000"; verified client certificate or empty. */
struct str http_request_peer(const struct http_request *r);
struct str http_request_certificate(const struct http_request *r);
/* Of a local socket: whose process it is.  False: not a local one. */
MUST_CHECK bool http_request_peer_uid(const struct http_request *r,
                                      uint32_t *ret_uid);

/*
 * Reads the whole body, at most `max` bytes, into one piece of memory, then
 * calls `read` once, from a later turn or at once.  The bytes stay until
 * http_request_drop_body() or `done`.  Sends "100 Continue" when asked for.
 * Errors: ERR_LIMIT (over `max`), ERR_MALFORMED (framing), ERR_SLOW_CLIENT.
 * Not called when the client goes away: `done` is.
 */
typedef void http_body_read(void *user, struct str body, enum err e);
void http_request_read(struct http_request *r, size_t max, http_body_read *read,
                       void *user);

/* Frees the body early: when the answer begins, the question is not needed. */
void http_request_drop_body(struct http_request *r);

/*
 * Answers with a whole body (copied if it cannot be written at once); head
 * and body leave in one write.  head->body_bytes is ignored.
 */
void http_request_reply(struct http_request *r,
                        const struct http_response_head *head, struct str body);

/*
 * Answers with a streamed body that the server pulls as the client takes it.
 * Takes `src`.  A source that fails after the head was sent ends the
 * connection (h1) or resets the stream (h2), so that the client sees a
 * truncated body.
 */
void http_request_reply_stream(struct http_request *r,
                               const struct http_response_head *head,
                               struct body_source *src);

/* Cuts a reply, streamed or whole: no further byte leaves; `done` follows in a
 * later turn with ERR_CLOSED. */
void http_request_cut(struct http_request *r);

/* Does its connection hold bytes that the socket has not taken yet? */
bool http_request_queued(const struct http_request *r);

#endif
