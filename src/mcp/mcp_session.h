/*
 * mcp_session.h - the sessions of MCP that callers have opened with us.
 *
 * Source: MCP 2025-11-25, "Streamable HTTP", Session Management.  An id is
 * 128 random bits in hex and proves nothing: it is found only by whoever
 * opened it (`binding`), and for everybody else there is no such session.
 * A session is bound to one server, or to all of its tenant, and belongs to
 * one worker, which holds its connections to servers (hub.h).
 *
 * One table for all threads: striped locks, held for a lookup.  A handle is a
 * reference.
 */
#ifndef MCP_MCP_SESSION_H
#define MCP_MCP_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/limits.h"
#include "crypto/hash.h"
#include "mcp/message.h"
#include "mcp/revision.h"

struct mcp_session;
struct mcp_sessions;

enum {
    MCP_SESSION_ID_LEN = 32, /* characters */
    MCP_SESSIONS_MAX = 65536,
    MCP_SESSIONS_PER_CALLER_MAX = 256, /* beyond, its oldest idle one ends */
    MCP_SESSION_CALLS_MAX = 256,       /* requests under way in one */
};

struct mcp_session_about {
    struct hash binding; /* of tenant and chain: who may use it */
    struct str server;   /* its name; empty: all */
    unsigned owner;      /* number of the worker */
    enum revision revision;
    unsigned client_has; /* METHOD_HAS_ that the caller announced */
};

MUST_CHECK enum err mcp_sessions_new(struct mcp_sessions **ret);
/* Ends them all; handles may still be held.  NULL is allowed. */
void mcp_sessions_free(struct mcp_sessions *t);

/* Opens one; *ret is one reference.  `now_ms` is monotonic.  ERR_OVERLOAD:
 * MCP_SESSIONS_MAX are open, or the caller has as many as it may and none of
 * them is idle.  ERR_NO_MEMORY. */
MUST_CHECK enum err mcp_sessions_open(struct mcp_sessions *t,
                                      const struct mcp_session_about *about,
                                      int64_t idle_ms, int64_t now_ms,
                                      struct mcp_session **ret);
/* ERR_NOT_FOUND: unknown, over, or somebody else's; the three do not differ.
 * Counts as use. */
MUST_CHECK enum err mcp_sessions_find(struct mcp_sessions *t, struct str id,
                                      const struct hash *binding,
                                      int64_t now_ms, struct mcp_session **ret);
/* Ends what is idle; about once a second.  Who has work in one is not idle. */
void mcp_sessions_sweep(struct mcp_sessions *t, int64_t now_ms);
size_t mcp_sessions_count(struct mcp_sessions *t);

struct mcp_session *mcp_session_ref(struct mcp_session *s);
void mcp_session_unref(struct mcp_session *s); /* NULL is allowed */

/* It is found no more; what is under way in it is its users' to end. */
void mcp_session_end(struct mcp_session *s);
bool mcp_session_is_ended(const struct mcp_session *s);

/* Immutable. */
struct str mcp_session_id(const struct mcp_session *s);
const struct mcp_session_about *mcp_session_about(const struct mcp_session *s);

/*
 * A request of the caller's is under way as `number` (hub_number()); one
 * without id is not kept.  ERR_CONFLICT: one of that id is.  ERR_OVERLOAD:
 * MCP_SESSION_CALLS_MAX are.  ERR_NO_MEMORY.
 */
MUST_CHECK enum err mcp_session_enter(struct mcp_session *s,
                                      struct message_id id, uint64_t number);
void mcp_session_leave(struct mcp_session *s, uint64_t number, int64_t now_ms);
/* The number of the request of that id; 0: none is under way. */
uint64_t mcp_session_number(struct mcp_session *s, struct message_id id);

/* The least level of log messages that the caller wants (params.h); -1: it did
 * not say. */
void mcp_session_set_level(struct mcp_session *s, int level);
int mcp_session_level(const struct mcp_session *s);

#endif
