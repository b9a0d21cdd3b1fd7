/* proof_token.c - see proof_token.h. */
#include "identity/proof_token.h"

#include "base/limits.h"
#include "domain/principal_id.h"
#include "identity/issuers_find.h"
#include "identity/jws.h"
#include "identity/jwt.h"
#include "identity/proof_memory.h"

/* What is at hand while one token becomes a chain. */
struct reading {
    struct arena *arena;
    const struct issuer_settings *issuer;
    const struct jwt *jwt;
    struct principal_parts parts; /* kind and tenant of the subject */
    struct str fingerprint;
};

static bool is_one_of(const struct names *n, struct str s)
{
    for (size_t i = 0; i < n->count; i++) {
        if (str_eq(n->at[i], s))
            return true;
    }
    return false;
}

/* What the named claim says, if listed; without it the one name of the list.
 * Who says something else is not taken for that one. */
static bool choose(const struct reading *r, const struct names *listed,
                   struct str claim, struct str *ret)
{
    const struct json *v =
        claim.len == 0 ? NULL : json_get(r->jwt->claims, claim);
    if (v != NULL)
        return json_str(v, ret) && is_one_of(listed, *ret);
    if (listed->count != 1)
        return false;
    *ret = listed->at[0];
    return true;
}

static bool make_id(const struct reading *r,
                    const struct principal_parts *parts, struct str *ret)
{
    char id[PRINCIPAL_ID_MAX];
    size_t len;
    return principal_id_make(parts, id, &len) &&
           arena_copy(r->arena, (struct str){id, len}, ret);
}

/* Is that a name, as an id's part would have to be? */
static bool is_name(const struct reading *r, struct str name)
{
    char id[PRINCIPAL_ID_MAX];
    size_t len;
    const struct principal_parts parts = {PRINCIPAL_USER, r->issuer->alias,
                                          r->parts.tenant, name};
    return principal_id_make(&parts, id, &len);
}

static bool add_link(const struct reading *r, enum principal_kind kind,
                     struct str name, struct chain *to)
{
    struct link *l = &to->links[to->count];
    struct principal_parts parts = r->parts;
    parts.kind = kind;
    parts.name = name;
    *l = (struct link){
        .role = proof_memory_role(kind),
        .who = {kind, r->issuer->alias, {NULL, 0}, r->parts.tenant},
        .method = AUTH_JWT,
        .credential = r->fingerprint,
    };
    if (!make_id(r, &parts, &l->who.id))
        return false;
    to->count++;
    return true;
}

/* An array of names, or one. */
static bool read_groups(const struct reading *r, struct link *to)
{
    struct str claim = r->issuer->claims.groups;
    const struct json *v =
        claim.len == 0 ? NULL : json_get(r->jwt->claims, claim);
    if (v == NULL)
        return true;
    bool is_array = json_type(v) == JSON_ARRAY;
    size_t n = is_array ? json_count(v) : 1;
    if (n > PROOF_GROUPS_MAX)
        return false;
    struct str *groups = ARENA_NEW(r->arena, struct str, n);
    if (groups == NULL)
        return false;

    struct json_iter it = json_each(v);
    const struct json *one = v;
    for (size_t i = 0; i < n; i++) {
        if (is_array && !json_next(&it, NULL, &one))
            return false;
        if (!json_str(one, &groups[i]) || !is_name(r, groups[i]))
            return false;
    }
    to->groups = groups;
    to->group_count = n;
    return true;
}

/* Nested `act`, outermost first; each an actor of the same issuer. */
static bool read_history(const struct reading *r, struct chain *to)
{
    const struct json *act = json_get(r->jwt->claims, STR("act"));
    for (; act != NULL; act = json_get(act, STR("act"))) {
        const struct json *iss = json_get(act, STR("iss"));
        struct principal_parts parts = r->parts;
        parts.kind = PRINCIPAL_APPLICATION;
        if (to->history_count == CHAIN_LINKS_MAX ||
            !json_str(json_get(act, STR("sub")), &parts.name) ||
            (iss != NULL && !json_is_string(iss, r->jwt->iss)) ||
            !make_id(r, &parts, &to->history[to->history_count]))
            return false;
        to->history_count++;
    }
    return true;
}

