/*
 * cedar.h - the Cedar policy language (language version 4.5), in C.
 *
 * Policies and entities are loaded once into immutable forms; decisions read
 * them.  A decision takes no lock, makes no system call and, once its
 * evaluator is warm, allocates only when a policy builds very large sets out
 * of the request's own values.
 *
 *     struct cedar_policies *policies;    cedar_policies_load(...)
 *     struct cedar_entities *entities;    cedar_entities_load(...)
 *     struct cedar_evaluator *evaluator;  cedar_evaluator_new(...)
 *     cedar_authorize(evaluator, policies, &request, &options, &answer);
 *
 * Threads: policies and entities may be read by any number of threads; an
 * evaluator belongs to one thread.  To replace what is loaded, load anew and
 * free the old form once nobody reads it: how long that is, only the caller
 * knows, so nothing is counted here.
 *
 * How the rest of the language fits in, so that callers need not change:
 *   index      over scopes and over what conditions compare first: it
 *              belongs to the policies and only chooses which of them
 *              cedar_authorize() looks at; what it leaves out can neither be
 *              satisfied nor err, so answers do not depend on it.
 *   templates  a policy with a slot is loaded, counted and never satisfied;
 *              a link is one more policy that shares its conditions, see
 *              cedar_links.h.
 *   JSON form  of policies: one more loader into the same form, and the way
 *              back, see cedar_policy_json.h.
 *   looks      of policies, see cedar_format.h; of schemas in their other
 *              form, see cedar_schema_convert.h.
 *   schema     an object of its own, see cedar_schema.h.
 *   partial    evaluation: one more evaluator over the same tree.
 */
#ifndef CEDAR_CEDAR_H
#define CEDAR_CEDAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "cedar/cedar_entities.h"
#include "cedar/cedar_errors.h"
#include "cedar/cedar_format.h"
#include "cedar/cedar_links.h"
#include "cedar/cedar_policies.h"
#include "cedar/cedar_policy_json.h"
#include "cedar/cedar_schema.h"
#include "cedar/cedar_schema_convert.h"
#include "cedar/cedar_validate.h"
#include "cedar/cedar_value.h"

struct cedar_request {
    struct cedar_uid principal, action, resource; /* see cedar_uid_make() */
    const struct cedar_record *context;           /* NULL: empty */
    const struct cedar_entities *entities;        /* NULL: none */
};

struct cedar_options {
    /* Not Cedar's rule: a forbid that errs denies, instead of being skipped. */
    bool erring_forbid_denies;
};

enum cedar_decision {
    CEDAR_DENY = 0,
    CEDAR_ALLOW,
};

/* Why evaluating a policy failed. */
enum cedar_fault {
    CEDAR_FAULT_NONE = 0,
    CEDAR_FAULT_TYPE,      /* an operand of the wrong type */
    CEDAR_FAULT_OVERFLOW,  /* arithmetic left 64 bits */
    CEDAR_FAULT_ENTITY,    /* the entity does not exist */
    CEDAR_FAULT_ATTRIBUTE, /* it has no such attribute, or no such tag */
    CEDAR_FAULT_ARITY,     /* an extension function's number of arguments */
    CEDAR_FAULT_EXTENSION, /* text that is no value of an extension type */
    CEDAR_FAULT_LIMIT,     /* memory for sets and records made on the way */
};

/* A sentence without a full stop; static. */
const char *cedar_fault_text(enum cedar_fault f);

struct cedar_policy_fault {
    uint32_t policy; /* index in the set */
    enum cedar_fault fault;
    size_t offset; /* of the failing expression in the policy text */
};

/* Indices of policies ascend.  Borrowed from the evaluator until its next
 * decision. */
struct cedar_answer {
    enum cedar_decision decision;
    const uint32_t *reasons; /* the determining policies */
    size_t reason_count;
    const struct cedar_policy_fault *faults; /* every policy that erred */
    size_t fault_count;
    /* All that are satisfied, whatever the decision: for whoever has an
     * algebra of its own. */
    const uint32_t *permits, *forbids;
    size_t permit_count, forbid_count;
};

struct cedar_evaluator; /* the memory that decisions need, reused */

/* NULL: out of memory. */
MUST_CHECK struct cedar_evaluator *cedar_evaluator_new(void);
/* NULL is allowed. */
void cedar_evaluator_free(struct cedar_evaluator *v);

/*
 * Default deny; a satisfied forbid beats every permit; a policy that errs is
 * reported and counts as not satisfied (but see cedar_options).  `options`
 * may be NULL: plain Cedar.
 * ERR_NO_MEMORY (when the evaluator has to grow); there is no other failure.
 */
MUST_CHECK enum err cedar_authorize(struct cedar_evaluator *v,
                                    const struct cedar_policies *policies,
                                    const struct cedar_request *request,
                                    const struct cedar_options *options,
                                    struct cedar_answer *ret);

#endif
