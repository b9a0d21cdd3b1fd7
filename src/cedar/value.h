/*
 * value.h - how sets, records and uids are laid out and compared.
 *
 * Records and sets are sorted arrays, so nobody who picks the keys can make
 * a lookup slow.  The order of records goes by a hash first, which makes
 * lookups cheap; the order of values is arbitrary but total.
 */
#ifndef CEDAR_VALUE_H
#define CEDAR_VALUE_H

#include "cedar/cedar_value.h"

/* Where sets and records that are made on the way live: first in memory of
 * a fixed size, then in the arena. */
struct value_pool {
    char *fixed; /* aligned for anything; NULL: arena only */
    size_t used, room;
    struct arena *arena;
};

struct value_key {
    struct str name;
    uint64_t hash; /* value_hash(name) */
};

struct value_field {
    struct value_key key;
    struct cedar_value value;
};

struct cedar_record {
    uint32_t count;
    struct value_field fields[]; /* sorted by value_key_order() */
};

struct cedar_set {
    uint32_t count;
    bool only_entities;
    struct cedar_value items[]; /* sorted by value_order(), all different */
};

struct cedar_ip {
    uint8_t bytes[16]; /* the first four for IPv4, then zeroes */
    uint8_t prefix;
    bool is_v6;
};

/* NULL: no memory. */
MUST_CHECK void *value_pool_alloc(struct value_pool *p, size_t size);

uint64_t value_hash(struct str s);
struct value_key value_key_make(struct str name);
int value_key_order(const struct value_key *a, const struct value_key *b);
int value_uid_order(const struct cedar_uid *a, const struct cedar_uid *b);
int value_order(struct cedar_value a, struct cedar_value b);
bool value_record_equal(const struct cedar_record *a,
                        const struct cedar_record *b);

/* NULL: no such member. */
const struct cedar_value *value_get(const struct cedar_record *r,
                                    const struct value_key *key);
bool value_set_has(const struct cedar_set *s, struct cedar_value item);
bool value_set_has_all(const struct cedar_set *s, const struct cedar_set *part);
bool value_set_has_any(const struct cedar_set *a, const struct cedar_set *b);

/* ERR_LIMIT: no memory. */
MUST_CHECK enum err value_set_make(struct value_pool *p,
                                   const struct cedar_value *items,
                                   size_t count, const struct cedar_set **ret);
/* `values` in the order of `keys`; ERR_MALFORMED: a key comes twice. */
MUST_CHECK enum err value_record_make(struct value_pool *p,
                                      const struct value_key *keys,
                                      const struct cedar_value *values,
                                      size_t count,
                                      const struct cedar_record **ret);

static inline struct str value_text(struct cedar_value v)
{
    return (struct str){v.as.text, v.len};
}

#endif
