/* fixture.c - see fixture.h. */
#include "fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/attr.h"
#include "base/limits.h"

static const char secret[HASH_LEN] = "the key under which keys hash...";

static const struct str audience[] = {STR_INIT("gw"), STR_INIT("writ")};
static const struct str human[] = {STR_INIT("human")};
static const struct str workload[] = {STR_INIT("workload")};
static const struct str kinds[] = {STR_INIT("human"), STR_INIT("application"),
                                   STR_INIT("agent"), STR_INIT("workload")};
static const struct str tenants[] = {STR_INIT("acme"), STR_INIT("other")};

static const struct issuer_settings issuers[ISSUER_COUNT] = {
    [ISSUER_CORP] = {.alias = STR_INIT("corp"),
                     .issuer = STR_INIT("https://corp.example"),
                     .audience = {audience, 2},
                     .kinds = {human, 1},
                     .tenants = {tenants, 1},
                     .claims.groups = STR_INIT("groups"),
                     .skew_ms = 30000},
    [ISSUER_MIXED] = {.alias = STR_INIT("mixed"),
                      .issuer = STR_INIT("https://mixed.example/"),
                      .audience = {audience, 2},
                      .kinds = {kinds, 4},
                      .tenants = {tenants, 2},
                      .claims = {STR_INIT("kind"), STR_INIT("tenant"),
                                 STR_INIT("")},
                      .skew_ms = 30000},
    [ISSUER_JOBS] = {.alias = STR_INIT("jobs"),
                     .issuer = STR_INIT("https://jobs.example"),
                     .audience = {audience, 2},
                     .kinds = {workload, 1},
                     .tenants = {tenants, 1},
                     .claims = {.tenant = STR_INIT("tenant")},
                     .max_age_ms = INT64_C(900000),
                     .skew_ms = 30000},
};
static const struct settings settings = {.issuers = issuers,
                                         .issuer_count = ISSUER_COUNT};

#define STR_OF(text) STR_INIT(text)
static const struct {
    struct str key;
    struct principal who;
    int64_t expires_s;
} people[] = {
    {STR_OF(KEY_ANN),
     {PRINCIPAL_USER, STR_OF("keys"), STR_OF("keys|ann"), STR_OF("acme")},
     NOW_S + 60},
    {STR_OF(KEY_SHOP),
     {PRINCIPAL_APPLICATION, STR_OF("keys"), STR_OF("keys|shop"),
      STR_OF("acme")},
     NOW_S + 60},
    {STR_OF(KEY_WRITER),
     {PRINCIPAL_AGENT, STR_OF("keys"), STR_OF("other/writer"), STR_OF("other")},
     NOW_S + 60},
    {STR_OF(KEY_JOB),
     {PRINCIPAL_WORKLOAD, STR_OF("keys"), STR_OF("spiffe://example.org/job"),
      STR_OF("other")},
     NOW_S + 60},
    {STR_OF(KEY_OLD),
     {PRINCIPAL_USER, STR_OF("keys"), STR_OF("keys|old"), STR_OF("acme")},
     NOW_S},
};

static size_t asked; /* questions to proof_keys */

static bool find(const void *user, const struct hash *key,
                 struct proof_key *ret)
{
    (void)user;
    asked++;
    for (size_t i = 0; i < ARRAY_LEN(people); i++) {
        struct hash h =
            proof_key_hash((struct str){secret, sizeof(secret)}, people[i].key);
        if (memcmp(&h, key, sizeof(h)) != 0)
            continue;
        *ret = (struct proof_key){people[i].who, STR("0123456789abcdef"),
                                  people[i].expires_s * 1000000};
        return true;
    }
    return false;
}

const struct settings *fixture_settings(void)
{
    return &settings;
}

