/*
 * operate.h - the operators of conditions, one function each.
 *
 * Each returns the node to go on with, or NULL after setting the fault.
 * Values are checked where they are used, so nothing here relies on validated
 * policies.  What is here is out of line: put into the loop of evaluate.c it
 * would cost all others the registers and the memory that it needs.
 */
#ifndef CEDAR_OPERATE_H
#define CEDAR_OPERATE_H

#include "cedar/evaluate.h"

typedef const struct program_node *node_in;
typedef node_in operate_fn(struct evaluate *e, node_in n);

static inline node_in operate_fail(struct evaluate *e, enum cedar_fault fault)
{
    e->fault = fault;
    return NULL;
}

static inline node_in operate_jump(const struct evaluate *e, node_in n)
{
    return e->nodes + n->a;
}

static inline node_in operate_push(struct evaluate *e, node_in n,
                                   struct cedar_value v)
{
    *e->top++ = v;
    return n + 1;
}

/* Replaces the last value. */
static inline node_in operate_leave(struct evaluate *e, node_in n,
                                    struct cedar_value v)
{
    e->top[-1] = v;
    return n + 1;
}

static inline node_in operate_leave_bool(struct evaluate *e, node_in n,
                                         bool truth)
{
    return operate_leave(e, n, cedar_value_bool(truth));
}

operate_fn operate_set;
operate_fn operate_record;
operate_fn operate_call;
operate_fn operate_get;
operate_fn operate_has;
operate_fn operate_has_tag;
operate_fn operate_get_tag;
operate_fn operate_in;
operate_fn operate_is;
operate_fn operate_is_jump;
operate_fn operate_like;
operate_fn operate_contains;
operate_fn operate_contains_many;

/* == or, if not `truth`, !=. */
node_in operate_equal(struct evaluate *e, node_in n, bool truth);

#endif
