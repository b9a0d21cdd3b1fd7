/*
 * mint.h - an issuer for tests: keys, key sets, tokens.
 */
#ifndef TESTS_IDENTITY_MINT_H
#define TESTS_IDENTITY_MINT_H

#include "base/buf.h"
#include "base/str.h"

/* A private key; all of one process, made when first asked for. */
enum mint_key { MINT_RSA, MINT_P256, MINT_P384, MINT_P521, MINT_ED, MINT_KEYS };

/* Frees them. */
void mint_release(void);

/* Appends the public key as a JWK; `more` are further members, each with a
 * comma before it, or "". */
void mint_jwk(struct buf *to, enum mint_key key, const char *more);

/* The same as a key set of one key. */
void mint_jwks(struct buf *to, enum mint_key key, const char *more);

/*
 * Appends base64url(header).base64url(payload).signature.  `alg` says how it
 * is signed, whatever the header says: RS256, PS384, ES512, EdDSA, ...
 */
void mint_token(struct buf *to, enum mint_key key, const char *alg,
                const char *header, const char *payload);

/* A MAC (HS256) under bytes that everybody knows. */
void mint_mac(struct buf *to, struct str secret, const char *header,
              const char *payload);

/* Without a signature; what comes after the second dot is `end`. */
void mint_unsigned(struct buf *to, const char *header, const char *payload,
                   const char *end);

#endif
