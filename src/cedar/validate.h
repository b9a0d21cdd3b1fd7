/*
 * validate.h - typing the conditions of a policy in one environment.
 *
 * The nodes are run like those of an evaluation, with types in the place of
 * values: what Cedar would never evaluate is not typed.  Beside its type an
 * operand carries the tests (`x has a`, `x.hasTag(t)`) that are known to be
 * true where it is true.
 */
#ifndef CEDAR_VALIDATE_H
#define CEDAR_VALIDATE_H

#include "cedar/cedar_validate.h"
#include "cedar/errors.h"
#include "cedar/exprs.h"
#include "cedar/schema.h"

struct validate_operand {
    const struct type *type;
    uint64_t *tests;            /* NULL: none; see validate_tests.h */
    uint64_t *saved;            /* what was known before a jump */
    uint32_t node;              /* its last one */
    struct cedar_value literal; /* or CEDAR_NOTHING */
    unsigned level;             /* steps from entity to entity */
    bool is_named;              /* it may be an entity that the policy names */
};

struct validate {
    const struct cedar_schema *schema;
    const struct cedar_policies *set;
    const struct program_policy *policy;
    uint32_t policy_index;
    struct cedar_validation options;
    struct arena *arena;  /* of the findings */
    struct arena scratch; /* of one environment */
    enum err err;         /* memory */
    PROGRAM_LIST(struct cedar_finding) findings;
    size_t first_finding; /* of this policy */
    /* The environment. */
    const struct cedar_uid *action_uid;
    const struct schema_action *action;
    const struct schema_entity *principal, *resource;
    /* Its operands, and what is known to be true. */
    struct exprs exprs;
    struct validate_operand *stack, *top;
    uint64_t *known;
    size_t words;    /* of a set of tests */
    uint64_t *spare; /* sets to be used again */
};

/* Reports, unless the same was reported at the same place. */
void validate_report(struct validate *v, enum cedar_finding_kind kind,
                     size_t offset, const char *format, ...) PRINTF_LIKE(4, 5);

/* The same at a node. */
#define VALIDATE_REPORT(v, kind, node, ...)                                    \
    validate_report((v), (kind), (v)->set->offsets.at[node], __VA_ARGS__)

/*
 * Types all conditions: Bool, true or false; TYPE_UNKNOWN when there are
 * errors.  *level: the steps that they take, at least as many as given.
 */
const struct type *validate_conditions(struct validate *v, unsigned *level);

/* Types the operator at node `i`, whose operands are on the stack. */
void validate_operator(struct validate *v, uint32_t i);

/* The same for a call of an extension function. */
void validate_call(struct validate *v, uint32_t i);

/* Reports names that the schema does not have, in dead code too. */
void validate_names(struct validate *v);

/* Takes `count` operands off the stack; they are valid until the next push.
 * Their tests are given up. */
struct validate_operand *validate_pop(struct validate *v, uint32_t count);
/* Puts one of a type on it, with the levels of `count` operands at `from`. */
struct validate_operand *validate_push(struct validate *v, uint32_t node,
                                       const struct type *type,
                                       const struct validate_operand *from,
                                       uint32_t count);

/* "expected <what>, found <type>", unless the type is unknown. */
void validate_unexpected(struct validate *v, uint32_t node, const char *what,
                         const struct type *found);
/* True when one is an unknown type or both have a common one; reports. */
bool validate_compatible(struct validate *v, uint32_t node,
                         const struct type *a, const struct type *b);

/* A step from an entity: one more level, and not from a named one. */
unsigned validate_step(struct validate *v, uint32_t node,
                       const struct validate_operand *from);

/* Sets of tests; NULL is the empty one.  What is given is used up. */
uint64_t *validate_union(struct validate *v, uint64_t *a, uint64_t *b);
uint64_t *validate_intersection(struct validate *v, uint64_t *a, uint64_t *b);
uint64_t *validate_copy(struct validate *v, const uint64_t *a);
uint64_t *validate_one(struct validate *v, uint32_t test);
void validate_drop(struct validate *v, uint64_t *a);
bool validate_knows(const struct validate *v, uint32_t test);

#endif
