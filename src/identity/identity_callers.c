/* identity_callers.c - the table of callers that a config names. */
#include "identity/identity_callers.h"

#include <assert.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/map.h"
#include "base/text.h"
#include "domain/principal_id.h"

enum { FINGERPRINT_LEN = 16, CALLERS_ARENA_MAX = 256 * 1024 * 1024 };

struct caller_entry {
    struct caller caller; /* first: what identity_callers_get() gives */
    struct hash key;      /* keyed hash of its key; also its place in the map */
};

struct identity_callers {
    struct arena arena;
    struct caller_entry *entries;
    size_t count;
    struct map by_key;
    uint64_t number;
    unsigned char caller_key[HASH_LEN];
};

struct hash identity_key_hash(struct str caller_key, struct str key)
{
    struct hmac_key *k = hmac_key_new(caller_key);
    struct hash h = hmac_sha256(k, &key, 1);
    hmac_key_free(k);
    return h;
}

static bool make_fingerprint(struct arena *a, const struct hash *key,
                             struct str *ret)
{
    char hex[TEXT_HEX_LEN(HASH_LEN)];
    const struct str bytes = {(const char *)key->bytes, HASH_LEN};
    struct hash h = hash_sha256(&bytes, 1);
    text_hex(h.bytes, HASH_LEN, hex);
    return arena_copy(a, (struct str){hex, FINGERPRINT_LEN}, ret);
}

static enum err add(struct identity_callers *c, const struct settings *s,
                    size_t i, const char **ret_why)
{
    const struct caller_settings *from = &s->callers[i];
    struct caller_entry *to = &c->entries[i];
    struct caller *who = &to->caller;
    struct str tenant = s->tenants[from->tenant].name;
    const struct principal_parts parts = {from->kind, PRINCIPAL_KEYS_ISSUER,
                                          tenant, from->name};
    char id[PRINCIPAL_ID_MAX];
    size_t len;

    *ret_why = "a caller has no kind, or its name or that of its tenant "
               "cannot be part of an entity id";
    if (!principal_id_make(&parts, id, &len))
        return ERR_CONFIG;

    memcpy(to->key.bytes, from->key_hmac, HASH_LEN);
    who->index = i;
    who->who.kind = from->kind;
    who->who.issuer = PRINCIPAL_KEYS_ISSUER;
    if (!arena_copy(&c->arena, from->name, &who->name) ||
        !arena_copy(&c->arena, tenant, &who->who.tenant) ||
        !arena_copy(&c->arena, (struct str){id, len}, &who->who.id) ||
        !make_fingerprint(&c->arena, &to->key, &who->credential))
        return ERR_NO_MEMORY;

    const struct str key = {(const char *)to->key.bytes, HASH_LEN};
    *ret_why = "two callers have the same key";
    if (map_get(&c->by_key, key) != NULL)
        return ERR_CONFIG;
    return map_set(&c->by_key, key, to);
}

enum err identity_callers_new(const struct settings *s, struct str caller_key,
                              struct identity_callers **ret,
                              const char **ret_why)
{
    assert(caller_key.len == HASH_LEN);
    struct identity_callers *c = calloc(1, sizeof(*c));
    if (c == NULL)
        return ERR_NO_MEMORY;
    arena_init(&c->arena, CALLERS_ARENA_MAX);
    map_init(&c->by_key, hash_random_seed(), s->caller_count);
    memcpy(c->caller_key, caller_key.ptr, HASH_LEN);
    hash_random(&c->number, sizeof(c->number));
    c->count = s->caller_count;
    c->entries = ARENA_NEW(&c->arena, struct caller_entry, c->count);

    enum err e = c->entries == NULL ? ERR_NO_MEMORY : ERR_OK;
    const char *why = NULL;
    for (size_t i = 0; e == ERR_OK && i < c->count; i++)
        e = add(c, s, i, &why);
    if (e != ERR_OK) {
        identity_callers_free(c);
        if (e == ERR_CONFIG)
            *ret_why = why;
        return e;
    }
    *ret = c;
    return ERR_OK;
}

void identity_callers_free(struct identity_callers *c)
{
    if (c == NULL)
        return;
    map_release(&c->by_key);
    arena_release(&c->arena);
    hash_wipe(c->caller_key, sizeof(c->caller_key));
    free(c);
}

const struct caller *identity_callers_get(const struct identity_callers *c,
                                          size_t index)
{
    assert(index < c->count);
    return &c->entries[index].caller;
}

const struct caller *identity_callers_find(const struct identity_callers *c,
                                           struct str key)
{
    struct hash h =
        identity_key_hash((struct str){(const char *)c->caller_key, HASH_LEN},
                          key);
    const struct str digest = {(const char *)h.bytes, HASH_LEN};
    const struct caller_entry *found = map_get(&c->by_key, digest);
    if (found == NULL ||
        !str_eq_secret((struct str){(const char *)found->key.bytes, HASH_LEN},
                       digest))
        return NULL;
    return &found->caller;
}

uint64_t identity_callers_number(const struct identity_callers *c)
{
    return c->number;
}
