/* verify_key.c - public keys made from numbers, and checked; see verify.h. */
#include "crypto/verify_key.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <stdlib.h>

#include "base/attr.h"

/* P-521's coordinates, and the byte before an uncompressed point. */
enum { FIELD_MAX = 66, POINT_MAX = 1 + 2 * FIELD_MAX, POINT_UNCOMPRESSED = 4 };

enum { ED25519_LEN = 32, ED25519_SIGNATURE_LEN = 64, RSA_EXPONENT_MAX = 4 };

static enum err make(enum verify_key_type type, size_t signature_len,
                     EVP_PKEY *pkey, struct verify_key **ret)
{
    ERR_clear_error(); /* OpenSSL's list of what was wrong with it */
    if (pkey == NULL)
        return ERR_UNSUPPORTED;
    struct verify_key *k = calloc(1, sizeof(*k));
    if (k == NULL) {
        EVP_PKEY_free(pkey);
        return ERR_NO_MEMORY;
    }
    *k = (struct verify_key){type, signature_len, pkey};
    *ret = k;
    return ERR_OK;
}

void verify_key_free(struct verify_key *k)
{
    if (k == NULL)
        return;
    EVP_PKEY_free(k->pkey);
    free(k);
}

/* NULL: not such a key. */
static EVP_PKEY *from_params(const char *type, OSSL_PARAM *params, bool check)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    EVP_PKEY *pkey = NULL;
    if (ctx == NULL || EVP_PKEY_fromdata_init(ctx) != 1 ||
        EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params) != 1)
        pkey = NULL;
    EVP_PKEY_CTX_free(ctx);
    if (pkey == NULL || !check)
        return pkey;

    ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
    bool good = ctx != NULL && EVP_PKEY_public_check(ctx) == 1;
    EVP_PKEY_CTX_free(ctx);
    if (good)
        return pkey;
    EVP_PKEY_free(pkey);
    return NULL;
}

/* Is `residue` a power of 65537 modulo `prime`? */
static bool is_power(unsigned residue, unsigned prime)
{
    unsigned power = 1;
    do {
        if (power == residue)
            return true;
        power = (unsigned)(power * 65537ULL % prime);
    } while (power != 1);
    return false;
}

/*
 * A modulus of honest primes has no small factor, and modulo small primes it
 * is anything; those of the ROCA generator are always a power of 65537
 * (Nemec et al., 2017).  By chance that happens once in 2^27 keys.
 */
static bool is_strong(const BIGNUM *n)
{
    static const unsigned char primes[] = {3,   5,   7,   11,  13,  17,  19,
                                           23,  29,  31,  37,  41,  43,  47,
                                           53,  59,  61,  67,  71,  73,  79,
                                           83,  89,  97,  101, 103, 107, 109,
                                           113, 127, 131, 137, 139, 149, 151,
                                           157, 163, 167};
    bool roca = true;
    for (size_t i = 0; i < ARRAY_LEN(primes); i++) {
        unsigned residue = (unsigned)BN_mod_word(n, primes[i]);
        if (residue == 0)
            return false;
        roca = roca && is_power(residue, primes[i]);
    }
    return !roca;
}

static bool is_rsa(struct str n, struct str e)
{
    if (n.len > VERIFY_RSA_BITS_MAX / 8 || n.len < VERIFY_RSA_BITS_MIN / 8 ||
        e.len > RSA_EXPONENT_MAX || e.len == 0 || n.ptr[0] == 0 ||
        e.ptr[0] == 0)
        return false;
    bool is_odd = (n.ptr[n.len - 1] & 1) != 0 && (e.ptr[e.len - 1] & 1) != 0;
    return is_odd && (e.len > 1 || e.ptr[0] != 1);
}

/* OSSL_PARAM wants machine order and memory that it may write to. */
static OSSL_PARAM number(const char *name, const BIGNUM *from,
                         unsigned char *room, size_t len)
{
    (void)BN_bn2nativepad(from, room, (int)len);
    return OSSL_PARAM_construct_BN(name, room, len);
}

