/* proof_cache.c - see proof_cache.h. */
#include "identity/proof_cache.h"

#include <assert.h>
#include <stdlib.h>

enum {
    WAYS = 4,
    SETS = PROOF_CACHE_PLACES / WAYS,
    /* Enough of a signature to tell all apart that anybody meets. */
    HASHED_BYTES = 64,
};
static_assert(SETS * WAYS == PROOF_CACHE_PLACES, "sets are whole");
static_assert((SETS & (SETS - 1)) == 0, "the set is a mask of the hash");

struct place {
    uint64_t hash;
    uint64_t number;
    int64_t until_us;
    uint64_t used; /* the turn in which it was asked for */
    enum proof_cache_kind kind;
    struct proof *proof; /* NULL: free */
    char *credential;    /* secret: wiped before it is freed */
    size_t len;
};

struct proof_cache {
    struct siphash_key seed;
    uint64_t turn;
    size_t bytes; /* of credentials */
    size_t hand;  /* where room is made next when there are too many */
    char kid[JWK_KID_MAX];
    struct place places[SETS][WAYS];
};

enum err proof_cache_new(struct siphash_key seed, struct proof_cache **ret)
{
    struct proof_cache *c = calloc(1, sizeof(*c));
    if (c == NULL)
        return ERR_NO_MEMORY;
    c->seed = seed;
    *ret = c;
    return ERR_OK;
}

static void forget(struct proof_cache *c, struct place *p)
{
    if (p->proof == NULL)
        return;
    hash_wipe(p->credential, p->len);
    free(p->credential);
    proof_unref(p->proof);
    c->bytes -= p->len;
    *p = (struct place){0};
}

void proof_cache_free(struct proof_cache *c)
{
    if (c == NULL)
        return;
    for (size_t i = 0; i < PROOF_CACHE_PLACES; i++)
        forget(c, &c->places[i / WAYS][i % WAYS]);
    assert(c->bytes == 0);
    hash_wipe(c, sizeof(*c));
    free(c);
}

static uint64_t hash_of(const struct proof_cache *c, struct str s)
{
    return siphash(c->seed,
                   str_skip(s,
                            s.len > HASHED_BYTES ? s.len - HASHED_BYTES : 0));
}

static bool is_good(const struct place *p, const struct proof_cache_now *now)
{
    return p->number == now->numbers[p->kind] && p->until_us > now->now_us;
}

static bool is_of(const struct place *p, uint64_t hash, struct str credential)
{
    return p->proof != NULL && p->hash == hash &&
           str_eq_secret((struct str){p->credential, p->len}, credential);
}

struct proof *proof_cache_get(struct proof_cache *c, struct str credential,
                              const struct proof_cache_now *now)
{
    uint64_t hash = hash_of(c, credential);
    struct place *set = c->places[hash % SETS];
    for (size_t i = 0; i < WAYS; i++) {
        if (!is_of(&set[i], hash, credential))
            continue;
        if (!is_good(&set[i], now)) {
            forget(c, &set[i]);
            return NULL;
        }
        set[i].used = ++c->turn;
        return set[i].proof;
    }
    return NULL;
}

/* The same credential's place, a free one, or that which nobody asked for the
 * longest. */
static struct place *choose(struct place set[WAYS], uint64_t hash,
                            struct str credential)
{
    struct place *oldest = &set[0];
    for (size_t i = 0; i < WAYS; i++) {
        if (is_of(&set[i], hash, credential))
            return &set[i];
        if (set[i].used < oldest->used)
            oldest = &set[i];
    }
    return oldest;
}

void proof_cache_put(struct proof_cache *c, struct str credential,
                     const struct proof_cache_term *term, struct proof *p)
{
    uint64_t hash = hash_of(c, credential);
    struct place *to = choose(c->places[hash % SETS], hash, credential);
    forget(c, to);
    char *copy = malloc(credential.len);
    if (copy == NULL)
        return;
    while (c->bytes + credential.len > PROOF_CACHE_BYTES_MAX) {
        forget(c, &c->places[c->hand / WAYS][c->hand % WAYS]);
        c->hand = (c->hand + 1) % PROOF_CACHE_PLACES;
    }
    memcpy(copy, credential.ptr, credential.len);
    *to = (struct place){
        .hash = hash,
        .number = term->number,
        .until_us = term->until_us,
        .used = ++c->turn,
        .kind = term->kind,
        .proof = proof_ref(p),
        .credential = copy,
        .len = credential.len,
    };
    c->bytes += credential.len;
}

struct str proof_cache_keep_kid(struct proof_cache *c, struct str kid)
{
    assert(kid.len <= sizeof(c->kid));
    if (kid.len > 0)
        memcpy(c->kid, kid.ptr, kid.len);
    return (struct str){c->kid, kid.len};
}
