/*
 * link_http.h - a link over Streamable HTTP; for link*.c alone.
 */
#ifndef MCP_LINK_HTTP_H
#define MCP_LINK_HTTP_H

#include "base/buf.h"
#include "base/list.h"
#include "http/client.h"

struct link;
struct link_options;
struct link_request;
struct link_stream;
struct link_transport;

extern const struct link_transport link_http_transport;

struct link_http {
    struct http_client *client;
    struct tls_context *tls;
    struct buf partition, authorization;
    struct buf session;           /* the server's id of it, or empty */
    struct link_stream *listener; /* for what belongs to no call; or NULL */
    struct list posts;            /* that nobody waits for */
    size_t post_count, post_bytes;
};

/* --- link_http.c --- */

MUST_CHECK enum err link_http_init(struct link *l,
                                   const struct link_options *o);
/* As http_client_send(); `body` is borrowed, `last_id` may be empty. */
MUST_CHECK enum err link_http_post(struct link *l, struct str body,
                                   const struct http_call_events *events,
                                   void *user, struct http_call **ret);
MUST_CHECK enum err link_http_get(struct link *l, struct str last_id,
                                  const struct http_call_events *events,
                                  void *user, struct http_call **ret);
/* Keeps the session's id of an answer to `initialize`; false: it is none. */
MUST_CHECK bool link_http_take_session(struct link *l,
                                       const struct http_response_head *head);
/* The server has forgotten our session. */
void link_http_forgotten(struct link *l);

/* --- link_stream.c --- */

/* One reply to be read: that of `r`, or, where it is NULL, of the listener. */
MUST_CHECK enum err link_stream_start(struct link *l, struct link_request *r,
                                      struct link_stream **ret);
/* The user has room again. */
void link_stream_continue(struct link_stream *s);
/* Reads and sends no more; allowed again. */
void link_stream_stop(struct link_stream *s);
/* Not inside an event; NULL is allowed. */
void link_stream_free(struct link_stream *s);

#endif
