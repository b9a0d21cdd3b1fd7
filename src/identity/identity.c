/*
 * identity.c - from what was presented to a chain.
 *
 * A proven credential is remembered by the thread that saw it: a seeded
 * SipHash finds the place, then the whole credential is compared.
 */
#include "identity/identity.h"

#include <stdlib.h>

#include "identity/identity_callers.h"

enum { CACHE_SLOTS = 4096 };

struct cached {
    uint64_t hash;
    uint64_t table;              /* identity_callers_number() */
    const struct caller *caller; /* borrowed from that table; NULL: free */
    char *credential;            /* secret: wiped before it is freed */
    size_t len;
};

struct identity_cache {
    struct siphash_key seed;
    struct cached slots[CACHE_SLOTS];
};

enum err identity_cache_new(struct siphash_key seed,
                            struct identity_cache **ret)
{
    struct identity_cache *c = calloc(1, sizeof(*c));
    if (c == NULL)
        return ERR_NO_MEMORY;
    c->seed = seed;
    *ret = c;
    return ERR_OK;
}

static void forget(struct cached *slot)
{
    if (slot->credential != NULL)
        hash_wipe(slot->credential, slot->len);
    free(slot->credential);
    *slot = (struct cached){0};
}

void identity_cache_free(struct identity_cache *c)
{
    if (c == NULL)
        return;
    for (size_t i = 0; i < CACHE_SLOTS; i++)
        forget(&c->slots[i]);
    free(c);
}

static bool is_hit(const struct cached *slot, uint64_t hash, uint64_t table,
                   struct str credential)
{
    return slot->caller != NULL && slot->hash == hash && slot->table == table &&
           str_eq_secret((struct str){slot->credential, slot->len}, credential);
}

/* Without memory it is not remembered, and proven again the next time. */
static void remember(struct cached *slot, struct str credential,
                     struct cached proven)
{
    forget(slot);
    char *copy = malloc(credential.len);
    if (copy == NULL)
        return;
    memcpy(copy, credential.ptr, credential.len);
    *slot = proven;
    slot->credential = copy;
    slot->len = credential.len;
}

static const struct caller *look_up(const struct identity_callers *c,
                                    struct identity_cache *cache,
                                    struct str credential)
{
    uint64_t table = identity_callers_number(c);
    uint64_t hash = siphash(cache->seed, credential);
    struct cached *slot = &cache->slots[hash % CACHE_SLOTS];

    if (is_hit(slot, hash, table, credential))
        return slot->caller;
    const struct caller *caller = identity_callers_find(c, credential);
    if (caller != NULL)
        remember(slot, credential,
                 (struct cached){.hash = hash,
                                 .table = table,
                                 .caller = caller});
    return caller;
}

/* Visible ASCII without blanks: more than RFC 6750's b64token, since keys of
 * other systems may be in use. */
static bool is_credential(struct str s)
{
    if (s.len < IDENTITY_CREDENTIAL_MIN || s.len > IDENTITY_CREDENTIAL_MAX)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] <= ' ' || s.ptr[i] > '~')
            return false;
    }
    return true;
}

/* "Bearer" 1*SP credential; empty when it is anything else. */
static struct str bearer_of(struct str field)
{
    static const char scheme[] = "Bearer";
    size_t len = sizeof(scheme) - 1;
    if (!str_eq_nocase(str_first(field, len), STR("Bearer")) ||
        field.len <= len || field.ptr[len] != ' ')
        return (struct str){NULL, 0};
    while (len < field.len && field.ptr[len] == ' ')
        len++;
    return str_skip(field, len);
}

/* The one credential that was presented; empty: none, or not one. */
static struct str credential_of(const struct identity_input *in)
{
    struct str none = {NULL, 0};
    struct str key = in->x_api_key;
    if (in->authorization.len > 0) {
        struct str token = bearer_of(in->authorization);
        if (in->x_api_key.len > 0 && !str_eq_secret(token, in->x_api_key))
            return none;
        key = token;
    }
    return is_credential(key) ? key : none;
}

static enum link_role role_of(enum principal_kind kind)
{
    switch (kind) {
    case PRINCIPAL_USER:
        return LINK_SUBJECT;
    case PRINCIPAL_APPLICATION:
        return LINK_APPLICATION;
    case PRINCIPAL_AGENT:
        return LINK_ACTOR;
    case PRINCIPAL_WORKLOAD:
        return LINK_PRESENTER;
    case PRINCIPAL_NONE:
        break;
    }
    return LINK_NONE;
}

enum err identity_prove(const struct identity_callers *c,
                        struct identity_cache *cache,
                        const struct identity_input *in,
                        struct chain *ret_chain,
                        const struct caller **ret_caller)
{
    struct str credential = credential_of(in);
    if (credential.len == 0)
        return ERR_UNAUTHENTICATED;
    const struct caller *caller = look_up(c, cache, credential);
    if (caller == NULL)
        return ERR_UNAUTHENTICATED;

    *ret_chain = (struct chain){.count = 1};
    ret_chain->links[0] = (struct link){
        .role = role_of(caller->who.kind),
        .who = caller->who,
        .method = AUTH_API_KEY,
        .credential = caller->credential,
    };
    *ret_caller = caller;
    return ERR_OK;
}
