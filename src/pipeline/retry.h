/*
 * retry.h - another attempt of an action that surely was not acted on.
 *
 * Each has its own reservation and its own intent (rule "Each attempt is an
 * action").
 */
#ifndef PIPELINE_RETRY_H
#define PIPELINE_RETRY_H

#include "base/err.h"
#include "domain/outcome.h"

struct action;

/*
 * From `dispatch`, which waits: closes this attempt and goes back for the next
 * one, at once where that is another destination, after a pause where all of
 * them have been asked.  May run the action on before it comes back.
 */
void retry_start(struct action *a, enum outcome_status status, enum err why);

/* Ends the pause; there may be none. */
void retry_cancel(struct action *a);

#endif
