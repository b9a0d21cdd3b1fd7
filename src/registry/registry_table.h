/*
 * registry_table.h - entries, sorted and indexed; counted, immutable.  For
 * the inside of registry/ only.
 *
 * The base of a view and its overlay are both tables.  Two indices, of open
 * addressing, lead from (kind, id) and from the hash of a key to a record.
 */
#ifndef REGISTRY_REGISTRY_TABLE_H
#define REGISTRY_REGISTRY_TABLE_H

#include "registry/registry_record.h"

struct registry_slot {
    uint32_t tag; /* the upper half of the hash */
    uint32_t at;  /* into `sorted`, from 1; 0: free */
};

struct registry_index {
    struct registry_slot *slots;
    size_t mask;
};

struct registry_table {
    atomic_uint refs;
    size_t count;
    struct registry_record **sorted; /* registry_record_compare() */
    struct registry_index ids, keys;
    struct registry_table *next; /* of a list; its owner's */
};

/* Takes `sorted` (heap) and the references in it, also on failure. NULL: no
 * memory, or more records than an index counts. */
struct registry_table *registry_table_make(struct registry_record **sorted,
                                           size_t count);

/* The records of both; those of `over` replace those of `under`. */
struct registry_table *registry_table_merge(const struct registry_table *under,
                                            const struct registry_table *over);

/* The records of `t` that are not in `base`, as they are. */
struct registry_table *
registry_table_without(const struct registry_table *t,
                       const struct registry_table *base);

struct registry_table *registry_table_ref(struct registry_table *t);
void registry_table_unref(struct registry_table *t); /* NULL is allowed */
/* Does nobody but the one who asks have it? */
bool registry_table_is_last(const struct registry_table *t);

/* NULL: none.  `hash` is registry_record_hash(). */
struct registry_record *registry_table_find(const struct registry_table *t,
                                            uint64_t hash,
                                            enum principal_kind kind,
                                            struct str id);
struct registry_record *
registry_table_by_key(const struct registry_table *t, const struct hash *hmac,
                      const struct registry_key **ret_key);

/* The position of the first record with an id after `id`. */
size_t registry_table_after(const struct registry_table *t, struct str id);

#endif
