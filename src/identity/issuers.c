/* issuers.c - see issuers.h. */
#include "identity/issuers.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/limits.h"
#include "codec/json.h"
#include "crypto/hash.h"
#include "identity/issuers_find.h"

/* A parse tree of the largest key set; what is kept of all of them. */
#define TREE_MAX (16 * MIB)
#define KEPT_MAX (64 * MIB)

struct issuers {
    atomic_uint refs;
    uint64_t number;
    struct arena arena;
    struct issuer *at;
    size_t count;
};

/* The array of keys in `jwks`, parsed into `a`. */
static enum err read_set(struct arena *a, struct str jwks,
                         const struct json **ret)
{
    const struct json *set;
    if (jwks.len > ISSUERS_JWKS_MAX)
        return ERR_LIMIT;
    enum err e = json_read(a, jwks, &set, NULL);
    if (e != ERR_OK)
        return e;
    const struct json *keys = json_get(set, STR("keys"));
    if (json_type(keys) != JSON_ARRAY)
        return ERR_MALFORMED;
    *ret = keys;
    return ERR_OK;
}

static void release_keys(struct jwk *keys, size_t n)
{
    for (size_t i = 0; i < n; i++)
        jwk_release(&keys[i]);
}

/* The keys of use, at most ISSUERS_KEYS_MAX; they borrow from `array`. */
static enum err read_keys(const struct json *array, struct jwk *to,
                          size_t *ret_n)
{
    struct json_iter it = json_each(array);
    const struct json *v;
    size_t n = 0;
    enum err e = ERR_OK;
    while (e == ERR_OK && json_next(&it, NULL, &v)) {
        struct jwk key = {0};
        e = json_type(v) == JSON_OBJECT ? jwk_read(v, &key) : ERR_MALFORMED;
        if (e == ERR_UNSUPPORTED) {
            e = ERR_OK;
        } else if (e == ERR_OK && n == ISSUERS_KEYS_MAX) {
            jwk_release(&key);
            e = ERR_LIMIT;
        } else if (e == ERR_OK) {
            to[n++] = key;
        }
    }
    if (e != ERR_OK)
        release_keys(to, n);
    else
        *ret_n = n;
    return e;
}

/* Moves the keys into `a`, with copies of what they borrow. */
static bool keep_keys(struct arena *a, struct jwk *keys, size_t n,
                      struct jwk **ret)
{
    struct jwk *kept = ARENA_NEW(a, struct jwk, n);
    if (kept == NULL)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (!arena_copy(a, keys[i].kid, &keys[i].kid))
            return false;
        kept[i] = keys[i];
    }
    *ret = kept;
    return true;
}

/* Into `keep`; where that is NULL, they are only counted. */
static enum err load_keys(struct str jwks, struct arena *keep, struct jwk **ret,
                          size_t *ret_n)
{
    struct arena tree;
    struct jwk keys[ISSUERS_KEYS_MAX];
    const struct json *array;
    size_t n = 0;
    arena_init(&tree, TREE_MAX);
    enum err e = read_set(&tree, jwks, &array);
    if (e == ERR_OK)
        e = read_keys(array, keys, &n);
    if (e == ERR_OK && keep != NULL && !keep_keys(keep, keys, n, ret))
        e = ERR_NO_MEMORY;
    if (e != ERR_OK || keep == NULL)
        release_keys(keys, n);
    if (e == ERR_OK)
        *ret_n = n;
    arena_release(&tree);
    return e;
}

enum err issuers_check(struct str jwks, size_t *ret_usable)
{
    return load_keys(jwks, NULL, NULL, ret_usable);
}

static bool copy_names(struct arena *a, struct names *n)
{
    struct str *to = ARENA_NEW(a, struct str, n->count);
    if (to == NULL)
        return false;
    for (size_t i = 0; i < n->count; i++) {
        if (!arena_copy(a, n->at[i], &to[i]))
            return false;
    }
    n->at = to;
    return true;
}

