/* verify.c - algorithms and signatures; see verify.h. */
#include "crypto/verify.h"

#include <assert.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "base/attr.h"
#include "crypto/verify_key.h"

/* A DER sequence of two numbers of 66 bytes, with room to spare. */
enum { DER_MAX = 160 };

static const struct {
    struct str name;
    enum verify_key_type type;
    const char *digest; /* NULL: the algorithm has its own */
    bool pss;
} algs[] = {
    [VERIFY_NONE] = {STR_INIT(""), VERIFY_KEY_NONE, NULL, false},
    [VERIFY_RS256] = {STR_INIT("RS256"), VERIFY_KEY_RSA, "SHA2-256", false},
    [VERIFY_RS384] = {STR_INIT("RS384"), VERIFY_KEY_RSA, "SHA2-384", false},
    [VERIFY_RS512] = {STR_INIT("RS512"), VERIFY_KEY_RSA, "SHA2-512", false},
    [VERIFY_PS256] = {STR_INIT("PS256"), VERIFY_KEY_RSA, "SHA2-256", true},
    [VERIFY_PS384] = {STR_INIT("PS384"), VERIFY_KEY_RSA, "SHA2-384", true},
    [VERIFY_PS512] = {STR_INIT("PS512"), VERIFY_KEY_RSA, "SHA2-512", true},
    [VERIFY_ES256] = {STR_INIT("ES256"), VERIFY_KEY_P256, "SHA2-256", false},
    [VERIFY_ES384] = {STR_INIT("ES384"), VERIFY_KEY_P384, "SHA2-384", false},
    [VERIFY_ES512] = {STR_INIT("ES512"), VERIFY_KEY_P521, "SHA2-512", false},
    [VERIFY_EDDSA] = {STR_INIT("EdDSA"), VERIFY_KEY_ED25519, NULL, false},
};

enum verify_alg verify_alg_from(struct str name)
{
    for (unsigned a = VERIFY_RS256; a < ARRAY_LEN(algs); a++) {
        if (str_eq(algs[a].name, name))
            return (enum verify_alg)a;
    }
    return VERIFY_NONE;
}

bool verify_fits(const struct verify_key *k, enum verify_alg alg)
{
    assert((unsigned)alg < ARRAY_LEN(algs));
    return alg != VERIFY_NONE && algs[alg].type == k->type;
}

static const unsigned char *bytes(struct str s)
{
    return (const unsigned char *)s.ptr;
}

/* r and s as OpenSSL wants them; 0: no memory.  What is out of range OpenSSL
 * refuses when it verifies. */
static size_t to_der(struct str raw, unsigned char der[DER_MAX])
{
    size_t half = raw.len / 2;
    ECDSA_SIG *sig = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(bytes(raw), (int)half, NULL);
    BIGNUM *s = BN_bin2bn(bytes(raw) + half, (int)half, NULL);
    size_t len = 0;

    if (sig != NULL && r != NULL && s != NULL && ECDSA_SIG_set0(sig, r, s)) {
        r = s = NULL; /* moved */
        int n = i2d_ECDSA_SIG(sig, NULL);
        assert(n > 0 && n <= DER_MAX);
        unsigned char *at = der;
        len = (size_t)i2d_ECDSA_SIG(sig, &at);
    }
    BN_free(r);
    BN_free(s);
    ECDSA_SIG_free(sig);
    return len;
}

static bool set_pss(EVP_PKEY_CTX *ctx)
{
    return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) == 1 &&
           EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) == 1;
}

static bool is_ec(enum verify_key_type type)
{
    return type == VERIFY_KEY_P256 || type == VERIFY_KEY_P384 ||
           type == VERIFY_KEY_P521;
}

bool verify_signature(const struct verify_key *k, enum verify_alg alg,
                      struct str data, struct str signature)
{
    if (!verify_fits(k, alg) || signature.len != k->signature_len)
        return false;

    unsigned char der[DER_MAX];
    const unsigned char *sig = bytes(signature);
    size_t sig_len = signature.len;
    if (is_ec(k->type)) {
        sig = der;
        sig_len = to_der(signature, der);
    }
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    EVP_PKEY_CTX *ctx = NULL; /* of `md` */
    bool valid = md != NULL && sig_len > 0 &&
                 EVP_DigestVerifyInit_ex(md, &ctx, algs[alg].digest, NULL, NULL,
                                         k->pkey, NULL) == 1 &&
                 (!algs[alg].pss || set_pss(ctx)) &&
                 EVP_DigestVerify(md, sig, sig_len, bytes(data), data.len) == 1;
    EVP_MD_CTX_free(md);
    if (!valid)
        ERR_clear_error(); /* or TLS on this thread takes it for its own */
    return valid;
}
