/*
 * link_core.h - inside a link, for link*.c alone.
 *
 * Events of the user's may end anything, also what is on the stack.  So what
 * ends is taken off its lists at once and sends and reads no more, but is
 * freed only when no event is running (link_enter(), link_leave()).  After an
 * event only that is to be looked at: is the link broken or freed, does the
 * request still have its call?
 */
#ifndef MCP_LINK_CORE_H
#define MCP_LINK_CORE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/map.h"
#include "mcp/link.h"
#include "mcp/link_http.h"
#include "mcp/link_stdio.h"
#include "os/timer.h"

struct link_stream;

enum link_state {
    LINK_GREETING = 0, /* the server has not answered `initialize` yet */
    LINK_OPEN,
    LINK_BROKEN, /* no byte goes in or out; the last events are due */
};

/* A request that is under way, or has ended a moment ago. */
struct link_request {
    struct list node; /* of the link's requests, in their order, or dead */
    struct link *link;
    struct link_call *call; /* NULL: it is over */
    struct timer timer;
    uint64_t number;
    int64_t idle_due_ms, max_due_ms;
    unsigned asks;   /* that wait for the user's answer */
    bool waiting;    /* for the handshake */
    struct buf text; /* the message */
    uint64_t out_at; /* over pipes: the bytes that were queued before it */
    struct link_stream *stream; /* over HTTP, once it is sent */
};

/* What HTTP and pipes do differently. */
struct link_transport {
    /* Sends r->text.  An error: nothing of it will leave. */
    enum err (*send)(struct link *l, struct link_request *r);
    /* Sends a notification or an answer; takes the bytes of `text`. */
    void (*tell)(struct link *l, struct buf *text);
    /* Sends `initialized` likewise; link_opened() once it is done. */
    void (*greeted)(struct link *l, struct buf *text);
    /* Nobody waits for `r` any more. */
    void (*drop)(struct link *l, struct link_request *r);
    void (*pause)(struct link *l, struct link_request *r);
    void (*forgotten)(struct link *l); /* NULL: there is no session */
    bool (*was_sent)(const struct link *l, const struct link_request *r);
    /* The user closes the link in good order; stop() follows. */
    void (*part)(struct link *l);
    /* No byte goes in or out any more; allowed again. */
    void (*stop)(struct link *l);
    void (*release)(struct link *l);
};

struct link {
    struct loop *loop;
    const struct tool_server_settings *server;
    const struct link_transport *transport;
    struct link_events events;
    void *user;
    enum link_state state;
    unsigned offers, has; /* METHOD_HAS_: ours; both sides' */
    enum revision revision;
    struct buf version;
    struct arena memory;        /* of `handshake`, until it was told */
    struct handshake handshake; /* what the server answered */
    struct link_call hello;     /* `initialize`, later a ping of our own */
    struct list requests, dead; /* struct link_request */
    struct map by_number;       /* those that are not over */
    struct list asks;           /* see link_asks.c */
    size_t ask_count;
    uint64_t strays; /* well-formed, and nobody's */
    struct timer soon;
    enum err why; /* it broke */
    struct buf text;
    unsigned busy; /* events on the stack */
    bool told;     /* `closed` */
    bool freed;    /* by link_close() */
    struct link_http http;
    struct link_stdio stdio;
};

/* --- link.c --- */

/* Around everything that the loop runs; a link that broke meanwhile is told of
 * by link_leave(). */
void link_enter(struct link *l);
void link_leave(struct link *l);
static inline bool link_works(const struct link *l)
{
    return l->state != LINK_BROKEN && !l->freed;
}
/* It ends: nothing is sent or read any more; calls and the user are told once
 * no event is on the stack.  The first reason counts. */
void link_break(struct link *l, enum err why, struct str text);
/* What can be sent at last: `initialize`, from here on in this order. */
void link_greet(struct link *l);
void link_opened(struct link *l);
/* The server refuses what it should not, perhaps since it has forgotten us:
 * finds out by a ping, and breaks the link if so.  Inside link_enter(). */
void link_probe(struct link *l);
/* The buffer for a message of ours, with its limit. */
void link_text_init(struct buf *text);

/* --- link_requests.c --- */

/* `c` becomes a request; ERR_OVERLOAD, ERR_LIMIT, ERR_NO_MEMORY. */
MUST_CHECK enum err link_requests_add(struct link *l, struct link_call *c,
                                      uint64_t number, enum method m,
                                      struct str params);
/* Sends it; its time begins. */
MUST_CHECK enum err link_requests_send(struct link_request *r);
struct link_request *link_requests_find(const struct link *l, uint64_t number);
struct link_request *link_requests_of(const struct link *l,
                                      struct message_id id);
/* The only one of the user's that was sent; NULL: there are none, or more. */
struct link_request *link_requests_only(const struct link *l);
/* Ends it without an event. */
void link_requests_end(struct link_request *r);
void link_requests_answer(struct link_request *r, const struct message *m);
void link_requests_fail(struct link_request *r, enum err why, bool sent);
/* The server is at work on it. */
void link_requests_alive(struct link_request *r);
/* Tells the server that nobody waits for it. */
void link_requests_withdraw(struct link_request *r, struct str reason);
/* Frees those that are over; not inside an event. */
void link_requests_reap(struct link *l);

/* --- link_incoming.c --- */

/*
 * Reads one message and does what it asks for.  `own` is the request on whose
 * own stream it came, or NULL; `piped`: it came where all do.  An error: it
 * is no message, or none that may come there; nothing was done.
 */
MUST_CHECK enum err link_incoming_take(struct link *l, struct str text,
                                       struct link_request *own, bool piped);

/* --- link_asks.c --- */

/* ERR_OVERLOAD: LINK_ASKS_MAX wait.  ERR_CONFLICT: one of that id does.
 * ERR_NO_MEMORY. */
MUST_CHECK enum err link_asks_add(struct link_request *r, struct message_id id);
/* Takes out the one of that id; whose it was, or NULL. */
struct link_request *link_asks_take(struct link *l, struct message_id id);
/* Whose it is, or NULL. */
struct link_request *link_asks_find(const struct link *l, struct message_id id);
/* Those of `r` will not be answered: the server is told so, if it can be. */
void link_asks_end(struct link_request *r);
/* Answers with an error. */
void link_asks_refuse(struct link *l, struct message_id id, int64_t code,
                      struct str text);
void link_asks_release(struct link *l);

#endif
