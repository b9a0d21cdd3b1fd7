/*
 * rules_explain.h - a decision with its reasons, link by link: for people who
 * write policies.  Slower than rules_decide(), and of the same opinion.
 */
#ifndef POLICY_RULES_EXPLAIN_H
#define POLICY_RULES_EXPLAIN_H

#include "policy/rules.h"

/* What one policy had to do with the decision about one link. */
struct rules_reason {
    struct str policy;
    struct str file;
    unsigned line; /* where the policy begins, from 1 */
    bool is_permit;
    struct str approval; /* the group that may lift it, or empty */
    bool is_lifted;      /* and did */
    /* When it could not be evaluated: why, and where in the file. */
    struct str fault;
    unsigned fault_line, fault_column;
};

struct rules_why {
    enum decision_effect effect; /* deny, allow, or defer */
    bool by_forbid;              /* when denied */
    /* The determining policies: permits, or the forbids that deny or wait for
     * people, or, after the permits, those that people have lifted. */
    const struct rules_reason *reasons;
    size_t reason_count;
    const struct rules_reason *faults; /* an erring forbid denies */
    size_t fault_count;
};

struct rules_explanation {
    struct rules_answer answer;
    /* No policy was asked. */
    bool by_fence;   /* of tenants */
    bool by_ceiling; /* of risk: one link lacks some */
    unsigned ceiling_link;
    uint32_t ceiling_lacks; /* enum risk, or-ed */
    unsigned link_count;
    struct rules_why live[CHAIN_LINKS_MAX];
    struct rules_why shadow[CHAIN_LINKS_MAX]; /* when there is one */
};

/*
 * As rules_decide(), with reasons; lists are the arena's, texts those of `r`.
 * ERR_NO_MEMORY: the arena is full, or the decision ran out of memory.
 */
MUST_CHECK enum err rules_explain(const struct rules *r,
                                  struct rules_evaluator *v,
                                  const struct rules_request *q,
                                  struct arena *a,
                                  struct rules_explanation *ret);

#endif
