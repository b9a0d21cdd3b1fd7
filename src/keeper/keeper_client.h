/*
 * keeper_client.h - a gateway thread's end of the key process.
 *
 * Typed requests only: the keeper never signs or opens what it cannot read.
 * Requests given during one turn leave in one write; answers come in order.
 * A broken connection answers ERR_KEEPER for all that waits and all that
 * follows, until a new one is set.
 *
 * One client per loop; not thread-safe.
 */
#ifndef KEEPER_KEEPER_CLIENT_H
#define KEEPER_KEEPER_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/list.h"
#include "base/str.h"
#include "keeper/keeper_protocol.h"

struct keeper_client;
struct loop;

MUST_CHECK enum err keeper_client_new(struct loop *l, uint64_t generation,
                                      struct keeper_client **ret);
/* Not inside `done`.  No `done` runs any more; NULL is allowed. */
void keeper_client_free(struct keeper_client *c);
/*
 * A new socket to the keeper (ours from now on), which the supervisor has
 * announced as FRAME_ROLE_WORKER; replaces a broken one.
 */
MUST_CHECK enum err keeper_client_connect(struct keeper_client *c, int fd);
/* True once connected and greeted, until it breaks; for readiness. */
bool keeper_client_ready(const struct keeper_client *c);
/* True without a connection: none was given yet, or it broke.  It does not
 * come back by itself. */
bool keeper_client_lost(const struct keeper_client *c);

/* One question on its way; embedded in its owner. */
struct keeper_wait {
    struct list node; /* private */
    /* `key` is KEEPER_KEY_LEN bytes, borrowed and wiped after; empty on error.
     */
    void (*done)(struct keeper_wait *w, enum err e, struct str key);
};
/* The owner goes away: `done` will not run.  Allowed when `w` is not waiting
 * (zero-initialised). */
void keeper_wait_cancel(struct keeper_wait *w);

/*
 * All requests: on success `w->done` runs once, in a later turn.
 * ERR_KEEPER: no connection.  ERR_OVERLOAD: KEEPER_IN_FLIGHT_MAX wait.
 */

/*
 * The key under which API keys of callers are hashed, the same for the life
 * of the data directory.
 */
MUST_CHECK enum err keeper_client_caller_key(struct keeper_client *c,
                                             struct keeper_wait *w);

/*
 * A new random payload key for a session.  The keeper stores it wrapped,
 * durably, before it answers; destroying it later forgets the payloads.
 * ERR_LIMIT: that session has a key already.
 */
MUST_CHECK enum err keeper_client_session_key_new(
    struct keeper_client *c,
    const unsigned char session_id[KEEPER_SESSION_ID_LEN],
    struct keeper_wait *w);

/*
 * The payload key that a session was given before, unwrapped.
 * ERR_NOT_FOUND: it has none.  ERR_KEEPER, too, when its record is damaged.
 */
MUST_CHECK enum err keeper_client_session_key_get(
    struct keeper_client *c,
    const unsigned char session_id[KEEPER_SESSION_ID_LEN],
    struct keeper_wait *w);

#endif
