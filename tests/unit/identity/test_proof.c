/* Tests proof: from a credential to a chain, as docs/identity.md has it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/attr.h"
#include "base/limits.h"
#include "fixture.h"

static void rule_01_a_credential_proves_its_chain_and_no_more(void **state)
{
    (void)state;
    static const struct {
        const char *what, *payload, *chain;
    } cases[] = {
        {"a person", "{\"sub\":\"alice\"," CORP "}",
         "subject User corp|alice acme"},
        {"a person through an application",
         "{\"sub\":\"alice\",\"azp\":\"web\"," CORP "}",
         "subject User corp|alice acme; application Application corp|web acme"},
        {"client_id where azp is not",
         "{\"sub\":\"alice\",\"client_id\":\"web\"," CORP "}",
         "subject User corp|alice acme; application Application corp|web acme"},
        {"azp before client_id",
         "{\"sub\":\"alice\",\"azp\":\"web\",\"client_id\":\"tv\"," CORP "}",
         "subject User corp|alice acme; application Application corp|web acme"},
        {"sub equal to client_id is one link",
         "{\"sub\":\"app\",\"client_id\":\"app\",\"kind\":\"application\","
         "\"tenant\":\"acme\"," MIXED "}",
         "application Application mixed|app acme"},
        {"an application through another",
         "{\"sub\":\"app\",\"azp\":\"other\",\"kind\":\"application\","
         "\"tenant\":\"acme\"," MIXED "}",
         "application Application mixed|app acme; "
         "application Application mixed|other acme"},
        {"an agent",
         "{\"sub\":\"bot\",\"client_id\":\"bot\",\"kind\":\"agent\","
         "\"tenant\":\"other\"," MIXED "}",
         "actor Agent other/bot other"},
        {"an agent through an application",
         "{\"sub\":\"bot\",\"azp\":\"web\",\"kind\":\"agent\","
         "\"tenant\":\"other\"," MIXED "}",
         "application Application mixed|web other; actor Agent other/bot "
         "other"},
        {"a workload", "{\"sub\":\"job\"," JOBS "}",
         "presenter Workload jobs|job acme"},
        {"a workload with a SPIFFE id",
         "{\"sub\":\"spiffe://example.org/job\"," JOBS "}",
         "presenter Workload spiffe://example.org/job acme"},
        {"act is history, outermost first",
         "{\"sub\":\"alice\",\"act\":{\"sub\":\"a\",\"act\":{\"sub\":\"b\"}}"
         "," CORP "}",
         "subject User corp|alice acme; < corp|a; < corp|b"},
        {"act of the same issuer by name",
         "{\"sub\":\"alice\",\"act\":{\"sub\":\"a\","
         "\"iss\":\"https://corp.example\"}," CORP "}",
         "subject User corp|alice acme; < corp|a"},
        {"act of another issuer",
         "{\"sub\":\"alice\",\"act\":{\"sub\":\"a\","
         "\"iss\":\"https://mixed.example/\"}," CORP "}",
         ""},
        {"act that is no object", "{\"sub\":\"alice\",\"act\":\"a\"," CORP "}",
         ""},
        {"act without a sub", "{\"sub\":\"alice\",\"act\":{}," CORP "}", ""},
        {"act null", "{\"sub\":\"alice\",\"act\":null," CORP "}", ""},
        {"azp that is no string",
         "{\"sub\":\"alice\",\"azp\":[\"web\"]," CORP "}", ""},
        {"no sub", "{" CORP "}", ""},
        {"an empty sub", "{\"sub\":\"\"," CORP "}", ""},
    };
    struct fixture f;
    fixture_open(&f);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        fixture_expect(&f, fixture_token(&f, RS, cases[i].payload),
                       cases[i].chain, cases[i].what);
    fixture_close(&f);
}

static void rule_01_a_key_proves_one_link(void **state)
{
    (void)state;
    static const struct {
        struct str key;
        const char *chain;
    } cases[] = {
        {STR_INIT(KEY_ANN), "subject User keys|ann acme"},
        {STR_INIT(KEY_SHOP), "application Application keys|shop acme"},
        {STR_INIT(KEY_WRITER), "actor Agent other/writer other"},
        {STR_INIT(KEY_JOB),
         "presenter Workload spiffe://example.org/job other"},
        {STR_INIT(KEY_OLD), ""},
        {STR_INIT(KEY_ANN "0"), ""},
        {STR_INIT("writ_ann012345678"), ""},
        {STR_INIT("writ_unknown0123456789"), ""},
        {STR_INIT("writ_ann_123456789"), ""},
        {STR_INIT("WRIT_ann0123456789"), ""},
        {STR_INIT("any-other-key-0123456789"), ""},
    };
    struct fixture f;
    fixture_open(&f);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        fixture_expect(&f, cases[i].key, cases[i].chain, cases[i].key.ptr);
    fixture_close(&f);
}

static void rule_01_an_act_deeper_than_a_chain_is_refused(void **state)
{
    (void)state;
    struct fixture f;
    struct buf payload;
    buf_init(&payload, 64 * KIB);
    fixture_open(&f);
    for (size_t depth = CHAIN_LINKS_MAX - 1; depth <= CHAIN_LINKS_MAX + 1;
         depth++) {
        buf_clear(&payload);
        (void)BUF_LIT(&payload, "{\"sub\":\"alice\"," CORP);
        for (size_t i = 0; i < depth; i++)
            (void)BUF_LIT(&payload, ",\"act\":{\"sub\":\"a\"");
        for (size_t i = 0; i <= depth; i++)
            (void)BUF_LIT(&payload, "}");
        (void)buf_add_char(&payload, '\0');
        struct proof *p = NULL;
        enum proof_verdict v =
            fixture_prove(&f, fixture_token(&f, RS, payload.ptr), &p);
        assert_int_equal(v, depth <= CHAIN_LINKS_MAX ? PROOF_GIVEN
                                                     : PROOF_REFUSED);
        if (p != NULL)
            assert_int_equal(p->chain.history_count, depth);
        proof_unref(p);
    }
    buf_release(&payload);
    fixture_close(&f);
}

static void
rule_03_names_never_collide_and_issuers_assert_what_they_may(void **state)
{
    (void)state;
#define AS(kind, tenant)                                                       \
    "\"kind\":\"" kind "\",\"tenant\":\"" tenant "\"," MIXED "}"
#define LONG "0123456789012345678901234567890123456789012345678901234567890123"
    static const struct {
        const char *what, *payload, *chain;
    } cases[] = {
        {"the same sub of another issuer",
         "{\"sub\":\"alice\"," AS("human", "acme"),
         "subject User mixed|alice acme"},
        {"a bar in a sub", "{\"sub\":\"x|alice\"," CORP "}", ""},
        {"a bar in an azp", "{\"sub\":\"alice\",\"azp\":\"a|b\"," CORP "}", ""},
        {"a bar in an act",
         "{\"sub\":\"alice\",\"act\":{\"sub\":\"a|b\"}," CORP "}", ""},
        {"a control character", "{\"sub\":\"a\\u0001\"," CORP "}", ""},
        {"a delete", "{\"sub\":\"a\\u007f\"," CORP "}", ""},
        {"a NUL", "{\"sub\":\"alice\\u0000\"," CORP "}", ""},
        {"a slash in an agent", "{\"sub\":\"a/b\"," AS("agent", "acme"), ""},
        {"a slash in a person", "{\"sub\":\"a/b\"," AS("human", "acme"),
         "subject User mixed|a/b acme"},
        {"128 bytes", "{\"sub\":\"" LONG LONG "\"," CORP "}",
         "subject User corp|" LONG LONG " acme"},
        {"129 bytes", "{\"sub\":\"" LONG LONG "x\"," CORP "}", ""},
        {"a kind that is not listed", "{\"sub\":\"a\"," AS("robot", "acme"),
         ""},
        {"a tenant that is not listed", "{\"sub\":\"a\"," AS("human", "evil"),
         ""},
        {"no kind", "{\"sub\":\"a\",\"tenant\":\"acme\"," MIXED "}", ""},
        {"no tenant", "{\"sub\":\"a\",\"kind\":\"human\"," MIXED "}", ""},
        {"a tenant that is no string",
         "{\"sub\":\"a\",\"kind\":\"human\",\"tenant\":[\"acme\"]," MIXED "}",
         ""},
        {"one kind and one tenant are implied",
         "{\"sub\":\"a\",\"kind\":\"agent\",\"tenant\":\"other\"," CORP "}",
         "subject User corp|a acme"},
        {"the one tenant, as the claim says",
         "{\"sub\":\"job\",\"tenant\":\"acme\"," JOBS "}",
         "presenter Workload jobs|job acme"},
        {"one tenant is implied of who says none", "{\"sub\":\"job\"," JOBS "}",
         "presenter Workload jobs|job acme"},
        {"one tenant is not implied of who says another",
         "{\"sub\":\"job\",\"tenant\":\"other\"," JOBS "}", ""},
    };
    struct fixture f;
    fixture_open(&f);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        fixture_expect(&f, fixture_token(&f, ES, cases[i].payload),
                       cases[i].chain, cases[i].what);
    fixture_close(&f);
}

static void test_groups_are_names_of_the_issuer(void **state)
{
    (void)state;
    static const struct {
        const char *claim;
        const char *groups; /* joined by ","; NULL: refused */
    } cases[] = {
        {"", ""},
        {"\"groups\":[],", ""},
        {"\"groups\":\"one\",", "one"},
        {"\"groups\":[\"one\",\"two three\"],", "one,two three"},
        {"\"groups\":[\"one\",\"a|b\"],", NULL},
        {"\"groups\":[\"one\",\"a\\n\"],", NULL},
        {"\"groups\":[\"\"],", NULL},
        {"\"groups\":\"\",", NULL},
        {"\"groups\":[1],", NULL},
        {"\"groups\":[[\"one\"]],", NULL},
        {"\"groups\":{\"one\":1},", NULL},
        {"\"groups\":null,", NULL},
        {"\"groups\":true,", NULL},
    };
    struct fixture f;
    struct buf payload, got;
    buf_init(&payload, 64 * KIB);
    buf_init(&got, 64 * KIB);
    fixture_open(&f);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        buf_clear(&payload);
        buf_clear(&got);
        (void)buf_addf(&payload, "{%s\"sub\":\"alice\"," CORP "}",
                       cases[i].claim);
        (void)buf_add_char(&payload, '\0');
        struct proof *p = NULL;
        enum proof_verdict v =
            fixture_prove(&f, fixture_token(&f, ES, payload.ptr), &p);
        assert_int_equal(v,
                         cases[i].groups == NULL ? PROOF_REFUSED : PROOF_GIVEN);
        if (p == NULL)
            continue;
        const struct link *l = &p->chain.links[0];
        for (size_t g = 0; g < l->group_count; g++)
            (void)buf_addf(&got, "%s%.*s", g > 0 ? "," : "",
                           STR_FMT(l->groups[g]));
        assert_true(str_eq(buf_str(&got), str_from(cases[i].groups)));
        proof_unref(p);
    }
    buf_release(&payload);
    buf_release(&got);
    fixture_close(&f);
}

