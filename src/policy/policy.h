/*
 * policy.h - may this chain do this, to this destination, now?
 *
 * A policy set is immutable once made and shared by every action that began
 * under it; a reload makes a new one and drops the old reference.  Evaluation
 * is pure: no clock, no I/O, no allocation.  The same question gives the same
 * answer, so a decision in the log can be replayed.
 *
 * In this version the set is what the config's `callers` say: it permits
 * exactly the models that a caller's entry names.  Every link of the chain is
 * asked, and all must permit.  A destination that is not for the caller's
 * tenant is no question of policy: it is refused before.
 *
 * Threads: make anywhere; ref, unref and decide from any.
 */
#ifndef POLICY_POLICY_H
#define POLICY_POLICY_H

#include "base/attr.h"
#include "base/err.h"
#include "base/siphash.h"
#include "domain/action.h"
#include "domain/decision.h"
#include "domain/principal.h"
#include "domain/settings.h"

struct policy_set; /* opaque */

enum policy_resource {
    POLICY_RESOURCE_NONE = 0, /* denies */
    POLICY_MODEL,             /* resource_id is the alias */
};

struct policy_destination {
    struct str provider;
    struct str host;
    struct str region;
};

struct policy_request {
    const struct chain *chain;
    enum action_kind action;
    enum policy_resource resource;
    struct str resource_id;
    struct policy_destination destination; /* empty for a listing */
};

/*
 * Compiles the callers' lists.  `settings` must live as long as the set.
 * On success *ret_set holds one reference.  ERR_LIMIT, ERR_NO_MEMORY.
 */
MUST_CHECK enum err policy_set_new(const struct settings *settings,
                                   struct siphash_key seed,
                                   struct policy_set **ret_set);
struct policy_set *policy_set_ref(struct policy_set *set);
void policy_set_unref(struct policy_set *set); /* NULL is allowed */

/* Zero links, an unknown link or an unknown resource is DECISION_DENY.  The
 * result borrows from the set. */
MUST_CHECK struct decision policy_decide(const struct policy_set *set,
                                         const struct policy_request *r);

/*
 * The wall between tenants, checked before any policy: true when the
 * provider serves `tenant` and stands in a region that the tenant allows.
 */
MUST_CHECK bool policy_tenant_admits(const struct settings *s,
                                     struct str tenant,
                                     const struct provider_settings *p);

#endif