static EVP_PKEY *rsa_from(const BIGNUM *n, size_t n_len, const BIGNUM *e,
                          size_t e_len)
{
    unsigned char n_room[VERIFY_RSA_BITS_MAX / 8], e_room[RSA_EXPONENT_MAX];
    OSSL_PARAM params[] = {
        number(OSSL_PKEY_PARAM_RSA_N, n, n_room, n_len),
        number(OSSL_PKEY_PARAM_RSA_E, e, e_room, e_len),
        OSSL_PARAM_construct_end(),
    };
    /* OpenSSL's own check looks for primes, and takes long over it. */
    return from_params("RSA", params, false);
}

enum err verify_key_rsa(struct str n, struct str e, struct verify_key **ret)
{
    if (!is_rsa(n, e))
        return ERR_UNSUPPORTED;
    BIGNUM *modulus = BN_bin2bn((const unsigned char *)n.ptr, (int)n.len, NULL);
    BIGNUM *exponent =
        BN_bin2bn((const unsigned char *)e.ptr, (int)e.len, NULL);
    enum err err = ERR_NO_MEMORY;
    if (modulus == NULL || exponent == NULL)
        goto out;

    err = ERR_UNSUPPORTED;
    if (BN_num_bits(modulus) >= VERIFY_RSA_BITS_MIN && is_strong(modulus))
        err = make(VERIFY_KEY_RSA, n.len,
                   rsa_from(modulus, n.len, exponent, e.len), ret);
out:
    BN_free(modulus);
    BN_free(exponent);
    return err;
}

enum err verify_key_ec(struct str curve, struct str x, struct str y,
                       struct verify_key **ret)
{
    static const struct {
        struct str name;
        enum verify_key_type type;
        size_t len;
    } curves[] = {
        {STR_INIT("P-256"), VERIFY_KEY_P256, 32},
        {STR_INIT("P-384"), VERIFY_KEY_P384, 48},
        {STR_INIT("P-521"), VERIFY_KEY_P521, FIELD_MAX},
    };
    size_t i = 0;
    while (i < ARRAY_LEN(curves) && !str_eq(curves[i].name, curve))
        i++;
    if (i == ARRAY_LEN(curves) || x.len != curves[i].len ||
        y.len != curves[i].len)
        return ERR_UNSUPPORTED;

    char name[8] = {0};
    unsigned char point[POINT_MAX];
    memcpy(name, curve.ptr, curve.len);
    point[0] = POINT_UNCOMPRESSED;
    memcpy(point + 1, x.ptr, x.len);
    memcpy(point + 1 + x.len, y.ptr, y.len);
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, name, 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point,
                                          1 + x.len + y.len),
        OSSL_PARAM_construct_end(),
    };
    return make(curves[i].type, 2 * x.len, from_params("EC", params, true),
                ret);
}

/* y of the points whose order divides 8, little-endian (RFC 7748's field);
 * the sign of x is the highest bit, and left out. */
static const unsigned char small_order[][ED25519_LEN] = {
    {0}, /* order 4 */
    {1}, /* 1 */
    {0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f}, /* 2 */
    {0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4,
     0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6,
     0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05}, /* 8 */
    {0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b,
     0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39,
     0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a}, /* 8 */
};

/* 2^255-19 and above are second names of small numbers. */
static bool is_canonical(const unsigned char y[ED25519_LEN])
{
    if (y[ED25519_LEN - 1] != 0x7f || y[0] < 0xed)
        return true;
    for (size_t i = 1; i < ED25519_LEN - 1; i++) {
        if (y[i] != 0xff)
            return true;
    }
    return false;
}

enum err verify_key_ed25519(struct str x, struct verify_key **ret)
{
    if (x.len != ED25519_LEN)
        return ERR_UNSUPPORTED;
    unsigned char y[ED25519_LEN];
    memcpy(y, x.ptr, sizeof(y));
    y[ED25519_LEN - 1] &= 0x7f;
    if (!is_canonical(y))
        return ERR_UNSUPPORTED;
    for (size_t i = 0; i < ARRAY_LEN(small_order); i++) {
        if (memcmp(y, small_order[i], sizeof(y)) == 0)
            return ERR_UNSUPPORTED;
    }
    EVP_PKEY *pkey =
        EVP_PKEY_new_raw_public_key_ex(NULL, "ED25519", NULL,
                                       (const unsigned char *)x.ptr, x.len);
    return make(VERIFY_KEY_ED25519, ED25519_SIGNATURE_LEN, pkey, ret);
}
