/*
 * session.h - sessions: which calls belong together, and under which key
 * their payloads are digested.
 *
 * A session is never chosen by the caller.  A credential without a `sid` of
 * its own belongs to the session of (tenant, issuer, subject, actor), which
 * closes after some idle time and at a maximum age; the next call opens a new
 * one.  This version has no parents: every session is the root of its tree.
 *
 * A new session has no payload key yet.  Whoever opens it fetches the key and
 * says session_opened(); everybody else who enters meanwhile waits.
 *
 * Threads: the table is shared; entering takes one of SESSION_STRIPES locks
 * for the time of a lookup.  A wait belongs to the loop that it names.
 */
#ifndef SESSION_SESSION_H
#define SESSION_SESSION_H

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/siphash.h"
#include "base/str.h"

struct loop;
struct session;
struct session_table;
struct session_waiter;

enum {
    SESSION_ID_LEN = 16,
    SESSION_KEY_LEN = 32,
    SESSION_STRIPES = 16,
    SESSIONS_MAX = 1 << 20,
};

MUST_CHECK enum err session_table_new(struct siphash_key seed,
                                      struct session_table **ret);
/* All sessions must have been let go by everybody else. */
void session_table_free(struct session_table *t); /* NULL is allowed */

struct session_owner {
    struct str tenant, issuer, subject, actor; /* actor may be empty */
};

struct session_limits {
    int64_t idle_ms, max_ms;
};

enum session_state {
    SESSION_WAIT = 0, /* another caller is opening it */
    SESSION_READY,
    SESSION_OPENER, /* it is new, and the caller has to open it */
};

/*
 * The session of `owner` at `now_ms` (monotonic); *ret_session holds one
 * reference.  `id` are random bytes, used when it is a new one.
 * ERR_OVERLOAD: too many sessions.  ERR_LIMIT: a name is too long.
 */
MUST_CHECK enum err session_enter(struct session_table *t,
                                  const struct session_owner *owner,
                                  struct session_limits limits, int64_t now_ms,
                                  const unsigned char id[SESSION_ID_LEN],
                                  struct session **ret_session,
                                  enum session_state *ret_state);

/*
 * After SESSION_WAIT: `done` runs once on `l`, in a later turn: ERR_OK, the
 * session is ready; else it never will be, and the caller may enter again.
 * ERR_OK and *ret NULL: it is ready already, `done` will not run.
 */
MUST_CHECK enum err session_await(struct session *s, struct loop *l,
                                  void (*done)(void *user, enum err e),
                                  void *user, struct session_waiter **ret);
/* On the waiter's own loop; `done` will not run.  NULL is allowed. */
void session_await_cancel(struct session_waiter *w);

/*
 * Said once by the opener: ERR_OK and the payload key, or why there is none;
 * then the session is dead and the next to enter opens another.
 */
void session_opened(struct session *s, enum err e, struct str payload_key);

struct session *session_ref(struct session *s);
void session_unref(struct session *s); /* the last one wipes; NULL is allowed */

const unsigned char *session_id(const struct session *s);
/* Only of a session that is ready; SESSION_KEY_LEN bytes, borrowed. */
struct str session_payload_key(const struct session *s);

/* Lets go of sessions whose time is over. */
void session_table_sweep(struct session_table *t, int64_t now_ms);
/* Sessions that are open; for status and tests. */
size_t session_table_count(struct session_table *t);

#endif