static void test_more_groups_than_fit_are_refused_not_cut(void **state)
{
    (void)state;
    struct fixture f;
    struct buf payload;
    buf_init(&payload, 64 * KIB);
    fixture_open(&f);
    for (unsigned n = 64; n <= 65; n++) {
        buf_clear(&payload);
        (void)BUF_LIT(&payload, "{\"groups\":[\"g0\"");
        for (unsigned i = 1; i < n; i++)
            (void)buf_addf(&payload, ",\"g%u\"", i);
        (void)BUF_LIT(&payload, "],\"sub\":\"alice\"," CORP "}");
        (void)buf_add_char(&payload, '\0');
        struct proof *p = NULL;
        enum proof_verdict v =
            fixture_prove(&f, fixture_token(&f, ES, payload.ptr), &p);
        assert_int_equal(v, n == 64 ? PROOF_GIVEN : PROOF_REFUSED);
        proof_unref(p);
    }
    buf_release(&payload);
    fixture_close(&f);
}

static void test_a_link_says_how_its_person_logged_in(void **state)
{
    (void)state;
    struct fixture f;
    struct proof *p = NULL;
    fixture_open(&f);
    struct str token =
        fixture_token(&f, ED,
                      "{\"sub\":\"alice\",\"azp\":\"web\",\"acr\":\"gold\","
                      "\"auth_time\":1799999000.25," CORP "}");
    assert_int_equal(fixture_prove(&f, token, &p), PROOF_GIVEN);
    const struct link *person = &p->chain.links[0], *web = &p->chain.links[1];
    assert_true(str_eq(person->acr, STR("gold")));
    assert_int_equal(person->auth_time_us, INT64_C(1799999000250000));
    assert_int_equal(person->method, AUTH_JWT);
    assert_true(str_eq(person->who.issuer, STR("corp")));
    assert_false(person->bound);
    assert_int_equal(web->acr.len, 0);
    assert_int_equal(web->auth_time_us, 0);
    assert_int_equal(web->method, AUTH_JWT);
    assert_int_equal(person->credential.len, 16);
    assert_true(str_eq(person->credential, web->credential));
    assert_true(str_eq(p->tenant, STR("acme")));
    assert_int_equal(p->issued_us, INT64_C(1799999900000000));
    assert_int_equal(p->expires_us, INT64_C(1800000330000000));

    /* A proof does not borrow from what it was made from. */
    fixture_close(&f);
    assert_true(str_eq(person->who.id, STR("corp|alice")));
    proof_unref(p);
}

