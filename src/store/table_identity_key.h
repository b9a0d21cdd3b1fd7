/*
 * table_identity_key.h - the keyed hashes of the keys of identities.
 */
#ifndef STORE_TABLE_IDENTITY_KEY_H
#define STORE_TABLE_IDENTITY_KEY_H

#include "store/store.h"

struct table_identity_key {
    struct str hmac;        /* bytes; the primary key */
    struct str id, kind;    /* whose */
    struct str fingerprint; /* hex digits */
    int64_t expires_us;     /* Unix time */
};

/* Makes the row; a key that is there already changes hands. */
MUST_CHECK enum err table_identity_key_put(struct store_batch *b,
                                           const struct table_identity_key *k);

/* All keys of one identity go. */
MUST_CHECK enum err table_identity_key_clear(struct store_batch *b,
                                             struct str id, struct str kind);

/* The keys of the identities that table_identity_page() gives for the same
 * arguments, in the same order. */
MUST_CHECK enum err table_identity_key_page(struct store_batch *b,
                                            struct str id, struct str kind,
                                            int64_t max);

/* False: not a row of the above. */
MUST_CHECK bool table_identity_key_read(const struct store_value *columns,
                                        size_t n,
                                        struct table_identity_key *ret);

#endif
