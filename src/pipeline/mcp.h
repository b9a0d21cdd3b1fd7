/*
 * mcp.h - requests of callers to servers of tools, over MCP.
 *
 * One HTTP request carries one JSON-RPC message; what is a request of the
 * caller's walks the table as an action of one of these classes, which share
 * `struct mcp_call`:
 *
 *     mcp_class         reads the message, answers what is no action
 *                       (ping, notifications, answers), and hands on to
 *     mcp_open_class    a server's tools: initialize, tools/list; also as the
 *                       child of whoever needs a server that is not open
 *     mcp_gather_class  the tools of all servers: one child per server
 *     mcp_call_class    everything that is forwarded, tools/call first
 *     mcp_listen_class  the stream of notices that a GET asks for
 *     mcp_ask_class     what a server asks of its caller in the middle of a
 *                       call: a child of that call
 */
#ifndef PIPELINE_MCP_H
#define PIPELINE_MCP_H

#include "base/limits.h"
#include "crypto/hash.h"
#include "evidence/evidence.h"
#include "mcp/catalog.h"
#include "mcp/hub.h"
#include "mcp/mcp_session.h"
#include "mcp/params.h"
#include "mcp/refusal.h"
#include "pipeline/action.h"
#include "pipeline/action_class.h"
#include "policy/rules.h"

struct gathering;
struct worker_offer;
struct mcp_stream;

#define MCP_BODY_MAX (4 * MIB)
#define MCP_STREAM_MAX (32 * MIB) /* bytes that wait for a slow caller */
enum {
    MCP_PING_MS = 15000, /* a comment on a stream that is silent so long */
};

/* What a refusal says beyond a->err. */
enum mcp_place {
    MCP_IN_HTTP = 0, /* by the status, too */
    MCP_IN_BAND,     /* by the body alone, under 200 */
};

/* a->own of all the classes above. */
struct mcp_call {
    struct action *action;

    /* The message; what is borrowed is in a->arena, but for `params`. */
    enum message_kind kind; /* NONE: none was read (yet) */
    enum method method;
    struct message_id id;
    struct message_id token;      /* of the caller's, for progress */
    struct params params;         /* in a->question: gone when the intent is */
    const struct json *arguments; /* of a tool; there as well */
    bool may_stream;              /* the caller takes server-sent events */
    struct fault fault;           /* err ERR_OK: nothing beyond a->err */
    enum mcp_place place;

    struct mcp_session *session; /* +1 reference; NULL: none (yet) */
    enum revision revision;
    size_t server;   /* index into the settings; MCP_ALL: of the tenant */
    struct str tool; /* at the server; in a->arena */
    struct catalog *catalog; /* +1 reference */
    const struct catalog_tool *pinned;
    struct rules_tool about;
    struct evidence_state state; /* that it was decided on, with the catalog */
    struct labels labels;
    unsigned char input_hmac[HASH_LEN];
    bool has_input_hmac;
    struct str credential_id;
    struct str authorization; /* the broker's */

    /* towards the server */
    size_t gathered; /* servers looked at, of mcp_gather_class */
    struct gathering *gathering;
    struct hub_call call;
    bool entered, calling;   /* the session knows it; the hub has it */
    struct hub_offer *offer; /* +1 reference */
    struct catalog_wait pinning;

    /* towards the caller */
    struct mcp_stream *stream; /* NULL: not begun, or over */
    struct timer ping;
    bool waits_for_room; /* hub_next() is owed */
    struct buf answer;   /* that waits for its outcome to be durable */
    struct ledger_wait outcome;
    bool settling;

    /* of mcp_ask_class */
    struct message_id asked; /* the server's id of it; in a->arena */
    struct str text;         /* its params, until they are read */
    struct list node;        /* of the worker's asks */
    bool answered;
};
#define MCP_ALL SIZE_MAX

extern const struct action_class mcp_class, mcp_open_class, mcp_gather_class,
    mcp_call_class, mcp_listen_class, mcp_ask_class;

/* Of an action of one of these classes. */
static inline struct mcp_call *mcp_of(const struct action *a)
{
    return (struct mcp_call *)a->own;
}
const struct tool_server_settings *mcp_server(const struct action *a);

