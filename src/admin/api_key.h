/*
 * api_key.h - keys that Writ makes for identities.
 *
 * "writ_" and 43 characters of base 62, which hold 256 random bits.  The text
 * is shown once; what is kept is its keyed hash.
 */
#ifndef ADMIN_API_KEY_H
#define ADMIN_API_KEY_H

#include <stdbool.h>

#include "base/attr.h"
#include "base/str.h"
#include "registry/registry.h"

enum {
    API_KEY_BYTES = 32,
    API_KEY_DIGITS = 43, /* 62^43 > 2^256 */
    API_KEY_LEN = 5 + API_KEY_DIGITS,
    API_KEY_FINGERPRINT_LEN = 16,
};

struct api_key {
    char text[API_KEY_LEN];
    char fingerprint[API_KEY_FINGERPRINT_LEN];
    struct hash hmac;
};

/* A new one; `caller_key` is the keeper's.  Whoever has it wipes it. */
void api_key_make(struct str caller_key, struct api_key *ret);

/*
 * A key that somebody has already, by its hash as `writ key hash` prints it;
 * its text stays unknown.  False: that is none.
 */
MUST_CHECK bool api_key_take(struct str hash, struct api_key *ret);

/* The text of 32 bytes as a key has it; for tests. */
void api_key_write(const unsigned char bytes[API_KEY_BYTES],
                   char to[API_KEY_LEN]);

/*
 * The keys that an identity has when `key` is its newest, to `to`: those of
 * `e` end `grace_ms` from now at the latest, what has ended is left out; the
 * new one ends with the identity.  Borrows from both.  Returns how many; 0:
 * there are too many.
 */
unsigned api_key_put(const struct registry_entry *e, const struct api_key *key,
                     int64_t now_us, int64_t grace_ms,
                     struct registry_key to[REGISTRY_KEYS_MAX]);

#endif