void fixture_jwks(struct buf *to)
{
    (void)BUF_LIT(to, "{\"keys\":[");
    mint_jwk(to, MINT_RSA, ",\"kid\":\"rs-1\",\"use\":\"sig\"");
    (void)BUF_LIT(to, ",");
    mint_jwk(to, MINT_P256, ",\"kid\":\"es-1\",\"alg\":\"ES256\"");
    (void)BUF_LIT(to, ",");
    mint_jwk(to, MINT_ED, ",\"kid\":\"ed-1\",\"key_ops\":[\"verify\"]");
    (void)BUF_LIT(to, "]}");
}

size_t fixture_asked(void)
{
    return asked;
}

void fixture_open(struct fixture *f)
{
    *f = (struct fixture){0};
    asked = 0;
    struct buf jwks;
    buf_init(&jwks, MIB);
    buf_init(&f->room, MIB);
    fixture_jwks(&jwks);
    struct issuers_keys keys[ISSUER_COUNT];
    for (size_t i = 0; i < ISSUER_COUNT; i++)
        keys[i] = (struct issuers_keys){buf_str(&jwks), INT64_MAX};
    size_t bad;
    assert_int_equal(issuers_new(&settings, keys, &f->issuers, &bad), ERR_OK);
    buf_release(&jwks);
    assert_int_equal(proof_cache_new((struct siphash_key){1, 2}, &f->cache),
                     ERR_OK);
    f->sources = (struct proof_sources){
        .caller_key = {secret, sizeof(secret)},
        .keys = {find, NULL, 1},
        .issuers = f->issuers,
        .now_us = NOW_US,
    };
}

void fixture_close(struct fixture *f)
{
    proof_cache_free(f->cache);
    issuers_unref(f->issuers);
    buf_release(&f->room);
    mint_release();
}

struct str fixture_token(struct fixture *f, const char *header,
                         const char *payload)
{
    buf_clear(&f->room);
    if (strstr(header, "es-1") != NULL)
        mint_token(&f->room, MINT_P256, "ES256", header, payload);
    else if (strstr(header, "ed-1") != NULL)
        mint_token(&f->room, MINT_ED, "EdDSA", header, payload);
    else
        mint_token(&f->room, MINT_RSA, "RS256", header, payload);
    return buf_str(&f->room);
}

enum proof_verdict fixture_prove(struct fixture *f, struct str credential,
                                 struct proof **ret)
{
    struct buf field;
    buf_init(&field, MIB);
    (void)BUF_LIT(&field, "Bearer ");
    (void)buf_add(&field, credential);
    assert_true(buf_ok(&field));
    const struct proof_input in = {.authorization = buf_str(&field)};
    enum proof_verdict v =
        proof_make(&f->sources, f->cache, &in, &f->wish, ret);
    buf_release(&field);
    return v;
}

void fixture_chain(struct buf *to, const struct proof *p)
{
    for (unsigned i = 0; i < p->chain.count; i++) {
        const struct link *l = &p->chain.links[i];
        (void)buf_addf(to, "%s%.*s %.*s %.*s %.*s", i > 0 ? "; " : "",
                       STR_FMT(link_role_name(l->role)),
                       STR_FMT(principal_kind_entity(l->who.kind)),
                       STR_FMT(l->who.id), STR_FMT(l->who.tenant));
    }
    for (unsigned i = 0; i < p->chain.history_count; i++)
        (void)buf_addf(to, "; < %.*s", STR_FMT(p->chain.history[i]));
}

void fixture_expect(struct fixture *f, struct str credential, const char *chain,
                    const char *what)
{
    for (int pass = 0; pass < 2; pass++) {
        struct buf got;
        struct proof *p = NULL;
        buf_init(&got, 64 * KIB);
        if (fixture_prove(f, credential, &p) == PROOF_GIVEN)
            fixture_chain(&got, p);
        (void)buf_add_char(&got, '\0');
        if (strcmp(got.ptr, chain) != 0)
            fail_msg("%s: \"%s\" instead of \"%s\"", what, got.ptr, chain);
        buf_release(&got);
        proof_unref(p);
    }
}
