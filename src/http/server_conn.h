/*
 * server_conn.h - inside the server: connections, requests, and what the two
 * protocols do with them.  Only server*.c and request.c include this.
 *
 * A request is gone with its `done`, which is the last thing that happens to
 * it; it is never called from inside a call of the handler's, so it is either
 * put off to the end of the turn (server_done_later) or comes from an event
 * of the stream.
 */
#ifndef HTTP_SERVER_CONN_H
#define HTTP_SERVER_CONN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/list.h"
#include "codec/http1_write.h"
#include "codec/http_rules.h"
#include "http/server.h"
#include "net/stream.h"
#include "os/loop.h"
#include "os/timer.h"

enum {
    SERVER_PREFACE_LEN = 24, /* of HTTP/2: RFC 9113, 3.4 */
    /* Unread bytes that a connection keeps while a request is in progress;
     * beyond, it stops reading. */
    SERVER_PENDING_MAX = 16 * 1024,
    /* After the last reply: so much is thrown away, and so long waited, so
     * that the client reads the reply before it sees a reset. */
    SERVER_LINGER_BYTES = 512 * 1024,
    SERVER_LINGER_MS = 2000,
    /* Of HTTP/2, in one write; the last frame may go beyond. */
    SERVER_GATHER_BYTES = 64 * 1024,
    SERVER_GATHER_MAX = 256 * 1024,
    /* A body slower than this is an attack (bytes a second, after the first
     * body_idle_ms). */
    SERVER_BODY_RATE_MIN = 512,
};

struct server_conn;

/* What HTTP/1 and HTTP/2 do differently. */
struct server_protocol {
    void (*data)(struct server_conn *c, struct str bytes);
    void (*ended)(struct server_conn *c);
    void (*drained)(struct server_conn *c);
    void (*timeout)(struct server_conn *c);
    /* The stream is gone: end the requests, free what is the protocol's. */
    void (*closed)(struct server_conn *c);
    /* Take no more requests, close when the open ones are done. */
    void (*drain)(struct server_conn *c);

    void (*read)(struct http_request *r);
    void (*reply)(struct http_request *r, const struct http_response_head *head,
                  struct str body);
    void (*reply_stream)(struct http_request *r,
                         const struct http_response_head *head);
    void (*cut)(struct http_request *r);
    /* `done` was called, at the end of the turn: the request is over. */
    void (*after_done)(struct http_request *r);
    /* Send what has gathered in this turn; HTTP/2 only. */
    void (*flush)(struct server_conn *c);
};

struct http_server {
    struct loop *loop;
    struct http_server_options options;
    struct http_server_events events;
    void *user;
    struct list listeners;
    struct list conns;
    size_t conn_count;
    struct list later; /* requests whose `done` is due */
    struct list dirty; /* HTTP/2 connections with something to send */
    struct loop_hook hook;
    struct arena_spare spare; /* of the requests' arenas */
    struct buf spare_body;    /* the memory of one that was read; or empty */
    struct buf out;           /* heads are composed here, and used at once */
    struct buf h2_out;        /* gathered here, written at once */
    char date[HTTP1_DATE_LEN];
    int64_t date_s;
    bool draining;
    void (*drained)(void *user);
};

struct server_conn {
    struct list node;
    struct list dirty;
    struct list unsent; /* requests whose last bytes the socket has not taken */
    struct http_server *server; /* NULL: the server is gone */
    struct loop *loop;
    struct stream *stream;
    struct timer timer; /* the one deadline that counts now */
    const struct server_protocol *protocol; /* NULL: not known yet */
    void *state;                            /* the protocol's */
    size_t queued_seen; /* stream_queued() when `timer` was set */
    unsigned char preface[SERVER_PREFACE_LEN];
    uint8_t preface_len;
    bool tls;
    bool closing; /* stream_close() was called */
};

enum body_state {
    BODY_UNREAD = 0, /* nobody asked */
    BODY_READING,
    BODY_GIVEN, /* `read` was called, or never will be */
};

struct http_request {
    struct server_conn *conn;
    const struct server_protocol *protocol;
    struct http_request_head head;
    struct http_hop hop;
    struct arena arena;
    void *user;
    struct list later;
    enum err why; /* what `done` says */

    struct buf body;
    int64_t body_since_ms; /* when reading began */
    int64_t body_received; /* bytes, of those that were parsed */
    bool body_complete;    /* the last byte was parsed */
    enum body_state body_state;
    http_body_read *read;
    void *read_user;

    struct body_source *source; /* of a streamed reply, until it has ended */
    bool replied;
};

/* --- connections: server.c --- */

/* Closes at once; the rest happens in the `closed` event. */
void server_close(struct server_conn *c);

/* Sets the connection's deadline, or with 0 clears it. */
void server_deadline(struct server_conn *c, int64_t in_ms);

/* `done` with r->why at the end of the turn, then after_done. */
void server_done_later(struct http_request *r);

/* `done` now. */
void server_done(struct http_request *r, enum err why);

/* `flush` at the end of the turn. */
void server_flush_later(struct server_conn *c);

/* Of now, as a Date field has it; valid for this turn. */
struct str server_date(struct http_server *s);

/* May the time since `since_ms` have been spent on `received` bytes? */
bool server_rate_ok(const struct server_conn *c, int64_t since_ms,
                    int64_t received);

/* --- requests: request.c --- */

/* `early_max`: so much of a body may come before somebody reads it. */
void request_init(struct http_request *r, struct server_conn *c,
                  size_t early_max);

/* Frees what is the request's; it may be used again after request_init(). */
void request_release(struct http_request *r);

/* A piece of the body came: kept while somebody reads. */
void request_body_piece(struct http_request *r, struct str piece);

/* The body is whole: r->body_complete; calls `read` if somebody waits. */
void request_body_end(struct http_request *r);

/* Calls `read` with an error, if somebody waits. */
void request_body_fail(struct http_request *r, enum err why);

/* Cancels the source of a streamed reply, if there is one. */
void request_drop_source(struct http_request *r);

/* The body of a refusal that no handler made, to `to`; returns its length. */
enum { REQUEST_REFUSAL_MAX = 512 };
size_t request_refusal(enum http_fault fault, char to[REQUEST_REFUSAL_MAX]);

/* Must this reply be without a body (RFC 9110, 6.4.1)? */
bool request_reply_is_bare(const struct http_request *r, int status);

#endif
