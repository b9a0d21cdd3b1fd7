/*
 * decide.h - which policies of a set are satisfied, and which err.
 */
#ifndef CEDAR_DECIDE_H
#define CEDAR_DECIDE_H

#include "cedar/evaluate.h"

struct decide {
    struct evaluate evaluate; /* with the stack, the pool and its arena */
    const struct cedar_policies *set;
    uint32_t *permits, *forbids; /* satisfied, ascending */
    struct cedar_policy_fault *faults;
    size_t permit_count, forbid_count, fault_count;
    bool forbid_erred;
};

/* All counts must be 0, and everything have room for what the set may need. */
void decide_all(struct decide *d);

#endif
