/*
 * rules_facts.h - a request in Cedar's terms: uids, entities, and what of the
 * context all links share.
 */
#ifndef POLICY_RULES_FACTS_H
#define POLICY_RULES_FACTS_H

#include "policy/rules_set.h"

/* One request, and what was made of it; all of that lies in the arena. */
struct rules_facts {
    const struct rules *rules;
    const struct rules_request *request;
    struct arena *arena;
    struct cedar_uid action, resource;
    struct cedar_uid principals[CHAIN_LINKS_MAX]; /* by link */
    const struct cedar_entities *entities[CHAIN_LINKS_MAX];
    struct cedar_value context[SHAPE_CONTEXT_COUNT]; /* without the link's */
    /* Of a series: the entities without the resource, and the context of each
     * link; else NULL. */
    const struct cedar_entities *people[CHAIN_LINKS_MAX];
    const struct cedar_record *contexts[CHAIN_LINKS_MAX];
};

/*
 * Fills the rest from the first three, all borrowed.  ERR_LIMIT: the arena is
 * full.  ERR_MALFORMED: a link without a kind, a resource without a type, or a
 * tool whose name is not the resource's.
 */
MUST_CHECK enum err rules_facts_fill(struct rules_facts *f);

/*
 * The same in two steps, for questions that differ in the tool alone and know
 * no arguments of it: what they share, then what is each one's.  The request
 * and the arena may be others the second time.  Errors as above.
 */
MUST_CHECK enum err rules_facts_share(struct rules_facts *f);
MUST_CHECK enum err rules_facts_add(struct rules_facts *f);

/* The words of a set of risks, as a set of strings.  ERR_LIMIT. */
MUST_CHECK enum err rules_facts_risk(struct arena *a, uint32_t risk,
                                     struct cedar_value *ret);

#endif
