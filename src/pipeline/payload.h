/*
 * payload.h - digests of prompts and answers: HMAC-SHA-256 under the
 * session's payload key, so that who does not hold the key learns nothing
 * from a digest, and destroying the key forgets the payload.
 */
#ifndef PIPELINE_PAYLOAD_H
#define PIPELINE_PAYLOAD_H

#include <stdbool.h>

#include "base/str.h"
#include "crypto/hash.h"

struct action;
struct session;

enum { PAYLOAD_KEYS = 64 };

/* Prepared keys of the sessions seen last by this thread; one per worker. */
struct payload_keys {
    struct {
        unsigned char session[16];
        struct hmac_key *key; /* NULL: free */
    } slots[PAYLOAD_KEYS];
};

/* Wipes and frees all keys. */
void payload_keys_release(struct payload_keys *k);

/* False, and nothing written, when the config wants no digests. */
bool payload_hmac(const struct action *a, struct str bytes,
                  unsigned char ret[HASH_LEN]);

/* The same over bytes that come in pieces. */
struct payload_digest {
    struct hash_stream stream;
    bool on;
};
void payload_digest_begin(struct payload_digest *d, const struct action *a);
void payload_digest_add(struct payload_digest *d, struct str bytes);
bool payload_digest_end(struct payload_digest *d, unsigned char ret[HASH_LEN]);
void payload_digest_drop(struct payload_digest *d); /* idle: nothing */

#endif
