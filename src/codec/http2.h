/*
 * http2.h - one HTTP/2 connection, from bytes and to bytes (RFC 9113).
 *
 * A session over nghttp2, with the rules of codec/http_rules.h on top and its
 * own for what nghttp2 lets through: streams opened out of order, and floods
 * of frames that cost the sender nothing.  It neither reads nor writes
 * sockets and knows the time only from its caller:
 *
 *     e = http2_feed(h, bytes, now_ms);          // events come from here
 *     while (http2_output(h, &run)) write(run);  // and from here
 *
 * Nothing flows by itself: what arrives is given back to the peer's window
 * by http2_consume(), and what is sent is taken as the peer's window allows;
 * `taken` tells when more is welcome.
 *
 * Calls of this interface are allowed inside events, but for http2_feed(),
 * http2_output() and http2_free().
 */
#ifndef CODEC_HTTP2_H
#define CODEC_HTTP2_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/err.h"
#include "base/str.h"
#include "codec/http_message.h"
#include "codec/http_rules.h"

struct http2;

enum http2_role { HTTP2_SERVER, HTTP2_CLIENT };

enum {
    HTTP2_STREAM_WINDOW = 256 * 1024, /* bytes a peer may send unconsumed */
    HTTP2_CONNECTION_WINDOW = 1024 * 1024,
    /* Frames that a peer may send for nothing: at once, and a second. */
    HTTP2_PATIENCE_MAX = 512,
    HTTP2_PATIENCE_PER_S = 64,
};

/* Of RST_STREAM and GOAWAY (RFC 9113, 7). */
enum http2_code {
    HTTP2_NO_ERROR = 0,
    HTTP2_PROTOCOL_ERROR = 1,
    HTTP2_INTERNAL_ERROR = 2,
    HTTP2_REFUSED_STREAM = 7,
    HTTP2_CANCEL = 8,
    HTTP2_ENHANCE_YOUR_CALM = 11,
};

/* `stream` is the user's own word for a stream. */
struct http2_events {
    /* Server: a stream begins; its head will be in *ret_arena, which lives
     * until `closed`.  NULL refuses it. */
    void *(*begin)(void *user, int32_t id, struct arena **ret_arena);
    /* Server: the head of a request, after all rules. */
    void (*request)(void *stream, const struct http_request_head *head,
                    const struct http_hop *hop);
    /* Server: the head breaks a rule whose status is not 400, so that it is
     * worth an answer: reply, or reset. */
    void (*refused)(void *stream, enum http_fault fault);
    /* Client: the final head of the reply. */
    void (*response)(void *stream, const struct http_response_head *head);
    /* A piece of the body; http2_consume() gives room for more. */
    void (*data)(void *stream, struct str piece);
    /* The peer's side is complete, its length checked. */
    void (*end)(void *stream);
    /* What http2_write() was given has been taken; more is welcome. */
    void (*taken)(void *stream);
    /* The last event; `code` is 0 when both sides came to their end. */
    void (*closed)(void *stream, uint32_t code);
};

/*
 * A session that has queued its settings; a server's one expects the whole
 * connection preface, SETTINGS included.  `streams_max`: how many the peer
 * may open at once; 0 for clients.
 */
MUST_CHECK enum err http2_new(enum http2_role role, uint32_t streams_max,
                              const struct http2_events *events, void *user,
                              struct http2 **ret);
/* No `closed` for streams that are open.  NULL is allowed. */
void http2_free(struct http2 *h);

/*
 * Takes what the peer sent.  ERR_MALFORMED: the connection is beyond saving;
 * what http2_output() still gives (GOAWAY) should be sent, then it should be
 * closed.  ERR_NO_MEMORY.
 */
MUST_CHECK enum err http2_feed(struct http2 *h, struct str bytes,
                               int64_t now_ms);

/* The next bytes to send, borrowed until the next call; false: none now. */
bool http2_output(struct http2 *h, struct str *ret);

/* Has the session said all, and need nothing be read any more? */
bool http2_is_over(struct http2 *h);

/* Streams that are open. */
size_t http2_streams(const struct http2 *h);

/* May another request be sent (the peer's limit, GOAWAY)? */
bool http2_may_request(struct http2 *h);

/* Streams with bytes that wait for the peer's window, and how many bytes of
 * bodies were sent in all: a peer that takes nothing shows here. */
size_t http2_blocked(const struct http2 *h);
uint64_t http2_sent(const struct http2 *h);

struct http2_request {
    struct str method, scheme, authority;
    struct str target; /* path and query */
    struct http_fields fields;
    int64_t body_bytes; /* 0: none; else http2_write() follows */
    void *stream;
    struct arena *arena; /* for the head of the reply; lives until `closed` */
};

/* ERR_MALFORMED: a field that may not be sent.  ERR_OVERLOAD: no more streams
 * on this connection. */
MUST_CHECK enum err
http2_request(struct http2 *h, const struct http2_request *r, int32_t *ret_id);

struct http2_response {
    int status;
    struct http_fields fields;
    struct str date;    /* or empty */
    int64_t body_bytes; /* -1: unknown */
    bool has_body;      /* http2_write() follows */
};

/* ERR_MALFORMED as above.  ERR_CLOSED: the stream is gone. */
MUST_CHECK enum err http2_respond(struct http2 *h, int32_t id,
                                  const struct http2_response *r);

/* "100 Continue". */
void http2_continue(struct http2 *h, int32_t id);

/*
 * Gives bytes of this side's body, copied; `last` ends it.
 * ERR_CLOSED: the stream is gone.  ERR_NO_MEMORY: they are lost.
 */
MUST_CHECK enum err http2_write(struct http2 *h, int32_t id, struct str piece,
                                bool last);

/* `n` bytes that `data` gave are done with. */
void http2_consume(struct http2 *h, int32_t id, size_t n);

/* Ends a stream early; `closed` follows from http2_output(). */
void http2_reset(struct http2 *h, int32_t id, enum http2_code code);

/* As above, but no event of this stream follows. */
void http2_abandon(struct http2 *h, int32_t id, enum http2_code code);

/* No further streams from the peer; those that are open go on. */
void http2_goaway(struct http2 *h);

#endif
