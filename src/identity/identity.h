/*
 * identity.h - who is asking, proven by what they presented.
 *
 * In this version the proof is an API key of the config's `callers`: the
 * config holds its keyed hash, the key that hashes comes from the key
 * process.  The result is a chain of principals (rule "Chain"); a header that
 * merely claims an identity is never looked at.
 *
 * Two halves: the callers, immutable and part of a snapshot, shared by all
 * threads; and a cache of credentials proven before, one per thread, which
 * outlives snapshots since it remembers hashes and not callers.
 *
 * Nothing tells "unknown" from "wrong": both are a hash that nobody has.
 */
#ifndef IDENTITY_IDENTITY_H
#define IDENTITY_IDENTITY_H

#include "base/attr.h"
#include "base/err.h"
#include "base/siphash.h"
#include "domain/principal.h"
#include "domain/settings.h"

struct identity_cache;
struct identity_callers;

enum {
    IDENTITY_KEY_LEN_MAX = 512, /* bytes of a presented key */
    IDENTITY_CACHE_SLOTS = 4096,
};

/* `settings` must live as long as the callers. */
MUST_CHECK enum err identity_callers_new(const struct settings *settings,
                                         struct siphash_key seed,
                                         struct identity_callers **ret);
void identity_callers_free(struct identity_callers *c); /* NULL is allowed */

/* `caller_key` is the keeper's key for hashing callers' keys. */
MUST_CHECK enum err identity_cache_new(struct siphash_key seed,
                                       struct str caller_key,
                                       struct identity_cache **ret);
void identity_cache_free(struct identity_cache *c); /* wipes; NULL is allowed */

/* The values of the request's fields, empty where there is none.  Of each at
 * most one may have come; the HTTP layer refuses more. */
struct identity_presented {
    struct str authorization;
    struct str api_key; /* x-api-key */
};

/*
 * ERR_OK: *ret_chain is proven; it borrows from the callers.
 * ERR_UNAUTHENTICATED: nothing, two different things, or nothing known.
 */
MUST_CHECK enum err identity_prove(const struct identity_callers *callers,
                                   struct identity_cache *cache,
                                   const struct identity_presented *p,
                                   struct chain *ret_chain);

/* The keyed hash of a key, as the config holds it. */
void identity_key_hash(struct str caller_key, struct str key,
                       unsigned char ret[32]);

#endif
