/*
 * stage_decide.c - may every link of the chain do this, to that destination,
 * now?
 *
 * Each candidate is decided on by itself; those that are denied are dropped,
 * so that a fallback can never go where policy did not allow.
 *
 * Needs: everything that says who, what and where to.  Gives: decision.
 * Stops with: ERR_DENIED; for a list, with the answer.
 */
#include "base/attr.h"
#include "pipeline/action.h"
#include "pipeline/action_class.h"
#include "pipeline/facts.h"

static enum step decide_each(struct action *a)
{
    unsigned kept = 0;
    struct facts facts UNINITIALIZED;
    struct rules_request q;
    struct rules_answer answer UNINITIALIZED;

    facts_ask(a, &facts, &q);
    for (unsigned i = 0; i < a->candidate_count; i++) {
        a->class->facts(a, i, &q);
        facts_decide(a, &q, &answer);
        bool allowed = answer.decision.effect == DECISION_ALLOW;
        /* The first one is what evidence shows: the reason to go, or not. */
        if (i == 0 || (kept == 0 && allowed)) {
            a->decision = answer.decision;
            a->shadow = answer.shadow;
        }
        if (allowed)
            a->candidates[kept++] = a->candidates[i];
    }
    a->candidate_count = kept;
    return kept > 0 ? STEP_NEXT : stage_stop(a, ERR_DENIED);
}

enum step stage_decide(struct action *a)
{
    if (a->class->decide != NULL)
        return a->class->decide(a);
    return a->class->facts == NULL ? stage_stop(a, ERR_INTERNAL)
                                   : decide_each(a);
}
