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
 *   index      cedar_policies holds policies in file order; an index over
 *              their scopes belongs to it and only chooses which policies
 *              cedar_authorize() looks at.  A scope cannot err, so neither
 *              answer nor errors change.  Hashes of ids are already there.
 *   templates  a policy with a slot is loaded, counted and never satisfied;
 *              a link becomes one more policy that shares its conditions.
 *   JSON form  of policies: one more loader into the same form; positions
 *              are then those of the JSON text.
 *   schema     an object of its own, given to the loaders in an options
 *              struct; conditions are kept as a flat tree in post-order with
 *              positions, which a type-checker and a formatter walk too.
 *   partial    evaluation: one more evaluator over the same tree.
 */
#ifndef CEDAR_CEDAR_H
#define CEDAR_CEDAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/err.h"
#include "base/str.h"
#include "cedar/cedar_value.h"
#include "codec/json.h"

/* Nesting of one expression: parentheses, lists, records, arguments, if. */
#define CEDAR_DEPTH_MAX 256
/* Bytes of policy text or entity JSON in one load. */
#define CEDAR_TEXT_MAX ((size_t)256 * 1024 * 1024)
/* Errors of one load that are kept. */
#define CEDAR_ERRORS_MAX 8

/* Where and why text was refused. */
struct cedar_error {
    size_t offset;         /* bytes from the start */
    uint32_t line, column; /* from 1; a column counts bytes */
    char text[192];        /* a sentence without a full stop, NUL-terminated */
};
struct cedar_errors {
    struct cedar_error at[CEDAR_ERRORS_MAX];
    size_t count; /* at most CEDAR_ERRORS_MAX */
};

/* --- Policies ---------------------------------------------------------- */

struct cedar_policies; /* immutable */

enum cedar_effect {
    CEDAR_FORBID = 0,
    CEDAR_PERMIT,
};

/* One policy; everything is borrowed from the set. */
struct cedar_policy_view {
    struct str id; /* "policy0", "policy1", ... in the order of the text */
    struct str text;
    enum cedar_effect effect;
    bool is_template;
    uint32_t line;
};

/*
 * Parses and compiles policy text (borrowed for the call).  Goes on after an
 * error at the next policy, so several are found in one run.
 * ERR_MALFORMED, ERR_LIMIT: *ret_errors, which may be NULL, says why.
 * ERR_NO_MEMORY.
 */
MUST_CHECK enum err cedar_policies_load(struct str text,
                                        struct cedar_errors *ret_errors,
                                        struct cedar_policies **ret);

/* NULL is allowed. */
void cedar_policies_free(struct cedar_policies *p);

/* Templates included. */
size_t cedar_policies_count(const struct cedar_policies *p);
size_t cedar_policies_templates(const struct cedar_policies *p);

/* `index` is below cedar_policies_count(). */
struct cedar_policy_view cedar_policies_at(const struct cedar_policies *p,
                                           size_t index);

/* Annotations in the order of the text; false when there is no `nth`. */
bool cedar_policies_annotation(const struct cedar_policies *p, size_t index,
                               size_t nth, struct str *ret_key,
                               struct str *ret_value);

/* --- Entities ---------------------------------------------------------- */

struct cedar_entities; /* immutable */

/* One entity for cedar_entities_build(); all borrowed. */
struct cedar_entity {
    struct cedar_uid uid;
    const struct cedar_uid *parents;
    size_t parent_count;
    const struct cedar_record *attributes; /* NULL: none */
    const struct cedar_record *tags;       /* NULL: none */
};

/*
 * Reads entity JSON in the explicit form (borrowed for the call).
 * ERR_MALFORMED also for two different entities with one uid and for a cycle
 * of parents; ERR_LIMIT also when the sets of ancestors, taken together, are
 * out of proportion.  *ret_errors and ERR_NO_MEMORY as above; positions are
 * given for faults of the JSON itself, others name the entity.
 */
MUST_CHECK enum err cedar_entities_load(struct str json,
                                        struct cedar_errors *ret_errors,
                                        struct cedar_entities **ret);

/*
 * Makes a store of `entities` in the arena: for what is known only while a
 * request runs.  What `entities` points to must live as long as the arena.
 * `base`, which may be NULL, is looked at where this store has no entity; it
 * must outlive this one, and its entities must not name entities given here
 * as their ancestors.  Do not free the result.  Errors as above.
 */
MUST_CHECK enum err cedar_entities_build(struct arena *a,
                                         const struct cedar_entity *entities,
                                         size_t count,
                                         const struct cedar_entities *base,
                                         struct cedar_errors *ret_errors,
                                         const struct cedar_entities **ret);

/* For what cedar_entities_load() made; NULL is allowed. */
void cedar_entities_free(struct cedar_entities *e);

/* Of this store alone, without its base. */
size_t cedar_entities_count(const struct cedar_entities *e);

/* --- Decisions --------------------------------------------------------- */

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

/* The line and column, from 1, of an offset in the policy text. */
void cedar_policies_locate(const struct cedar_policies *p, size_t offset,
                           uint32_t *ret_line, uint32_t *ret_column);

#endif
