/*
 * rules_decide.h - one link's decision, for rules_decide() and for whoever
 * wants to know more about it.
 */
#ifndef POLICY_RULES_DECIDE_H
#define POLICY_RULES_DECIDE_H

#include "policy/rules_facts.h"

/* Is it a question at all: a chain that holds, and something to be done? */
MUST_CHECK bool rules_decide_is_question(const struct rules_request *q);

/* Borrowed from the evaluator until its next decision. */
struct rules_verdict {
    bool permitted;
    const uint32_t *reasons; /* permits, or forbids */
    size_t reason_count;
    const struct cedar_policy_fault *faults;
    size_t fault_count;
};

/* One link under one set.  Memory that runs out denies. */
void rules_decide_link(const struct rules_facts *f,
                       const struct rules_policies *p,
                       struct rules_evaluator *v, unsigned link,
                       struct rules_verdict *ret);

#endif