/* In the order of a chain: subject, application, actor, presenter. */
static bool read_links(const struct reading *r, struct chain *to)
{
    struct str sub = r->jwt->sub, client = r->jwt->client;
    enum principal_kind kind = r->parts.kind;
    bool has_client = client.len > 0 && !str_eq(client, sub);
    bool client_first = kind == PRINCIPAL_AGENT || kind == PRINCIPAL_WORKLOAD;

    if (has_client && client_first &&
        !add_link(r, PRINCIPAL_APPLICATION, client, to))
        return false;
    struct link *main = &to->links[to->count];
    if (!add_link(r, kind, sub, to) || !read_groups(r, main))
        return false;
    main->acr = r->jwt->acr;
    main->auth_time_us = r->jwt->auth_time_us;
    return !has_client || client_first ||
           add_link(r, PRINCIPAL_APPLICATION, client, to);
}

/* The rules of `typ` that jwt.h states. */
static bool is_for_access(const struct reading *r, const struct jws *j)
{
    enum jwt_typ typ = jwt_typ(j);
    if (typ != JWT_TYP_PLAIN)
        return typ == JWT_TYP_ACCESS;
    return r->parts.kind == PRINCIPAL_WORKLOAD &&
           (j->alg != VERIFY_EDDSA ||
            !str_starts(r->jwt->sub, STR("spiffe://")));
}

static bool read_chain(struct reading *r, const struct jws *j, int64_t now_us,
                       struct proof *to)
{
    const struct issuer_settings *s = r->issuer;
    struct str kind;
    if (!choose(r, &s->kinds, s->claims.kind, &kind) ||
        !choose(r, &s->tenants, s->claims.tenant, &r->parts.tenant))
        return false;
    r->parts.kind = principal_kind_from(kind);
    r->parts.issuer = s->alias;
    to->tenant = r->parts.tenant;
    return is_for_access(r, j) && jwt_is_for(r->jwt, &s->audience) &&
           jwt_is_current(r->jwt, now_us, s->skew_ms * 1000,
                          s->max_age_ms * 1000) &&
           read_links(r, &to->chain) && read_history(r, &to->chain);
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Where time alone would end it: the token's end, its age, its keys'. */
static void set_times(const struct issuer *i, const struct jwt *t,
                      struct proof_token *to)
{
    int64_t skew_us = i->settings.skew_ms * 1000;
    int64_t age_us = i->settings.max_age_ms * 1000;
    to->draft.issued_us = t->iat_us;
    to->draft.expires_us = t->exp_us + skew_us;
    to->until_us = earlier(to->draft.expires_us, i->until_us);
    if (age_us > 0)
        to->until_us = earlier(to->until_us, t->iat_us + age_us + skew_us);
}

enum proof_verdict proof_token_read(struct arena *a,
                                    const struct proof_sources *s,
                                    struct str credential,
                                    struct proof_wish *ret_wish,
                                    struct proof_token *ret)
{
    struct jws j;
    struct jwt t;
    size_t index;
    if (s->issuers == NULL || jws_read(a, credential, &j) != ERR_OK ||
        jwt_read(a, &j, &t) != ERR_OK)
        return PROOF_REFUSED;
    const struct issuer *i = issuers_find(s->issuers, t.iss, &index);
    if (i == NULL)
        return PROOF_REFUSED;

    bool has_key =
        i->until_us > s->now_us && issuers_has_key(s->issuers, index, j.kid);
    const struct jwk *key = has_key ? issuers_find_key(i, j.kid, j.alg) : NULL;
    if (has_key && (key == NULL || !jws_verify(&j, key)))
        return PROOF_REFUSED;

    char fingerprint[PROOF_FINGERPRINT_LEN];
    struct reading r = {.arena = a, .issuer = &i->settings, .jwt = &t};
    struct proof_token token = {0};
    proof_memory_fingerprint(credential, fingerprint);
    if (!arena_copy(a, (struct str){fingerprint, sizeof(fingerprint)},
                    &r.fingerprint) ||
        !read_chain(&r, &j, s->now_us, &token.draft))
        return PROOF_REFUSED;
    if (!has_key) {
        *ret_wish = (struct proof_wish){index, j.kid};
        return PROOF_KEY_WANTED;
    }
    set_times(i, &t, &token);
    *ret = token;
    return PROOF_GIVEN;
}
