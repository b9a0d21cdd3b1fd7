/*
 * server_h1.h - inside the server: HTTP/1 on one connection.
 * server_h1.c reads requests, server_h1_reply.c answers them.
 */
#ifndef HTTP_SERVER_H1_H
#define HTTP_SERVER_H1_H

#include "base/attr.h"
#include "base/err.h"
#include "codec/http1.h"
#include "http/server_conn.h"

extern const struct server_protocol server_h1_protocol;

struct server_h1 {
    struct server_conn *conn;
    struct http1 parser;
    struct http_request r;   /* while `open` */
    struct buf pending;      /* came too early */
    const struct str *input; /* what is left of the bytes being parsed */
    size_t lingered;         /* bytes thrown away at the end */
    const struct http_response_head *head; /* not written yet */
    bool open;                             /* between `request` and `done` */
    bool head_timed;  /* the deadline is the head's, not the idle one */
    bool discarding;  /* the rest of the body is here and not wanted */
    bool broken;      /* the parser has failed */
    bool paused;      /* reading is */
    bool chunked;     /* the reply is */
    bool waiting;     /* for an answer of the reply's source */
    bool pumping;     /* inside pump() */
    bool reply_ended; /* all of the reply was given to the stream */
    bool ended;       /* FIN was read */
    bool close;       /* no request after this one */
    bool lingering;   /* FIN was sent; what comes is thrown away */
};

/* Makes c->state.  ERR_NO_MEMORY. */
MUST_CHECK enum err server_h1_start(struct server_conn *c);

static inline struct server_h1 *server_h1_of(struct http_request *r)
{
    return CONTAINER_OF(r, struct server_h1, r);
}

/* Is nothing to be read or written any more? */
static inline bool server_h1_is_over(const struct server_h1 *h)
{
    return h->conn->closing || h->lingering;
}

/* The end of a connection: FIN, then a while of not listening, so that what
 * is still on its way does not become a reset that eats the reply. */
void server_h1_linger(struct server_h1 *h);

/* Reads on in what came too early. */
void server_h1_run_pending(struct server_h1 *h);

void server_h1_reply(struct http_request *r,
                     const struct http_response_head *head, struct str body);
void server_h1_reply_stream(struct http_request *r,
                            const struct http_response_head *head);

/* A request that is no request is answered without a handler. */
void server_h1_refuse(struct server_h1 *h, enum http_fault fault);

/* The socket has taken all that was written of a reply. */
void server_h1_go_on(struct server_h1 *h);

/* Writes, or closes. */
void server_h1_write(struct server_h1 *h, const struct str *pieces, size_t n);

#endif
