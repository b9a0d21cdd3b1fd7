/*
 * jws.h - a signed text in compact serialisation, taken apart (RFC 7515,
 * RFC 8725).  Who calls this decides with which key it is verified; nothing
 * inside the text has a say in that but for the name of a key.
 */
#ifndef IDENTITY_JWS_H
#define IDENTITY_JWS_H

#include "base/arena.h"
#include "base/attr.h"
#include "base/err.h"
#include "base/str.h"
#include "crypto/verify.h"
#include "identity/jwk.h"

/* A whole text, and its decoded header. */
enum { JWS_MAX = 16 * 1024, JWS_HEADER_MAX = 4 * 1024 };

struct jws {
    enum verify_alg alg; /* never VERIFY_NONE */
    struct str kid;      /* empty: none */
    struct str typ;      /* as it came; empty: none */
    struct str payload;  /* decoded, unverified */
    struct str signature;
    struct str signed_part; /* what is signed: borrowed from the text */
};

/*
 * Reads header.payload.signature; *ret borrows from `text` and `a`.
 *
 * ERR_MALFORMED: not three parts (five are encrypted, JSON is another
 * serialisation); a part that is not strict base64url; no signature; a header
 * that is no JSON object or names a member twice; `alg` that verify.h does
 * not know ("none" in any spelling and HS* among them); `crit`, since no
 * extension is understood, and with it `b64`; `enc` and `zip`; a key or the
 * place of one in the header (`jwk`, `jku`, `x5c`, `x5u`); `kid` or `typ`
 * that is no string, `kid` that is empty or over JWK_KID_MAX.
 * ERR_LIMIT: over JWS_MAX or JWS_HEADER_MAX, or `a` is full.
 */
MUST_CHECK enum err jws_read(struct arena *a, struct str text, struct jws *ret);

/* The signature is right, by a key that is for this algorithm. */
MUST_CHECK bool jws_verify(const struct jws *j, const struct jwk *key);

#endif
