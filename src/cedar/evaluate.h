/*
 * evaluate.h - running the nodes of a condition.
 */
#ifndef CEDAR_EVALUATE_H
#define CEDAR_EVALUATE_H

#include "cedar/entities.h"
#include "cedar/program.h"

/* The value of a path, of the decision `at`. */
struct evaluate_memo {
    uint64_t at;
    struct cedar_value value;
};

struct evaluate {
    const struct program_node *nodes; /* of the policy set */
    const struct cedar_request *request;
    const struct cedar_uid *uids[3];        /* by enum program_variable */
    const struct entities_entity *known[3]; /* their entities, or NULL */
    struct cedar_value *stack;              /* room for the set's stack_max */
    struct evaluate_memo *memos;            /* by number of path, less 1 */
    uint64_t at;                            /* of this decision; not 0 */
    struct value_pool pool;
    struct cedar_value *top; /* one past the last value */
    enum cedar_fault fault;
};

/*
 * Runs the nodes from `first` to before `end`.  *ret is in the stack.  On a
 * fault, *ret_at is the node that failed.
 */
enum cedar_fault evaluate_run(struct evaluate *e, uint32_t first, uint32_t end,
                              const struct cedar_value **ret, uint32_t *ret_at);

/*
 * Runs the nodes from `first` to before `end`, in the middle of a condition.
 * False: a fault.  CEDAR_NOTHING: what comes before `end` is decided without
 * them.
 */
bool evaluate_path(struct evaluate *e, uint32_t first, uint32_t end,
                   struct cedar_value *ret);

/* The entity of a uid, or NULL. */
const struct entities_entity *evaluate_find(const struct evaluate *e,
                                            const struct cedar_uid *uid);

/* `a in b`, with what is known of the request's own entities. */
bool evaluate_in(const struct evaluate *e, const struct cedar_uid *a,
                 const struct cedar_uid *b);

#endif