/* Stops with a fault of its own. */
MUST_CHECK enum step mcp_stop(struct action *a, struct fault f,
                              enum mcp_place place);

/* ---- one source file each ---- */

/* mcp_parse.c */
enum step mcp_parse(struct action *a);
void mcp_parse_cancel(struct action *a);
/* Who may use a session that this caller begins. */
struct hash mcp_parse_binding(const struct action *a);

/* mcp_lifecycle.c: answers a message that is no action, or begins a session
 * with all servers; STOP, with the answer or why not. */
enum step mcp_lifecycle(struct action *a, const struct message *m);
/* Opens the session that `initialize` asks for. */
enum err mcp_lifecycle_open(struct action *a);
/* Answers `initialize`.  NEXT, or STOP. */
enum step mcp_lifecycle_begin(struct action *a);

/* mcp_target.c: what hub and policy are told. */
void mcp_target_about(struct action *a);
/* What a server offers, for the catalog: also what cannot be read, where it has
 * a name that is known.  False: no memory. */
MUST_CHECK bool mcp_target_offered(const struct action *a,
                                   const struct hub_offer *offer,
                                   struct worker_offer *ret);
/* Does the catalog know all of that? */
bool mcp_target_is_settled(const struct action *a, struct hub_offer *offer);
bool mcp_target_is_visible(const struct action *a, size_t server);
struct hub_to mcp_target_to(const struct action *a);
/* NULL, or the server's index in *ret. */
bool mcp_target_find(const struct action *a, struct str name, size_t *ret);
void mcp_target_facts(const struct action *a, unsigned candidate,
                      struct rules_request *q);
void mcp_target_describe(const struct action *a, struct evidence_intent *f,
                         struct evidence_route *room);
enum err mcp_target_broker(struct action *a);

/* mcp_open.c: an action of mcp_open_class is the child of `a`, for its server
 * (number `server`); `ended` as of action_spawn().  NULL: no room. */
struct action *mcp_open_spawn(struct action *a, size_t server,
                              void (*ended)(struct action *child, void *user));

/* mcp_list.c: the answers to lists.  Tools are appended with commas between, a
 * filtered list as a result. */
void mcp_list_tools(struct action *a, size_t server,
                    const struct hub_offer *offer, bool *first, struct buf *to);
/* What a tool of this server can do to the world. */
uint32_t mcp_list_risk(const struct tool_server_settings *s,
                       const struct tool *t);
enum err mcp_list_filter(struct action *a, struct str result, struct buf *to);

/* mcp_send.c */
enum err mcp_send_outgoing(struct action *a);
enum step mcp_send(struct action *a);

/* mcp_relay.c: what comes from the server. */
void mcp_relay_event(struct hub_call *call, const struct hub_event *e);
/* Writes a notice into the stream.  False: the caller does not get it. */
bool mcp_relay_notice(struct action *a, const struct hub_event *e);
enum step mcp_relay(struct action *a);
void mcp_relay_cancel(struct action *a);

/* mcp_answer.c: towards the caller. */
/* The whole answer: in the stream if one was begun, else as JSON. */
void mcp_answer_message(struct action *a, struct str message);
void mcp_answer_result(struct action *a, struct str result);
/* Begins a stream if it must.  False: the caller takes none, or no more. */
bool mcp_answer_event(struct action *a, struct str message);
enum err mcp_answer_begin(struct action *a);
void mcp_answer_end(struct action *a); /* a stream that was begun */
void mcp_answer_cut(struct action *a);
/* The class's `reply`. */
void mcp_answer_refusal(struct action *a);

/* mcp.c */
void mcp_release(struct action *a);

/* mcp_ask.c: a server asks in the middle of `a`; false: not taken, and the
 * server is to be told no. */
bool mcp_ask_begin(struct action *a, const struct hub_event *e);
/* It takes back what it has asked. */
void mcp_ask_take_back(struct action *a, const struct hub_event *e);
/* hub_on_word(): a caller's word about what is under way here; `user` is the
 * worker. */
void mcp_ask_word(void *user, const struct hub_word *w);

#endif
