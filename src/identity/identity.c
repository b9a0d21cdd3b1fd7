/* identity.c - see identity.h. */
#include "identity/identity.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/map.h"
#include "base/text.h"
#include "crypto/hash.h"

enum { CALLERS_MAX = 1 << 20, ID_MAX = 300, FINGERPRINT_BYTES = 8 };

#define KEYS_ISSUER STR("keys")

struct identity_callers {
    struct map by_hash; /* 32 bytes -> struct link */
    struct arena arena;
};

/* The entity id of a caller, as domain/principal.h says. */
static struct str entity_id(struct arena *a, const struct settings *s,
                            const struct caller_settings *c)
{
    char room[ID_MAX];
    struct str tenant = s->tenants[c->tenant].name;
    int len = c->kind == PRINCIPAL_AGENT
                  ? snprintf(room, sizeof(room), "%.*s/%.*s", STR_FMT(tenant),
                             STR_FMT(c->name))
                  : snprintf(room, sizeof(room), "%.*s|%.*s",
                             STR_FMT(KEYS_ISSUER), STR_FMT(c->name));
    if (len < 0 || (size_t)len >= sizeof(room))
        return (struct str){NULL, 0};
    const char *copy = arena_strdup(a, (struct str){room, (size_t)len});
    return (struct str){copy, copy == NULL ? 0 : (size_t)len};
}

/* A name for the credential that says nothing about it. */
static struct str fingerprint(struct arena *a, const unsigned char hash[32])
{
    const struct str bytes = {(const char *)hash, 32};
    struct hash h = hash_sha256(&bytes, 1);
    char *hex = arena_alloc(a, TEXT_HEX_LEN(FINGERPRINT_BYTES));
    if (hex == NULL)
        return (struct str){NULL, 0};
    text_hex(h.bytes, FINGERPRINT_BYTES, hex);
    return (struct str){hex, TEXT_HEX_LEN(FINGERPRINT_BYTES)};
}

/* A caller without somebody behind it is the subject of its own chain. */
static enum err add_caller(struct identity_callers *callers,
                           const struct settings *s,
                           const struct caller_settings *c)
{
    struct link *link = ARENA_NEW(&callers->arena, struct link, 1);
    if (link == NULL)
        return ERR_NO_MEMORY;
    *link = (struct link){
        .role = LINK_SUBJECT,
        .who = {.kind = c->kind,
                .issuer = KEYS_ISSUER,
                .id = entity_id(&callers->arena, s, c),
                .tenant = s->tenants[c->tenant].name},
        .method = AUTH_API_KEY,
        .credential = fingerprint(&callers->arena, c->key_hmac),
    };
    if (link->who.id.ptr == NULL || link->credential.ptr == NULL)
        return ERR_NO_MEMORY;
    const struct str hash = {(const char *)c->key_hmac, sizeof(c->key_hmac)};
    return map_set(&callers->by_hash, hash, link);
}

enum err identity_callers_new(const struct settings *settings,
                              struct siphash_key seed,
                              struct identity_callers **ret)
{
    struct identity_callers *c = calloc(1, sizeof(*c));
    if (c == NULL)
        return ERR_NO_MEMORY;
    arena_init(&c->arena, 1024 * MIB);
    map_init(&c->by_hash, seed, CALLERS_MAX);
    for (size_t i = 0; i < settings->caller_count; i++) {
        enum err e = add_caller(c, settings, &settings->callers[i]);
        if (e != ERR_OK) {
            identity_callers_free(c);
            return e;
        }
    }
    *ret = c;
    return ERR_OK;
}

void identity_callers_free(struct identity_callers *c)
{
    if (c == NULL)
        return;
    map_release(&c->by_hash);
    arena_release(&c->arena);
    free(c);
}

void identity_key_hash(struct str caller_key, struct str key,
                       unsigned char ret[32])
{
    struct hmac_key *k = hmac_key_new(caller_key);
    struct hash h = hmac_sha256(k, &key, 1);
    hmac_key_free(k);
    memcpy(ret, h.bytes, sizeof(h.bytes));
}

