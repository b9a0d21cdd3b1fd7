/* index.c - see index.h. */
#include "cedar/index.h"

#include <stdlib.h>

#include "cedar/index_groups.h"
#include "cedar/program.h"

uint64_t index_key(unsigned role, uint64_t hash)
{
    uint64_t key =
        (hash ^ (role + 1) * 0xD6E8FEB86659FD93) * 0x9E3779B97F4A7C15;
    return key ^ key >> 32;
}

/* The key of one scope, if it has one; *ret_role says which. */
static bool scope_key(const struct program_scope *scope, unsigned variable,
                      unsigned *ret_role, uint64_t *ret_key)
{
    uint64_t hash;
    enum index_part part;
    if (scope->kind == SCOPE_IS) {
        part = INDEX_IS;
        hash = value_hash(scope->type);
    } else if (scope->kind != SCOPE_ANY && scope->uid_count == 1) {
        part = scope->kind == SCOPE_EQUAL ? INDEX_EQUAL : INDEX_IN;
        hash = scope->uids->hash;
    } else {
        return false;
    }
    *ret_role = variable * INDEX_PARTS + part;
    *ret_key = index_key(*ret_role, hash);
    return true;
}

/* A template, or `action in []`. */
static bool never_applies(const struct program_policy *policy)
{
    for (unsigned v = 0; v < ARRAY_LEN(policy->scopes); v++)
        if (policy->scopes[v].kind == SCOPE_IN &&
            policy->scopes[v].uid_count == 0)
            return true;
    return policy->is_template;
}

/* How many policies share a key, or nearly: those of its bucket. */
static void count_keys(const struct index *x, uint32_t *shared,
                       const struct program_policy *policy)
{
    unsigned role;
    uint64_t key;
    for (unsigned v = 0; v < ARRAY_LEN(policy->scopes); v++)
        if (scope_key(&policy->scopes[v], v, &role, &key))
            shared[index_bucket(&x->filed, key)]++;
}

/* The key that fewest share, how many do, and its role; false: none. */
static bool best_key(const struct index *x, const uint32_t *shared,
                     const struct program_policy *policy, uint64_t *ret,
                     unsigned *ret_role, uint32_t *ret_least)
{
    unsigned role;
    uint64_t key;
    *ret_least = UINT32_MAX;
    for (unsigned v = 0; v < ARRAY_LEN(policy->scopes); v++)
        if (scope_key(&policy->scopes[v], v, &role, &key) &&
            shared[index_bucket(&x->filed, key)] < *ret_least) {
            *ret_least = shared[index_bucket(&x->filed, key)];
            *ret_role = role;
            *ret = key;
        }
    return *ret_least != UINT32_MAX;
}

void index_file(const struct index_table *t, const struct index_entry *from,
                size_t count)
{
    size_t buckets = (size_t)1 << t->bits;
    for (size_t i = 0; i < count; i++)
        t->buckets[index_bucket(t, from[i].key) + 1]++;
    for (size_t i = 0; i < buckets; i++)
        t->buckets[i + 1] += t->buckets[i];
    for (size_t i = count; i-- > 0;) {
        uint64_t bucket = index_bucket(t, from[i].key);
        t->entries[--t->buckets[bucket + 1]] = from[i];
    }
    /* Each end became a beginning: what bucket b + 1 holds begins b. */
    for (size_t i = 0; i < buckets; i++)
        t->buckets[i] = t->buckets[i + 1];
    t->buckets[buckets] = (uint32_t)count;
}

/* What an index is made with. */
struct building {
    struct index *index;
    const struct cedar_policies *set;
    uint32_t *shared;             /* by bucket: policies with such a key */
    struct index_entry *unsorted; /* to be filed */
    size_t count;
};

static struct index_rest rest_of(const struct cedar_policies *set,
                                 uint32_t what)
{
    struct index_rest rest = {.what = what};
    if ((what & INDEX_GROUP) != 0)
        return rest;
    const struct program_policy *policy = &set->policies.at[what];
    for (unsigned v = 0; v < ARRAY_LEN(policy->scopes); v++)
        if (policy->scopes[v].kind != SCOPE_ANY)
            return rest;
    if (policy->condition_count != 1)
        return rest;
    const struct program_condition *c = &set->conditions.at[policy->condition];
    rest.first = c->first;
    rest.end = c->end;
    rest.is_permit = policy->is_permit;
    rest.is_unless = c->is_unless;
    return rest;
}

/* A policy or a group, by the scopes of `policy`. */
static void file_one(struct building *b, uint32_t policy, uint32_t what)
{
    struct index *x = b->index;
    struct index_entry entry = {.what = what};
    unsigned role;
    uint32_t least;
    if (best_key(x, b->shared, &b->set->policies.at[policy], &entry.key, &role,
                 &least)) {
        x->roles[role]++;
        b->unsorted[b->count++] = entry;
    } else {
        x->rest[x->rest_count++] = rest_of(b->set, what);
    }
}

/* Which policies may be grouped: those that many others stand beside. */
static bool make_groups(const struct building *b, uint32_t *beside)
{
    const struct index *x = b->index;
    for (uint32_t i = 0; i < b->set->policies.count; i++) {
        const struct program_policy *policy = &b->set->policies.at[i];
        unsigned role;
        uint64_t key;
        if (never_applies(policy))
            beside[i] = INDEX_GROUPED;
        else
            (void)best_key(x, b->shared, policy, &key, &role, &beside[i]);
    }
    return index_groups_build(b->index, b->set, beside);
}

static bool fill(struct building *b, uint32_t *beside)
{
    struct index *x = b->index;
    size_t count = b->set->policies.count;
    for (size_t i = 0; i < count; i++)
        count_keys(x, b->shared, &b->set->policies.at[i]);
    if (!make_groups(b, beside))
        return false;
    for (uint32_t i = 0; i < count; i++)
        if (beside[i] != INDEX_GROUPED)
            file_one(b, i, i);
    for (uint32_t i = 0; i < x->group_count; i++)
        file_one(b, x->groups[i].policy, i | INDEX_GROUP);
    index_file(&x->filed, b->unsorted, b->count);
    return true;
}

bool index_build(struct index *x, const struct cedar_policies *set)
{
    size_t count = set->policies.count;
    if (count <= INDEX_SCAN_MAX)
        return true;
    x->filed.bits = 4;
    while (((size_t)1 << x->filed.bits) < count)
        x->filed.bits++;
    size_t buckets = ((size_t)1 << x->filed.bits) + 1;
    struct building b = {.index = x, .set = set};
    uint32_t *beside = calloc(count, sizeof(*beside));
    b.shared = calloc(buckets, sizeof(*b.shared));
    b.unsorted = calloc(count, sizeof(*b.unsorted));
    x->filed.buckets = calloc(buckets, sizeof(*x->filed.buckets));
    x->filed.entries = calloc(count, sizeof(*x->filed.entries));
    x->rest = calloc(count, sizeof(*x->rest));
    x->is_used = beside != NULL && b.shared != NULL && b.unsorted != NULL &&
                 x->filed.buckets != NULL && x->filed.entries != NULL &&
                 x->rest != NULL && fill(&b, beside);
    free(beside);
    free(b.shared);
    free(b.unsorted);
    return x->is_used;
}

void index_release(struct index *x)
{
    free(x->filed.buckets);
    free(x->filed.entries);
    free(x->rest);
    free(x->groups);
    free(x->members);
    free(x->member_buckets);
}
