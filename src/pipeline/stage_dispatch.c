/*
 * stage_dispatch.c - sends; repeats or falls back only to destinations that
 * were decided on, each attempt with its own intent (retry.h).
 *
 * Needs: decision to credential.  Gives: dispatched (set before the first
 * byte).  Stops with: ERR_REVOKED, ..., and what the class found.
 */
#include "pipeline/action.h"
#include "pipeline/action_class.h"
#include "pipeline/retry.h"
#include "pipeline/standing.h"

enum step stage_dispatch(struct action *a)
{
    enum err e = standing_holds(a);
    if (e != ERR_OK)
        return stage_stop(a, e);
    pipeline_fact(a, FACT_DISPATCHED); /* before the first byte */
    return action_class_run(a, a->class->dispatch, a->class->dispatch_cancel);
}

void stage_dispatch_cancel(struct action *a)
{
    retry_cancel(a);
    a->class->dispatch_cancel(a);
}
