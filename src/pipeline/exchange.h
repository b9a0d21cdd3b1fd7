/*
 * exchange.h - one request and its reply on a connection, in HTTP terms.
 *
 * It binds the server's request to the actions that it causes, and is the
 * only way to answer: once, and not after the client has gone.
 */
#ifndef PIPELINE_EXCHANGE_H
#define PIPELINE_EXCHANGE_H

#include <stdbool.h>

#include "base/err.h"
#include "base/str.h"
#include "http/message.h"
#include "pipeline/routes.h"

struct action;
struct arena;
struct body_source;
struct http_request;
struct worker;

struct exchange {
    struct worker *worker;
    struct http_request *http;
    const struct endpoint *endpoint;
    struct str argument;   /* the part of the path behind the endpoint's */
    struct action *action; /* NULL: answered without one */
    void (*left)(struct exchange *x); /* worker->admin's: the exchange ends;
                                         NULL: nobody wants to know */
    void *owner;                      /* worker->admin's own */
    bool replied;                     /* a head was handed to the server */
    bool gone; /* the client is; nothing can be written */
};

/* The server's events; `user` is the worker. */
void exchange_request(void *user, struct http_request *r);
void exchange_done(void *user, struct http_request *r, enum err why);

/*
 * Answers with a whole body, or a streamed one (takes `src`).  Both add what
 * every answer carries: content type, decision id, receipt where there is an
 * intent.  They do nothing but cancel `src` when the client has gone.
 */
void exchange_reply(struct exchange *x, int status, struct http_fields extra,
                    struct str content_type, struct str body);
void exchange_reply_stream(struct exchange *x, int status,
                           struct http_fields extra, struct str content_type,
                           struct body_source *src);

/* Answers with an error, as OpenAI writes it; beside the data plane as RFC 9457
 * does.  Nothing happens where there was an answer. */
void exchange_reply_error(struct exchange *x, enum err why, struct str text,
                          struct str param);

/* As above, with a body of another dialect: status and fields are those of
 * `why`. */
void exchange_reply_refusal(struct exchange *x, enum err why,
                            struct str content_type, struct str body);

#endif
