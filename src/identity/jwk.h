/*
 * jwk.h - one public key of a key set (RFC 7517, 7518 section 6, 8037).
 *
 * Only what verifies signatures is of use: no private and no symmetric key,
 * none that is for something else.
 */
#ifndef IDENTITY_JWK_H
#define IDENTITY_JWK_H

#include "base/attr.h"
#include "base/err.h"
#include "base/str.h"
#include "codec/json.h"
#include "crypto/verify.h"

/* A key's name, in a key set and in a token: only ever compared. */
enum { JWK_KID_MAX = 256 };

struct jwk {
    struct str kid;      /* borrowed from the JSON; empty: none */
    enum verify_alg alg; /* the only one it is for; VERIFY_NONE: all that fit */
    struct verify_key *key; /* the caller's */
};

/*
 * ERR_UNSUPPORTED, a key of no use: not an object; `kty` other than RSA, EC,
 * OKP; any private member; `use` other than "sig"; `key_ops` without "verify"
 * or with a value twice; `alg` that is unknown or does not fit the key; `kid`
 * that is no string, empty or over JWK_KID_MAX; numbers that are not strict
 * base64url, or refused as verify.h says.  Members that say nothing here (x5c
 * among them) are passed over.  ERR_NO_MEMORY.
 */
MUST_CHECK enum err jwk_read(const struct json *object, struct jwk *ret);
void jwk_release(struct jwk *k);

/* May a signature by that algorithm be checked with this key? */
bool jwk_fits(const struct jwk *k, enum verify_alg alg);

#endif
