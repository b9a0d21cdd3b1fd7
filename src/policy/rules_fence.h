/*
 * rules_fence.h - the wall of tenants that stands before all policy: who is
 * of one tenant all along, and a destination that is there for it.
 */
#ifndef POLICY_RULES_FENCE_H
#define POLICY_RULES_FENCE_H

#include "base/arena.h"
#include "base/map.h"
#include "policy/rules.h"

struct rules_fence {
    bool is_open; /* there is no configuration, and so nothing to fence off */
    struct map tenants; /* name -> size_t, its number */
    struct map places;  /* provider -> struct rules_fence_place */
    struct map servers; /* server of tools -> the same */
};

/* Copies into `a`; `s` may be NULL.  On failure, too, release it. */
MUST_CHECK enum err rules_fence_init(struct rules_fence *f, struct arena *a,
                                     const struct settings *s);
void rules_fence_release(struct rules_fence *f);

MUST_CHECK bool rules_fence_admits(const struct rules_fence *f,
                                   const struct rules_request *q);

#endif