static void test_a_key_is_named_by_its_fingerprint(void **state)
{
    (void)state;
    struct fixture f;
    struct proof *p = NULL;
    fixture_open(&f);
    assert_int_equal(fixture_prove(&f, STR(KEY_ANN), &p), PROOF_GIVEN);
    const struct link *l = &p->chain.links[0];
    assert_int_equal(l->method, AUTH_API_KEY);
    assert_true(str_eq(l->credential, STR("0123456789abcdef")));
    assert_true(str_eq(l->who.issuer, PRINCIPAL_KEYS_ISSUER));
    assert_int_equal(p->expires_us, NOW_US + 60000000);
    assert_int_equal(p->issued_us, 0);
    proof_unref(p);
    fixture_close(&f);
}

static void test_one_credential_in_either_field(void **state)
{
    (void)state;
    static const struct {
        const char *authorization, *x_api_key;
        bool ok;
    } cases[] = {
        {"Bearer " KEY_ANN, "", true},
        {"bearer   " KEY_ANN, "", true},
        {"BEARER " KEY_ANN, "", true},
        {"", KEY_ANN, true},
        {"Bearer " KEY_ANN, KEY_ANN, true}, /* SDKs send one key both ways */
        {"", "", false},
        {"Bearer " KEY_ANN, KEY_SHOP, false},
        {"Bearer " KEY_SHOP, KEY_ANN, false},
        {"Basic " KEY_ANN, "", false},
        {"DPoP " KEY_ANN, "", false},
        {"Bearer", "", false},
        {"Bearer ", "", false},
        {"Bearer " KEY_ANN " ", "", false},
        {"Bearer " KEY_ANN ", Bearer " KEY_ANN, "", false},
        {"Bearer\t" KEY_ANN, "", false},
        {"Bearer" KEY_ANN, "", false},
        {KEY_ANN, "", false},
        {"", "Bearer " KEY_ANN, false},
        {"Basic x", KEY_ANN, false},
    };
    struct fixture f;
    fixture_open(&f);
    for (int pass = 0; pass < 2; pass++) { /* the second from the cache */
        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
            const struct proof_input in = {.authorization =
                                               str_from(cases[i].authorization),
                                           .x_api_key =
                                               str_from(cases[i].x_api_key)};
            struct proof *p = NULL;
            enum proof_verdict v =
                proof_make(&f.sources, f.cache, &in, &f.wish, &p);
            assert_int_equal(v, cases[i].ok ? PROOF_GIVEN : PROOF_REFUSED);
            assert_int_equal(p != NULL, cases[i].ok);
            proof_unref(p);
        }
    }
    fixture_close(&f);
}

