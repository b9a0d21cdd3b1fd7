/*
 * proof.h - who is asking, proven by what was presented.
 *
 * A credential becomes a chain of links (rule "Chain"); docs/identity.md has
 * the whole table, and a test runs it:
 *
 *     credential                    links
 *     key of an agent               actor        Agent::"<tenant>/<name>"
 *     key of an application         application  Application::"keys|<name>"
 *     key of a workload             presenter    Workload::"..."
 *     key of a person               subject      User::"keys|<name>"
 *     JWT of an issuer, by kind     subject      User::"<alias>|<sub>"
 *                                   application  Application::"<alias>|<sub>"
 *                                   actor        Agent::"<tenant>/<sub>"
 *                                   presenter    Workload::"<sub>"
 *     and its azp, else client_id,  application  Application::"<alias>|<id>"
 *     where that is not the sub
 *     and its `act`                 no link: chain.history
 *
 * Which tokens are access tokens at all, jwt.h says (`typ`).
 *
 * One credential a request: two that differ are refused.  Nothing else in a
 * request says who asks.
 *
 * A proof is immutable and belongs to one thread, as its cache does.
 */
#ifndef IDENTITY_PROOF_H
#define IDENTITY_PROOF_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/siphash.h"
#include "base/str.h"
#include "crypto/hash.h"
#include "domain/principal.h"

struct issuers;
struct proof_cache;

/* Longer credentials are refused unread. */
enum { PROOF_CREDENTIAL_MIN = 16, PROOF_CREDENTIAL_MAX = 16 * 1024 };

/* The chain and all that it borrows from; a reference each for who keeps it. */
struct proof {
    unsigned refs; /* of one thread */
    struct chain chain;
    struct str tenant; /* of every link */
    /* Unix time, with the skew that its issuer is allowed; INT64_MAX: never. */
    int64_t expires_us;
    int64_t issued_us; /* Unix time of `iat`; 0: a key */
    /* Texts follow. */
};
struct proof *proof_ref(struct proof *p);
void proof_unref(struct proof *p); /* the last one wipes; NULL is allowed */

/* Where keys are known; for identity/ it is enough to ask. */
struct proof_key {
    struct principal who; /* borrowed until the next question */
    struct str fingerprint;
    int64_t expires_us; /* Unix time */
};
struct proof_keys {
    /* The key with that keyed hash (proof_key_hash); false: none. */
    bool (*find)(const void *user, const struct hash *key,
                 struct proof_key *ret);
    const void *user;
    uint64_t number; /* changes whenever an answer could change */
};

/* The keyed hash of a key: HMAC-SHA-256 under the keeper's 32 bytes. */
struct hash proof_key_hash(struct str caller_key, struct str key);

/* What a thread knows when it is asked. */
struct proof_sources {
    struct str caller_key; /* 32 bytes, the keeper's */
    struct proof_keys keys;
    const struct issuers *issuers; /* NULL: none */
    int64_t now_us;                /* Unix time */
};

/* What came with a request.  A field that came twice is for the caller of
 * this to refuse. */
struct proof_input {
    struct str authorization; /* field value, or empty */
    struct str x_api_key;     /* field value, or empty */
    struct str certificate;   /* DER of the client's, or empty; proves nothing
                                 by itself yet */
};

/* Proofs that this thread has made; bounded; holds secrets. */
MUST_CHECK enum err proof_cache_new(struct siphash_key seed,
                                    struct proof_cache **ret);
/* Wipes; NULL is allowed. */
void proof_cache_free(struct proof_cache *c);

enum proof_verdict {
    PROOF_REFUSED = 0,
    PROOF_GIVEN,
    /* A JWT names a key that its issuer may have by now: fetch, ask again.
     * ret_wish says whose. */
    PROOF_KEY_WANTED,
};
struct proof_wish {
    size_t issuer;  /* index, see issuers.h */
    struct str kid; /* borrowed from the input's copy in the cache; empty:
                       the token names none */
};

/*
 * Proves who asks.  PROOF_REFUSED for everything that fails, without saying
 * what: neither the answer nor its time tells an unknown credential from a
 * wrong one.  *ret is one reference.  What was proven is remembered until it
 * expires, its keys or issuers change, or others push it out; a hit compares
 * the whole credential (design: at most 0.3 us).
 */
MUST_CHECK enum proof_verdict proof_make(const struct proof_sources *s,
                                         struct proof_cache *cache,
                                         const struct proof_input *in,
                                         struct proof_wish *ret_wish,
                                         struct proof **ret);

#endif
