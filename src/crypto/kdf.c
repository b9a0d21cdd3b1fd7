/* kdf.c - OpenSSL's HKDF; called a few times in the life of a process. */
#include "crypto/kdf.h"

#include <assert.h>
#include <stdbool.h>

#include <openssl/core_names.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

/* OpenSSL's parameters want a pointer that is not const, nor NULL for nothing;
 * it only reads. */
static OSSL_PARAM octets(const char *name, struct str s)
{
    const union {
        const char *given;
        char *wanted;
    } bytes = {s.len > 0 ? s.ptr : ""};
    return OSSL_PARAM_construct_octet_string(name, bytes.wanted, s.len);
}

enum err kdf_derive(struct str key, struct str salt, struct str info, void *to,
                    size_t n)
{
    assert(key.len > 0);
    if (n == 0 || n > KDF_OUT_MAX)
        return ERR_LIMIT;

    char digest[] = "SHA256";
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
        octets(OSSL_KDF_PARAM_KEY, key),
        octets(OSSL_KDF_PARAM_SALT, salt),
        octets(OSSL_KDF_PARAM_INFO, info),
        OSSL_PARAM_construct_end(),
    };
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
    EVP_KDF_CTX *ctx = kdf == NULL ? NULL : EVP_KDF_CTX_new(kdf);
    bool derived = ctx != NULL && EVP_KDF_derive(ctx, to, n, params) == 1;
    EVP_KDF_CTX_free(ctx);
    EVP_KDF_free(kdf);
    /* The arguments are in range, so only memory can be missing. */
    return derived ? ERR_OK : ERR_NO_MEMORY;
}
