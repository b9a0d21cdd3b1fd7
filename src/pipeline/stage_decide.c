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

enum { DEFERRED = 1, ALLOWED };

static unsigned rank_of(enum decision_effect effect)
{
    if (effect == DECISION_DEFER)
        return DEFERRED;
    return effect == DECISION_ALLOW ? ALLOWED : 0;
}

static enum step decide_each(struct action *a)
{
    unsigned kept = 0, best = 0;
    struct facts facts UNINITIALIZED;
    struct rules_request q;
    struct rules_answer answer UNINITIALIZED;

    facts_ask(a, &facts, &q);
    for (unsigned i = 0; i < a->candidate_count; i++) {
        a->class->facts(a, i, &q);
        facts_decide(a, &q, &answer);
        unsigned rank = rank_of(answer.decision.effect);
        /* The first of the best is what evidence shows: the reason to go, to
         * wait, or not. */
        if (i == 0 || rank > best) {
            a->decision = answer.decision;
            a->shadow = answer.shadow;
            best = rank;
            kept = 0;
        }
        /* A person is asked about one destination, not about any. */
        if (rank > 0 && rank == best && (rank == ALLOWED || kept == 0))
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
