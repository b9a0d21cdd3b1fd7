/*
 * opening.h - fetches the payload key of a session: a new one, or the one that
 * it had before a restart.
 *
 * The key must arrive even if the caller that began the session has left, so
 * the question to the keeper belongs to no action.
 */
#ifndef PIPELINE_OPENING_H
#define PIPELINE_OPENING_H

#include "base/attr.h"
#include "base/err.h"

struct session;
struct worker;

/*
 * Asks for the key of `s`; session_set_key() or session_fail() follows, with
 * ERR_NOT_FOUND when a restored one has none: then its owner is to begin a new
 * one.  On an error session_fail() has been said already.
 */
MUST_CHECK enum err opening_start(struct worker *w, struct session *s);

#endif
