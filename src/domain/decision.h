/*
 * decision.h - what policy said about one action.
 *
 * DECISION_DENY is 0 on purpose: zeroed memory denies.
 */
#ifndef DOMAIN_DECISION_H
#define DOMAIN_DECISION_H

#include <stdbool.h>

#include "base/str.h"

enum decision_effect {
    DECISION_DENY = 0,
    DECISION_ALLOW,
    DECISION_MODIFY,  /* allowed with obligations */
    DECISION_STEP_UP, /* stronger proof from the human first */
    DECISION_DEFER,   /* a person approves first */
};
/* "deny", "allow", "modify", "step_up", "defer". */
struct str decision_effect_name(enum decision_effect effect);

enum { DECISION_POLICIES_MAX = 8, DECISION_APPROVALS_MAX = 8 };

/* A forbid that a person of `group` may lift, for this action. */
struct decision_approval {
    struct str policy, group; /* borrowed from the snapshot */
};

struct decision {
    enum decision_effect effect;
    struct str policies[DECISION_POLICIES_MAX]; /* ids that determined it;
                                                   borrowed from the snapshot */
    unsigned policy_count;
    unsigned errors; /* policies that failed to evaluate */
    /* DECISION_DEFER: all that is needed; empty otherwise. */
    struct decision_approval approvals[DECISION_APPROVALS_MAX];
    unsigned approval_count;
    struct str pdp; /* who decided: "writ" */
};

/* What a second set of policies would have said; only recorded. */
struct shadow_decision {
    bool present;
    struct decision decision;
};

#endif
