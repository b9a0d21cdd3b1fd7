/*
 * rules_ceiling.h - the ceiling of risk that stands before all policy, behind
 * the fence of tenants: what nobody who is no person may do is what their
 * registration does not name.
 */
#ifndef POLICY_RULES_CEILING_H
#define POLICY_RULES_CEILING_H

#include "policy/rules.h"

/* What the first link that may not do it lacks, enum risk or-ed; 0: all may.
 * A call of a tool whose risk is not known has every risk. */
MUST_CHECK uint32_t rules_ceiling_lacks(const struct rules_request *q,
                                        unsigned *ret_link);

#endif
