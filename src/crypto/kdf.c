/* kdf.c - OpenSSL's HKDF, called a few times in the life of a process, and
 * its scrypt, once per login. */
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

enum { SCRYPT_MEMORY_MAX = 64 * 1024 * 1024 };

static bool cost_ok(const struct kdf_cost *c)
{
    return c->n > 1 && (c->n & (c->n - 1)) == 0 && c->r > 0 && c->r <= 64 &&
           c->p > 0 && c->p <= 16 &&
           c->n <= (uint64_t)SCRYPT_MEMORY_MAX / 128 / c->r;
}

enum err kdf_scrypt(struct str passphrase, struct str salt,
                    const struct kdf_cost *cost, void *to, size_t n)
{
    if (!cost_ok(cost) || n == 0 || n > KDF_OUT_MAX)
        return ERR_LIMIT;

    struct kdf_cost c = *cost;
    /* What p adds, and OpenSSL's own blocks. */
    uint64_t memory = UINT64_C(2) * SCRYPT_MEMORY_MAX;
    OSSL_PARAM params[] = {
        octets(OSSL_KDF_PARAM_PASSWORD, passphrase),
        octets(OSSL_KDF_PARAM_SALT, salt),
        OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_SCRYPT_N, &c.n),
        OSSL_PARAM_construct_uint32(OSSL_KDF_PARAM_SCRYPT_R, &c.r),
        OSSL_PARAM_construct_uint32(OSSL_KDF_PARAM_SCRYPT_P, &c.p),
        OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_SCRYPT_MAXMEM, &memory),
        OSSL_PARAM_construct_end(),
    };
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, "SCRYPT", NULL);
    EVP_KDF_CTX *ctx = kdf == NULL ? NULL : EVP_KDF_CTX_new(kdf);
    bool derived = ctx != NULL && EVP_KDF_derive(ctx, to, n, params) == 1;
    EVP_KDF_CTX_free(ctx);
    EVP_KDF_free(kdf);
    return derived ? ERR_OK : ERR_NO_MEMORY;
}
