/*
 * leading.h - what a policy compares first.
 *
 * A condition that is `guard && ... && path == literal && ...` is false
 * without a fault wherever the guards hold and the path has another value.
 * Policies whose scopes, guards and path are the same ask one question; only
 * the literals differ, so the question has to be asked once.
 */
#ifndef CEDAR_LEADING_H
#define CEDAR_LEADING_H

#include "cedar/program.h"

enum leading_kind {
    LEADING_EQUAL,    /* path == literal, or literal == path */
    LEADING_IN,       /* path in entity */
    LEADING_CONTAINS, /* path.contains(literal) */
    LEADING_ORDER,    /* path < long, and its kin */
    LEADING_LIKE,     /* path like pattern */
};

struct leading {
    uint64_t question;       /* a hash of scopes, guards, path, operator */
    uint64_t key;            /* of the literal; see leading_key() */
    uint32_t before;         /* conditions that are guards as a whole */
    uint32_t begin;          /* node of the comparison */
    uint32_t path, path_end; /* nodes of the path */
    uint32_t literal;        /* node: the literal, or LIKE */
    uint8_t kind;            /* enum leading_kind */
    uint8_t op;              /* enum program_op, of the comparison */
};

enum { LEADING_MAX = 4 };

/* Fills `to`, of LEADING_MAX, with the first comparisons of a policy. */
size_t leading_find(const struct cedar_policies *set, uint32_t policy,
                    struct leading *to);

/* Whether `a` of policy x asks the same as `b` of policy y. */
bool leading_same(const struct cedar_policies *set, uint32_t x,
                  const struct leading *a, uint32_t y, const struct leading *b);

/* The value of a literal: BOOL, LONG, STRING, ENTITY. */
struct cedar_value leading_value(const struct program_node *literal);

/* A hash of a value of these kinds; false for others, which equal none. */
bool leading_key(struct cedar_value v, uint64_t *ret);

#endif