/* What proving a token needs; how keys are fetched is none of it. */
static bool copy_settings(struct arena *a, const struct issuer_settings *from,
                          struct issuer_settings *to)
{
    *to = (struct issuer_settings){
        .audience = from->audience,
        .kinds = from->kinds,
        .tenants = from->tenants,
        .max_age_ms = from->max_age_ms,
        .skew_ms = from->skew_ms,
    };
    return arena_copy(a, from->alias, &to->alias) &&
           arena_copy(a, from->issuer, &to->issuer) &&
           copy_names(a, &to->audience) && copy_names(a, &to->kinds) &&
           copy_names(a, &to->tenants) &&
           arena_copy(a, from->claims.kind, &to->claims.kind) &&
           arena_copy(a, from->claims.tenant, &to->claims.tenant) &&
           arena_copy(a, from->claims.groups, &to->claims.groups);
}

static enum err add(struct issuers *to, const struct issuer_settings *s,
                    const struct issuers_keys *keys)
{
    struct issuer *i = &to->at[to->count++];
    i->until_us = keys->until_us;
    if (!copy_settings(&to->arena, s, &i->settings))
        return ERR_NO_MEMORY;
    if (keys->jwks.len == 0)
        return ERR_OK;
    return load_keys(keys->jwks, &to->arena, &i->keys, &i->key_count);
}

enum err issuers_new(const struct settings *s, const struct issuers_keys *keys,
                     struct issuers **ret, size_t *ret_issuer)
{
    struct issuers *i = calloc(1, sizeof(*i));
    if (i == NULL)
        return ERR_NO_MEMORY;
    atomic_init(&i->refs, 1);
    hash_random(&i->number, sizeof(i->number));
    arena_init(&i->arena, KEPT_MAX);
    i->at = ARENA_NEW(&i->arena, struct issuer, s->issuer_count);

    enum err e = i->at == NULL ? ERR_NO_MEMORY : ERR_OK;
    size_t at = 0;
    while (e == ERR_OK && at < s->issuer_count) {
        e = add(i, &s->issuers[at], &keys[at]);
        if (e == ERR_OK)
            at++;
    }
    if (e != ERR_OK) {
        issuers_unref(i);
        if (e == ERR_MALFORMED || e == ERR_LIMIT)
            *ret_issuer = at;
        return e;
    }
    *ret = i;
    return ERR_OK;
}

struct issuers *issuers_ref(struct issuers *i)
{
    atomic_fetch_add_explicit(&i->refs, 1, memory_order_relaxed);
    return i;
}

void issuers_unref(struct issuers *i)
{
    if (i == NULL ||
        atomic_fetch_sub_explicit(&i->refs, 1, memory_order_acq_rel) != 1)
        return;
    for (size_t at = 0; at < i->count; at++)
        release_keys(i->at[at].keys, i->at[at].key_count);
    arena_release(&i->arena);
    free(i);
}

size_t issuers_count(const struct issuers *i)
{
    return i->count;
}

uint64_t issuers_number(const struct issuers *i)
{
    return i->number;
}

bool issuers_has_key(const struct issuers *i, size_t issuer, struct str kid)
{
    assert(issuer < i->count);
    const struct issuer *of = &i->at[issuer];
    for (size_t k = 0; k < of->key_count; k++) {
        if (kid.len == 0 || str_eq(of->keys[k].kid, kid))
            return true;
    }
    return false;
}

const struct issuer *issuers_find(const struct issuers *i, struct str iss,
                                  size_t *ret_index)
{
    for (size_t at = 0; at < i->count; at++) {
        if (str_eq(i->at[at].settings.issuer, iss)) {
            *ret_index = at;
            return &i->at[at];
        }
    }
    return NULL;
}

const struct jwk *issuers_find_key(const struct issuer *i, struct str kid,
                                   enum verify_alg alg)
{
    const struct jwk *found = NULL;
    for (size_t k = 0; k < i->key_count; k++) {
        const struct jwk *key = &i->keys[k];
        if (!jwk_fits(key, alg) || (kid.len > 0 && !str_eq(key->kid, kid)))
            continue;
        if (found != NULL)
            return NULL;
        found = key;
    }
    return found;
}
