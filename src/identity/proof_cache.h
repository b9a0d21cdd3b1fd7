/*
 * proof_cache.h - credentials that this thread has seen proven; used by
 * identity/ only.
 *
 * Set-associative: a seeded SipHash of the end of the credential (of a JWT,
 * of its signature) names a set of four places; the whole credential is
 * compared, in a time that depends on its length only.
 */
#ifndef IDENTITY_PROOF_CACHE_H
#define IDENTITY_PROOF_CACHE_H

#include "identity/jwk.h"
#include "identity/proof.h"

/* Places of a cache, and the bytes of credentials that it keeps at most. */
enum { PROOF_CACHE_PLACES = 4096, PROOF_CACHE_BYTES_MAX = 16 * 1024 * 1024 };

enum proof_cache_kind { PROOF_CACHE_KEY = 0, PROOF_CACHE_TOKEN };

/* What has to be as it was. */
struct proof_cache_now {
    uint64_t numbers[2]; /* by kind: proof_keys.number, issuers_number() */
    int64_t now_us;
};

/* Borrowed from the cache until its next change; NULL: prove it. */
struct proof *proof_cache_get(struct proof_cache *c, struct str credential,
                              const struct proof_cache_now *now);

/* How long a proof may be remembered. */
struct proof_cache_term {
    enum proof_cache_kind kind;
    uint64_t number;
    int64_t until_us;
};
/* Takes a reference of its own, or, without memory, forgets about it. */
void proof_cache_put(struct proof_cache *c, struct str credential,
                     const struct proof_cache_term *term, struct proof *p);

/* A copy of `kid` that lives until the next call. */
struct str proof_cache_keep_kid(struct proof_cache *c, struct str kid);

#endif
