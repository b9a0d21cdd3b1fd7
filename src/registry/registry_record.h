/*
 * registry_record.h - one entry as it is kept: a single allocation, counted,
 * immutable.  For the inside of registry/ only.
 */
#ifndef REGISTRY_REGISTRY_RECORD_H
#define REGISTRY_REGISTRY_RECORD_H

#include <stdatomic.h>

#include "base/siphash.h"
#include "registry/registry.h"

struct registry_record {
    atomic_uint refs;
    uint64_t hash; /* registry_record_hash() of it */
    struct registry_entry entry;
    /* keys, purposes and texts follow */
};

uint64_t registry_record_hash(struct siphash_key seed, enum principal_kind kind,
                              struct str id);

/*
 * A copy of `from`, whose shape was checked, with one reference.  A person
 * owns itself and whoever is no agent has mode both, whatever `from` says.
 * NULL: no memory.
 */
struct registry_record *registry_record_new(struct siphash_key seed,
                                            const struct registry_entry *from);
struct registry_record *registry_record_ref(struct registry_record *r);
void registry_record_unref(struct registry_record *r); /* NULL is allowed */

/* The keys alike, to the last byte? */
bool registry_record_same_keys(const struct registry_entry *a,
                               const struct registry_entry *b);
/* Do they say the same in all? */
bool registry_record_same(const struct registry_entry *a,
                          const struct registry_entry *b);

/* The order of listings: by id, then by kind. */
int registry_record_compare(const struct registry_record *a,
                            const struct registry_record *b);

#endif