static void test_a_certificate_alone_proves_nothing(void **state)
{
    (void)state;
    struct fixture f;
    struct proof *p = NULL;
    fixture_open(&f);
    const struct proof_input in = {.certificate = STR("0123456789abcdef...")};
    assert_int_equal(proof_make(&f.sources, f.cache, &in, &f.wish, &p),
                     PROOF_REFUSED);
    assert_null(p);
    fixture_close(&f);
}

static void test_credentials_of_odd_lengths_are_refused(void **state)
{
    (void)state;
    static const size_t lengths[] = {0, 1, 15, 16, 256, 257, 16384, 16385};
    static const char fills[] = {'a', '.', '\0', '\xff'};
    struct fixture f;
    struct buf key;
    buf_init(&key, MIB);
    fixture_open(&f);
    for (size_t i = 0; i < ARRAY_LEN(lengths) * ARRAY_LEN(fills); i++) {
        struct proof *p = NULL;
        buf_clear(&key);
        (void)BUF_LIT(&key, "writ_");
        while (key.len < 20000)
            (void)buf_add_char(&key, fills[i % ARRAY_LEN(fills)]);
        struct str part =
            str_first(buf_str(&key), lengths[i / ARRAY_LEN(fills)]);
        assert_int_equal(fixture_prove(&f, part, &p), PROOF_REFUSED);
        assert_null(p);
    }
    buf_release(&key);
    fixture_close(&f);
}

