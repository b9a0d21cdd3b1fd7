/*
 * stage_record.c - is the intent durable?  Nothing goes out before it is.
 *
 * Needs: reservation.  Gives: record.
 * Stops with: ERR_EVIDENCE.
 */
#include "base/container.h"
#include "pipeline/action.h"
#include "pipeline/attempt.h"

static void on_durable(struct ledger_wait *w, enum err e,
                       const struct ledger_receipt *receipt)
{
    struct action *a = CONTAINER_OF(w, struct action, record);

    if (e != ERR_OK) {
        pipeline_resume(a, stage_stop(a, e));
        return;
    }
    a->attempt.intent = a->receipt = *receipt;
    a->attempt.open = true;
    pipeline_resume(a, STEP_NEXT);
}

enum step stage_record(struct action *a)
{
    a->record.done = on_durable;
    enum err e = attempt_open(a);
    return e == ERR_OK ? STEP_WAIT : stage_stop(a, e);
}

void stage_record_cancel(struct action *a)
{
    /* The intent may be written all the same; the ledger keeps it open, and
     * an outcome that nobody can give is recorded as unknown. */
    ledger_wait_cancel(&a->record);
}
