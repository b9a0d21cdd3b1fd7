/*
 * seal.h - authenticated encryption: AES-256-GCM (NIST SP 800-38D).
 *
 *     struct seal_key *k;
 *     e = seal_key_new(bytes, &k);
 *     e = seal_close(k, data, plain, sealed, &stamp);
 *     e = seal_open(k, data, &stamp, sealed, plain);
 *     seal_key_free(k);
 *
 * A nonce is 96 random bits, so one key closes at most 2^32 messages
 * (SP 800-38D 8.3); SEAL_BYTES_MAX bounds one message far below GCM's own
 * limit.  `data` is authenticated, not encrypted: what binds the box to its
 * place (a session id, a row's key).
 *
 * A key belongs to one thread.  OpenSSL keeps its schedule on the heap.
 */
#ifndef CRYPTO_SEAL_H
#define CRYPTO_SEAL_H

#include <stddef.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"

enum { SEAL_KEY_LEN = 32, SEAL_NONCE_LEN = 12, SEAL_TAG_LEN = 16 };
#define SEAL_BYTES_MAX (64 * MIB)

struct seal_key;

/* What opens a box beside the key; stored with it, not secret. */
struct seal_stamp {
    unsigned char nonce[SEAL_NONCE_LEN];
    unsigned char tag[SEAL_TAG_LEN];
};

/* `key` is copied; the caller wipes its own. */
MUST_CHECK enum err seal_key_new(const unsigned char key[SEAL_KEY_LEN],
                                 struct seal_key **ret);
/* Wipes; NULL is allowed. */
void seal_key_free(struct seal_key *k);

/*
 * Encrypts `plain` to `to`, which takes plain.len bytes and may be where
 * `plain` is.  ERR_LIMIT: over SEAL_BYTES_MAX.  ERR_INTERNAL: OpenSSL failed.
 */
MUST_CHECK enum err seal_close(struct seal_key *k, struct str data,
                               struct str plain, void *to,
                               struct seal_stamp *ret);

/*
 * Decrypts `sealed` to `to`, which takes sealed.len bytes and may be where
 * `sealed` is.  ERR_CORRUPT: key, data, stamp or bytes are not those of
 * seal_close(); then `to` is zeroed.  ERR_LIMIT as above.
 */
MUST_CHECK enum err seal_open(struct seal_key *k, struct str data,
                              const struct seal_stamp *stamp, struct str sealed,
                              void *to);

#endif