static void test_a_wrong_key_is_looked_up_like_any_other(void **state)
{
    (void)state;
    static const struct str keys[] = {STR_INIT("writ_ann0123456780"),
                                      STR_INIT("writ_xyz0123456789"),
                                      STR_INIT(KEY_OLD), STR_INIT(KEY_ANN)};
    struct fixture f;
    fixture_open(&f);
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        struct proof *p = NULL;
        (void)!fixture_prove(&f, keys[i], &p);
        assert_int_equal(fixture_asked(), i + 1);
        proof_unref(p);
    }
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rule_01_a_credential_proves_its_chain_and_no_more),
        cmocka_unit_test(rule_01_a_key_proves_one_link),
        cmocka_unit_test(rule_01_an_act_deeper_than_a_chain_is_refused),
        cmocka_unit_test(
            rule_03_names_never_collide_and_issuers_assert_what_they_may),
        cmocka_unit_test(test_groups_are_names_of_the_issuer),
        cmocka_unit_test(test_more_groups_than_fit_are_refused_not_cut),
        cmocka_unit_test(test_a_link_says_how_its_person_logged_in),
        cmocka_unit_test(test_a_key_is_named_by_its_fingerprint),
        cmocka_unit_test(test_one_credential_in_either_field),
        cmocka_unit_test(test_a_certificate_alone_proves_nothing),
        cmocka_unit_test(test_credentials_of_odd_lengths_are_refused),
        cmocka_unit_test(test_a_wrong_key_is_looked_up_like_any_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
