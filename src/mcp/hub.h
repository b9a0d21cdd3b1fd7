/*
 * hub.h - a worker's post office for servers of tools.
 *
 * A request may arrive at any worker, while the links of its session (link.h)
 * belong to one: hubs hand over what has to cross, by loop_post().  Everything
 * here is called on the worker's own loop, and answers there.
 *
 * A link is keyed by (session, server, digest of the server's settings); that
 * of a server which is `shared` by the last two, and belongs to a worker that
 * follows from its name.  Links are opened when somebody needs them, closed
 * when their session ends or nobody has used them for server->idle_ms; one
 * that failed is opened again after a pause that grows (up to 30 s), and until
 * then calls fail at once.
 */
#ifndef MCP_HUB_H
#define MCP_HUB_H

#include "base/attr.h"
#include "base/err.h"
#include "domain/settings.h"
#include "mcp/mcp_session.h"
#include "mcp/method.h"
#include "mcp/tool.h"

struct http_client;
struct hub;
struct hub_net; /* all hubs of a node */
struct loop;
struct runner_client;
struct tls_context;

enum {
    HUB_EVENTS_MAX = 64,           /* waiting for one call's credit */
    HUB_EVENT_BYTES_MAX = 1 << 20, /* the same, without the answer */
    HUB_LINKS_MAX = 4096,          /* of one worker */
};

/* At most 64 workers. */
MUST_CHECK enum err hub_net_new(unsigned workers, struct hub_net **ret);
void hub_net_free(struct hub_net *n); /* after all hubs; NULL is allowed */

struct hub_options {
    struct hub_net *net;
    unsigned number; /* of the worker */
    struct loop *loop;
    struct http_client *http;
    struct runner_client *runner; /* NULL: no server over pipes */
    struct str version;
    /* A link has closed by itself, and why, with what a server said last: for
     * the log.  NULL: nobody wants to know. */
    void (*closed)(void *user, struct str server, struct str why);
    void *user;
};
MUST_CHECK enum err hub_new(const struct hub_options *o, struct hub **ret);
/* Closes all links; events come no more, and what other workers still have
 * here fails with ERR_SHUTDOWN.  On the worker's thread, before its loop
 * closes. */
void hub_free(struct hub *h); /* NULL is allowed */
/* Closes links that are idle or whose session has ended; once a second. */
void hub_sweep(struct hub *h);

/* A number for a request, unique in the node's life, and whose worker it
 * is. */
uint64_t hub_number(struct hub *h);
unsigned hub_number_worker(uint64_t number);

/* Something counted that settings are borrowed from: a snapshot. */
struct hub_keep {
    void *it;
    void (*ref)(void *it); /* any thread */
    void (*unref)(void *it);
};

/* Where a request goes. */
struct hub_to {
    struct mcp_session *session; /* referenced as long as it is needed */
    const struct tool_server_settings *server;
    const struct hash *digest; /* of these settings */
    struct tls_context *tls;   /* or NULL */
    struct hub_keep keep;      /* what the three above are borrowed from */
    struct str tenant;
    struct str authorization; /* copied, wiped; or empty */
    /* Of hub_open(): what is known, and not enough; the server is asked for its
     * tools anew.  Of tools/call: what was decided on, borrowed for the call;
     * NULL: what this link's callers were told last. */
    struct hub_offer *offer;
};

/* What a link's server has told of itself; counted, immutable. */
struct hub_offer {
    unsigned has;                 /* METHOD_HAS_ that it announced */
    const struct tool_page *page; /* all pages of tools/list as one */
    int64_t listed_ms;            /* when they were asked for, loop_now_ms() */
    struct str name, version, instructions; /* its own word, for people */
};
struct hub_offer *hub_offer_ref(struct hub_offer *o);
void hub_offer_unref(struct hub_offer *o); /* NULL is allowed; any thread */
/* Remembers of one catalog (catalog_number()), the latest, that all of the
 * offer is settled in it: any thread may say so, or ask. */
void hub_offer_settle(struct hub_offer *o, uint64_t catalog);
bool hub_offer_is_settled(const struct hub_offer *o, uint64_t catalog);

