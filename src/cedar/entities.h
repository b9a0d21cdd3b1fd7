/*
 * entities.h - how a store of entities is laid out and searched.
 *
 * All uids of a store, those of entities and those that are only somebody's
 * parent, lie in one array, sorted by hash; a directory over the leading
 * bits of the hash leads to the few that may be meant.  Lookups are constant
 * on average and logarithmic at worst, whatever the ids.
 */
#ifndef CEDAR_ENTITIES_H
#define CEDAR_ENTITIES_H

#include "cedar/cedar.h"
#include "cedar/value.h"

#define ENTITIES_NONE UINT32_MAX

struct entities_entity {
    const struct cedar_entities *store;
    const struct cedar_record *attributes; /* NULL: not an entity here */
    const struct cedar_record *tags;
    const uint32_t *parents;   /* indices of uids, ascending */
    const uint32_t *ancestors; /* parents, theirs and so on, ascending */
    uint32_t parent_count, ancestor_count;
    uint64_t bloom; /* a bit for the hash of each ancestor */
};

struct cedar_entities {
    struct arena arena;                /* of a store that was loaded */
    const struct cedar_entities *base; /* or NULL */
    struct cedar_uid *uids;
    struct entities_entity *entities; /* by uid */
    uint32_t *buckets; /* 2^bits + 1: where hashes with these bits begin */
    uint32_t uid_count;
    unsigned bits;
    size_t count; /* of entities */
};

static inline uint64_t entities_bloom(const struct cedar_uid *uid)
{
    return (uint64_t)1 << (uid->hash & 63);
}

/* The number of a uid in this store, or ENTITIES_NONE. */
uint32_t entities_uid(const struct cedar_entities *e,
                      const struct cedar_uid *uid);

/* The entity, of this store or its base, or NULL; `e` may be NULL. */
const struct entities_entity *entities_find(const struct cedar_entities *e,
                                            const struct cedar_uid *uid);

/* True when `uid` is an ancestor; not reflexive. */
bool entities_has_ancestor(const struct entities_entity *e,
                           const struct cedar_uid *uid);

/* A record without members. */
const struct cedar_record *entities_no_record(void);

/* cedar_entities_build() into a store that is zeroed but for `base`. */
MUST_CHECK enum err entities_fill(struct cedar_entities *e, struct arena *a,
                                  const struct cedar_entity *entities,
                                  size_t count, struct cedar_errors *errors);

/* Sets the ancestors of all; refuses cycles. */
MUST_CHECK enum err entities_close(struct cedar_entities *e, struct arena *a,
                                   struct cedar_errors *errors);

#endif
