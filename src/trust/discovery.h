/*
 * discovery.h - reads what an issuer says of itself (OpenID Connect Discovery
 * 1.0, section 3; RFC 8414, section 2): of all its members, two.
 */
#ifndef TRUST_DISCOVERY_H
#define TRUST_DISCOVERY_H

#include "base/arena.h"
#include "base/attr.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"

/* Bytes of such a document; those in the wild have less than 16 KiB. */
#define DISCOVERY_MAX (64 * KIB)

/*
 * *ret_jwks_uri, in `a`, of the document of `issuer`.  ERR_MALFORMED: it is
 * not JSON, of another issuer (compared byte by byte), or names no keys;
 * *ret_why is a static text.
 */
MUST_CHECK enum err discovery_read(struct arena *a, struct str document,
                                   struct str issuer, struct str *ret_jwks_uri,
                                   const char **ret_why);

#endif
