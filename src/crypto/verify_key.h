/* verify_key.h - the inside of a public key; for verify.c and verify_key.c. */
#ifndef CRYPTO_VERIFY_KEY_H
#define CRYPTO_VERIFY_KEY_H

#include <openssl/evp.h>

#include "crypto/verify.h"

enum verify_key_type {
    VERIFY_KEY_NONE = 0,
    VERIFY_KEY_RSA,
    VERIFY_KEY_P256,
    VERIFY_KEY_P384,
    VERIFY_KEY_P521,
    VERIFY_KEY_ED25519,
};

struct verify_key {
    enum verify_key_type type;
    size_t signature_len; /* bytes */
    EVP_PKEY *pkey;       /* only read */
};

#endif
