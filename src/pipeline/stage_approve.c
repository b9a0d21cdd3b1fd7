/*
 * stage_approve.c - does a person have to say yes?
 *
 * Nothing in this version's policy defers, so only a plain permit passes;
 * every other effect that got here fails closed.
 *
 * Needs: decision.  Gives: approval.
 */
#include "pipeline/action.h"

enum step stage_approve(struct action *a)
{
    if (a->decision.effect == DECISION_ALLOW)
        return STEP_NEXT;
    return stage_stop(a, ERR_DENIED);
}
