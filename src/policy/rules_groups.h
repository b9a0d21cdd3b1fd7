/*
 * rules_groups.h - the groups that policies and entities speak of.
 *
 * A person may be in hundreds.  Cedar cannot make an entity's name out of
 * text, so only those that are written down somewhere can make a difference;
 * the others are left out of a request.
 */
#ifndef POLICY_RULES_GROUPS_H
#define POLICY_RULES_GROUPS_H

#include "base/arena.h"
#include "base/map.h"
#include "cedar/cedar_value.h"
#include "codec/json.h"
#include "policy/rules.h"

enum { RULES_GROUPS_FILTER = 1024 }; /* 64 Ki bits */

struct rules_groups {
    struct map known; /* "<issuer>|<name>" -> struct cedar_uid */
    bool all;         /* a name with an escape: nothing is left out */
    /* A bit for each name, without its issuer: most groups need no more. */
    uint64_t filter[RULES_GROUPS_FILTER];
};

void rules_groups_init(struct rules_groups *g);
void rules_groups_release(struct rules_groups *g);

/* Those of a file of policies, and of an entity; both are right.  Copies
 * into `a`.  ERR_NO_MEMORY. */
MUST_CHECK enum err rules_groups_add_policies(struct rules_groups *g,
                                              struct arena *a,
                                              const struct rules_file *file);
MUST_CHECK enum err rules_groups_add_entity(struct rules_groups *g,
                                            struct arena *a,
                                            const struct json *entity);

/* The group of an issuer, or NULL when nothing speaks of it. */
const struct cedar_uid *rules_groups_find(const struct rules_groups *g,
                                          struct str issuer, struct str name);

#endif
