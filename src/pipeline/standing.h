/*
 * standing.h - may everybody in the chain of an action act, now?
 *
 * The registry can change while an action is under way.  `admit` looks first;
 * whenever the worker gets a new view, every action is looked at again, and
 * `broker` and `dispatch` look once more before something goes out (rule
 * "Revocation wins every race").
 */
#ifndef PIPELINE_STANDING_H
#define PIPELINE_STANDING_H

#include <stdbool.h>

#include "base/attr.h"
#include "base/err.h"

struct action;

/*
 * Looks every link up in the worker's view and keeps what it says: entries,
 * purpose, epoch.  ERR_UNREGISTERED: a link has no entry, which is told to
 * who records it.  ERR_INACTIVE, ERR_REVOKED.  ERR_SUBJECT: an agent that may
 * act only for a person, without one.  ERR_REVOKED: also when the key that
 * proved a link is none of its entry's any more.
 */
MUST_CHECK enum err standing_look(struct action *a);

/* ERR_OK: nothing has changed since, or nothing that matters.  ERR_REVOKED:
 * also when the session was ended or the credential has expired. */
MUST_CHECK enum err standing_holds(struct action *a);

/* Is that why somebody may not act any more?  Then nothing that was meant for
 * them may leave, not even what waits for their connection. */
bool standing_is_lost(enum err why);

#endif
