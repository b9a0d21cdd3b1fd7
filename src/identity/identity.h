/*
 * identity.h - who is asking, proven by what was presented.
 *
 * Callers are known by keys; the config holds a keyed hash of each key, never
 * a key.  The table is immutable and shared by threads; it belongs to a
 * snapshot.
 *
 * From a key, the chain has one link (docs table "credential -> chain"):
 *
 *     kind of the entry   role          entity id
 *     human               subject       User::"keys|<name>"
 *     application         application   Application::"keys|<name>"
 *     agent               actor         Agent::"<tenant>/<name>"
 *     workload            presenter     Workload::"<name>" when that is a
 *                                       SPIFFE id, else "keys|<name>"
 */
#ifndef IDENTITY_IDENTITY_H
#define IDENTITY_IDENTITY_H

#include "base/attr.h"
#include "base/err.h"
#include "base/siphash.h"
#include "base/str.h"
#include "crypto/hash.h"
#include "domain/principal.h"
#include "domain/settings.h"

struct identity_callers;
struct identity_cache;

/* One caller of the config; borrowed from its table. */
struct caller {
    struct str name;
    struct principal who;
    struct str credential; /* fingerprint: 16 hex digits, no key material */
    size_t index;          /* into settings.callers */
};

/* Longer credentials are refused unread. */
enum { IDENTITY_CREDENTIAL_MIN = 16, IDENTITY_CREDENTIAL_MAX = 1024 };

/*
 * Copies what it needs.  `caller_key` is the 32 bytes under which keys are
 * hashed.  ERR_CONFIG: a name that cannot be part of an entity id, no kind,
 * or one key that two callers have; *ret_why (static) says which.
 */
MUST_CHECK enum err identity_callers_new(const struct settings *s,
                                         struct str caller_key,
                                         struct identity_callers **ret,
                                         const char **ret_why);
/* Wipes; NULL is allowed. */
void identity_callers_free(struct identity_callers *c);
const struct caller *identity_callers_get(const struct identity_callers *c,
                                          size_t index);

/* The keyed hash of a key as the config holds it; for `writ key hash`. */
struct hash identity_key_hash(struct str caller_key, struct str key);

/* Credentials that this thread has seen proven; bounded, holds secrets. */
MUST_CHECK enum err identity_cache_new(struct siphash_key seed,
                                       struct identity_cache **ret);
/* Wipes; NULL is allowed. */
void identity_cache_free(struct identity_cache *c);

/* What came with a request.  A field that came twice is for the caller of
 * this to refuse. */
struct identity_input {
    struct str authorization; /* field value, or empty */
    struct str x_api_key;     /* field value, or empty */
    struct str certificate;   /* DER of the client's, or empty */
};

/*
 * Proves who asks.  `Bearer` or x-api-key, one credential: two different ones
 * are refused.  A certificate proves nothing by itself yet.
 *
 * ERR_UNAUTHENTICATED for everything that fails, without saying what: neither
 * the answer nor its time tells an unknown credential from a wrong one.
 * *ret_caller and *ret_chain borrow from `c`.
 */
MUST_CHECK enum err identity_prove(const struct identity_callers *c,
                                   struct identity_cache *cache,
                                   const struct identity_input *in,
                                   struct chain *ret_chain,
                                   const struct caller **ret_caller);

#endif
