/*
 * hash.h - SHA-256 and HMAC-SHA-256 (FIPS 180-4, RFC 2104), and random bytes.
 *
 * Nothing is allocated but a prepared key, and nothing is shared.  Failures of
 * these primitives are failures of the machine: they abort.
 */
#ifndef CRYPTO_HASH_H
#define CRYPTO_HASH_H

#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/siphash.h"
#include "base/str.h"

enum { HASH_LEN = 32 };

struct hash {
    unsigned char bytes[HASH_LEN];
};

/* SHA-256 of the pieces, one after the other.  Any thread. */
struct hash hash_sha256(const struct str *pieces, size_t n);

/* A key prepared for many HMACs; belongs to one thread. */
struct hmac_key;
struct hmac_key *hmac_key_new(struct str key); /* never NULL */
void hmac_key_free(struct hmac_key *k);        /* wipes; NULL is allowed */
struct hash hmac_sha256(struct hmac_key *k, const struct str *pieces, size_t n);

/*
 * HMAC over bytes that come in pieces: begin, add, end; then reusable.  `k`
 * is copied and may go before the end; NULL is plain SHA-256.
 * Zero-initialised, a stream is idle.
 */
enum { HASH_STATE_BYTES = 112 };
struct hash_stream {
    bool open;
    bool keyed;                                       /* `outer` is needed */
    alignas(8) unsigned char inner[HASH_STATE_BYTES]; /* OpenSSL's */
    alignas(8) unsigned char outer[HASH_STATE_BYTES];
};
void hash_stream_begin(struct hash_stream *to, const struct hmac_key *k);
void hash_stream_add(struct hash_stream *to, struct str bytes);
struct hash hash_stream_end(struct hash_stream *to);
/* Forgets it without a result; allowed after end, too. */
void hash_stream_drop(struct hash_stream *to);

/* From the system's generator; aborts when it fails. */
void hash_random(void *to, size_t n);
struct siphash_key hash_random_seed(void);

/* Overwrites memory that held a secret; never optimised away. */
void hash_wipe(void *at, size_t n);

#endif
