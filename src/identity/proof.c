/*
 * proof.c - the one credential of a request, and what it proves; see proof.h.
 *
 * What has a '.' is a JWT; a key never has one.
 */
#include "identity/proof.h"

#include <assert.h>

#include "base/limits.h"
#include "identity/issuers.h"
#include "identity/proof_cache.h"
#include "identity/proof_memory.h"
#include "identity/proof_token.h"

/* Parse trees and decoded parts of one token. */
#define TOKEN_ARENA_MAX (1 * MIB)

/* Keys are short; more would only be hashed for nothing. */
enum { KEY_MAX = 256 };

struct proof *proof_ref(struct proof *p)
{
    p->refs++;
    return p;
}

void proof_unref(struct proof *p)
{
    if (p != NULL && --p->refs == 0)
        proof_memory_free(p);
}

struct hash proof_key_hash(struct str caller_key, struct str key)
{
    struct hmac_key *k = hmac_key_new(caller_key);
    struct hash h = hmac_sha256(k, &key, 1);
    hmac_key_free(k);
    return h;
}

/* "Bearer" 1*SP credential; empty when it is anything else. */
static struct str bearer_of(struct str field)
{
    struct str scheme = STR("Bearer");
    size_t len = scheme.len;
    if (!str_eq_nocase(str_first(field, len), scheme) || field.len <= len ||
        field.ptr[len] != ' ')
        return (struct str){NULL, 0};
    while (len < field.len && field.ptr[len] == ' ')
        len++;
    return str_skip(field, len);
}

/* The one credential that was presented; empty: none, or not one. */
static struct str credential_of(const struct proof_input *in)
{
    struct str none = {NULL, 0};
    struct str one = in->x_api_key;
    if (in->authorization.len > 0) {
        one = bearer_of(in->authorization);
        if (in->x_api_key.len > 0 && !str_eq_secret(one, in->x_api_key))
            return none;
    }
    return one.len < PROOF_CREDENTIAL_MIN || one.len > PROOF_CREDENTIAL_MAX
               ? none
               : one;
}

/* Letters, digits, '-' and '_': those that we make, and those that somebody
 * had before and registered (`writ agent add --key-hash`). */
static bool is_key(struct str s)
{
    if (s.len > KEY_MAX)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        if ((c < '0' || c > '9') && (c < 'A' || c > 'Z') &&
            (c < 'a' || c > 'z') && c != '-' && c != '_')
            return false;
    }
    return true;
}

/* A wrong key is an unknown one: there is nothing in it but its hash. */
static struct proof *prove_key(const struct proof_sources *s, struct str key,
                               struct proof_cache_term *ret_term)
{
    struct proof_key found;
    if (!is_key(key))
        return NULL;
    struct hash h = proof_key_hash(s->caller_key, key);
    if (!s->keys.find(s->keys.user, &h, &found) ||
        found.expires_us <= s->now_us || found.who.kind == PRINCIPAL_NONE)
        return NULL;

    struct proof draft = {.tenant = found.who.tenant,
                          .expires_us = found.expires_us};
    draft.chain.count = 1;
    draft.chain.links[0] = (struct link){
        .role = proof_memory_role(found.who.kind),
        .who = found.who,
        .method = AUTH_API_KEY,
        .credential = found.fingerprint,
    };
    *ret_term = (struct proof_cache_term){PROOF_CACHE_KEY, s->keys.number,
                                          found.expires_us};
    return proof_memory_new(&draft);
}

static enum proof_verdict
prove_token(const struct proof_sources *s, struct proof_cache *cache,
            struct str credential, struct proof_wish *ret_wish,
            struct proof_cache_term *ret_term, struct proof **ret)
{
    struct arena a;
    struct proof_token token;
    struct proof_wish wish;
    struct proof *p = NULL;
    arena_init(&a, TOKEN_ARENA_MAX);
    enum proof_verdict v = proof_token_read(&a, s, credential, &wish, &token);
    if (v == PROOF_KEY_WANTED) {
        wish.kid = proof_cache_keep_kid(cache, wish.kid);
        *ret_wish = wish;
    } else if (v == PROOF_GIVEN) {
        p = proof_memory_new(&token.draft);
        *ret_term = (struct proof_cache_term){PROOF_CACHE_TOKEN,
                                              issuers_number(s->issuers),
                                              token.until_us};
        v = p == NULL ? PROOF_REFUSED : PROOF_GIVEN;
    }
    arena_release(&a);
    *ret = p;
    return v;
}

enum proof_verdict proof_make(const struct proof_sources *s,
                              struct proof_cache *cache,
                              const struct proof_input *in,
                              struct proof_wish *ret_wish, struct proof **ret)
{
    struct str credential = credential_of(in);
    if (credential.len == 0)
        return PROOF_REFUSED;
    assert(s->caller_key.len == HASH_LEN);
    const struct proof_cache_now now = {
        {s->keys.number, s->issuers == NULL ? 0 : issuers_number(s->issuers)},
        s->now_us};
    struct proof *p = proof_cache_get(cache, credential, &now);
    if (p != NULL) {
        *ret = proof_ref(p);
        return PROOF_GIVEN;
    }

    struct proof_cache_term term;
    enum proof_verdict v = PROOF_GIVEN;
    if (str_find(credential, '.') == credential.len)
        p = prove_key(s, credential, &term);
    else
        v = prove_token(s, cache, credential, ret_wish, &term, &p);
    if (p == NULL)
        return v == PROOF_GIVEN ? PROOF_REFUSED : v;
    proof_cache_put(cache, credential, &term, p);
    *ret = p;
    return PROOF_GIVEN;
}
