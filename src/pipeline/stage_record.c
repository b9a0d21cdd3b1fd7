/*
 * stage_record.c - is the intent durable?  Nothing goes out before it is.
 *
 * Needs: reservation.  Gives: record.
 * Stops with: ERR_EVIDENCE; ERR_LIMIT, when what goes out is too long.
 */
#include "base/container.h"
#include "pipeline/action.h"
#include "pipeline/action_class.h"
#include "pipeline/approving.h"
#include "pipeline/attempt.h"
#include "pipeline/worker.h"

/* A disk that hangs: better an answer than a caller who waits for ever. */
static void on_overdue(struct timer *t)
{
    struct action *a = CONTAINER_OF(t, struct action, patience);

    attempt_abandon(a);
    pipeline_resume(a, stage_stop(a, ERR_EVIDENCE));
}

enum step stage_record(struct action *a)
{
    enum err e =
        a->class->outgoing == NULL ? ERR_INTERNAL : a->class->outgoing(a);
    if (e == ERR_OK)
        e = approving_take(a);
    if (e == ERR_OK) {
        e = attempt_open(a);
        if (e != ERR_OK)
            approving_settle(a, false);
    }
    if (e != ERR_OK)
        return stage_stop(a, e);
    timer_set(a->worker->loop, &a->patience, PATIENCE_MS, on_overdue);
    return STEP_WAIT;
}

void stage_record_cancel(struct action *a)
{
    timer_cancel(&a->patience);
    attempt_abandon(a);
}
