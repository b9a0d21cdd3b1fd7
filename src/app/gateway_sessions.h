/*
 * gateway_sessions.h - keeps the open sessions in the store, so that the next
 * gateway of this node goes on with them.
 *
 * On the control thread, off every call's way.  What changed is written every
 * few seconds in small batches: a new session and the end of one with the
 * next write, its use about once a minute.  While the store does not answer,
 * changes wait in the table.
 *
 *     gateway_sessions_new(&options, &s)
 *     gateway_sessions_load(s, &limits, ...)    // at the first snapshot
 *     gateway_sessions_opened(s, store)         // when the store is open
 *     -> loaded: now calls may come
 *     gateway_sessions_stop(s, ...)             // when no call comes any more
 *     -> stopped: the loop may end
 *     gateway_sessions_free(s)                  // before the store closes
 */
#ifndef APP_GATEWAY_SESSIONS_H
#define APP_GATEWAY_SESSIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/str.h"

struct gateway_sessions;
struct loop;
struct session_limits;
struct session_table;
struct store;

enum {
    GATEWAY_SESSIONS_WRITE_MS = 5000,
    /* Calls wait for a store no longer than this; what it holds is put back
     * later, unless the owner has a new session then. */
    GATEWAY_SESSIONS_LOAD_MS = 5000,
    GATEWAY_SESSIONS_KEEP_MS = 2000, /* for what somebody waits for */
    GATEWAY_SESSIONS_STOP_MS = 2000, /* for what is not stored at the end */
};

struct gateway_sessions_options {
    struct loop *loop;
    struct session_table *table;
    struct str node;  /* borrowed: outlives it */
    int64_t write_ms; /* how often; GATEWAY_SESSIONS_WRITE_MS */
};

MUST_CHECK enum err
gateway_sessions_new(const struct gateway_sessions_options *o,
                     struct gateway_sessions **ret);
/* Nothing is told any more; NULL is allowed. */
void gateway_sessions_free(struct gateway_sessions *s);

/*
 * Once.  `loaded` runs once, in a later turn: when the sessions of this node
 * whose time is not over by `limits` are back, or after
 * GATEWAY_SESSIONS_LOAD_MS.
 */
void gateway_sessions_load(struct gateway_sessions *s,
                           const struct session_limits *limits,
                           void (*loaded)(void *user), void *user);

/* After that, once, when the store is open.  NULL: there will be none, and
 * `loaded` need not wait. */
void gateway_sessions_opened(struct gateway_sessions *s, struct store *store);

/*
 * Writes at once.  `done` runs once, perhaps before this returns: are all
 * sessions that have ended up to now ended in the store?  False also when that
 * cannot be said within GATEWAY_SESSIONS_KEEP_MS, and when `s` is freed.
 */
void gateway_sessions_keep(struct gateway_sessions *s,
                           void (*done)(void *user, bool stored), void *user);

/*
 * Writes what is left.  `stopped` runs once, in a later turn, when that is
 * done, has failed, or after GATEWAY_SESSIONS_STOP_MS; `loaded` does not any
 * more.
 */
void gateway_sessions_stop(struct gateway_sessions *s,
                           void (*stopped)(void *user), void *user);

#endif