/* ---- the credential that was presented ---- */

static bool bearer(struct str authorization, struct str *ret)
{
    size_t space = str_find(authorization, ' ');
    if (!str_eq_nocase(str_first(authorization, space), STR("bearer")))
        return false;
    *ret = str_skip(authorization, space + 1);
    return true;
}

/* The one credential; two are refused unless they are the same one. */
static bool presented(const struct identity_presented *p, struct str *ret)
{
    struct str key = {NULL, 0};

    if (p->authorization.len > 0 && !bearer(p->authorization, &key))
        return false;
    if (p->api_key.len > 0) {
        if (key.len > 0 && !str_eq_secret(key, p->api_key))
            return false;
        key = p->api_key;
    }
    *ret = key;
    return key.len > 0 && key.len <= IDENTITY_KEY_LEN_MAX;
}

static void chain_of(const struct link *link, struct chain *ret)
{
    ret->count = 1;
    ret->links[0] = *link;
}

/* ---- the cache ---- */

struct slot {
    size_t len; /* 0: free */
    unsigned char hash[32];
    char key[]; /* len bytes */
};

struct identity_cache {
    struct siphash_key seed;
    struct hmac_key *caller_key;
    struct slot *slots[IDENTITY_CACHE_SLOTS];
};

enum err identity_cache_new(struct siphash_key seed, struct str caller_key,
                            struct identity_cache **ret)
{
    struct identity_cache *c = calloc(1, sizeof(*c));
    if (c == NULL)
        return ERR_NO_MEMORY;
    c->seed = seed;
    c->caller_key = hmac_key_new(caller_key);
    *ret = c;
    return ERR_OK;
}

static void free_slot(struct slot *s)
{
    if (s != NULL)
        hash_wipe(s, sizeof(*s) + s->len);
    free(s);
}

void identity_cache_free(struct identity_cache *c)
{
    if (c == NULL)
        return;
    for (size_t i = 0; i < IDENTITY_CACHE_SLOTS; i++)
        free_slot(c->slots[i]);
    hmac_key_free(c->caller_key);
    free(c);
}

static struct slot **slot_of(struct identity_cache *c, struct str key)
{
    return &c->slots[siphash(c->seed, key) % IDENTITY_CACHE_SLOTS];
}

/* Only what was proven is kept, so that guesses cannot push it out. */
static void remember(struct identity_cache *c, struct str key,
                     const unsigned char hash[32])
{
    struct slot *s = malloc(sizeof(*s) + key.len);
    if (s == NULL)
        return; /* it will be hashed again */
    s->len = key.len;
    memcpy(s->hash, hash, sizeof(s->hash));
    memcpy(s->key, key.ptr, key.len);
    struct slot **at = slot_of(c, key);
    free_slot(*at);
    *at = s;
}

enum err identity_prove(const struct identity_callers *callers,
                        struct identity_cache *cache,
                        const struct identity_presented *p,
                        struct chain *ret_chain)
{
    struct str key;
    unsigned char hash[32];

    if (!presented(p, &key))
        return ERR_UNAUTHENTICATED;
    struct slot *known = *slot_of(cache, key);
    bool hit = known != NULL &&
               str_eq_secret((struct str){known->key, known->len}, key);
    if (hit) {
        memcpy(hash, known->hash, sizeof(hash));
    } else {
        struct hash h = hmac_sha256(cache->caller_key, &key, 1);
        memcpy(hash, h.bytes, sizeof(hash));
    }
    const struct link *link =
        map_get(&callers->by_hash, (struct str){(const char *)hash, 32});
    if (link == NULL)
        return ERR_UNAUTHENTICATED;
    if (!hit)
        remember(cache, key, hash);
    chain_of(link, ret_chain);
    return ERR_OK;
}
