/* hash.c - see hash.h. */
#include "crypto/hash.h"

#include <assert.h>
#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/random.h>

#include "base/attr.h"

/* SHA-256 works on blocks of 64 bytes; HMAC pads its key to one (RFC 2104). */
enum { BLOCK_LEN = 64, IPAD = 0x36, OPAD = 0x5c };

/* What a thread keeps of contexts that its streams gave back. */
enum { STREAMS_KEPT = 64 };

/*
 * RFC 2104's two hashes, each after its first block.  To copy a state costs
 * 20 ns, to hash the block again 60 (SHA instructions, OpenSSL 3.0).
 */
struct hmac_key {
    EVP_MD_CTX *inner;
    EVP_MD_CTX *outer;
};

struct stream {
    EVP_MD_CTX *ctx;
    EVP_MD_CTX *outer;   /* a copy, since the key may go first; NULL: no HMAC */
    struct stream *next; /* in the thread's pool */
};

struct thread_state {
    EVP_MD_CTX *ctx; /* for what is hashed in one call */
    struct stream *pool;
    unsigned pool_count;
};

/* Set once, before the first hash; read-only from then on. */
static pthread_once_t once = PTHREAD_ONCE_INIT;
static EVP_MD *sha256;
static pthread_key_t thread_key;

static _Thread_local struct thread_state *thread_state;

/* These primitives need nothing but memory; without it nothing is left. */
static void must(bool ok)
{
    if (!ok)
        abort();
}

static void free_stream(struct stream *s)
{
    EVP_MD_CTX_free(s->ctx);
    EVP_MD_CTX_free(s->outer);
    free(s);
}

static void free_thread_state(void *at)
{
    struct thread_state *t = at;
    while (t->pool != NULL) {
        struct stream *s = t->pool;
        t->pool = s->next;
        free_stream(s);
    }
    EVP_MD_CTX_free(t->ctx);
    free(t);
    thread_state = NULL;
}

static void init_process(void)
{
    sha256 = EVP_MD_fetch(NULL, "SHA2-256", NULL);
    must(sha256 != NULL);
    must(pthread_key_create(&thread_key, free_thread_state) == 0);
}

static EVP_MD_CTX *new_ctx(void)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    must(ctx != NULL);
    return ctx;
}

static struct thread_state *init_thread(void)
{
    must(pthread_once(&once, init_process) == 0);
    struct thread_state *t = calloc(1, sizeof(*t));
    if (t == NULL)
        abort();
    t->ctx = new_ctx();
    must(pthread_setspecific(thread_key, t) == 0);
    thread_state = t;
    return t;
}

static struct thread_state *this_thread(void)
{
    struct thread_state *t = thread_state;
    return t != NULL ? t : init_thread();
}

static void begin(EVP_MD_CTX *ctx)
{
    must(EVP_DigestInit_ex2(ctx, sha256, NULL) == 1);
}

static void add(EVP_MD_CTX *ctx, const void *at, size_t n)
{
    if (n > 0)
        must(EVP_DigestUpdate(ctx, at, n) == 1);
}

static void end(EVP_MD_CTX *ctx, struct hash *ret)
{
    unsigned n = 0;
    must(EVP_DigestFinal_ex(ctx, ret->bytes, &n) == 1 && n == HASH_LEN);
}

struct hash hash_sha256(const struct str *pieces, size_t n)
{
    EVP_MD_CTX *ctx = this_thread()->ctx;
    struct hash h;
    begin(ctx);
    for (size_t i = 0; i < n; i++)
        add(ctx, pieces[i].ptr, pieces[i].len);
    end(ctx, &h);
    return h;
}

static void copy(EVP_MD_CTX *to, const EVP_MD_CTX *from)
{
    must(EVP_MD_CTX_copy_ex(to, from) == 1);
}

static EVP_MD_CTX *new_padded(const unsigned char *key, unsigned char pad)
{
    unsigned char block[BLOCK_LEN];
    for (size_t i = 0; i < BLOCK_LEN; i++)
        block[i] = key[i] ^ pad;
    EVP_MD_CTX *ctx = new_ctx();
    begin(ctx);
    add(ctx, block, BLOCK_LEN);
    hash_wipe(block, sizeof(block));
    return ctx;
}

struct hmac_key *hmac_key_new(struct str key)
{
    struct hmac_key *k = malloc(sizeof(*k));
    must(k != NULL);
    (void)this_thread(); /* fetches the algorithm */

    unsigned char block[BLOCK_LEN] = {0};
    if (key.len > BLOCK_LEN) {
        struct hash h = hash_sha256(&key, 1);
        memcpy(block, h.bytes, HASH_LEN);
        hash_wipe(&h, sizeof(h));
    } else if (key.len > 0) {
        memcpy(block, key.ptr, key.len);
    }
    k->inner = new_padded(block, IPAD);
    k->outer = new_padded(block, OPAD);
    hash_wipe(block, sizeof(block));
    return k;
}

void hmac_key_free(struct hmac_key *k)
{
    if (k == NULL)
        return;
    EVP_MD_CTX_free(k->inner); /* wipes */
    EVP_MD_CTX_free(k->outer);
    free(k);
}

/* The outer hash of RFC 2104, over the inner one in `h`. */
static void end_outer(EVP_MD_CTX *ctx, struct hash *h)
{
    add(ctx, h->bytes, HASH_LEN);
    end(ctx, h);
}

struct hash hmac_sha256(struct hmac_key *k, const struct str *pieces, size_t n)
{
    EVP_MD_CTX *ctx = this_thread()->ctx;
    struct hash h;
    copy(ctx, k->inner);
    for (size_t i = 0; i < n; i++)
        add(ctx, pieces[i].ptr, pieces[i].len);
    end(ctx, &h);
    copy(ctx, k->outer);
    end_outer(ctx, &h);
    return h;
}

static struct stream *take_stream(void)
{
    struct thread_state *t = this_thread();
    struct stream *s = t->pool;
    if (s != NULL) {
        t->pool = s->next;
        t->pool_count--;
        return s;
    }
    s = calloc(1, sizeof(*s));
    if (s == NULL)
        abort();
    s->ctx = new_ctx();
    return s;
}

void hash_stream_begin(struct hash_stream *to, const struct hmac_key *k)
{
    struct stream *s = take_stream();
    if (k == NULL) {
        begin(s->ctx);
    } else {
        s->outer = new_ctx();
        copy(s->outer, k->outer);
        copy(s->ctx, k->inner);
    }
    to->ctx = s;
}

void hash_stream_add(struct hash_stream *to, struct str bytes)
{
    struct stream *s = to->ctx;
    assert(s != NULL);
    add(s->ctx, bytes.ptr, bytes.len);
}

struct hash hash_stream_end(struct hash_stream *to)
{
    struct stream *s = to->ctx;
    assert(s != NULL);
    struct hash h;
    end(s->ctx, &h);
    if (s->outer != NULL)
        end_outer(s->outer, &h);
    hash_stream_drop(to);
    return h;
}

void hash_stream_drop(struct hash_stream *to)
{
    struct stream *s = to->ctx;
    if (s == NULL)
        return;
    to->ctx = NULL;
    struct thread_state *t = this_thread();
    if (t->pool_count == STREAMS_KEPT) {
        free_stream(s);
        return;
    }
    /* The state of an unfinished HMAC is worth as much as its key. */
    EVP_MD_CTX_free(s->outer);
    s->outer = NULL;
    begin(s->ctx);
    s->next = t->pool;
    t->pool = s;
    t->pool_count++;
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
