/*
 * policy.c - see policy.h.
 *
 * A decision is a few look-ups in what policy_set.c has compiled.  Whatever
 * is not found denies.
 */
#include "policy/policy_set.h"

#include <assert.h>

#define FENCE STR("tenants")

/* Is number `name` of `m` set in `bits`?  A name without a number is not. */
static bool has(const uint64_t *bits, const struct map *m, struct str name)
{
    const size_t *number = map_get(m, name);
    return number != NULL && (bits[*number / 64] >> (*number % 64) & 1) != 0;
}

/* The wall that no policy opens: one tenant all along, and a destination that
 * is there for it. */
static bool is_within_tenant(const struct policy_set *set,
                             const struct policy_request *r)
{
    if (r->tenant.len == 0)
        return false;
    for (unsigned i = 0; i < r->chain->count; i++) {
        if (!str_eq(r->chain->links[i].who.tenant, r->tenant))
            return false;
    }
    if (r->destination.provider.len == 0)
        return true; /* nothing leaves */
    const struct policy_set_place *place =
        map_get(&set->places, r->destination.provider);
    return place != NULL && str_eq(place->region, r->destination.region) &&
           has(place->tenants, &set->tenants, r->tenant);
}

static bool is_covered(enum action_kind action, struct str resource_type)
{
    return (action == ACTION_MODEL_INVOKE || action == ACTION_MODEL_EMBED) &&
           str_eq(resource_type, STR("Model"));
}

/* The list that permits this to one link, or NULL. */
static const struct policy_set_grant *grant_for(const struct policy_set *set,
                                                const struct principal *who,
                                                const struct policy_request *r)
{
    char key[POLICY_SET_KEY_MAX];
    struct str entity = policy_set_entity(who, key);
    const struct policy_set_grant *g =
        entity.len == 0 ? NULL : map_get(&set->grants, entity);
    if (g == NULL || !str_eq(g->tenant, r->tenant) ||
        !has(g->models, &set->models, r->resource))
        return NULL;
    return g;
}

struct decision policy_decide(const struct policy_set *set,
                              const struct policy_request *r)
{
    struct decision d = {.effect = DECISION_DENY, .pdp = STR("writ")};

    if (r->chain == NULL || r->chain->count == 0 ||
        r->chain->count > CHAIN_LINKS_MAX)
        return d;
    if (!is_within_tenant(set, r)) {
        d.policies[d.policy_count++] = FENCE;
        return d;
    }
    if (!is_covered(r->action, r->resource_type))
        return d;
    struct decision permit = d;
    for (unsigned i = 0; i < r->chain->count; i++) {
        const struct policy_set_grant *g =
            grant_for(set, &r->chain->links[i].who, r);
        if (g == NULL)
            return d; /* every link decides */
        permit.policies[permit.policy_count++] = g->policy;
    }
    permit.effect = DECISION_ALLOW;
    return permit;
}

bool policy_is_fenced(const struct decision *d)
{
    return d->effect == DECISION_DENY && d->policy_count == 1 &&
           str_eq(d->policies[0], FENCE);
}

static_assert((int)DECISION_POLICIES_MAX >= (int)CHAIN_LINKS_MAX,
              "each link of a chain has its policy");
