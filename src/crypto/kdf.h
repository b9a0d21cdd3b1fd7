/*
 * kdf.h - keys from a key: HKDF with SHA-256 (RFC 5869), extract and expand.
 *
 * `info` says what the new key is for and is unique per use in the program.
 */
#ifndef CRYPTO_KDF_H
#define CRYPTO_KDF_H

#include <stddef.h>

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

#endif
