/*
 * stage_record.c - is the intent durable?  Nothing goes out before it is.
 *
 * Needs: reservation.  Gives: record.
 * Stops with: ERR_EVIDENCE.
 */
#include "pipeline/action.h"
#include "pipeline/attempt.h"

enum step stage_record(struct action *a)
{
    enum err e = attempt_open(a);
    return e == ERR_OK ? STEP_WAIT : stage_stop(a, e);
}

void stage_record_cancel(struct action *a)
{
    attempt_abandon(a);
}
