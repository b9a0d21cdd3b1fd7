/*
 * hash.c - see hash.h.
 *
 * The functions of this one algorithm, not EVP: a state of theirs is a plain
 * struct, which lies on the stack and is copied by assignment.  EVP allocates
 * for each copy, and looks for engines before each hash; for what a call needs
 * that took longer than hashing.  OpenSSL advises against them because most
 * programs should be able to change the algorithm; the ledger's is its format.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "crypto/hash.h"

#include <assert.h>
#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <sys/random.h>

#include "base/attr.h"

/* SHA-256 works on blocks of 64 bytes; HMAC pads its key to one (RFC 2104). */
enum { BLOCK_LEN = 64, IPAD = 0x36, OPAD = 0x5c };

static_assert(sizeof(SHA256_CTX) <= HASH_STATE_BYTES, "room for a state");
static_assert(alignof(SHA256_CTX) <= 8, "aligned for a state");

/* RFC 2104's two hashes, each after its first block. */
struct hmac_key {
    SHA256_CTX inner;
    SHA256_CTX outer;
};

/* These primitives need nothing but memory; without it nothing is left. */
static void must(bool ok)
{
    if (!ok)
        abort();
}

static void begin(SHA256_CTX *s)
{
    must(SHA256_Init(s) == 1);
}

static void add(SHA256_CTX *s, const void *at, size_t n)
{
    if (n > 0)
        must(SHA256_Update(s, at, n) == 1);
}

/* What is left of a state may be worth as much as a key. */
static struct hash end(SHA256_CTX *s)
{
    struct hash h UNINITIALIZED;
    must(SHA256_Final(h.bytes, s) == 1);
    hash_wipe(s, sizeof(*s));
    return h;
}

struct hash hash_sha256(const struct str *pieces, size_t n)
{
    SHA256_CTX s UNINITIALIZED;
    begin(&s);
    for (size_t i = 0; i < n; i++)
        add(&s, pieces[i].ptr, pieces[i].len);
    return end(&s);
}

static void begin_padded(SHA256_CTX *s, const unsigned char *key,
                         unsigned char pad)
{
    unsigned char block[BLOCK_LEN];
    for (size_t i = 0; i < BLOCK_LEN; i++)
        block[i] = key[i] ^ pad;
    begin(s);
    add(s, block, BLOCK_LEN);
    hash_wipe(block, sizeof(block));
}

struct hmac_key *hmac_key_new(struct str key)
{
    struct hmac_key *k = malloc(sizeof(*k));
    if (k == NULL)
        abort();

    unsigned char block[BLOCK_LEN] = {0};
    if (key.len > BLOCK_LEN) {
        struct hash h = hash_sha256(&key, 1);
        memcpy(block, h.bytes, HASH_LEN);
        hash_wipe(&h, sizeof(h));
    } else if (key.len > 0) {
        memcpy(block, key.ptr, key.len);
    }
    begin_padded(&k->inner, block, IPAD);
    begin_padded(&k->outer, block, OPAD);
    hash_wipe(block, sizeof(block));
    return k;
}

void hmac_key_free(struct hmac_key *k)
{
    if (k == NULL)
        return;
    hash_wipe(k, sizeof(*k));
    free(k);
}

/* The outer hash of RFC 2104, over the inner one. */
static struct hash end_hmac(SHA256_CTX *inner, SHA256_CTX *outer)
{
    struct hash h = end(inner);
    add(outer, h.bytes, HASH_LEN);
    return end(outer);
}

struct hash hmac_sha256(struct hmac_key *k, const struct str *pieces, size_t n)
{
    SHA256_CTX inner = k->inner;
    SHA256_CTX outer = k->outer;
    for (size_t i = 0; i < n; i++)
        add(&inner, pieces[i].ptr, pieces[i].len);
    return end_hmac(&inner, &outer);
}

static SHA256_CTX *state(unsigned char *at)
{
    return (SHA256_CTX *)(void *)at;
}

void hash_stream_begin(struct hash_stream *to, const struct hmac_key *k)
{
    to->open = true;
    to->keyed = k != NULL;
    if (k == NULL) {
        begin(state(to->inner));
    } else {
        *state(to->inner) = k->inner;
        *state(to->outer) = k->outer;
    }
}

void hash_stream_add(struct hash_stream *to, struct str bytes)
{
    assert(to->open);
    add(state(to->inner), bytes.ptr, bytes.len);
}

struct hash hash_stream_end(struct hash_stream *to)
{
    assert(to->open);
    to->open = false;
    return to->keyed ? end_hmac(state(to->inner), state(to->outer))
                     : end(state(to->inner));
}

void hash_stream_drop(struct hash_stream *to)
{
    if (to->open)
        hash_wipe(to, sizeof(*to)); /* and so it is idle */
}

void hash_random(void *to, size_t n)
{
    unsigned char *at = to;
    while (n > 0) {
        ssize_t got = getrandom(at, n, 0);
        must(got > 0 || (got < 0 && errno == EINTR));
        if (got > 0) {
            at += got;
            n -= (size_t)got;
        }
    }
}

struct siphash_key hash_random_seed(void)
{
    struct siphash_key key;
    hash_random(&key, sizeof(key));
    return key;
}

void hash_wipe(void *at, size_t n)
{
    OPENSSL_cleanse(at, n);
}
