/*
 * index.h - which policies may apply, by scopes and by leading comparisons.
 *
 * Policies that ask the same question first (leading.h) make a group, if it
 * is large enough: the question is asked once, and its answer leads to those
 * of its members whose literal it is.  When the question errs, so does every
 * member whose scope holds, and all of them are looked at.
 *
 * A group, and each policy that is in none, is filed under the one part of
 * its scope that fewest others share: equal to or in a uid, or of a type.
 * One whose scope has no such part is in the rest, which is always looked
 * at; one that can never apply is nowhere.  Whoever finds a policy here still
 * decides it as a whole: the index only leaves out what cannot match and
 * cannot err.
 */
#ifndef CEDAR_INDEX_H
#define CEDAR_INDEX_H

#include "base/attr.h"
#include "cedar/value.h"

struct cedar_policies;

/* The parts; the same three for each enum program_variable. */
enum index_part { INDEX_EQUAL = 0, INDEX_IN, INDEX_IS, INDEX_PARTS };
#define INDEX_ROLES (3 * INDEX_PARTS)

/* Set in the number of a group, to tell it from that of a policy. */
#define INDEX_GROUP ((uint32_t)1 << 31)

struct index_entry {
    uint64_t key;
    uint32_t what;    /* a policy, or a group */
    uint32_t literal; /* of a member of a group: its node */
};

struct index_table {
    uint32_t *buckets; /* 2^bits + 1: where keys with these bits begin */
    struct index_entry *entries; /* by bucket, then policy */
    unsigned bits;
};

struct index_group {
    uint32_t policy;   /* the first; its scopes and question are everybody's */
    uint32_t before;   /* of its conditions, those that are guards as a whole */
    uint32_t path_end; /* the node behind the question */
    uint32_t count;    /* of members */
    uint8_t kind;      /* enum leading_kind */
    uint8_t op;        /* enum program_op */
    struct index_table members; /* by key; of ORDER by number, ascending */
};

/* What is always looked at: packed, since there may be very many. */
struct index_rest {
    uint32_t what;       /* a policy or a group */
    uint32_t first, end; /* nodes: all that a policy without limits asks; or
                            both 0: look at the policy */
    bool is_permit, is_unless;
};

struct index {
    struct index_table filed;
    struct index_rest *rest;
    uint32_t rest_count;
    uint32_t roles[INDEX_ROLES]; /* how many entries; 0 spares a lookup */
    struct index_group *groups;
    uint32_t group_count;
    struct index_entry *members; /* of all groups, each with its buckets */
    uint32_t *member_buckets;
    bool is_used; /* small sets are faster without */
};

/* Up to here looking at every scope is faster than the lookups. */
enum { INDEX_SCAN_MAX = 8 };

/* False: out of memory. */
MUST_CHECK bool index_build(struct index *x, const struct cedar_policies *set);
void index_release(struct index *x);

/* The key of a role and the hash of a uid or a type's name. */
uint64_t index_key(unsigned role, uint64_t hash);

static inline uint64_t index_bucket(const struct index_table *t, uint64_t key)
{
    return t->bits == 0 ? 0 : key >> (64 - t->bits);
}

/* Fills a table, whose buckets are zeroes: a counting sort by bucket, which
 * keeps the order. */
void index_file(const struct index_table *t, const struct index_entry *from,
                size_t count);

/* The entries from *ret_first to before *ret_end, among them all of `key`. */
static inline void index_find(const struct index_table *t, uint64_t key,
                              uint32_t *ret_first, uint32_t *ret_end)
{
    uint64_t bucket = index_bucket(t, key);
    *ret_first = t->buckets[bucket];
    *ret_end = t->buckets[bucket + 1];
}

#endif
