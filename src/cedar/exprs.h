/*
 * exprs.h - numbers for the expressions of one policy: equal expressions,
 * equal numbers, so that "the same `principal`" in two places is known.
 */
#ifndef CEDAR_EXPRS_H
#define CEDAR_EXPRS_H

#include "cedar/program.h"

#define EXPRS_NONE UINT32_MAX

struct exprs_one {
    struct program_node node;
    struct value_key key; /* of GET and HAS with one key */
    uint32_t count;
    const uint32_t *parts; /* the numbers of its operands */
    uint64_t hash;
    uint32_t test; /* of HAS and HAS_TAG: counted from 0; else EXPRS_NONE */
};

struct exprs {
    struct arena *arena;
    struct exprs_one *at; /* in the arena, by number */
    uint32_t count, room;
    uint32_t *slots; /* a hash table of numbers; EXPRS_NONE: empty */
    uint32_t slot_count;
    uint32_t tests;
    uint32_t *numbers; /* by node, from `first` */
    uint32_t first;
};

/* Operands that the operator takes from the stack; 0 for what only puts. */
uint32_t exprs_operands(const struct program_node *node);
/* True for jumps and OPEN, which leave the stack as it is. */
bool exprs_is_jump(const struct program_node *node);

/*
 * Numbers the nodes of a policy; `stack` has room for the set's stack_max.
 * ERR_LIMIT: the arena is full.
 */
MUST_CHECK enum err exprs_number(struct exprs *x, struct arena *a,
                                 const struct cedar_policies *set,
                                 const struct program_policy *policy,
                                 uint32_t *stack);

static inline uint32_t exprs_of(const struct exprs *x, uint32_t node)
{
    return x->numbers[node - x->first];
}

/* The number of `of.key`, which there is if a HAS asks for more behind it. */
uint32_t exprs_get(const struct exprs *x, uint32_t of,
                   const struct value_key *key);

/* The test `of has key` or `of.hasTag(tag)`, or EXPRS_NONE: nowhere. */
uint32_t exprs_test(const struct exprs *x, uint32_t of,
                    const struct value_key *key);
uint32_t exprs_tag_test(const struct exprs *x, uint32_t of, uint32_t tag);

#endif
