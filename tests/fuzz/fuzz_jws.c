/* layers: identity codec base */
/* Property: what is read is what is signed, byte by byte; and nobody is proven
 * by a token of an issuer whose keys are not there. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/limits.h"
#include "base/text.h"
#include "identity/issuers.h"
#include "identity/jwt.h"
#include "identity/proof_token.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The parts, encoded again, are the text. */
static void check_parts(struct str text, const struct jws *j)
{
    static char room[TEXT_BASE64URL_LEN(JWS_MAX)];
    size_t first = str_find(text, '.');
    struct str payload = str_skip(j->signed_part, first + 1);
    assert(j->alg != VERIFY_NONE && j->kid.len <= JWK_KID_MAX);
    assert(str_starts(text, j->signed_part) && j->signature.len > 0);
    assert(TEXT_BASE64URL_LEN(j->payload.len) == payload.len);
    text_base64url(j->payload.ptr, j->payload.len, room);
    assert(str_eq((struct str){room, payload.len}, payload));

    struct str signature = str_skip(text, j->signed_part.len + 1);
    assert(TEXT_BASE64URL_LEN(j->signature.len) == signature.len);
    text_base64url(j->signature.ptr, j->signature.len, room);
    assert(str_eq((struct str){room, signature.len}, signature));
}

static void check_claims(struct arena *a, const struct jws *j)
{
    struct jwt t;
    if (jwt_read(a, j, &t) != ERR_OK)
        return;
    assert(t.iss.len > 0 && t.sub.len > 0);
    assert(t.iat_us >= 0 && t.exp_us > t.iat_us && t.nbf_us >= 0 &&
           t.auth_time_us >= 0);
    assert(!jwt_is_current(&t, t.exp_us, 0, 0));
}

/* An issuer of everything, without a key. */
static struct issuers *keyless(void)
{
    static const struct str names[] = {STR_INIT("human"), STR_INIT("agent"),
                                       STR_INIT("workload"),
                                       STR_INIT("application")};
    static const struct str one[] = {STR_INIT("a")};
    static const struct issuer_settings issuer = {
        .alias = STR_INIT("i"),
        .issuer = STR_INIT("i"),
        .audience = {one, 1},
        .kinds = {names, 4},
        .tenants = {one, 1},
        .claims = {STR_INIT("kind"), STR_INIT(""), STR_INIT("groups")},
        .skew_ms = 60000};
    static const struct settings s = {.issuers = &issuer, .issuer_count = 1};
    static const struct issuers_keys none = {{NULL, 0}, INT64_MAX};
    struct issuers *i;
    size_t bad;
    if (issuers_new(&s, &none, &i, &bad) != ERR_OK)
        abort();
    return i;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct issuers *issuers; /* of the process */
    if (issuers == NULL)
        issuers = keyless();
    struct arena a;
    struct jws j;
    struct str text = {(const char *)data, size};
    arena_init(&a, 4 * MIB);
    if (jws_read(&a, text, &j) == ERR_OK) {
        check_parts(text, &j);
        check_claims(&a, &j);
    }
    const struct proof_sources sources = {.issuers = issuers,
                                          .now_us = INT64_C(1800000000000000)};
    struct proof_wish wish = {7, {NULL, 0}};
    struct proof_token token;
    enum proof_verdict v = proof_token_read(&a, &sources, text, &wish, &token);
    assert(v == PROOF_REFUSED || v == PROOF_KEY_WANTED);
    assert(v == PROOF_REFUSED || wish.issuer == 0);
    arena_release(&a);
    return 0;
}
