/*
 * rules_policies.h - the files of one folder as one set of policies.
 */
#ifndef POLICY_RULES_POLICIES_H
#define POLICY_RULES_POLICIES_H

#include "policy/rules_set.h"

/*
 * Checks each file by itself, so that a fault in one says nothing about the
 * next, then compiles all of them together.  Copies into `a` and the heap.
 * ERR_CONFIG: *errors says why.  ERR_NO_MEMORY.
 */
MUST_CHECK enum err rules_policies_load(struct arena *a,
                                        const struct rules_file *files,
                                        size_t count,
                                        struct rules_errors *errors,
                                        struct rules_policies *ret);
void rules_policies_release(struct rules_policies *p);

#endif
