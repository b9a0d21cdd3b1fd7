/*
 * client_conn.h - inside the client, for client*.c and call.c alone.
 *
 * A call waits in its pool's queue until a connection takes it; a connection
 * that is being dialled belongs to no call.  When the destination has said
 * all, the call leaves its connection, which goes back to the pool, and lives
 * on until its reader has taken what is left.
 */
#ifndef HTTP_CLIENT_CONN_H
#define HTTP_CLIENT_CONN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/list.h"
#include "base/map.h"
#include "base/pool.h"
#include "codec/http1.h"
#include "http/client.h"
#include "net/stream.h"
#include "os/loop.h"
#include "os/timer.h"

enum {
    CLIENT_ORIGINS_MAX = 10000,
    /* So much of a request's body is given to the stream at once. */
    CLIENT_SLICE_MAX = 256 * 1024,
    /* Of a reply, unread: one read of the socket, and HTTP/2's window. */
    CLIENT_PENDING_MAX = 2 * 1024 * 1024,
};

struct client_conn;

/* What HTTP/1 and HTTP/2 do differently. */
struct client_protocol {
    /* Sends the request of `call`, which has c as its connection.  An error:
     * nothing was sent. */
    enum err (*start)(struct client_conn *c, struct http_call *call);
    /* The reader of `call` waits for more. */
    void (*resume)(struct http_call *call);
    /* The call gives up; it has left the connection afterwards. */
    void (*cancel)(struct http_call *call);
    void (*data)(struct client_conn *c, struct str bytes);
    void (*ended)(struct client_conn *c);
    void (*drained)(struct client_conn *c);
    /* The stream is gone: ends the calls, frees what is the protocol's. */
    void (*closed)(struct client_conn *c);
};

struct http_client {
    struct loop *loop;
    struct resolver *resolver;
    struct http_client_options options;
    struct map pools; /* struct client_pool by its key */
    struct list calls;
    struct pool spare_calls;
    struct arena_spare spare; /* of the calls' arenas */
    struct http_call *told;   /* its `head` is running; NULL: it is gone */
    struct buf key, out;      /* composed here, used at once */
    struct buf h2_out;        /* gathered here, written at once */
};

struct client_pool {
    struct http_client *client;      /* NULL: it is gone */
    struct str key;                  /* of all that must be equal */
    char *key_copy, *authority_copy; /* what key and authority point at */
    char *host;
    uint16_t port;
    struct tls_context *tls;
    bool allow_local;
    int64_t connect_timeout_ms; /* as the last call wants it */
    struct str authority;
    struct list idle;   /* HTTP/1, the last used first */
    struct list shared; /* HTTP/2, that take another call */
    struct list rest;   /* being dialled, in use, closing */
    struct list queue;  /* calls without a connection */
    size_t idle_count, open_count, dialling, queued;
    size_t holds;      /* somebody is busy with it and will check again */
    struct timer turn; /* client_share_later() */
    /* Until the first handshake nobody knows whether one connection is
     * enough for all. */
    bool protocol_known, is_shared; /* by HTTP/2 */
};

struct client_conn {
    struct list node;
    struct client_pool *pool; /* NULL: the client is gone */
    struct stream *stream;
    struct timer idle;
    const struct client_protocol *protocol; /* NULL: not connected yet */
    struct http_call *call;                 /* HTTP/1: the one in progress */
    struct http1 parser;
    void *h2;
    bool is_dialled, is_idle, paused, closing;
};

enum call_state { CALL_QUEUED, CALL_SENT, CALL_HEAD, CALL_ENDED };

struct http_call {
    struct list node;    /* of the client's calls */
    struct list place;   /* in the queue; HTTP/2: of its connection */
    struct list touched; /* HTTP/2: its reader is to be told something */
    struct http_client *client;
    struct client_pool *pool;
    struct client_conn *conn; /* NULL: queued or ended */
    struct http_call_events events;
    void *user;
    enum call_state state;
    struct arena arena; /* the request while queued; the reply's head */
    struct str method, target, body;
    struct http_fields fields;
    size_t body_sent; /* bytes of it given to the stream */
    int64_t head_timeout_ms, body_idle_ms;
    struct timer timer;
    size_t queued_seen;
    int32_t stream_id; /* HTTP/2, and so the next three */
    size_t unconsumed; /* bytes that the peer's window still lacks */
    bool complete;     /* END_STREAM came */
    bool unsent;       /* the peer has not looked at it */

    struct http_response_head head;
    struct body_source source;
    body_sink *sink; /* while `waiting`, with its `reader` */
    void *reader;
    struct str piece;       /* borrowed, until call_flush() */
    struct buf pending;     /* came, and nobody has pulled it yet */
    enum err why;           /* once CALL_ENDED */
    bool head_due;          /* it came, and the reader does not know yet */
    bool waiting, answered; /* now; at least once */
};

/* --- pools: client_pool.c --- */

/* The pool of `o`, made if there is none.  ERR_LIMIT: a name is too long. */
MUST_CHECK enum err client_pool_get(struct http_client *c,
                                    const struct http_origin *o,
                                    struct client_pool **ret);

/* Frees a pool that nobody is in any more. */
void client_pool_check(struct client_pool *p);

/* --- connections: client.c --- */

/* Closes at once; the rest happens in the `closed` event. */
void client_close(struct client_conn *c);

/* The connection is free again: gives it to the next call or keeps it. */
void client_release(struct client_conn *c);

/* HTTP/2: may it take another call?  Is it without any?  _later: whoever waits
 * gets it in another turn, as who cancels one call may cancel others next. */
void client_share(struct client_conn *c, bool may_request, bool is_idle);
void client_share_later(struct client_conn *c, bool may_request, bool is_idle);

/* Takes `call` off the queue, or from its connection. */
void client_detach(struct http_call *call);

/* The next part of the request's body to send; empty: it was all. */
struct str client_slice(struct http_call *call);

/* --- calls: call.c --- */

struct http_call *call_new(struct http_client *client,
                           const struct http_call_request *r,
                           const struct http_call_events *events, void *user);

/* Copies the request, of which only the body stays borrowed. */
MUST_CHECK enum err call_keep_request(struct http_call *call);

void call_free(struct http_call *call); /* has no connection; no event */

/* `failed`, then frees.  Only before the head. */
void call_fail(struct http_call *call, enum err why, bool sent);

/* Begin the deadline of waiting for a connection, and for the head. */
void call_await_connection(struct http_call *call);
void call_await_head(struct http_call *call);

/* The head has come; the reader is told when all that came with it was read,
 * so that a pull is answered at once and all of it leaves in one write. */
void call_take_head(struct http_call *call,
                    const struct http_response_head *head);

/* `head`, if it is due.  False: the call is gone. */
MUST_CHECK bool call_tell_head(struct http_call *call);

/* A piece of the body, kept by reference until call_flush().  False: no
 * memory, or more than may wait. */
MUST_CHECK bool call_piece(struct http_call *call, struct str piece);

/* No more will come; the call has no connection any more. */
void call_end(struct http_call *call, enum err why);

/* Gives the reader what has come, if it waits; else keeps it.  The call may
 * be gone afterwards. */
void call_flush(struct http_call *call);

#endif
