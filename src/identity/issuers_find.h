/* issuers_find.h - the inside of issuers; used by identity/ only. */
#ifndef IDENTITY_ISSUERS_FIND_H
#define IDENTITY_ISSUERS_FIND_H

#include "identity/issuers.h"
#include "identity/jwk.h"

/* One issuer; all of it belongs to the struct issuers. */
struct issuer {
    struct issuer_settings settings;
    struct jwk *keys;
    size_t key_count;
    int64_t until_us; /* Unix time: its keys are too old then */
};

/* Whose `iss` that is; NULL: nobody's.  *ret_index is its place. */
const struct issuer *issuers_find(const struct issuers *i, struct str iss,
                                  size_t *ret_index);

/*
 * The key of that id that is for this algorithm; without an id, the only one
 * that is.  NULL: there is none, or more than one, which nobody could tell
 * apart.
 */
const struct jwk *issuers_find_key(const struct issuer *i, struct str kid,
                                   enum verify_alg alg);

#endif