enum hub_event_kind {
    HUB_OPENED = 1, /* the answer to hub_open(): `offer`; the last event */
    HUB_NOTICE,     /* `method`, `text` is its params */
    HUB_ASKED,      /* the same, and `id` to answer it by */
    HUB_ANSWERED,   /* `text` is a result or an error object; the last event */
    HUB_FAILED,     /* `err`, `sent`; the last event */
};
struct hub_event {
    enum hub_event_kind kind;
    struct hub_offer *offer; /* borrowed; ref it to keep it */
    enum method method;
    struct message_id id; /* borrowed */
    struct str text;      /* JSON, borrowed for the call */
    bool is_error;        /* HUB_ANSWERED: an error object */
    int64_t code;         /* of it */
    bool is_tool_error;   /* a result with isError: true */
    enum err err;
    bool sent;      /* the server may have got the request */
    struct str why; /* for people: why there is no link; or empty */
};

/* One request; embedded in its owner.  Zero-initialised it is idle. */
struct hub_call {
    uint64_t number; /* set by the user before sending: hub_number() */
    void *state;     /* private */
    void (*event)(struct hub_call *c, const struct hub_event *e);
};

/*
 * Makes sure that there is a link and that its server's tools are known: from
 * what the link knows already, unless the server said that they changed.
 * Events of this and the next come in later turns.  ERR_NO_MEMORY,
 * ERR_OVERLOAD: not taken.
 */
MUST_CHECK enum err hub_open(struct hub *h, struct hub_call *c,
                             const struct hub_to *to);
/* The offer of a link that is open and whose tools have not changed since, of
 * whatever worker; NULL: it has to be opened.  One reference. */
struct hub_offer *hub_known(struct hub *h, const struct hub_to *to);

/*
 * Sends `m` with `params` (copied) as c->number; opens a link where there is
 * none.  What surely was not acted on because the server has forgotten our
 * session is sent once more, on a new link.  tools/call goes out only while the
 * server offers the tools that it was decided on (to->offer): else HUB_FAILED
 * with ERR_CONFLICT, and hub_open() tells what it offers now.
 */
MUST_CHECK enum err hub_send(struct hub *h, struct hub_call *c,
                             const struct hub_to *to, enum method m,
                             struct str params);
/* One more HUB_NOTICE or HUB_ASKED may come; one may from the beginning.
 * Answers and failures need no credit, but come after what came before: what
 * still waits then, up to the bounds above, comes at once with them. */
void hub_next(struct hub *h, struct hub_call *c);
/* Gives up; no event follows.  Allowed when idle. */
void hub_cancel(struct hub *h, struct hub_call *c, struct str reason);
/* Answers a HUB_ASKED of `c`; see link_answer(). */
void hub_answer(struct hub *h, struct hub_call *c, struct message_id id,
                bool is_error, struct str text);

/* To all links of a session: a notification of the caller's. */
void hub_notify(struct hub *h, struct mcp_session *s, enum method m,
                struct str params);

/*
 * Notices of a session's links that belong to no call (tools changed, resource
 * updated, log): to whoever listens, one at a time per session and server; the
 * one before is told HUB_FAILED with ERR_CONFLICT.  `c` gets HUB_NOTICE until
 * it is cancelled, or HUB_FAILED when link or session are gone.
 */
MUST_CHECK enum err hub_listen(struct hub *h, struct hub_call *c,
                               const struct hub_to *to);

/*
 * From worker to worker, by a request's number: the caller has cancelled it
 * (`text` is the reason), or has answered something that was asked under it
 * (`text` is the whole result or error object).  h->on_word of the worker that
 * the number names runs on its loop; a number that nobody has is dropped.
 */
struct hub_word {
    uint64_t number;
    struct mcp_session *session; /* who said it; the receiver compares */
    bool is_cancel, is_error;
    struct str text;
};
void hub_on_word(struct hub *h,
                 void (*word)(void *user, const struct hub_word *w),
                 void *user);
MUST_CHECK enum err hub_say(struct hub *h, const struct hub_word *w);

#endif
