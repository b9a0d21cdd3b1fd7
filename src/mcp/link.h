/*
 * link.h - one session of ours with one server of tools, as its client.
 *
 * Over Streamable HTTP (http/client.h), or over the pipes of a child that the
 * runner has started (one JSON-RPC message per line).  A link belongs to one
 * loop and never blocks it.  It speaks the legacy revisions: `initialize`
 * first, then requests; what is sent before the handshake is done waits for
 * it.  Everything that comes is read strictly (message.h, method.h).  An
 * answer to one of our requests that cannot be read costs that call; a server
 * that sends anything else that is no message loses its link, and never more.
 * What is well-formed but belongs to nothing of ours is dropped.
 *
 * Over HTTP a stream that ends without the answer is taken up again where the
 * server said how (event ids), and one more is kept open, once the link is,
 * for what belongs to no call.
 *
 * A link does not come back: when it is closed, its user opens another.
 *
 * Of the id that goes out, `number`, the user makes sure that it is unique
 * and not 0; it is the progress token, too, where the params carry it.
 */
#ifndef MCP_LINK_H
#define MCP_LINK_H

#include "base/attr.h"
#include "base/err.h"
#include "base/list.h"
#include "domain/settings.h"
#include "mcp/handshake.h"
#include "mcp/message.h"
#include "mcp/method.h"

struct http_client;
struct link;
struct loop;
struct runner_client;
struct tls_context;

enum {
    LINK_CALLS_MAX = 1024,       /* under way on one link */
    LINK_ASKS_MAX = 64,          /* of a server's, waiting for an answer */
    LINK_STDERR_MAX = 64 * 1024, /* of a child's, kept for its post-mortem */
    LINK_OUT_MAX =
        16 * 1024 * 1024, /* waiting for a server that does not read */
};

#define LINK_SAID "; it said last: "
struct link_events {
    /* The server has answered and was told `initialized`. */
    void (*opened)(void *user, const struct handshake *h);
    /* A notification that belongs to no call: of changes wherever it came,
     * of the log where it came on no call's own stream. */
    void (*notice)(void *user, enum method m, const struct message *msg);
    /* The last event; from LINK_SAID on it is the server's own words, which are
     * for operators and never for callers.  `text` says why, for people (what a
     * child wrote last to its stderr, its exit code); calls were told before.
     */
    void (*closed)(void *user, enum err why, struct str text);
};

struct link_options {
    struct loop *loop;
    struct http_client *http;                  /* of TRANSPORT_HTTP */
    struct runner_client *runner;              /* of TRANSPORT_STDIO */
    const struct tool_server_settings *server; /* borrowed until closed */
    struct tls_context *tls;                   /* the same; NULL: plain */
    struct str partition;     /* connections are shared only within it */
    struct str authorization; /* value of that field; copied, wiped; or empty */
    unsigned offers;          /* METHOD_HAS_ that we announce as a client */
    struct str version;       /* ours, for clientInfo */
};

/* Events come in later turns.  *ret lives until link_close(). */
MUST_CHECK enum err link_open(const struct link_options *o,
                              const struct link_events *events, void *user,
                              struct link **ret);
/* Ends it: a session over HTTP is deleted, a child stopped.  No event of it or
 * of its calls follows.  Allowed in every event, also in `closed`.  NULL is
 * allowed. */
void link_close(struct link *l);
bool link_is_open(const struct link *l); /* the handshake is done */

/* One request on its way; embedded in its owner, all private.  Its memory is
 * the owner's again inside `answered` and `failed`, and after link_cancel(). */
struct link_request;
struct link_call {
    struct link *link; /* NULL: it is not under way */
    struct link_request *request;
    bool paused;
    const struct link_call_events *events; /* borrowed */
};
struct link_call_events {
    /* About this call: its progress, what the server logs on its own stream,
     * or `cancelled`, by which the server takes back what it asked. */
    void (*notice)(struct link_call *c, enum method m,
                   const struct message *msg);
    /* The server asks something, on this call's stream, or while this is the
     * only call that is under way.  To be answered by link_answer(). */
    void (*asked)(struct link_call *c, enum method m,
                  const struct message *msg);
    /* Exactly one of these two; the call is over. */
    void (*answered)(struct link_call *c, const struct message *response);
    /* `sent`: the server may have got it.  ERR_CONNECT, ERR_UPSTREAM,
     * ERR_TIMEOUT (server->call_ms without answer or progress, not counting
     * what waits for us; or call_max_ms), ERR_LIMIT (an answer over
     * server->result_max), ERR_NOT_FOUND (the server has forgotten our session;
     * the link closes after this).  A server that says so by another status
     * than 404 is found out by a ping, and the link closes then. */
    void (*failed)(struct link_call *c, enum err why, bool sent);
};

/*
 * Sends method `m` with `params` (JSON text, copied; empty: none) under
 * `number`.  ERR_OVERLOAD: LINK_CALLS_MAX, or LINK_OUT_MAX.  ERR_CONNECT: it is
 * closed.  ERR_LIMIT: too long.  On an error no event follows.
 */
MUST_CHECK enum err link_send(struct link *l, struct link_call *c,
                              uint64_t number, enum method m, struct str params,
                              const struct link_call_events *events);
/* Gives up: the server is told (notifications/cancelled); no event follows.
 * Allowed when it is not under way (zero-initialised, or over). */
void link_cancel(struct link_call *c, struct str reason);
/* The user has no room for more notices of this call: over HTTP its stream is
 * not read on (an event that has begun may still come); over pipes, which all
 * calls share, notices are dropped.  What is asked comes in any case. */
void link_pause(struct link_call *c, bool pause);

/* Answers what was asked: `text` is the JSON of a result, or of an error
 * object.  Nothing happens when the link is closed or nothing of that id was
 * asked. */
void link_answer(struct link *l, struct message_id id, bool is_error,
                 struct str text);
/* Sends a notification; nothing happens on a link that is not open. */
void link_notify(struct link *l, enum method m, struct str params);

#endif
