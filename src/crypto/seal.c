/*
 * seal.c - OpenSSL's AES-256-GCM; one context per key and direction, so that
 * the key schedule is made once.
 */
#include "crypto/seal.h"

#include <assert.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "crypto/hash.h"

struct seal_key {
    EVP_CIPHER_CTX *closing;
    EVP_CIPHER_CTX *opening;
};

static_assert(SEAL_BYTES_MAX <= INT_MAX, "OpenSSL counts bytes in an int");

static EVP_CIPHER_CTX *context_new(const EVP_CIPHER *cipher,
                                   const unsigned char *key, int encrypt)
{
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    if (ctx == NULL)
        return NULL;
    if (EVP_CipherInit_ex2(ctx, cipher, key, NULL, encrypt, NULL) == 1)
        return ctx;
    EVP_CIPHER_CTX_free(ctx);
    return NULL;
}

enum err seal_key_new(const unsigned char key[SEAL_KEY_LEN],
                      struct seal_key **ret)
{
    struct seal_key *k = calloc(1, sizeof(*k));
    EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
    if (k != NULL && cipher != NULL) {
        k->closing = context_new(cipher, key, 1);
        k->opening = context_new(cipher, key, 0);
    }
    EVP_CIPHER_free(cipher); /* the contexts hold it */
    if (k == NULL || k->closing == NULL || k->opening == NULL) {
        seal_key_free(k);
        return ERR_NO_MEMORY;
    }
    *ret = k;
    return ERR_OK;
}

void seal_key_free(struct seal_key *k)
{
    if (k == NULL)
        return;
    EVP_CIPHER_CTX_free(k->closing); /* cleanses the schedule */
    EVP_CIPHER_CTX_free(k->opening);
    free(k);
}

/* The same steps both ways: nonce, data, bytes. */
static bool transform(EVP_CIPHER_CTX *ctx, const unsigned char *nonce,
                      struct str data, struct str from, unsigned char *to)
{
    int n = 0;
    if (EVP_CipherInit_ex2(ctx, NULL, NULL, nonce, -1, NULL) != 1)
        return false;
    if (data.len > 0 &&
        EVP_CipherUpdate(ctx, NULL, &n, (const unsigned char *)data.ptr,
                         (int)data.len) != 1)
        return false;
    if (from.len > 0 &&
        EVP_CipherUpdate(ctx, to, &n, (const unsigned char *)from.ptr,
                         (int)from.len) != 1)
        return false;
    return true;
}

static bool within_limits(struct str data, struct str bytes)
{
    return data.len <= SEAL_BYTES_MAX && bytes.len <= SEAL_BYTES_MAX;
}

enum err seal_close(struct seal_key *k, struct str data, struct str plain,
                    void *to, struct seal_stamp *ret)
{
    if (!within_limits(data, plain))
        return ERR_LIMIT;
    struct seal_stamp stamp;
    hash_random(stamp.nonce, sizeof(stamp.nonce));
    unsigned char rest[EVP_MAX_BLOCK_LENGTH]; /* GCM leaves none */
    int n = 0;
    if (!transform(k->closing, stamp.nonce, data, plain, to) ||
        EVP_CipherFinal_ex(k->closing, rest, &n) != 1 || n != 0 ||
        EVP_CIPHER_CTX_ctrl(k->closing, EVP_CTRL_AEAD_GET_TAG, SEAL_TAG_LEN,
                            stamp.tag) != 1)
        return ERR_INTERNAL;
    *ret = stamp;
    return ERR_OK;
}

enum err seal_open(struct seal_key *k, struct str data,
                   const struct seal_stamp *stamp, struct str sealed, void *to)
{
    if (!within_limits(data, sealed))
        return ERR_LIMIT;
    unsigned char rest[EVP_MAX_BLOCK_LENGTH];
    unsigned char tag[SEAL_TAG_LEN];
    memcpy(tag, stamp->tag, sizeof(tag)); /* the call wants it writable */
    int n = 0;
    if (transform(k->opening, stamp->nonce, data, sealed, to) &&
        EVP_CIPHER_CTX_ctrl(k->opening, EVP_CTRL_AEAD_SET_TAG, SEAL_TAG_LEN,
                            tag) == 1 &&
        EVP_CipherFinal_ex(k->opening, rest, &n) == 1 && n == 0)
        return ERR_OK;
    /* Bytes that did not verify must not be seen by anyone. */
    if (sealed.len > 0)
        OPENSSL_cleanse(to, sealed.len);
    return ERR_CORRUPT;
}
