/* hashing.c - see hashing.h. */
#include "admin/hashing.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/hash.h"
#include "crypto/kdf.h"
#include "os/loop.h"
#include "os/thread.h"

struct slot {
    struct hashing *of;
    struct thread thread;
    bool busy, joined;
    size_t len;
    char passphrase[HASHING_PASSPHRASE_MAX];
    unsigned char salt[HASHING_SALT_LEN];
    unsigned char hash[HASHING_LEN];
    enum err err;
    void (*done)(void *user, enum err e, const unsigned char *hash);
    void *user;
};

struct hashing {
    struct loop *loop;
    struct slot slots[HASHING_AT_ONCE];
    unsigned busy;
    bool closed; /* what is still posted, frees it */
};

enum err hashing_new(struct loop *l, struct hashing **ret)
{
    struct hashing *h = calloc(1, sizeof(*h));
    if (h == NULL)
        return ERR_NO_MEMORY;
    h->loop = l;
    for (size_t i = 0; i < HASHING_AT_ONCE; i++)
        h->slots[i].of = h;
    *ret = h;
    return ERR_OK;
}

void hashing_free(struct hashing *h)
{
    if (h == NULL)
        return;
    for (size_t i = 0; i < HASHING_AT_ONCE; i++) {
        struct slot *s = &h->slots[i];
        if (s->busy)
            thread_join(&s->thread);
        s->joined = s->busy;
    }
    h->closed = true;
    if (h->busy == 0)
        free(h);
}

static void on_hashed(void *arg)
{
    struct slot *s = arg;
    struct hashing *h = s->of;

    if (!s->joined)
        thread_join(&s->thread);
    h->busy--;
    s->busy = false;
    if (!h->closed)
        s->done(s->user, s->err, s->err == ERR_OK ? s->hash : NULL);
    hash_wipe(s->hash, sizeof(s->hash));
    if (h->closed && h->busy == 0)
        free(h);
}

static void hashing_thread(void *arg)
{
    struct slot *s = arg;
    const struct kdf_cost cost = KDF_COST_LOGIN;

    s->err = kdf_scrypt((struct str){s->passphrase, s->len},
                        (struct str){(const char *)s->salt, sizeof(s->salt)},
                        &cost, s->hash, sizeof(s->hash));
    hash_wipe(s->passphrase, sizeof(s->passphrase));
    /* The loop is freed after us: what is posted runs. */
    (void)!loop_post(s->of->loop, on_hashed, s);
}

enum err hashing_begin(struct hashing *h, const struct hashing_ask *ask)
{
    struct slot *s = h->slots;

    assert(ask->salt.len == HASHING_SALT_LEN);
    if (ask->passphrase.len > HASHING_PASSPHRASE_MAX)
        return ERR_LIMIT;
    while (s < h->slots + HASHING_AT_ONCE && s->busy)
        s++;
    if (s == h->slots + HASHING_AT_ONCE)
        return ERR_OVERLOAD;
    s->len = ask->passphrase.len;
    if (s->len > 0)
        memcpy(s->passphrase, ask->passphrase.ptr, s->len);
    memcpy(s->salt, ask->salt.ptr, sizeof(s->salt));
    s->done = ask->done;
    s->user = ask->user;
    s->joined = false;
    s->busy = true;
    enum err e = thread_start(&s->thread, "scrypt", hashing_thread, s);
    if (e != ERR_OK) {
        hash_wipe(s->passphrase, sizeof(s->passphrase));
        s->busy = false;
        return e;
    }
    h->busy++;
    return ERR_OK;
}
