/*
 * index.h - which policies may apply, by their scopes.
 *
 * Each policy is filed under the one part of its scope that fewest others
 * share: equal to or in a uid, or of a type.  A policy whose scope has no
 * such part is in the rest, which is always looked at; one that can never
 * apply is nowhere.  Whoever finds a policy here still checks its scope: the
 * index only leaves out what cannot match.
 */
#ifndef CEDAR_INDEX_H
#define CEDAR_INDEX_H

#include "base/attr.h"
#include "cedar/value.h"

struct program_policy;

/* The parts; the same three for each enum program_variable. */
enum index_part { INDEX_EQUAL = 0, INDEX_IN, INDEX_IS, INDEX_PARTS };
#define INDEX_ROLES (3 * INDEX_PARTS)

struct index_entry {
    uint64_t key;
    uint32_t policy;
};

struct index {
    uint32_t *buckets; /* 2^bits + 1: where keys with these bits begin */
    struct index_entry *entries; /* by bucket, then policy */
    uint32_t *rest;
    uint32_t rest_count;
    uint32_t roles[INDEX_ROLES]; /* how many entries; 0 spares a lookup */
    unsigned bits;
    bool is_used; /* small sets are faster without */
};

/* False: out of memory. */
MUST_CHECK bool index_build(struct index *x, const struct program_policy *at,
                            size_t count);
void index_release(struct index *x);

/* The key of a role and the hash of a uid or a type's name. */
uint64_t index_key(unsigned role, uint64_t hash);

/* The entries from *ret_first to before *ret_end, among them all of `key`. */
static inline void index_find(const struct index *x, uint64_t key,
                              uint32_t *ret_first, uint32_t *ret_end)
{
    uint64_t bucket = key >> (64 - x->bits);
    *ret_first = x->buckets[bucket];
    *ret_end = x->buckets[bucket + 1];
}

#endif
