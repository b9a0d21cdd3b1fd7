/*
 * stage_reserve.c - is there room?
 *
 * No limits can be configured in this version, so there is none to reserve
 * from.  Every attempt passes here: it takes the next candidate.
 *
 * Needs: approval.  Gives: reservation.
 */
#include <assert.h>

#include "os/loop.h"
#include "pipeline/action.h"
#include "pipeline/worker.h"

enum step stage_reserve(struct action *a)
{
    assert(a->candidate_count > 0 && !a->attempt.open);
    unsigned number = a->attempt.number + 1;
    a->attempt = (struct attempt){
        .number = number,
        .to = a->candidates[(number - 1) % a->candidate_count],
        .intent = {.index = LEDGER_NO_INDEX},
        .started_ms = loop_now_ms(a->worker->loop),
        .usage = USAGE_UNKNOWN,
    };
    a->candidate_next = number;
    return STEP_NEXT;
}
