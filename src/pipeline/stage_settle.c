/*
 * stage_settle.c - true cost and outcome, once, whatever happened.
 *
 * An intent that is open gets its outcome.  An action that was stopped before
 * it had an intent is a refusal: appended, not awaited; and aggregated while
 * nobody is known to have asked.
 *
 * Needs: nothing.  Gives: settled.
 */
#include "pipeline/action.h"
#include "pipeline/attempt.h"
#include "pipeline/worker.h"

static enum outcome_status status_of(const struct action *a)
{
    if ((a->at.facts & FACT_RELAYED) != 0)
        return a->outcome;
    if ((a->at.facts & FACT_DISPATCHED) == 0 || a->attempt.unsent)
        return OUTCOME_NOT_SENT;
    return a->at.cut ? OUTCOME_INTERRUPTED : OUTCOME_FAILED;
}

enum step stage_settle(struct action *a)
{
    if (a->attempt.open)
        attempt_close(a, status_of(a), a->err);
    else if (a->err != ERR_OK && !a->recorded)
        attempt_refuse(a);
    /* Of an attempt that never opened. */
    limit_settle(a->worker->limits, &a->held, false, 0);
    return STEP_NEXT;
}
