/*
 * kdf.h - keys from a key: HKDF with SHA-256 (RFC 5869), extract and expand;
 * and from a passphrase: scrypt (RFC 7914).
 *
 * `info` says what the new key is for and is unique per use in the program.
 */
#ifndef CRYPTO_KDF_H
#define CRYPTO_KDF_H

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/str.h"

enum { KDF_OUT_MAX = 255 * 32 }; /* RFC 5869 section 2.3 */

/*
 * Derives `n` bytes, 1 to KDF_OUT_MAX, into `to`.  `key` is not empty; `salt`
 * may be.  ERR_LIMIT: `n` is out of range.  ERR_NO_MEMORY.
 */
MUST_CHECK enum err kdf_derive(struct str key, struct str salt, struct str info,
                               void *to, size_t n);

/* What scrypt costs: 128 * n * r bytes of memory, times p of time. */
struct kdf_cost {
    uint64_t n; /* a power of two */
    uint32_t r, p;
};
#define KDF_COST_LOGIN ((struct kdf_cost){UINT64_C(1) << 15, 8, 1})

/*
 * Stretches a passphrase to `n` bytes; takes a good part of a second and 32
 * MiB with KDF_COST_LOGIN.  ERR_LIMIT: `cost` is none that scrypt knows, or
 * needs over 64 MiB.  ERR_NO_MEMORY.
 */
MUST_CHECK enum err kdf_scrypt(struct str passphrase, struct str salt,
                               const struct kdf_cost *cost, void *to, size_t n);

#endif
