/*
 * rules_decide.h - one link's decision, for rules_decide() and for whoever
 * wants to know more about it.
 */
#ifndef POLICY_RULES_DECIDE_H
#define POLICY_RULES_DECIDE_H

#include "policy/rules_facts.h"

/* Is it a question at all: a chain that holds, and something to be done? */
MUST_CHECK bool rules_decide_is_question(const struct rules_request *q);

/* What a forbid that is satisfied does. */
enum rules_forbids {
    RULES_FORBIDS = 0,  /* denies */
    RULES_FORBIDS_ONCE, /* until people have agreed */
    RULES_FORBIDS_NOT,  /* they have */
};
enum rules_forbids rules_decide_forbids(const struct rules_policy *p,
                                        const struct rules_request *q);

/* One link's part; borrowed from evaluator and arena until the next one. */
struct rules_verdict {
    enum decision_effect effect; /* deny, defer or allow */
    bool by_forbid;              /* when denied */
    /* All that are satisfied. */
    const uint32_t *permits, *forbids;
    size_t permit_count, forbid_count;
    const struct cedar_policy_fault *faults;
    size_t fault_count;
};

/* One link under one set.  Memory that runs out denies. */
void rules_decide_link(const struct rules_facts *f,
                       const struct rules_policies *p,
                       struct rules_evaluator *v, unsigned link,
                       struct rules_verdict *ret);

#endif
