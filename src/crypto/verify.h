/*
 * verify.h - public keys from outside, and signatures under them: RSA, ECDSA
 * and Ed25519, as JOSE names them (RFC 7518 section 3, RFC 8037).
 *
 * A key is checked when it is made and immutable from then on; any number of
 * threads may verify with one.  Which algorithm is used is the caller's
 * decision; a key verifies only what fits its type and curve, so that nobody
 * can have an RSA key taken for something else.
 *
 * Nothing here is secret, and nothing takes constant time.
 */
#ifndef CRYPTO_VERIFY_H
#define CRYPTO_VERIFY_H

#include <stdbool.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/str.h"

enum verify_alg {
    VERIFY_NONE = 0, /* verifies nothing */
    VERIFY_RS256,    /* RSASSA-PKCS1-v1_5 */
    VERIFY_RS384,
    VERIFY_RS512,
    VERIFY_PS256, /* RSASSA-PSS, MGF1 and salt as long as the hash */
    VERIFY_PS384,
    VERIFY_PS512,
    VERIFY_ES256, /* ECDSA: each with one curve; r and s, one after the other */
    VERIFY_ES384,
    VERIFY_ES512,
    VERIFY_EDDSA, /* Ed25519 */
};
/* The algorithm of that name ("RS256", ..., "EdDSA"), else VERIFY_NONE. */
enum verify_alg verify_alg_from(struct str name);

/* Bits of an RSA modulus: fewer are weak, more cost too much. */
enum { VERIFY_RSA_BITS_MIN = 2048, VERIFY_RSA_BITS_MAX = 8192 };

struct verify_key;

/*
 * Keys from their numbers, unsigned and big-endian.  ERR_UNSUPPORTED: a key
 * that must not be used.  ERR_NO_MEMORY.
 *
 * RSA: a leading zero; a modulus that is even, of the wrong size, with a
 * small factor, or of the form that a broken generator made (CVE-2017-15361,
 * ROCA); an exponent that is even, 1, or over 32 bits.
 */
MUST_CHECK enum err verify_key_rsa(struct str n, struct str e,
                                   struct verify_key **ret);
/* EC: another curve than P-256, P-384, P-521 (that name); coordinates that
 * are not as long as the field (RFC 7518, 6.2.1.2) or not on the curve. */
MUST_CHECK enum err verify_key_ec(struct str curve, struct str x, struct str y,
                                  struct verify_key **ret);
/* Ed25519: not 32 bytes, not the canonical form of a number below the field's
 * prime, or a point of small order, under which anything verifies. */
MUST_CHECK enum err verify_key_ed25519(struct str x, struct verify_key **ret);
void verify_key_free(struct verify_key *k); /* NULL is allowed */

/* Does that algorithm go with that type of key, and its curve? */
bool verify_fits(const struct verify_key *k, enum verify_alg alg);

/*
 * True when `signature` over `data` is valid.  False, too, for an algorithm
 * that does not fit, a signature that is not exactly as long as it has to be,
 * and r or s that is 0 or not below the order.
 */
MUST_CHECK bool verify_signature(const struct verify_key *k,
                                 enum verify_alg alg, struct str data,
                                 struct str signature);

#endif
