/*
 * issuers.h - the issuers of JWTs that are trusted, with their public keys.
 *
 * Immutable, shared by threads, counted.  trust/ makes a new one whenever the
 * configuration or a key set changes; identity/ only reads.
 */
#ifndef IDENTITY_ISSUERS_H
#define IDENTITY_ISSUERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/str.h"
#include "domain/settings.h"

struct issuers;

/* Bytes of a key set; keys in it that are kept. */
#define ISSUERS_JWKS_MAX ((size_t)512 * 1024)
enum { ISSUERS_KEYS_MAX = 64 };

/* The key set of one issuer, as it was fetched. */
struct issuers_keys {
    struct str jwks;  /* JSON; empty: none that may be used */
    int64_t until_us; /* Unix time: not to be used later (stale) */
};

/*
 * Of settings->issuers, with `keys` in the same order.  Copies what it needs.
 * A key that is of no use (private, symmetric, of an unknown type, too short,
 * `use` other than sig) is left out.  ERR_MALFORMED: `jwks` of issuer
 * *ret_issuer is no key set; ERR_LIMIT: too large, or over ISSUERS_KEYS_MAX.
 */
MUST_CHECK enum err issuers_new(const struct settings *s,
                                const struct issuers_keys *keys,
                                struct issuers **ret, size_t *ret_issuer);
struct issuers *issuers_ref(struct issuers *i);
void issuers_unref(struct issuers *i); /* NULL is allowed */

/* Whether `jwks` can be loaded, and how many usable keys it has. */
MUST_CHECK enum err issuers_check(struct str jwks, size_t *ret_usable);

size_t issuers_count(const struct issuers *i);
/* True when the issuer has a usable key of that id (any, when empty). */
bool issuers_has_key(const struct issuers *i, size_t issuer, struct str kid);
/* A number that no other one has; for caches. */
uint64_t issuers_number(const struct issuers *i);

#endif
