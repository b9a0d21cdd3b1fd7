/*
 * rules_policies.h - the files of one folder as one set of policies.
 */
#ifndef POLICY_RULES_POLICIES_H
#define POLICY_RULES_POLICIES_H

#include "policy/rules_set.h"

struct rules_loading {
    struct arena *arena;             /* for what is kept, beside the heap */
    const struct settings *settings; /* NULL: not known */
    struct rules_errors *errors;
    const struct rules_file *files;
    size_t count;
};

/*
 * Checks each file by itself, so that a fault in one says nothing about the
 * next, then compiles all of them together.  Copies into the arena and the
 * heap.  ERR_CONFIG: the errors say why.  ERR_NO_MEMORY.
 */
MUST_CHECK enum err rules_policies_load(const struct rules_loading *l,
                                        struct rules_policies *ret);
void rules_policies_release(struct rules_policies *p);

#endif
