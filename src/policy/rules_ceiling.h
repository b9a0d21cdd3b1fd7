/*
 * rules_ceiling.h - the ceiling of risk that stands before all policy, behind
 * the fence of tenants: what nobody who is no person may do is what their
 * registration does not name.
 */
#ifndef POLICY_RULES_CEILING_H
#define POLICY_RULES_CEILING_H

#include "policy/rules.h"

/* Is the risk of the action within that of every link that is no person?  A
 * call of a tool whose risk is not known has all of them. */
MUST_CHECK bool rules_ceiling_holds(const struct rules_request *q);

#endif
