/*
 * policy.h - may they?
 *
 * A policy set is immutable once made and shared by threads; evaluation is
 * pure: no clock, no I/O, no allocation, and cannot fail.  The same request
 * gives the same decision.
 *
 * So far a set permits exactly what the callers' lists of models name: every
 * link of the chain must be such a caller.  Before that stands the fence of
 * tenants, which no policy opens: chain, provider and region must fit.
 */
#ifndef POLICY_POLICY_H
#define POLICY_POLICY_H

#include <stdbool.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/str.h"
#include "domain/action.h"
#include "domain/decision.h"
#include "domain/label.h"
#include "domain/principal.h"
#include "domain/settings.h"

struct policy_set;

/* Where it would go.  No provider: nothing leaves (a list of models). */
struct policy_destination {
    struct str provider; /* its name in the config */
    struct str host;
    struct str region;
};

struct policy_request {
    const struct chain *chain;
    enum action_kind action;
    struct str resource_type; /* "Model" */
    struct str resource;      /* alias */
    struct str tenant;        /* that all links must be of */
    struct policy_destination destination;
    struct str purpose, task;
    const struct labels *labels; /* NULL: none known */
};

/* Copies what it needs; *ret holds one reference.  ERR_NO_MEMORY. */
MUST_CHECK enum err policy_set_new(const struct settings *s,
                                   struct policy_set **ret);
struct policy_set *policy_set_ref(struct policy_set *set);
void policy_set_unref(struct policy_set *set); /* NULL is allowed */

/*
 * All that the set says, as canonical JSON in the order of the config;
 * evidence names it by its SHA-256.  Borrowed.
 */
struct str policy_set_text(const struct policy_set *set);

/*
 * DECISION_ALLOW with policies[] "callers/<name>", one per link; or
 * DECISION_DENY, with policies[] "tenants" when the fence refused, else
 * without any.  Texts are borrowed from `set`.
 */
MUST_CHECK struct decision policy_decide(const struct policy_set *set,
                                         const struct policy_request *r);

/* Is it the fence of tenants that refused? */
bool policy_is_fenced(const struct decision *d);

#endif
