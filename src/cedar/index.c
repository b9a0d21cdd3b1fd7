/* index.c - see index.h. */
#include "cedar/index.h"

#include <stdlib.h>

#include "cedar/program.h"

/* Up to here looking at every scope is faster than the lookups. */
enum { SCAN_MAX = 16 };

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

static uint64_t bucket_of(const struct index *x, uint64_t key)
{
    return key >> (64 - x->bits);
}

/* How many policies share a key, or nearly: those of its bucket. */
static void count_keys(const struct index *x, uint32_t *shared,
                       const struct program_policy *at, size_t count)
{
    unsigned role;
    uint64_t key;
    for (size_t i = 0; i < count; i++)
        for (unsigned v = 0; v < ARRAY_LEN(at->scopes); v++)
            if (scope_key(&at[i].scopes[v], v, &role, &key))
                shared[bucket_of(x, key)]++;
}

/* The key that fewest share; false: none. */
static bool best_key(struct index *x, const uint32_t *shared,
                     const struct program_policy *policy, uint64_t *ret)
{
    uint32_t least = UINT32_MAX;
    unsigned best = 0;
    unsigned role;
    uint64_t key;
    for (unsigned v = 0; v < ARRAY_LEN(policy->scopes); v++)
        if (scope_key(&policy->scopes[v], v, &role, &key) &&
            shared[bucket_of(x, key)] < least) {
            least = shared[bucket_of(x, key)];
            best = role;
            *ret = key;
        }
    if (least != UINT32_MAX)
        x->roles[best]++;
    return least != UINT32_MAX;
}

/* Counting sort by bucket, which keeps the order of policies. */
static void file(struct index *x, const struct index_entry *unsorted,
                 size_t count)
{
    size_t buckets = (size_t)1 << x->bits;
    for (size_t i = 0; i < count; i++)
        x->buckets[bucket_of(x, unsorted[i].key) + 1]++;
    for (size_t i = 0; i < buckets; i++)
        x->buckets[i + 1] += x->buckets[i];
    for (size_t i = count; i-- > 0;) {
        uint64_t bucket = bucket_of(x, unsorted[i].key);
        x->entries[--x->buckets[bucket + 1]] = unsorted[i];
    }
    /* Each end became a beginning: what bucket b + 1 holds begins b. */
    for (size_t i = 0; i < buckets; i++)
        x->buckets[i] = x->buckets[i + 1];
    x->buckets[buckets] = (uint32_t)count;
}

bool index_build(struct index *x, const struct program_policy *at, size_t count)
{
    if (count <= SCAN_MAX)
        return true;
    x->bits = 4;
    while (((size_t)1 << x->bits) < count)
        x->bits++;
    size_t buckets = ((size_t)1 << x->bits) + 1;
    uint32_t *shared = calloc(buckets, sizeof(*shared));
    struct index_entry *unsorted = calloc(count, sizeof(*unsorted));
    x->buckets = calloc(buckets, sizeof(*x->buckets));
    x->entries = calloc(count, sizeof(*x->entries));
    x->rest = calloc(count, sizeof(*x->rest));
    bool ok = shared != NULL && unsorted != NULL && x->buckets != NULL &&
              x->entries != NULL && x->rest != NULL;
    size_t filed = 0;
    if (ok)
        count_keys(x, shared, at, count);
    for (size_t i = 0; ok && i < count; i++) {
        uint64_t key;
        if (never_applies(&at[i]))
            continue;
        if (best_key(x, shared, &at[i], &key))
            unsorted[filed++] = (struct index_entry){key, (uint32_t)i};
        else
            x->rest[x->rest_count++] = (uint32_t)i;
    }
    if (ok)
        file(x, unsorted, filed);
    x->is_used = ok;
    free(shared);
    free(unsorted);
    return ok;
}

void index_release(struct index *x)
{
    free(x->buckets);
    free(x->entries);
    free(x->rest);
}
