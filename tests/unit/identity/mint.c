/* mint.c - see mint.h. */
#include "mint.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/attr.h"
#include "base/text.h"
#include "crypto/hash.h"

enum { NUMBER_MAX = 512, RSA_BITS = 2048 };

static const struct {
    const char *curve, *jwk_curve; /* NULL: no EC key */
    size_t len;                    /* of a coordinate */
} kinds[MINT_KEYS] = {
    [MINT_RSA] = {NULL, NULL, RSA_BITS / 8},
    [MINT_P256] = {"P-256", "P-256", 32},
    [MINT_P384] = {"P-384", "P-384", 48},
    [MINT_P521] = {"P-521", "P-521", 66},
    [MINT_ED] = {NULL, "Ed25519", 32},
};

static EVP_PKEY *keys[MINT_KEYS];

static EVP_PKEY *key_of(enum mint_key key)
{
    if (keys[key] == NULL && key == MINT_RSA)
        keys[key] = EVP_RSA_gen(RSA_BITS);
    else if (keys[key] == NULL && key == MINT_ED)
        keys[key] = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    else if (keys[key] == NULL)
        keys[key] = EVP_EC_gen(kinds[key].curve);
    assert_non_null(keys[key]);
    return keys[key];
}

void mint_release(void)
{
    for (size_t i = 0; i < MINT_KEYS; i++) {
        EVP_PKEY_free(keys[i]);
        keys[i] = NULL;
    }
}

static void add_encoded(struct buf *to, const void *at, size_t n)
{
    size_t len = TEXT_BASE64URL_LEN(n);
    char *room = buf_space(to, len + 1);
    assert_non_null(room);
    text_base64url(at, n, room);
    buf_added(to, len);
}

static void add_number(struct buf *to, enum mint_key key, const char *param,
                       const char *member, size_t len)
{
    unsigned char bytes[NUMBER_MAX];
    BIGNUM *n = NULL;
    assert_int_equal(EVP_PKEY_get_bn_param(key_of(key), param, &n), 1);
    if (len == 0)
        len = (size_t)BN_num_bytes(n);
    assert_int_equal(BN_bn2binpad(n, bytes, (int)len), (int)len);
    BN_free(n);
    (void)buf_addf(to, ",\"%s\":\"", member);
    add_encoded(to, bytes, len);
    (void)BUF_LIT(to, "\"");
}

void mint_jwk(struct buf *to, enum mint_key key, const char *more)
{
    const char *kty = key == MINT_RSA ? "RSA" : key == MINT_ED ? "OKP" : "EC";
    (void)buf_addf(to, "{\"kty\":\"%s\"", kty);
    if (kinds[key].jwk_curve != NULL)
        (void)buf_addf(to, ",\"crv\":\"%s\"", kinds[key].jwk_curve);
    if (key == MINT_RSA) {
        add_number(to, key, OSSL_PKEY_PARAM_RSA_N, "n", 0);
        add_number(to, key, OSSL_PKEY_PARAM_RSA_E, "e", 0);
    } else if (key == MINT_ED) {
        unsigned char x[32];
        size_t n = sizeof(x);
        assert_int_equal(EVP_PKEY_get_raw_public_key(key_of(key), x, &n), 1);
        (void)BUF_LIT(to, ",\"x\":\"");
        add_encoded(to, x, n);
        (void)BUF_LIT(to, "\"");
    } else {
        size_t len = kinds[key].len;
        add_number(to, key, OSSL_PKEY_PARAM_EC_PUB_X, "x", len);
        add_number(to, key, OSSL_PKEY_PARAM_EC_PUB_Y, "y", len);
    }
    (void)buf_addf(to, "%s}", more);
    assert_true(buf_ok(to));
}

void mint_jwks(struct buf *to, enum mint_key key, const char *more)
{
    (void)BUF_LIT(to, "{\"keys\":[");
    mint_jwk(to, key, more);
    (void)BUF_LIT(to, "]}");
    assert_true(buf_ok(to));
}

/* DER of two numbers to the two numbers. */
static void add_raw(struct buf *to, const unsigned char *der, size_t der_len,
                    size_t half)
{
    unsigned char raw[NUMBER_MAX];
    ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &der, (long)der_len);
    assert_non_null(sig);
    (void)BN_bn2binpad(ECDSA_SIG_get0_r(sig), raw, (int)half);
    (void)BN_bn2binpad(ECDSA_SIG_get0_s(sig), raw + half, (int)half);
    ECDSA_SIG_free(sig);
    add_encoded(to, raw, 2 * half);
}

void mint_token(struct buf *to, enum mint_key key, const char *alg,
                const char *header, const char *payload)
{
    size_t start = to->len;
    mint_unsigned(to, header, payload, "");
    struct str text = str_skip(buf_str(to), start);
    text.len--; /* the second dot */

    char digest[8] = {'S', 'H', 'A', alg[2], alg[3], alg[4]};
    const char *md = key == MINT_ED ? NULL : digest;
    unsigned char sig[NUMBER_MAX];
    size_t len = sizeof(sig);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *pctx = NULL;
    assert_non_null(ctx);
    assert_int_equal(EVP_DigestSignInit_ex(ctx, &pctx, md, NULL, NULL,
                                           key_of(key), NULL),
                     1);
    if (alg[0] == 'P') {
        assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(pctx,
                                                      RSA_PKCS1_PSS_PADDING),
                         1);
        assert_int_equal(
            EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx, RSA_PSS_SALTLEN_DIGEST), 1);
    }
    assert_int_equal(EVP_DigestSign(ctx, sig, &len,
                                    (const unsigned char *)text.ptr, text.len),
                     1);
    EVP_MD_CTX_free(ctx);
    if (kinds[key].curve != NULL)
        add_raw(to, sig, len, kinds[key].len);
    else
        add_encoded(to, sig, len);
    assert_true(buf_ok(to));
}

void mint_mac(struct buf *to, struct str secret, const char *header,
              const char *payload)
{
    size_t start = to->len;
    mint_unsigned(to, header, payload, "");
    struct str text = str_skip(buf_str(to), start);
    text.len--;
    struct hmac_key *k = hmac_key_new(secret);
    struct hash h = hmac_sha256(k, &text, 1);
    hmac_key_free(k);
    add_encoded(to, h.bytes, sizeof(h.bytes));
}

void mint_unsigned(struct buf *to, const char *header, const char *payload,
                   const char *end)
{
    add_encoded(to, header, strlen(header));
    (void)BUF_LIT(to, ".");
    add_encoded(to, payload, strlen(payload));
    (void)buf_addf(to, ".%s", end);
    assert_true(buf_ok(to));
}
