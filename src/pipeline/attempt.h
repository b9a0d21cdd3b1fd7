/*
 * attempt.h - one try at one destination, as evidence sees it.
 *
 * Every attempt opens with a durable intent and closes with an outcome;
 * what never became an attempt ends as a refusal.
 */
#ifndef PIPELINE_ATTEMPT_H
#define PIPELINE_ATTEMPT_H

#include "base/attr.h"
#include "base/err.h"
#include "domain/outcome.h"

struct action;

/*
 * Hands the intent of a->attempt to the ledger; the action is resumed when it
 * is durable, or stopped with ERR_EVIDENCE.  On an error nothing may go out.
 */
MUST_CHECK enum err attempt_open(struct action *a);

/* The action ends while its intent is on its way: the intent is closed as
 * "not sent" once it is durable. */
void attempt_abandon(struct action *a);

/* Writes the outcome of the open attempt; it is open no more. */
void attempt_close(struct action *a, enum outcome_status status, enum err why);

/* Records that `a` was stopped before any attempt. */
void attempt_refuse(struct action *a);

#endif
